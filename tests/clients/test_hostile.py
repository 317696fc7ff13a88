"""Peers that mean harm or know no better: the server stays up, small and quick for all others.

SLOW_HEADS and FLOOD set how many connections the two largest tests open.
"""

import contextlib
import json
import os
import resource
import select
import socket
import struct
import threading
import time

import pytest

import matroska as mkv
from conftest import ACCESS_KEY, SECRET_KEY
from put_media import PutMedia
from server_process import Server
from signed_call import call, signed_headers

MIB = 1 << 20
FRAGMENT_MAX = 50 * MIB
SLOW_HEADS = int(os.environ.get("SLOW_HEADS", "500"))
FLOOD = int(os.environ.get("FLOOD", "2000"))
NOW = lambda: int(time.time() * 1000)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of its own: its memory is looked at after each test."""
    running = Server(tmp_path_factory.mktemp("hostile") / "data").start()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    yield running
    log = running.log()
    running.remove()
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    assert "panicked" not in log


@pytest.fixture(scope="module", autouse=True)
def slow_body(server):
    """A call whose body comes at a byte a second, beside all other tests: half a minute is long."""
    outcome = {}

    def trickle():
        body = b" " * 1000
        headers = signed_headers(server.url, "/listStreams", body)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        with contextlib.closing(connect(server)) as connection:
            connection.sendall(f"POST /listStreams HTTP/1.1\r\n{lines}\r\n".encode())
            started = time.monotonic()
            while time.monotonic() - started < 60:
                if select.select([connection], [], [], 1)[0]:
                    break
                connection.sendall(b" ")
            outcome["seconds"] = time.monotonic() - started
            outcome["answer"], outcome["closed"] = read_all(connection)

    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    return thread, outcome


@pytest.fixture
def kvs(server):
    return server.client()


@pytest.fixture(autouse=True)
def still_well(server, kvs):
    """After each test an ordinary client is served, and what the test held is given back."""
    yield
    started = time.monotonic()
    assert call(server.url, "/listStreams").status == 200
    assert time.monotonic() - started < 2
    deadline = time.monotonic() + 5
    while (rss := server.status("VmRSS") // 1024) > 400:
        assert time.monotonic() < deadline, f"{rss} MiB are still held"
        time.sleep(0.1)


def connect(server):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_all(connection, seconds=5):
    """What comes until the peer closes or is silent for `seconds`; and whether it closed."""
    data = b""
    connection.settimeout(seconds)
    while True:
        try:
            piece = connection.recv(65536)
        except TimeoutError:
            return data, False
        except ConnectionError:
            return data, True
        if not piece:
            return data, True
        data += piece


def exchange(server, request, seconds=5):
    with contextlib.closing(connect(server)) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(request)
        return read_all(connection, seconds)


def served_quickly(server, seconds=1.0):
    started = time.monotonic()
    assert call(server.url, "/listStreams").status == 200
    took = time.monotonic() - started
    assert took < seconds, took


def test_slow_heads(server):
    """A byte now and then holds no more than a socket, and not for long."""
    rss = server.status("VmRSS")
    connections = [connect(server) for _ in range(SLOW_HEADS)]
    try:
        head = b"POST /putMedia HTTP/1.1\r\nHost: x\r\nX-Padding: "
        for connection in connections:
            connection.sendall(head)
        deadline = time.monotonic() + 20
        open_ones = set(connections)
        while open_ones and time.monotonic() < deadline:
            served_quickly(server)
            for connection in list(open_ones):
                with contextlib.suppress(ConnectionError):
                    connection.sendall(b"a")
            ended = select_readable(open_ones, 1)
            open_ones -= ended
            grown = server.status("VmRSS") - rss
            assert grown < 20_000 + SLOW_HEADS * 24, f"{grown} KiB for {SLOW_HEADS} heads"
        assert not open_ones, f"{len(open_ones)} heads never ended"
    finally:
        for connection in connections:
            connection.close()


def select_readable(connections, seconds):
    """Those that can be read: the peer answered or closed."""
    poll = select.poll()
    by_number = {connection.fileno(): connection for connection in connections}
    for number in by_number:
        poll.register(number, select.POLLIN)
    return {by_number[number] for number, _ in poll.poll(seconds * 1000)}


# Heads that two parties could read differently, each with a second request behind it.
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED_BODY = b"0\r\n\r\n"
SMUGGLING = {
    "length-and-chunked": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "chunked-and-length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "two-lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n",
    "length-list": b"Content-Length: 5, 6\r\n",
    "length-sign": b"Content-Length: +5\r\n",
    "length-negative": b"Content-Length: -5\r\n",
    "length-hex": b"Content-Length: 0x5\r\n",
    "length-huge": b"Content-Length: 99999999999999999999\r\n",
    "length-empty": b"Content-Length: \r\n",
    "two-codings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "coding-list": b"Transfer-Encoding: chunked, identity\r\n",
    "coding-gzip": b"Transfer-Encoding: gzip, chunked\r\n",
    "coding-like": b"Transfer-Encoding: xchunked\r\n",
    "coding-quoted": b'Transfer-Encoding: "chunked"\r\n',
    "coding-tab": b"Transfer-Encoding:\x0bchunked\r\n",
    "blank-before-colon": b"Transfer-Encoding : chunked\r\n",
    "blank-before-name": b" Transfer-Encoding: chunked\r\n",
    "folded": b"X: a\r\n Transfer-Encoding: chunked\r\n",
    "bare-lf": b"X: a\nTransfer-Encoding: chunked\r\n",
    "bare-cr": b"X: a\rTransfer-Encoding: chunked\r\n",
    "nul": b"X: a\0b\r\n",
    "no-colon": b"Transfer-Encoding chunked\r\n",
    "empty-name": b": chunked\r\n",
    "two-hosts": b"Host: y\r\n",
    "expectation": b"Expect: 200-maybe\r\n",
}


@pytest.mark.parametrize("form", SMUGGLING)
@pytest.mark.parametrize("path", ["/describeStream", "/putMedia"])
def test_smuggling(server, path, form):
    request = b"POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (path.encode(), SMUGGLING[form])
    data, closed = exchange(server, request + CHUNKED_BODY + SMUGGLED)
    assert data.count(b"HTTP/1.1 ") == 1, "one answer, and the connection ends"
    assert data.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501"))
    assert closed and b"ok\n" not in data


@pytest.mark.parametrize("request_line", [
    b"GET /healthz HTTP/1.1\n", b"GET  /healthz HTTP/1.1\r\n", b"GET /healthz\r\n",
    b"GET /healthz HTTP/1.2\r\n", b"GET /healthz HTTP/3.0\r\n", b"GET /healthz HTTP/1.1 x\r\n",
    b"\0\0\0\0\r\n", b"G\xc3\x89T / HTTP/1.1\r\n", b"GET /\x7f HTTP/1.1\r\n",
    b"GET /health z HTTP/1.1\r\n", b"\r\n\r\n\r\n\r\n\r\n\r\nGET /healthz HTTP/1.1\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", b"CONNECT x:1 HTTP/1.1\r\n",
])
def test_request_lines(server, request_line):
    data, closed = exchange(server, request_line + b"Host: x\r\n\r\n" + SMUGGLED, seconds=1)
    assert data.count(b"HTTP/1.1 ") <= 2 and closed or data.endswith(b"ok\n")
    assert not data.startswith(b"HTTP/1.1 2")


def test_a_request_without_host(server):
    data, closed = exchange(server, b"GET /healthz HTTP/1.1\r\n\r\n" + SMUGGLED)
    assert data.startswith(b"HTTP/1.1 400") and closed and data.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("head, statuses", [
    (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (414, 431)),
    (b"GET /" + b"a" * 400_000, (414, 431)),
    (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", (431,)),
    (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20_000, (431,)),
    (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 200 + b"\r\n", (431,)),
    (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"x" * 200_000, (431, 400)),
])
def test_oversize_heads(server, head, statuses):
    data, closed = exchange(server, head)
    # A peer that goes on sending may meet a reset before it reads the answer.
    assert closed and (not data or int(data.split(b" ")[1]) in statuses)
    assert data.count(b"HTTP/1.1 ") <= 1


def test_pipelined_requests(server):
    data, _ = exchange(
        server, (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 199)
        + b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    assert data.count(b"HTTP/1.1 200") == 200
    assert data.count(b"ok\n") == 199 and data.endswith(b"ready\n"), "in order"


def test_pipelined_calls(server, kvs):
    names = [f"piped-{time.time_ns()}-{i}" for i in range(8)]
    for name in names:
        kvs.create_stream(StreamName=name)
    request = b""
    for name in names:
        body = json.dumps({"StreamName": name}).encode()
        headers = signed_headers(server.url, "/describeStream", body)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request += f"POST /describeStream HTTP/1.1\r\n{lines}\r\n".encode() + body
    data, _ = exchange(server, request, seconds=1)
    answers = [json.loads(part.split(b"\r\n\r\n")[1].split(b"HTTP/1.1")[0])
               for part in data.split(b"HTTP/1.1 200 OK")[1:]]
    assert [answer["StreamInfo"]["StreamName"] for answer in answers] == names


def test_heads_byte_by_byte(server, stream):
    headers = signed_headers(server.url, "/describeStream", '{"StreamName":"%s"}' % stream)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"POST /describeStream HTTP/1.1\r\n{lines}\r\n" + '{"StreamName":"%s"}' % stream
    with contextlib.closing(connect(server)) as connection:
        for byte in request.encode():
            connection.sendall(bytes([byte]))
        data, _ = read_all(connection, 1)
    assert data.startswith(b"HTTP/1.1 200") and stream.encode() in data


GARBLED_CHUNKS = {
    "no-size": b"zz\r\nabc\r\n",
    "empty-size": b"\r\nabc\r\n",
    "sign": b"-1\r\n",
    "plus": b"+5\r\nhello\r\n",
    "prefix": b"0x5\r\nhello\r\n",
    "too-many-digits": b"0" * 17 + b"5\r\nhello\r\n",
    "overflow": b"fffffffffffffffff\r\n",
    "short-data": b"9\r\nhello\r\n0\r\n\r\n",
    "long-data": b"2\r\nhello\r\n0\r\n\r\n",
    "no-line-end": b"5\r\nhelloX\r\n",
    "bare-lf": b"5\nhello\n0\n\n",
    "bare-cr": b"5\rhello",
    "endless-extension": b"5;" + b"a" * 100_000,
    "endless-size-blanks": b"5" + b" " * 100_000,
    "endless-trailer": b"0\r\n" + b"X: y\r\n" * 50_000,
    "garbage": bytes(range(256)) * 64,
}


@pytest.mark.parametrize("form", GARBLED_CHUNKS)
def test_chunk_framing_broken_in_a_session(server, stream, form):
    """What was complete before is stored and acked; nothing behind is read as a request."""
    session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    at = NOW()
    session.send(mkv.header() + mkv.fragment(at) + mkv.cluster(at + 2000))
    session.wait_for("PERSISTED", timecode=at)
    with contextlib.suppress(ConnectionError):
        session.socket.sendall(GARBLED_CHUNKS[form] + SMUGGLED)
    with contextlib.suppress(AssertionError, ValueError):
        session.wait_end(seconds=5)
    data, closed = read_all(session.socket, 5)
    assert closed, "the connection ends"
    assert (session.raw + data).count(b"HTTP/1.1 ") == 1 + len(session.interim)
    assert b"ok\n" not in session.raw + data


@pytest.mark.parametrize("form", GARBLED_CHUNKS)
def test_chunk_framing_broken_in_a_call(server, form):
    headers = signed_headers(server.url, "/listStreams")
    headers.pop("content-length")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST /listStreams HTTP/1.1\r\n{lines}transfer-encoding: chunked\r\n\r\n"
    data, closed = exchange(server, head.encode() + GARBLED_CHUNKS[form] + SMUGGLED)
    assert closed and data.count(b"HTTP/1.1 ") <= 1 and b"ok\n" not in data
    assert not data or data.startswith(b"HTTP/1.1 4")


def void(size):
    return bytes.fromhex("ec") + (size | 1 << 56).to_bytes(8, "big")


def endless(head, unit):
    """A generator of body pieces that never complete what they began."""
    def pieces():
        yield head
        while True:
            yield unit
    return pieces


VOID_32K = void(32_768 - 9) + b"\0" * (32_768 - 9)
HEADER = mkv.header()
ENDLESS = {
    # Nothing but padding, before anything else or where clusters belong.
    "zeros": (endless(b"", b"\0" * 32_768), 4006),
    "voids-before-clusters": (endless(HEADER, VOID_32K), 4006),
    "header-tags": (endless(HEADER, mkv.tags(*[("n" * 100, "v" * 200)] * 100)), (4006, 4009)),
    "one-huge-header-element": (
        endless(HEADER + bytes.fromhex("1254c367") + ((40 << 20) | 1 << 56).to_bytes(8, "big"),
                b"\0" * 32_768), 4006,
    ),
    # A fragment that never ends.
    "voids-in-a-cluster": (endless(HEADER + mkv.cluster(1_700_000_000_000), VOID_32K), 4001),
    "frames": (
        endless(HEADER + mkv.cluster(1_700_000_000_000), mkv.block(1, 0, True, b"x" * 32_768)),
        4001,
    ),
    "tiny-frames": (
        endless(HEADER + mkv.cluster(1_700_000_000_000), mkv.block(1, 0, True, b"") * 2000),
        (4001, 4006),
    ),
    "tags": (
        endless(HEADER + mkv.fragment(1_700_000_000_000), mkv.tags(("a", "b")) * 500),
        (4001, 4009),
    ),
}


@pytest.mark.parametrize("form", ENDLESS)
def test_endless_bodies(server, stream, form):
    """Refused before more than a fragment's worth is taken."""
    pieces, expected = ENDLESS[form]
    expected = expected if isinstance(expected, tuple) else (expected,)
    session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    base, sent = server.status("VmRSS"), 0
    with contextlib.suppress(ConnectionError):
        for piece in pieces():
            sent += len(piece)
            assert sent < FRAGMENT_MAX + 8 * MIB, "taken without end"
            if piece:
                session.send(piece)
    acks = session.wait_for("ERROR")
    assert acks[-1]["ErrorId"] in expected
    assert (server.status("VmRSS") - base) // 1024 < 150, "MiB for one session"
    session.close()


