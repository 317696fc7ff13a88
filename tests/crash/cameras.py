"""Cameras that lose nothing: each sends again whatever was not PERSISTED, as the real producer does.

All run in one thread over one selector. What a camera sends is decided by its index and the
fragment's timecode alone, so it need not be remembered to be compared.
"""

import hashlib
import json
import queue
import random
import selectors
import socket
import threading
import time

import matroska as mkv
from put_media import EMPTY_SHA256, amz_now, sign
from server_process import ACCESS_KEY, REGION, SECRET_KEY

FRAMES = 4
FRAGMENT_MS = 1000
# What a server in trouble may say: the camera keeps its footage and comes back. Anything else
# would make the real producer throw the fragment away.
KEEPS = (4003, 5000, 5001)
HEADER = mkv.header()


def cluster(camera, timecode, size):
    """The bytes of a fragment: `size` bytes of frames that no other fragment has."""
    noise = hashlib.shake_128(f"{camera} {timecode}".encode()).digest(size)
    each = size // FRAMES
    body = mkv.cluster(timecode)
    for i in range(FRAMES):
        nal = (b"\x65" if i == 0 else b"\x41") + b"\x88" + noise[i * each:(i + 1) * each]
        frame = len(nal).to_bytes(4, "big") + nal
        body += mkv.block(1, i * FRAGMENT_MS // FRAMES, i == 0, frame)
    return body


class Violation:
    """What must never happen, with where it happened."""

    def __init__(self):
        self.found = {}

    def note(self, promise, detail):
        self.found.setdefault(promise, []).append(detail)

    def of(self, promise):
        return self.found.get(promise, [])


class Camera:
    """One stream's producer, on a non-blocking socket."""

    def __init__(self, index, stream, server, options, violations):
        self.index, self.stream = index, stream
        self.address = ("127.0.0.1", server.port)
        self.size, self.window = options.fragment_kib * 1024, options.window
        self.interval = 1 / options.fragments_per_second
        self.violations = violations
        self.first_timecode = options.first_timecode
        self.began = time.monotonic() + random.random() * self.interval
        # Half of them end each fragment by its tag, half by the next cluster.
        self.tags_each = index % 2 == 1
        # (timecode, number, hash of the bytes sent, when the ack came), in order of the acks
        self.persisted = []
        self.sessions = self.resent = self.newest_sent = 0
        self.ending = False
        self.socket, self.retry_at = None, 0.0

    def timecode(self, position):
        return self.first_timecode + position * FRAGMENT_MS

    def produced(self):
        """How many fragments the camera has filmed so far."""
        if self.ending:
            return self.last
        return max(0, int((time.monotonic() - self.began) / self.interval))

    def end(self):
        """Films nothing more; what there is still has to be stored."""
        self.last = self.produced()
        self.ending = True

    def is_done(self):
        return self.ending and len(self.persisted) >= self.last

    # The connection.

    def connect(self):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect_ex(self.address)
        self.sessions += 1
        self.received, self.head_seen, self.body_over = bytearray(), False, False
        self.next = len(self.persisted)  # goes back to the oldest that is not PERSISTED
        self.acked = {}  # timecode -> last event
        self.tag_pending = self.tag_sent = False
        headers = {
            "connection": "keep-alive",
            "host": "127.0.0.1",
            "transfer-encoding": "chunked",
            "user-agent": "AWS-SDK-KVS-CPP-CLIENT/3.5.0 crash",
            "x-amz-date": amz_now(),
            "x-amzn-fragment-acknowledgment-required": "1",
            "x-amzn-fragment-timecode-type": "ABSOLUTE",
            "x-amzn-producer-start-timestamp": "0",
            "x-amzn-stream-name": self.stream,
        }
        proof = sign(SECRET_KEY, ACCESS_KEY, REGION, "POST", "/putMedia", headers, EMPTY_SHA256)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST /putMedia HTTP/1.1\r\n{lines}Authorization: {proof}\r\n\r\n"
        self.outgoing = bytearray(head.encode())
        self.put(HEADER)

    def disconnect(self, wait=0.1):
        if self.socket:
            self.socket.close()
        self.socket = None
        self.retry_at = time.monotonic() + wait * (0.5 + random.random())

    def put(self, body):
        """One HTTP chunk."""
        self.outgoing += b"%x\r\n%s\r\n" % (len(body), body)

    def fill(self):
        """Queues the fragment that is due, frame by frame, if the window has room."""
        if self.outgoing or self.body_over:
            return
        if self.tag_pending:
            self.tag_pending, self.tag_sent = False, True
            self.put(mkv.END_OF_FRAGMENT)
        elif self.next < min(self.produced(), len(self.persisted) + self.window):
            timecode = self.timecode(self.next)
            self.resent += timecode <= self.newest_sent
            self.newest_sent = max(timecode, self.newest_sent)
            body = cluster(self.index, timecode, self.size)
            third = len(body) // 3
            for at in (0, third, 2 * third):
                self.put(body[at:at + third] if at < 2 * third else body[at:])
            self.next += 1
            self.tag_pending, self.tag_sent = self.tags_each, False
        elif self.next > len(self.persisted) and not self.tag_sent and (
            self.ending or self.next >= len(self.persisted) + self.window
        ):
            # Nothing follows that would end the last one.
            self.tag_sent = True
            self.put(mkv.END_OF_FRAGMENT)
        elif self.is_done():
            self.body_over = True
            self.outgoing += b"0\r\n\r\n"

    def write(self):
        if self.outgoing:
            count = self.socket.send(memoryview(self.outgoing)[:262_144])
            del self.outgoing[:count]

    def read(self):
        """False when the connection is over."""
        data = self.socket.recv(65536)
        if not data:
            return False
        self.received += data
        if not self.head_seen:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return True
            status = int(self.received.split(b" ", 2)[1])
            if status != 200:
                if status < 500:
                    self.violations.note("no camera is told to discard", (
                        self.stream, bytes(self.received).decode(errors="replace")
                    ))
                return False
            self.head_seen = True
            del self.received[:end + 4]
        while True:
            line = self.received.find(b"\r\n")
            if line < 0:
                return True
            length = int(self.received[:line], 16)
            if length == 0:
                return False
            if len(self.received) < line + 2 + length + 2:
                return True
            ack = json.loads(self.received[line + 2:line + 2 + length])
            del self.received[:line + 2 + length + 2]
            self.take(ack)

    def take(self, ack):
        kind, timecode = ack["EventType"], ack.get("FragmentTimecode")
        if kind == "IDLE":
            return
        if kind == "ERROR":
            if ack["ErrorId"] not in KEEPS:
                self.violations.note("no camera is told to discard", (self.stream, ack))
            return
        before = {"BUFFERING": None, "RECEIVED": "BUFFERING", "PERSISTED": "RECEIVED"}[kind]
        if self.acked.get(timecode) != before:
            self.violations.note("acks come in order", (self.stream, ack, self.acked.get(timecode)))
        self.acked[timecode] = kind
        if kind != "PERSISTED":
            return
        del self.acked[timecode]
        if timecode != self.timecode(len(self.persisted)):
            self.violations.note("acks come in order", (self.stream, ack, len(self.persisted)))
            return
        number = int(ack["FragmentNumber"])
        if self.persisted and number <= self.persisted[-1][1]:
            self.violations.note(
                "numbers grow", (self.stream, number, self.persisted[-1][1])
            )
        sent = hashlib.sha256(cluster(self.index, timecode, self.size)).digest()
        self.persisted.append((timecode, number, sent, time.monotonic()))

    def forget(self, since):
        """Takes acks that came later for not given."""
        while self.persisted and self.persisted[-1][3] >= since:
            self.persisted.pop()


class Fleet:
    """All cameras, driven by one thread until they are told to end."""

    def __init__(self, cameras):
        self.cameras = cameras
        self.stopped = False
        self.failure = None
        self.forgets = queue.SimpleQueue()
        self.thread = threading.Thread(target=self.run, name="cameras", daemon=True)
        self.thread.start()

    def persisted(self):
        return sum(len(camera.persisted) for camera in self.cameras)

    def run(self):
        try:
            self.drive()
        except Exception as failure:  # told by `check`
            self.failure = failure

    def check(self):
        if self.failure:
            raise self.failure

    def forget(self, since):
        """Cuts every connection and takes acks that came since then for not given."""
        done = threading.Event()
        self.forgets.put((since, done))
        while not done.wait(0.1):
            self.check()

    def drive(self):
        selector = selectors.DefaultSelector()
        registered = {}  # camera -> (socket, events)
        while not self.stopped:
            if not self.forgets.empty():
                since, done = self.forgets.get()
                for camera in list(registered):
                    selector.unregister(camera.socket)
                    registered.pop(camera)
                    camera.disconnect()
                for camera in self.cameras:
                    camera.forget(since)
                done.set()
            now = time.monotonic()
            for camera in self.cameras:
                if camera.socket is None:
                    if now < camera.retry_at or (camera.is_done() and camera.sessions):
                        continue
                    camera.connect()
                camera.fill()
                events = selectors.EVENT_READ | (selectors.EVENT_WRITE if camera.outgoing else 0)
                known = registered.get(camera)
                if known is None:
                    selector.register(camera.socket, events, camera)
                elif known != events:
                    selector.modify(camera.socket, events, camera)
                registered[camera] = events
            for key, events in selector.select(0.01):
                camera = key.data
                try:
                    alive = True
                    if events & selectors.EVENT_READ:
                        alive = camera.read()
                    if alive and events & selectors.EVENT_WRITE:
                        camera.write()
                except BlockingIOError:
                    continue
                except OSError:
                    alive = False
                if not alive:
                    selector.unregister(camera.socket)
                    registered.pop(camera)
                    camera.disconnect()
        for camera in list(registered):
            camera.socket.close()
        selector.close()

    def end(self, seconds):
        """Lets every camera store what it has filmed; how many could not."""
        for camera in self.cameras:
            camera.end()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.failure:
            if all(camera.is_done() for camera in self.cameras):
                break
            time.sleep(0.05)
        time.sleep(0.2)  # for the last answers
        self.stop()
        self.check()
        return sum(not camera.is_done() for camera in self.cameras)

    def stop(self):
        self.stopped = True
        self.thread.join(10)
