"""OpenLive from outside: live pictures of many streams on one WebSocket."""

import subprocess
import threading
import time
from urllib.parse import urlsplit

import pytest
import websocket

import matroska as mkv
from conftest import ACCESS_KEY, SECRET_KEY
from open_live import PATH, WINDOW, Page, handshake, signed_url
from put_media import PutMedia
from signed_call import call

NOW = lambda: int(time.time() * 1000)


class Camera(threading.Thread):
    """Sends to a stream in real time, one frame a chunk, until stopped; a fragment a second. `sent`
    has the producer's time in ms of each frame and when it was sent; `keys` those of key frames."""

    def __init__(self, server, stream, distance=100, size=200):
        super().__init__(daemon=True)
        self.session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
        assert self.session.head() == 200
        self.session.send(mkv.header())
        self.distance, self.size = distance, size
        self.sent, self.keys, self.ends = {}, set(), threading.Event()
        self.start()

    def run(self):
        start, index = NOW(), 0
        per_fragment = 1000 // self.distance
        while not self.ends.is_set():
            at = start + index * self.distance
            time.sleep(max(0, at / 1000 - time.time()))
            is_key = index % per_fragment == 0
            frame = mkv.block(1, (index % per_fragment) * self.distance, is_key,
                              mkv.h264_frame(is_key, self.size, index % 256))
            self.sent[at] = time.time()
            if is_key:
                self.keys.add(at)
            self.session.send((mkv.cluster(at) if is_key else b"") + frame)
            index += 1
            self.session._receive(time.monotonic() + 0.0005)

    def stop(self, cut=False):
        self.ends.set()
        self.join()
        if not cut:
            self.session.send(mkv.END_OF_FRAGMENT)
            self.session.finish()
            self.session.wait_end()
        self.session.close()


@pytest.fixture
def cameras(server, kvs):
    """Makes streams that are being sent to."""
    made = []

    def make(hours=2, **kwargs):
        name = f"live-{time.time_ns()}"
        kvs.create_stream(StreamName=name, DataRetentionInHours=hours)
        camera = Camera(server, name, **kwargs)
        camera.stream = name
        made.append(camera)
        return camera

    yield make
    for camera in made:
        if not camera.ends.is_set():
            camera.stop(cut=True)


@pytest.fixture
def page(server):
    page = Page(server)
    yield page
    page.close()


def frames(media):
    """Producer's time in ms of each frame, as messages tell it."""
    times = []
    for message in media:
        at = message.wall_us / 1000
        for duration, _, _ in message.samples:
            times.append(round(at))
            at += duration / 90
    return times


