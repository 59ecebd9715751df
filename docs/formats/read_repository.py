#!/usr/bin/env python3
"""Reads an Anclora DR repository in a folder without Anclora DR: writes the RDB of the newest base and the replication
stream after it. Needs Python 3.8, libsodium, libzstd and command_frame.py beside it; it knows just docs/formats/.
    read_repository.py FOLDER --rdb dump.rdb --stream stream.resp [--source NAME] [--passphrase-file FILE]
Start redis-server with the RDB, then send it the stream: redis-cli --pipe < stream.resp"""
import argparse, calendar, ctypes, hashlib, json, os, struct, sys, time, command_frame
from ctypes import c_size_t as size_t, c_ulonglong as u64
sodium, zstd = ctypes.CDLL("libsodium.so.23"), ctypes.CDLL("libzstd.so.1")
zstd.ZSTD_getFrameContentSize.restype, zstd.ZSTD_decompress.restype = u64, size_t
def varint(n): return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)
def sized(data): return varint(len(data)) + data
def blake(data, key=b""): return hashlib.blake2b(data, digest_size=32, key=key).digest()
class Reader:
    def __init__(self, data): self.data, self.at = data, 0
    def raw(self, size):
        self.at += size
        return self.data[self.at - size:self.at] if self.at <= len(self.data) else sys.exit("an object ends too early")
    def number(self, form): return struct.unpack("<" + form, self.raw(struct.calcsize("<" + form)))[0]
    def varint(self):
        byte = self.raw(1)[0]
        return byte if byte < 128 else byte & 127 | self.varint() << 7
    def sized(self): return self.raw(self.varint())
def unpack(frame):
    if frame[:4] == b"ADRC": return command_frame.plain(Reader(unpack(frame[8:])), int.from_bytes(frame[4:8], "little"))
    size = zstd.ZSTD_getFrameContentSize(frame, size_t(len(frame)))
    if size > 1 << 20: sys.exit("a frame declares an impossible size")
    out = ctypes.create_string_buffer(max(size, 1))
    got = zstd.ZSTD_decompress(out, size_t(size), frame, size_t(len(frame)))
    return out.raw[:size] if got == size else sys.exit("a frame does not decompress")
class Repository:
    def __init__(self, folder, secret):
        self.folder, self.key = folder, None
        config = json.loads(self.file("config"))
        if config["format"] != 1 or any(f["name"] != "command frames" for f in config["required_features"]):
            sys.exit("this is a newer format: see docs/formats/")
        self.id = bytes.fromhex(config["repository"])
        if config["encrypted"]: self.key = self.unlock(secret)
    def file(self, name): return open(os.path.join(self.folder, name), "rb").read()
    def names(self, prefix):
        return sorted(os.listdir(path)) if os.path.isdir(path := os.path.join(self.folder, prefix)) else []
    def unlock(self, secret):
        for name in self.names("keys"):
            slot = json.loads(self.file("keys/" + name))
            if slot["kind"] != "passphrase" or bytes.fromhex(slot["repository"]) != self.id: continue
            salt, wrapped = bytes.fromhex(slot["kdf"]["salt"]), bytes.fromhex(slot["wrapped"])
            cost, memory = slot["kdf"]["operations"], slot["kdf"]["memory_bytes"]
            wrapping, key = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
            sodium.crypto_pwhash(wrapping, u64(32), secret, u64(len(secret)), salt, u64(cost), size_t(memory), 2)
            created = calendar.timegm(time.strptime(slot["created"][:19], "%Y-%m-%dT%H:%M:%S"))
            bound = sized(b"anclora key slot 1") + b"\x01" + sized(self.id) + sized(salt).join((
                struct.pack("<q", created * 10**6 + int(slot["created"][20:26])), struct.pack("<QQ", cost, memory)))
            if sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(key, None, None, wrapped, u64(len(wrapped)), bound,
                    u64(len(bound)), bytes.fromhex(slot["nonce"]), wrapping) == 0: return key.raw
        sys.exit("the passphrase opens none of the keys")
    def open(self, name):  # the plain bytes of an object, and the hash that it has as a log entry
        opened = self.unseal(reader := Reader(self.file(name)), name, 0)
        return opened if reader.at == len(reader.data) else sys.exit(name + ": bytes follow the final frame")
    def unseal(self, reader, name, stream):
        out, frames, last, frame = [], [], False, 0
        place = sized(self.id) + sized(name.encode()) + struct.pack("<I", stream)
        if reader.raw(6) != (b"ADRO\1\1" if self.key else b"ADRO\1\2"): sys.exit(name + ": not an object")
        if self.key:
            state = ctypes.create_string_buffer(64)
            sodium.crypto_secretstream_xchacha20poly1305_init_pull(
                state, reader.raw(24), blake(sized(b"anclora object key 1") + place, self.key))
        while not last:
            sealed, frame = reader.raw(reader.number("I")), frame + 1
            if self.key:
                plain, tag = ctypes.create_string_buffer(len(sealed)), ctypes.c_ubyte()
                failed = sodium.crypto_secretstream_xchacha20poly1305_pull(
                    state, plain, None, ctypes.byref(tag), sealed, u64(len(sealed)), None, u64(0))
                packed, last = plain.raw[:len(sealed) - 17], tag.value == 3
            else:
                last, packed, bound = sealed[0] == 1, sealed[33:], sized(b"anclora object hash 1") + place
                failed = sealed[1:33] != blake(bound + struct.pack("<QB", frame - 1, last) + packed)
            if failed: sys.exit("%s: frame %d is damaged" % (name, frame - 1))
            out.append(unpack(packed)), frames.append(sized(command_frame.hashed(packed)))
        plain = b"".join(out)
        return plain, blake(plain if len(plain) < 1 << 18 else sized(b"anclora entry frames 1") + b"".join(frames))

