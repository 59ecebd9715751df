"""The body of a command frame (command-frame.md), for read_repository.py: `r` has raw(size), varint() and sized()."""
import hashlib, sys
def hashed(frame): return b"ADRC" + hashlib.sha256(frame).digest() if frame[:4] == b"ADRC" else frame  # log-entry.md
def little(r, size): return int.from_bytes(r.raw(size), "little")
def plain(r, size):  # the `size` plain bytes of a body that `r` reads
    out, templates = [], []
    while r.at < len(r.data):
        op = little(r, 1)
        if op == 0: out.append(r.sized())
        elif op == 1:
            steps = [(r.sized(), little(r, 1), little(r, 1), [])]
            while steps[-1][1]: steps.append((r.sized(), little(r, 1), little(r, 1), []))
            templates.append(steps)
        else:
            for text, kind, width, words in templates[op - 2]: out.append(text + slot(r, kind, width, words))
    return b"".join(out) if sum(map(len, out)) == size else sys.exit("a command frame is damaged")
def slot(r, kind, width, words):
    if kind == 1: return b"%0*d" % (width, little(r, ((10**width - 1).bit_length() + 7) // 8))
    if kind == 2: return b"%d" % ((first := little(r, 1)) + (little(r, (1 << (first & 3)) - 1) << 8) >> 2)
    if kind == 3: return r.raw((width + 1) // 2).hex()[-width:].encode()
    if kind == 5: return b"$%d\r\n%s\r\n" % (len(argument := r.sized()), argument)
    if kind == 0: return b""
    if kind != 4 or (number := little(r, 1)) < 255: return words[number] if kind == 4 else sys.exit("an unknown slot")
    if len(word := r.raw(little(r, 1))) < 16 and len(words) < 128: words.append(word)
    return word
