"""A TCP proxy that misbehaves on request: cuts, swallows, delays, trickles, limits the rate, refuses.

Everything may be changed while it runs. A proxy stands for the network between two programs, or for an address that
moves: `proxy.target_port = other` leads the next connection elsewhere.
"""
import contextlib
import random
import socket
import struct
import threading
import time


class Link:
    """One connection through the proxy: a thread for each direction."""

    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.carried = 0
        for source, sink, up in ((client, server, True), (server, client, False)):
            threading.Thread(target=self.carry, args=(source, sink, up), daemon=True).start()

    def carry(self, source, sink, up):
        proxy = self.proxy
        try:
            while True:
                while proxy.frozen or (proxy.hold and proxy.hold(self)):
                    time.sleep(0.01)
                data = source.recv(proxy.chunk)
                if not data:
                    break
                if proxy.delay:
                    time.sleep(proxy.delay)
                if proxy.watch and not proxy.watch(up, data):
                    continue
                room = proxy.room_before_cut(self.carried, len(data))
                if room is not None:
                    sink.sendall(data[:room])
                    proxy.cuts += 1
                    self.cut()
                    return
                if not proxy.swallow:
                    sink.sendall(data)
                self.carried += len(data)
                with proxy.lock:
                    if up:
                        proxy.bytes_up += len(data)
                    else:
                        proxy.bytes_down += len(data)
                if proxy.rate:
                    time.sleep(len(data) / proxy.rate)
        except OSError:
            pass
        # An orderly end stays one; the other direction may still have something to say.
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
        proxy.ended(self)

    def cut(self):
        """Ends it as a broken cable with a RST would: what is under way is lost."""
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                end.close()


class Proxy:
    """Listens on loopback and leads to `target_port`. `with Proxy(port) as proxy:`, or World.proxy(port)."""

    def __init__(self, target_port, **settings):
        self.target_port = target_port
        self.lock = threading.Lock()
        self.links = set()
        self.connections = self.cuts = self.bytes_up = self.bytes_down = 0
        self.cuts_after = []     # bytes of a connection, both directions together: each cuts one, in this order
        self.swallow = False     # half-open: takes everything, passes nothing on
        self.frozen = False      # takes nothing
        self.hold = None         # called with a link: true, it takes nothing for now
        self.delay = 0.0         # seconds, each piece
        self.rate = None         # bytes a second, each direction
        self.chunk = 65536       # the largest piece: 1 trickles
        self.watch = None        # called with (up, piece) before it is passed on; false: it is swallowed
        self.closed = False
        for name, value in settings.items():
            assert hasattr(self, name), name
            setattr(self, name, value)
        self.listener = self.listen(0)
        self.port = self.listener.getsockname()[1]
        self.refusing = False
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @staticmethod
    def listen(port):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
        listener.settimeout(0.05)
        return listener

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def accept(self):
        while not self.closed:
            if self.refusing:
                if self.listener:
                    self.listener.close()
                    self.listener = None
                time.sleep(0.02)
                continue
            try:
                if not self.listener:
                    self.listener = self.listen(self.port)
                client, _ = self.listener.accept()
            except OSError:
                continue
            self.connections += 1
            # A listening socket may have taken it just before it was told to refuse.
            if self.refusing:
                client.close()
                continue
            threading.Thread(target=self.connect, args=(client,), daemon=True).start()
        if self.listener:
            self.listener.close()

    def connect(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self.target_port), timeout=60)
        except OSError:
            client.close()
            return
        for end in (client, server):
            end.settimeout(None)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(self, client, server)
        with self.lock:
            self.links.add(link)

    def room_before_cut(self, carried, coming):
        """None, or how many of the bytes that come still pass before this link is to be cut."""
        with self.lock:
            if not self.cuts_after or carried + coming < self.cuts_after[0]:
                return None
            return max(0, self.cuts_after.pop(0) - carried)

    def ended(self, link):
        """Called once by each direction."""
        with self.lock:
            link.halves = getattr(link, "halves", 0) + 1
            if link.halves < 2:
                return
            self.links.discard(link)
        for end in (link.client, link.server):
            with contextlib.suppress(OSError):
                end.close()

    def refuse(self, refusing=True):
        """From now on nobody is let in; the links that stand, stay."""
        self.refusing = refusing
        time.sleep(0.15)

    def cut(self):
        """Cuts every link that stands; returns how many."""
        with self.lock:
            links, self.links = list(self.links), set()
        for link in links:
            link.cut()
        self.cuts += len(links)
        return len(links)

    def close(self):
        self.closed = True
        self.frozen = self.swallow = False
        self.hold = None
        self.cut()


class RandomCutter:
    """Cuts all links of a proxy at random moments until stopped."""

    def __init__(self, proxy, seed, shortest=0.1, longest=1.0):
        self.proxy, self.random = proxy, random.Random(seed)
        self.shortest, self.longest = shortest, longest
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.stopping.wait(self.random.uniform(self.shortest, self.longest)):
            self.proxy.cut()

    def stop(self):
        self.stopping.set()
        self.thread.join()