SIZES = {
    "4-gib": (4 << 30 | 1 << 56).to_bytes(8, "big"),
    "largest": ((1 << 56) - 2 | 1 << 56).to_bytes(8, "big"),
    "50-mib-and-1": (FRAGMENT_MAX + 1 | 1 << 56).to_bytes(8, "big"),
    "unknown": b"\xff",
}
PLACES = {
    "block": (HEADER + mkv.cluster(1_700_000_000_000) + bytes.fromhex("a3"), (4001, 4006)),
    "block-group": (HEADER + mkv.cluster(1_700_000_000_000) + bytes.fromhex("a0"), (4001, 4006)),
    "info": (HEADER[:HEADER.index(bytes.fromhex("1549a966"))] + bytes.fromhex("1549a966"),
             (4006,)),
    "ebml": (bytes.fromhex("1a45dfa3"), (4006,)),
    "tags": (HEADER + bytes.fromhex("1254c367"), (4006, 4009)),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", PLACES)
def test_announced_sizes(server, stream, place, size):
    """A size is refused when it is read: nothing is set aside, nothing waited for."""
    base = server.status("VmRSS")
    before, expected = PLACES[place]
    session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    session.send(before + SIZES[size])
    acks = session.wait_for("ERROR", seconds=3)
    assert acks[-1]["ErrorId"] in expected
    assert session.wait_end(seconds=3)
    assert server.status("VmRSS") - base < 20_000
    session.close()


def test_a_tree_of_tags(server, stream):
    """Depth costs no stack."""
    nested = b""
    for _ in range(2000):
        nested = mkv.element("67c8", nested)
    session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    session.send(mkv.header() + mkv.fragment(NOW()) + mkv.element(
        "1254c367", mkv.element("7373", nested)
    ) + mkv.END_OF_FRAGMENT)
    ack = session.outcome()
    assert ack.get("ErrorId") in (None, 4006, 4009)
    session.close()


def sized_fragment(at, size):
    """A fragment of exactly `size` bytes, its end-of-fragment tag included."""
    bare = mkv.cluster(at) + mkv.block(1, 0, True, mkv.h264_frame(True, 100))
    rest = size - len(bare) - len(mkv.END_OF_FRAGMENT)
    frame_header = len(mkv.block(1, 40, False, b""))
    return bare + mkv.block(1, 40, False, mkv.h264_frame(False, rest - frame_header))


def test_the_largest_fragment(server, stream):
    session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    at = NOW()
    body = sized_fragment(at, FRAGMENT_MAX) + mkv.END_OF_FRAGMENT
    assert len(body) == FRAGMENT_MAX
    session.send(mkv.header() + body)
    number = session.wait_for("PERSISTED", seconds=30)[-1]["FragmentNumber"]
    data = server.client("kinesis-video-archived-media").get_media_for_fragment_list(
        StreamName=stream, Fragments=[number]
    )["Payload"].read()
    assert mkv.documents(data)[0].media == body
    session.close()


def test_one_byte_more(server, stream):
    session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    at = NOW()
    session.send(mkv.header() + mkv.fragment(at))
    with contextlib.suppress(ConnectionError):
        session.send(sized_fragment(at + 2000, FRAGMENT_MAX + 1) + mkv.END_OF_FRAGMENT)
    acks = session.wait_for("ERROR", seconds=30)
    assert (acks[-1]["ErrorId"], acks[-1]["FragmentTimecode"]) == (4001, at + 2000)
    persisted = [ack["FragmentTimecode"] for ack in acks if ack["EventType"] == "PERSISTED"]
    assert persisted == [at], "what came before is kept"
    session.close()


def test_acks_that_nobody_reads(server, stream):
    """The server stops reading rather than keeping acks without end, and goes on when they go."""
    session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    base, at, sent = server.status("VmRSS"), NOW(), 0
    session.send(mkv.header())
    session.socket.settimeout(1)
    with contextlib.suppress(TimeoutError):
        while sent < 100_000:
            body = b"".join(
                mkv.fragment(at + (sent + i) * 10, frames=1, size=40) for i in range(50)
            )
            sent += 50
            pending = b"%x\r\n%s\r\n" % (len(body), body)
            while pending:
                pending = pending[session.socket.send(pending):]
    assert pending, "the sender was never held back"
    assert (server.status("VmRSS") - base) // 1024 < 150
    served_quickly(server)
    session.socket.settimeout(60)
    end = mkv.END_OF_FRAGMENT
    rest = pending + b"%x\r\n%s\r\n0\r\n\r\n" % (len(end), end)
    finisher = threading.Thread(target=session.socket.sendall, args=(rest,))
    finisher.start()
    received = bytearray(session.raw)
    while not received.endswith(b"\r\n0\r\n\r\n"):
        piece = session.socket.recv(1 << 20)
        assert piece, "the response ends properly"
        received += piece
    finisher.join()
    assert received.count(b'"PERSISTED"') == sent and b'"ERROR"' not in received
    session.close()


def test_readers_that_do_not_read(server, stream):
    """Ingest does not wait for them, and memory does not grow with what they miss."""
    session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    session.send(mkv.header())
    at = NOW()
    readers = []
    try:
        for kind in ("EARLIEST", "NOW"):
            for _ in range(10):
                body = json.dumps(
                    {"StreamName": stream, "StartSelector": {"StartSelectorType": kind}}
                ).encode()
                headers = signed_headers(server.url, "/getMedia", body)
                lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                reader = connect(server)
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                reader.sendall(f"POST /getMedia HTTP/1.1\r\n{lines}\r\n".encode() + body)
                readers.append(reader)
        time.sleep(0.2)
        base = server.status("VmRSS")
        slowest = 0
        for i in range(40):
            started = time.monotonic()
            session.send(mkv.fragment(at + i * 1000, frames=2, size=MIB) + mkv.END_OF_FRAGMENT)
            session.wait_for("PERSISTED", timecode=at + i * 1000)
            slowest = max(slowest, time.monotonic() - started)
        assert slowest < 2
        grown = (server.status("VmRSS") - base) // 1024
        assert grown < 200, f"{grown} MiB for 80 MiB sent to 20 readers"
    finally:
        for reader in readers:
            reader.close()
        session.close()


@pytest.mark.parametrize("end", ["close", "reset"])
def test_floods_of_connections(server, end):
    descriptors = lambda: len(os.listdir(f"/proc/{server.process.pid}/fd"))
    before, base = descriptors(), server.status("VmRSS")
    connections = []
    try:
        for i in range(FLOOD):
            connections.append(connect(server))
            if i % 250 == 0:
                served_quickly(server)
        served_quickly(server)
        grown = server.status("VmRSS") - base
        assert grown < 20_000 + FLOOD * 24, f"{grown} KiB for {FLOOD} connections"
    finally:
        for connection in connections:
            if end == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
    deadline = time.monotonic() + 10
    while descriptors() > before + 10:
        assert time.monotonic() < deadline, "connections are not given back"
        time.sleep(0.05)
    served_quickly(server)


def test_floods_of_sessions(server, stream):
    """Beyond the limit for one stream: refused at once, and the first ones go on."""
    first = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
    assert first.head() == 200
    sessions = [PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY) for _ in range(100)]
    statuses = [session.head() for session in sessions]
    assert statuses[-1] == 400 and sessions[-1].error()[0] == "ConnectionLimitExceededException"
    at = NOW()
    first.send(mkv.header() + mkv.fragment(at) + mkv.END_OF_FRAGMENT)
    first.wait_for("PERSISTED", timecode=at, seconds=2)
    for session in (first, *sessions):
        session.close()