def check_delay(camera, media, most=0.5):
    """Each message came within `most` seconds of its first frame's being sent."""
    for message in media:
        sent = camera.sent[message.wall_us // 1000]
        assert -0.01 < message.received - sent < most, message.received - sent


def test_the_first_word_says_what_the_page_may_do(server):
    page = Page(server)
    page.receive()
    assert page.hello == {"is": "hello", "unattended": True}
    page.close()


@pytest.mark.parametrize("tls", [False, True])
def test_two_streams_on_one_socket(server, cameras, tls):
    gate, hall = cameras(), cameras(distance=40)
    time.sleep(1.2)
    page = Page(server, tls=tls)
    page.open(1, gate.stream)
    page.open(2, hall.stream, max=[640, 360], **{"from": "live"})
    page.run(3)
    for tile, camera in ((1, gate), (2, hall)):
        follows = page.text(tile=tile)
        assert follows == {
            "tile": tile, "is": "init-follows", "codec": "avc1.42c00a", "w": 64, "h": 64,
            "tier": "full", "why": "asked", "sound": "none",
        }
        assert [init.tile for init in page.inits].count(tile) == 1
        media = page.of(tile)
        assert media[0].key and not any(message.discontinuity for message in media)
        seen = frames(media)
        wanted = [at for at in sorted(camera.sent) if at >= seen[0]]
        assert seen == wanted[:len(seen)], "every frame, and each once"
        assert len(seen) * camera.distance > 2800
        check_delay(camera, media[1:])
        # Media time has no holes, and starts at 0.
        assert media[0].decode_time == 0
        for before, after in zip(media, media[1:]):
            assert after.decode_time - before.decode_time == sum(s[0] for s in before.samples)
            assert after.duration_us == round(sum(s[0] for s in after.samples) / 0.09)
    # Groups of at most about 100 ms.
    assert max(message.duration_us for message in page.of(2)[1:]) <= 200_000
    assert not page.texts
    page.close()


def test_payload_is_the_frames(server, cameras, page):
    camera = cameras(size=300)
    page.open(1, camera.stream)
    page.run(1.5)
    for message in page.of(1):
        at = 0
        for _, size, is_key in message.samples:
            frame = message.payload[at:at + size]
            at += size
            assert frame[:5] == (size - 4).to_bytes(4, "big") + (b"\x65" if is_key else b"\x41")


def test_the_key_tier_gives_key_frames_alone(server, cameras, page):
    camera = cameras()
    time.sleep(0.3)
    page.open(5, camera.stream, "key")
    page.run(4)
    media = page.of(5)
    assert len(media) in (4, 5)
    for message in media:
        assert message.key and len(message.samples) == 1
        assert message.wall_us // 1000 in camera.keys
    assert [m.wall_us for m in media] == sorted({m.wall_us for m in media}), "one a fragment"
    assert all(m.duration_us == 1_000_000 for m in media[2:])
    check_delay(camera, media[1:])
    # Up to all frames, and down again.
    page.send(op="tier", tile=5, tier="full")
    page.run(1)
    full = page.of(5)[len(media):]
    assert full[0].key and full[0].discontinuity and len(frames(full)) > 8
    page.send(op="tier", tile=5, tier="key")
    page.run(2)
    assert [text["tier"] for text in page.texts] == ["key", "full", "key"]
    assert len(page.of(5)[-1].samples) == 1


def test_a_tile_without_credit_falls_behind_and_recovers(server, cameras, page):
    large, small = cameras(size=60_000), cameras()
    page.holds = {1}
    page.open(1, large.stream)
    page.open(2, small.stream)
    page.run(4.5)
    held = page.of(1)
    sent = sum(message.size for message in held + page.inits if message.tile == 1)
    assert WINDOW - 140_000 < sent <= WINDOW, "as much as the window holds"
    assert len(frames(page.of(2))) > 35, "the other goes on"
    check_delay(small, page.of(2)[1:])
    page.credit(1, sent)
    page.holds = set()
    page.run(1.5)
    later = page.of(1)[len(held):]
    assert later[0].key and later[0].discontinuity
    assert not any(message.discontinuity for message in later[1:])
    assert later[0].wall_us > held[-1].wall_us + 1_000_000, "frames were left out"
    check_delay(large, [m for m in later if m.received > later[0].received + 0.3])
    metrics = call(server.url, "/metrics", "", method="GET", without_signature=True).body.decode()
    [behind] = [line for line in metrics.splitlines()
                if line.startswith("streamkeep_open_live_left_out_milliseconds_total")
                and large.stream in line]
    assert int(behind.split()[-1]) > 1000


def test_the_camera_goes_and_comes_back(server, cameras, page):
    camera = cameras()
    page.open(1, camera.stream)
    page.until(lambda: len(page.of(1)) > 5)
    camera.stop()
    gap = page.text(tile=1, **{"is": "gap"})
    assert gap["reason"] == "no-session"
    assert gap["from"].startswith(time.strftime("%Y-%m-%dT%H:", time.gmtime()))
    shown = len(page.of(1))
    again = Camera(server, camera.stream)
    page.until(lambda: len(page.of(1)) > shown + 3)
    assert page.of(1)[shown].key and page.of(1)[shown].discontinuity
    # It is connected and sends nothing.
    again.ends.set()
    again.join()
    assert page.text(tile=1, **{"is": "gap"})["reason"] == "silent"
    again.session.close()
    assert page.text(tile=1, **{"is": "gap"})["reason"] == "no-session"


@pytest.mark.parametrize("tier", ["key", "full"])
def test_who_comes_late_sees_the_last_key_frame(server, stream, page, tier):
    session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    at = NOW() - 60_000
    session.send(mkv.header() + mkv.fragment(at, frames=5, distance=200) + mkv.END_OF_FRAGMENT)
    session.wait_for("PERSISTED")
    session.finish()
    session.wait_end()
    session.close()
    page.open(9, stream, tier)
    assert page.text(tile=9)["is"] == "init-follows"
    [picture] = page.until(lambda: page.of(9))
    assert picture.key and picture.wall_us == at * 1000 and len(picture.samples) == 1
    assert picture.duration_us == 1_000_000
    assert page.text(tile=9)["reason"] == "no-session"


def test_a_stream_that_keeps_nothing(server, cameras, page):
    camera = cameras(hours=0)
    page.open(1, camera.stream)
    page.run(1.5)
    assert len(frames(page.of(1))) > 9


def test_what_cannot_be_opened(server, cameras, page, kvs):
    camera = cameras()
    for message, name in [
        ({"stream": "no-such-stream"}, "ResourceNotFoundException"),
        ({"stream": "no such stream"}, "InvalidArgumentException"),
        ({"stream": camera.stream, "tier": "still"}, "TierNotAvailable"),
        ({"stream": camera.stream, "from": "2026-11-20T09:00:00Z"}, "FromNotAvailable"),
    ]:
        page.open(3, **message)
        error = page.text(tile=3)
        assert (error["is"], error["name"]) == ("error", name)
    page.send(op="dance")
    assert page.text() == {"is": "error", "name": "BadMessage"}
    arn = kvs.describe_stream(StreamName=camera.stream)["StreamInfo"]["StreamARN"]
    page.open(3, arn)
    page.until(lambda: page.of(3))
    kvs.delete_stream(StreamARN=arn)
    assert page.text(tile=3, name="stream-deleted")["is"] == "end"


def test_ping(page):
    before = NOW()
    page.send(op="ping", at=before)
    pong = page.text()
    assert (pong["is"], pong["at"]) == ("pong", before)
    assert before - 1000 < pong["server"] < NOW() + 1000


def test_a_page_may_stay_silent(server, stream):
    """Its library answers the server's pings."""
    page = Page(server)
    page.run(25)
    assert page.closed is None
    page.send(op="ping", at=1)
    assert page.text()["is"] == "pong"
    page.close()


def test_caps(server, cameras):
    camera = cameras()
    page = Page(server)
    for tile in range(32):
        page.open(tile, camera.stream, "key")
    page.until(lambda: len({message.tile for message in page.media}) == 32)
    page.open(32, camera.stream, "key")
    assert page.wait_closed() == (1008, "too-many-tiles")
    page = Page(server)
    text = '{"op":"ping","at":1}'
    page.socket.send(text + " " * (32 * 1024 - len(text)))
    assert page.text()["is"] == "pong"
    page.socket.send(text + " " * (32 * 1024 - len(text) + 1))
    assert page.wait_closed() == (1009, "text-too-long")
    page = Page(server)
    page.socket.send_binary(b"\1")
    assert page.wait_closed() == (1003, "binary-message")


def test_a_page_that_takes_nothing_holds_up_no_camera(server, cameras):
    """Its window is large, its socket full: ingest and other pages go on."""
    camera = cameras(size=100_000)
    stuck = Page(server)
    stuck.open(1, camera.stream)
    page = Page(server)
    page.open(1, camera.stream)
    for _ in range(12):
        stuck.credit(1, WINDOW)  # acknowledges what it has not read
        page.run(0.25)
    check_delay(camera, page.of(1)[1:])
    assert "PERSISTED" in {ack["EventType"] for ack in camera.session.acks()}
    page.close()
    stuck.close()


REFUSALS = {
    "unsigned": (lambda server: PATH, 403, "MissingAuthenticationTokenException"),
    "wrong-secret": (
        lambda server: target(signed_url(server.url, secret="wrong")), 403,
        "InvalidSignatureException",
    ),
    "unknown-key": (
        lambda server: target(signed_url(server.url, access_key="AKIDNOBODY")), 403,
        "UnrecognizedClientException",
    ),
    "changed": (
        lambda server: target(signed_url(server.url)).replace("=30", "=29"), 403,
        "InvalidSignatureException",
    ),
    "too-long-a-life": (
        lambda server: target(signed_url(server.url, expires=60)), 400, "InvalidArgumentException",
    ),
    "just-too-long": (
        lambda server: target(signed_url(server.url, expires=31)), 400, "InvalidArgumentException",
    ),
}


def target(url):
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


@pytest.mark.parametrize("fault", REFUSALS)
def test_who_may_not_come_in(server, fault):
    make, status, error = REFUSALS[fault]
    answer = handshake(server, make(server))
    assert (answer[0], answer[1]["x-amzn-errortype"]) == (status, error), answer


def test_an_expired_url(server):
    url = signed_url(server.url, expires=1)
    assert handshake(server, target(url))[0] == 101
    time.sleep(2.5)
    status, headers, _ = handshake(server, target(url))
    assert (status, headers["x-amzn-errortype"]) == (403, "InvalidSignatureException")
    with pytest.raises(websocket.WebSocketBadStatusException):
        Page(server, url=url)


def test_a_signed_header_is_no_url(server):
    answer = call(server.url, PATH, "", method="GET")
    assert answer.error == ("InvalidArgumentException", 400)
    assert call(server.url, PATH, "", method="POST").status == 405


@pytest.mark.parametrize(
    "headers, drop, status",
    [
        ({"Sec-WebSocket-Version": "8"}, (), 426),
        ({}, ("Upgrade",), 426),
        ({}, ("Connection",), 426),
        ({}, ("Sec-WebSocket-Key",), 400),
        ({"Sec-WebSocket-Key": "c2hvcnQ="}, (), 400),
        ({"Origin": "https://elsewhere.example.com"}, (), 101),
    ],
)
def test_handshakes(server, headers, drop, status):
    found, answer, _ = handshake(server, target(signed_url(server.url)), headers, drop)
    assert found == status
    if status == 426:
        assert (answer["sec-websocket-version"], answer["upgrade"]) == ("13", "websocket")
    if status != 101:
        assert answer["x-amzn-errortype"] == "InvalidArgumentException"
    else:
        assert answer["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_http_2_is_told_why(server):
    url = signed_url(server.tls_url)
    done = subprocess.run(
        ["curl", "-sS", "--http2", "--cacert", server.ca_file, "-o", "-", "-w", "\n%{http_version} %{http_code}", url],
        capture_output=True, text=True, timeout=20,
    )
    assert done.stdout.splitlines()[-1] == "2 400", done
    assert "HTTP/1.1" in done.stdout


def test_a_server_that_stops_says_so(make_server):
    server = make_server()
    name = f"live-{time.time_ns()}"
    server.client().create_stream(StreamName=name, DataRetentionInHours=1)
    camera = Camera(server, name)
    page = Page(server)
    page.open(1, name)
    page.until(lambda: page.of(1))
    camera.ends.set()
    camera.join()
    stopped = threading.Thread(target=server.stop)
    began = time.monotonic()
    stopped.start()
    assert page.wait_closed() == (1001, "server-stopping")
    stopped.join()
    assert time.monotonic() - began < 8, "nothing had to be cut"


def test_signed_urls_never_reach_the_log(make_server):
    server = make_server(env={"STREAMKEEP_LOG": "trace"})
    url = signed_url(server.url)
    page = Page(server, url=url)
    page.open(1, "nowhere")
    page.text()
    page.close()
    handshake(server, target(signed_url(server.url, secret="wrong")))
    server.stop()
    assert url.rsplit("X-Amz-Signature=", 1)[1][:64] not in server.log()
    assert SECRET_KEY not in server.log()
