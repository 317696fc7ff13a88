"""A page of OpenLive: opens the socket with botocore's query signer and takes messages apart."""

import json
import ssl
import struct
import time
from urllib.parse import urlsplit

import websocket
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from server_process import ACCESS_KEY, REGION, SECRET_KEY

PATH = "/streamkeep/openLive"
WINDOW = 1024 * 1024
INIT, MEDIA, SOUND_INIT, SOUND = 1, 2, 4, 5


def signed_url(url, expires=30, secret=SECRET_KEY, access_key=ACCESS_KEY):
    """The presigned URL, with the scheme of `url`: ws and wss are signed as http and https."""
    request = AWSRequest(method="GET", url=url + PATH)
    SigV4QueryAuth(Credentials(access_key, secret), "kinesisvideo", REGION, expires).add_auth(request)
    return request.url


def boxes(data):
    """(type, body) of each MP4 box; all of the data must be boxes."""
    found, at = [], 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        assert size >= 8 and at + size <= len(data), (kind, size, at, len(data))
        found.append((kind.decode(), data[at + 8:at + size]))
        at += size
    return found


class Binary:
    """A binary message: its header, and its boxes checked."""

    def __init__(self, data):
        self.received = time.time()
        self.size = len(data)
        version, self.kind, self.tile, flags, self.wall_us, self.duration_us = struct.unpack_from(
            "<BBHB3xqI", data
        )
        assert version == 1 and data[5:8] == b"\0\0\0" and flags < 4
        self.key, self.discontinuity = bool(flags & 1), bool(flags & 2)
        self.boxes = boxes(data[20:])
        names = [name for name, _ in self.boxes]
        assert names == (["ftyp", "moov"] if self.kind in (INIT, SOUND_INIT) else ["moof", "mdat"]), names
        self.bytes = data[20:]
        if self.kind in (MEDIA, SOUND):
            self._read_moof(dict(self.boxes)["moof"])
            self.payload = dict(self.boxes)["mdat"]
            assert sum(size for _, size, _ in self.samples) == len(self.payload)

    def _read_moof(self, moof):
        traf = dict(boxes(dict(boxes(moof))["traf"]))
        [self.decode_time] = struct.unpack_from(">Q", traf["tfdt"], 4)
        head, tfhd = struct.unpack_from(">I", traf["tfhd"])[0], traf["tfhd"]
        assert head >> 24 == 0
        at, default = 8, {}
        for bit, name in ((0x8, "duration"), (0x10, "size"), (0x20, "flags")):
            if head & bit:
                [default[name]] = struct.unpack_from(">I", tfhd, at)
                at += 4
        run = traf["trun"]
        flags, count = struct.unpack_from(">II", run)
        flags &= 0xFFFFFF
        at, first = 8, default.get("flags")
        if flags & 1:
            at += 4
        if flags & 4:
            [first] = struct.unpack_from(">I", run, at)
            at += 4
        self.samples = []  # (duration, size, is a key frame)
        for index in range(count):
            values = dict(default)
            if index == 0 and first is not None:
                values["flags"] = first
            for bit, name in ((0x100, "duration"), (0x200, "size"), (0x400, "flags"), (0x800, "offset")):
                if flags & bit:
                    [values[name]] = struct.unpack_from(">I", run, at)
                    at += 4
            self.samples.append((values["duration"], values["size"], not values["flags"] & 0x10000))
        assert self.samples[0][2] == self.key


class Page:
    """One socket. `credit` is given back as messages come, unless `holds` names the tile."""

    def __init__(self, server, tls=False, url=None, **signing):
        base = server.tls_url if tls else server.url
        url = url or signed_url(base, **signing)
        options = {"sslopt": {"ca_certs": server.ca_file}} if tls else {}
        self.socket = websocket.create_connection(
            url.replace("http", "ws", 1), timeout=10, origin="https://wall.example.com", **options
        )
        self.holds = set()
        self.texts, self.media, self.inits = [], [], []
        self.sound, self.sound_inits = [], []
        self.closed = self.hello = None

    def send(self, **message):
        self.socket.send(json.dumps(message))

    def open(self, tile, stream, tier="full", **more):
        self.send(op="open", tile=tile, stream=stream, tier=tier, **more)

    def credit(self, tile, size):
        self.send(op="credit", tile=tile, bytes=size)

    def receive(self, seconds=10):
        """Takes one message in; false when none came in time or the socket is closed."""
        self.socket.settimeout(max(seconds, 0.001))
        try:
            # With control frames: a ping would begin the time anew.
            code, data = self.socket.recv_data(control_frame=True)
        except (websocket.WebSocketTimeoutException, ssl.SSLWantReadError):
            return False
        except websocket.WebSocketConnectionClosedException:
            self.closed = self.closed or (None, "")
            return False
        if code == websocket.ABNF.OPCODE_CLOSE:
            self.closed = (struct.unpack(">H", data[:2])[0], data[2:].decode())
            return False
        if code in (websocket.ABNF.OPCODE_PING, websocket.ABNF.OPCODE_PONG):
            return True
        if code == websocket.ABNF.OPCODE_TEXT:
            text = json.loads(data)
            if text["is"] == "hello":
                self.hello = text
            else:
                self.texts.append(text)
            return True
        message = Binary(data)
        kinds = {INIT: self.inits, MEDIA: self.media, SOUND_INIT: self.sound_inits, SOUND: self.sound}
        kinds[message.kind].append(message)
        if message.tile not in self.holds:
            self.credit(message.tile, message.size)
        return True

    def until(self, done, seconds=10):
        """Receives until `done()` holds; gives what it gave."""
        deadline = time.monotonic() + seconds
        while True:
            found = done()
            if found:
                return found
            left = deadline - time.monotonic()
            assert left > 0, (self.texts, len(self.media), self.closed)
            if not self.receive(left):
                assert self.closed is None, (self.closed, self.texts)

    def run(self, seconds):
        """Receives for this long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.closed:
            self.receive(deadline - time.monotonic())

    def text(self, seconds=10, **members):
        """The first text not yet taken that has these members."""
        def find():
            for text in self.texts:
                if all(text.get(name) == value for name, value in members.items()):
                    self.texts.remove(text)
                    return text

        return self.until(find, seconds)

    def of(self, tile):
        return [message for message in self.media if message.tile == tile]

    def wait_closed(self, seconds=10):
        deadline = time.monotonic() + seconds
        while self.closed is None:
            assert time.monotonic() < deadline, "still open"
            self.receive(deadline - time.monotonic())
        return self.closed

    def close(self):
        self.socket.close()


def handshake(server, target, headers=None, drop=()):
    """Status, headers (names in lower case) and body of the answer to a bare handshake."""
    import http.client

    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    wanted = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        **(headers or {}),
    }
    connection.request("GET", target, headers={k: v for k, v in wanted.items() if k not in drop})
    answer = connection.getresponse()
    found = {name.lower(): value for name, value in answer.getheaders()}
    body = answer.read() if answer.status != 101 else b""
    connection.close()
    return answer.status, found, body