def test_rubbish_at_the_tls_port(server):
    hello = bytes.fromhex("16030100050100000100")
    held = []
    for rubbish in (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 1000, hello, b"\x16\x03\x01\xff\xff" + b"a" * 70_000):
        for _ in range(50):
            connection = socket.create_connection(("127.0.0.1", server.tls_port), timeout=20)
            with contextlib.suppress(ConnectionError):
                connection.sendall(rubbish)
            held.append(connection)
    assert call(server.tls_url, "/listStreams", ca_file=server.ca_file).status == 200
    deadline = time.monotonic() + 15
    for connection in held:
        _, closed = read_all(connection, max(0.01, deadline - time.monotonic()))
        assert closed, "a handshake that does not go on is given up"
        connection.close()


@pytest.mark.parametrize("path", ["/describeStream", "/listFragments", "/createStream"])
def test_json_that_is_deep_or_long(server, path):
    for body in (
        "[" * 60_000, '{"a":' * 20_000, '{"StreamName":"' + "a" * 60_000 + '"}',
        "{" + ",".join(f'"k{i}":{i}' for i in range(5000)) + "}",
        '{"StreamName":' + "9" * 50_000 + "}", '{"StreamName":1e999999}',
    ):
        answer = call(server.url, path, body)
        assert answer.status in (400, 404, 413), body[:40]


def test_fragment_lists_that_are_long(server, stream):
    numbers = json.dumps({"StreamName": stream, "Fragments": ["9" * 128] * 1001})
    assert call(server.url, "/getMediaForFragmentList", numbers).status == 400
    numbers = json.dumps({"StreamName": stream, "Fragments": ["9" * 128] * 1000})
    answer = call(server.url, "/getMediaForFragmentList", numbers)
    assert answer.status == 200
    assert answer.body.count(b"AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE") == 1000


def test_a_slow_body_is_given_up(slow_body):
    thread, outcome = slow_body
    thread.join(61)
    assert 20 < outcome["seconds"] < 50, "the body's time is 30 s"
    assert outcome["closed"]
    assert not outcome["answer"] or outcome["answer"].startswith(b"HTTP/1.1 408")


def test_memory_all_in_all(server):
    """The last test of the file: the most that was ever held."""
    assert server.status("VmHWM") // 1024 < 800