def entry(content):  # its kind, predecessor's hash, sequence, first, last, base, bytes (log-entry.md)
    r = Reader(content)
    version, kind, flags, before = r.number("B"), r.number("B"), r.number("B"), r.raw(32)
    if version != 1: sys.exit("a log entry of a newer format")
    r.number("I"), (sequence := r.varint()), r.raw(32), r.varint(), r.sized()
    first, last = r.varint(), r.varint()
    r.raw(4), (flags & 1 and r.varint()), r.varint(), (flags & 2 and r.varint()), r.varint(), r.varint()
    for _ in range(r.varint()): r.varint(), r.varint(), r.varint()
    if flags & 8: r.raw(5), r.varint(), r.raw(8), r.sized()
    (flags & 16 and r.raw(32)), (flags & 32 and (r.varint(), [(r.varint(), r.varint()) for _ in range(r.varint())]))
    return kind, before, sequence, first, last, (r.sized().decode(), r.sized(), r.sized())[0], r.sized()
def entries(repository, head, packs):  # of a timeline, those in packs first, each proven to follow the one before
    def contents():
        sequence = 0
        for pack in sorted(packs, key=lambda p: p["first_sequence"]):
            sequence = pack["first_sequence"]
            data = repository.file("%s/pack/%020d-%020d" % (head, sequence, pack["last_sequence"]))
            reader = Reader(data[:struct.unpack("<Q", data[-24:-16])[0]])
            while reader.at < len(reader.data):
                stream = reader.number("B") & 1  # of a run of small entries 1, of one entry's own object 0
                plain, digest = repository.unseal(reader, "%s/log/%020d" % (head, sequence), stream)
                run = Reader(plain if stream else sized(plain))
                while run.at < len(run.data):
                    yield (content := run.sized()), blake(content) if stream else digest
                    sequence += 1
        for name in repository.names(head + "/log"):
            if int(name) >= sequence: yield repository.open("%s/log/%s" % (head, name))
    before = None
    for content, digest in contents():
        e = entry(content)
        if before not in (None, e[1]): sys.exit("entry %d does not follow the one before it" % e[2])
        before = digest
        yield e

def checkpoints(repository, source, timeline):  # the bases and packs of a timeline that count
    found, folder = {"bases": {}, "packs": {}}, source + "/checkpoint"
    folder, mark = folder + "/" + (repository.names(folder) or [""])[-1], ""
    for ordinal in repository.names(folder):
        c = json.loads(repository.open(folder + "/" + ordinal)[0])
        for kind, key in ("bases", "name"), ("packs", "first_sequence"):
            if c["full"]: found[kind].clear()
            for item in c.get(kind, []): found[kind].setdefault((item["timeline"], item[key]), item)
            if c.get("retires_mark", mark) != mark: continue  # void: somebody marked anew meanwhile
            for item in c.get("retired_" + kind, []): found[kind].pop((item["timeline"], item[key]), None)
        if c["full"] or "retiring" in c: mark = c.get("retiring", {}).get("mark", "")
    return [[item for item in found[kind].values() if item["timeline"] == timeline] for kind in ("bases", "packs")]

def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in "folder", "--rdb", "--stream", "--source", "--passphrase-file": parser.add_argument(name)
    options = parser.parse_args()
    secret = open(options.passphrase_file or os.devnull, "rb").read().rstrip(b"\r\n")
    repository, source = Repository(options.folder, secret), "sources/" + (options.source or "default")
    head = source + "/" + max(n for n in repository.names(source) if n.isdigit())
    bases, packs = checkpoints(repository, source, timeline := int(head[-10:]))
    if not bases:  # the log's "base complete" counts until a checkpoint says it
        bases = [json.loads(repository.open("%s/base/%s/manifest" % (head, e[5]))[0])["base"]
                 for e in entries(repository, head, packs) if e[0] == 4]
    base = max(bases, key=lambda b: b["offset"], default=None) or sys.exit("timeline %d has no base yet" % timeline)
    folder, whole, end = "%s/base/%s/" % (head, base["name"]), hashlib.blake2b(digest_size=32), 0
    with open(options.rdb or "dump.rdb", "wb") as rdb:
        for part in range(base["parts"]):
            data, _ = repository.open("%s%06d" % (folder, part))
            whole.update(data), rdb.write(data)
    if whole.hexdigest() != json.loads(repository.open(folder + "manifest")[0])["hash"]: sys.exit("the base is damaged")
    with open(options.stream or "stream.resp", "wb") as stream:
        for _, _, _, first, end, _, data in entries(repository, head, packs):
            if end > base["offset"]: stream.write(data[max(base["offset"] - first, 0):])
    print("base %s (SELECT %d), then the stream up to %d/%d" % (base["name"], base["database"], timeline, end))
main()
