"""GetMedia, ListFragments and GetMediaForFragmentList with the clients people use."""

import re
import shutil
import subprocess
import threading
import time

import pytest
from botocore.exceptions import ClientError

import matroska as mkv
from conftest import ACCESS_KEY, SECRET_KEY
from put_media import PutMedia

EBML = bytes.fromhex("1a45dfa3")


@pytest.fixture
def filled(server, stream):
    """Ten fragments of two seconds that end now."""
    at = int(time.time() * 1000) - 20_000
    session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    body = mkv.header() + b"".join(
        mkv.fragment(at + i * 2000, frames=50, fill=i) + mkv.tags(("place", f"door {i}"))
        for i in range(10)
    )
    session.send(body + mkv.END_OF_FRAGMENT)
    acks = session.wait_for("PERSISTED", count=10)
    session.finish()
    numbers = [a["FragmentNumber"] for a in acks if a["EventType"] == "PERSISTED"]
    return stream, at, numbers


def read_documents(payload, count, seconds=10):
    """Reads until `count` whole documents came; returns them."""
    data = b""
    deadline = time.monotonic() + seconds
    while data.count(b"AWS_KINESISVIDEO_CONTINUATION_TOKEN") < count:
        assert time.monotonic() < deadline, data.count(EBML)
        piece = payload.read(1)
        assert piece, "the stream ended"
        data += piece
    data += payload.read(44)  # the token itself: TagString id, size, 38 digits
    return [EBML + part for part in data.split(EBML)[1:]]


def tag(document, name):
    """The TagString that follows a TagName."""
    at = document.index(name.encode()) + len(name)
    assert document[at:at + 2] == bytes.fromhex("4487")
    size = int.from_bytes(document[at + 2:at + 6], "big") & 0x0FFFFFFF
    return document[at + 6:at + 6 + size].decode()


def get(server, stream, **selector):
    client = server.client("kinesis-video-media")
    return client.get_media(StreamName=stream, StartSelector=selector)["Payload"]


def test_from_the_earliest(server, filled):
    stream, at, numbers = filled
    documents = read_documents(get(server, stream, StartSelectorType="EARLIEST"), 10)
    assert [tag(d, "AWS_KINESISVIDEO_FRAGMENT_NUMBER") for d in documents[:10]] == numbers
    assert [tag(d, "AWS_KINESISVIDEO_CONTINUATION_TOKEN") for d in documents[:10]] == numbers
    for i, document in enumerate(documents[:10]):
        stamp = tag(document, "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP")
        assert re.fullmatch(r"\d+\.\d{3}", stamp)
        assert float(stamp) * 1000 == pytest.approx(at + i * 2000, abs=0.5)
        assert mkv.fragment(at + i * 2000, frames=50, fill=i) in document
        assert f"door {i}".encode() in document
        assert document.index(b"AWS_KINESISVIDEO_FRAGMENT_NUMBER") < document.index(
            bytes.fromhex("1f43b675")
        )
        assert int(tag(document, "AWS_KINESISVIDEO_MILLIS_BEHIND_NOW")) >= 0


def test_after_a_fragment_and_by_token(server, filled):
    stream, _, numbers = filled
    for selector in (
        {"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": numbers[3]},
        {"StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": numbers[3]},
    ):
        document = read_documents(get(server, stream, **selector), 1)[0]
        assert tag(document, "AWS_KINESISVIDEO_FRAGMENT_NUMBER") == numbers[4]


def test_by_time(server, filled):
    stream, at, numbers = filled
    for offset, expected in ((-5000, 0), (0, 0), (1999, 0), (2000, 1), (7000, 3)):
        selector = {
            "StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": (at + offset) / 1000,
        }
        document = read_documents(get(server, stream, **selector), 1)[0]
        assert tag(document, "AWS_KINESISVIDEO_FRAGMENT_NUMBER") == numbers[expected], offset
    document = read_documents(
        get(server, stream, StartSelectorType="SERVER_TIMESTAMP", StartTimestamp=at / 1000), 1
    )[0]
    assert tag(document, "AWS_KINESISVIDEO_FRAGMENT_NUMBER") == numbers[0]


def test_live_frame_by_frame(server, stream):
    payload = get(server, stream, StartSelectorType="NOW")
    session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    at = int(time.time() * 1000)
    session.send(mkv.header() + mkv.cluster(at))
    arrived = {}

    def read():
        data = b""
        while len(arrived) < 5:
            data += payload.read(1)
            for i in range(5):
                if i not in arrived and bytes([0x40 + i]) * 50 in data:
                    arrived[i] = time.monotonic()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    sent = {}
    for i in range(5):
        time.sleep(0.1)
        sent[i] = time.monotonic()
        session.send(mkv.block(1, i * 40, i == 0, mkv.h264_frame(i == 0, 100, 0x40 + i)))
    reader.join(5)
    # The cluster is still open: each frame came out as it went in.
    assert sorted(arrived) == [0, 1, 2, 3, 4]
    assert max(arrived[i] - sent[i] for i in range(5)) < 0.5


def test_a_viewer_who_comes_late_sees_what_has_arrived(server, stream):
    session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    at = int(time.time() * 1000)
    session.send(mkv.header() + mkv.fragment(at) + mkv.cluster(at + 2000))
    session.wait_for("PERSISTED")
    # Half a fragment, seen by nobody; then the camera says nothing more.
    for i in range(3):
        session.send(mkv.block(1, i * 40, i == 0, mkv.h264_frame(i == 0, 100, 0x40 + i)))
        time.sleep(0.05)
    payload = get(server, stream, StartSelectorType="NOW")
    data = b""

    def read():
        nonlocal data
        while bytes([0x42]) * 50 not in data:
            data += payload.read(1)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(2)
    assert [bytes([0x40 + i]) * 50 in data for i in range(3)] == [True] * 3


def test_live_goes_on_over_a_reconnect(server, stream):
    payload = get(server, stream, StartSelectorType="NOW")
    at = int(time.time() * 1000)
    for i in range(3):
        session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
        assert session.head() == 200
        session.send(mkv.header() + mkv.fragment(at + i * 2000) + mkv.END_OF_FRAGMENT)
        session.wait_for("PERSISTED")
        session.close()
    documents = read_documents(payload, 3)
    numbers = [tag(d, "AWS_KINESISVIDEO_FRAGMENT_NUMBER") for d in documents]
    assert numbers == sorted(numbers) and len(set(numbers)) == 3


def test_without_retention_the_buffer_is_readable(server, kvs):
    name = f"unkept-read-{time.time_ns()}"
    kvs.create_stream(StreamName=name)
    session = PutMedia(server.url, name, ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    at = int(time.time() * 1000)
    session.send(mkv.header() + mkv.fragment(at) + mkv.fragment(at + 2000) + mkv.END_OF_FRAGMENT)
    session.wait_for("RECEIVED", count=2)
    documents = read_documents(get(server, name, StartSelectorType="EARLIEST"), 2)
    assert mkv.fragment(at) in documents[0] and mkv.fragment(at + 2000) in documents[1]
    listed = server.client("kinesis-video-archived-media").list_fragments(
        StreamName=name,
        FragmentSelector={
            "FragmentSelectorType": "SERVER_TIMESTAMP",
            "TimestampRange": {"StartTimestamp": 0, "EndTimestamp": time.time() + 9},
        },
    )
    assert listed["Fragments"] == [] and not listed.get("NextToken")


@pytest.mark.parametrize("axis", ["PRODUCER_TIMESTAMP", "SERVER_TIMESTAMP"])
def test_list_fragments_pages(server, filled, axis):
    stream, at, numbers = filled
    client = server.client("kinesis-video-archived-media")
    selector = {
        "FragmentSelectorType": axis,
        "TimestampRange": {"StartTimestamp": at / 1000, "EndTimestamp": time.time() + 9},
    }
    pages = client.get_paginator("list_fragments").paginate(
        StreamName=stream, FragmentSelector=selector, PaginationConfig={"PageSize": 3},
    )
    listed = [fragment for page in pages for fragment in page["Fragments"]]
    assert [f["FragmentNumber"] for f in listed] == numbers
    for i, fragment in enumerate(listed):
        assert fragment["FragmentLengthInMilliseconds"] == 2000
        assert fragment["FragmentSizeInBytes"] > 5000
        assert fragment["ProducerTimestamp"].timestamp() == pytest.approx(
            (at + i * 2000) / 1000, abs=0.001
        )


def test_list_fragments_range_is_inclusive(server, filled):
    stream, at, numbers = filled
    client = server.client("kinesis-video-archived-media")

    def listed(start, end):
        answer = client.list_fragments(StreamName=stream, FragmentSelector={
            "FragmentSelectorType": "PRODUCER_TIMESTAMP",
            "TimestampRange": {"StartTimestamp": start / 1000, "EndTimestamp": end / 1000},
        })
        return [numbers.index(f["FragmentNumber"]) for f in answer["Fragments"]]

    assert listed(at, at) == [0]
    assert listed(at + 2000, at + 6000) == [1, 2, 3]
    assert listed(at + 1, at + 1999) == []
    assert listed(0, at - 1) == []


def test_fragments_in_the_order_asked_for(server, filled):
    stream, at, numbers = filled
    client = server.client("kinesis-video-archived-media")
    wanted = [numbers[4], numbers[1], "12345", numbers[7], "9" * 60]
    data = client.get_media_for_fragment_list(StreamName=stream, Fragments=wanted)[
        "Payload"
    ].read()
    positions = [data.index(n.encode()) for n in wanted]
    assert positions == sorted(positions)
    assert data.count(b"AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE") == 2
    assert data.count(b"AWS_KINESISVIDEO_SERVER_TIMESTAMP") == 3


def test_refusals(server, filled):
    stream, _, numbers = filled
    media = server.client("kinesis-video-media")
    archive = server.client("kinesis-video-archived-media")

    def code(call):
        with pytest.raises(ClientError) as caught:
            call()
        return (
            caught.value.response["Error"]["Code"],
            caught.value.response["ResponseMetadata"]["HTTPStatusCode"],
        )

    missing = ("ResourceNotFoundException", 404)
    assert code(lambda: get(server, "nowhere", StartSelectorType="NOW")) == missing
    invalid = ("InvalidArgumentException", 400)
    for kind in ("FRAGMENT_NUMBER", "PRODUCER_TIMESTAMP", "SERVER_TIMESTAMP", "CONTINUATION_TOKEN"):
        assert code(lambda: get(server, stream, StartSelectorType=kind)) == invalid, kind
    assert code(lambda: archive.list_fragments(StreamName=stream)) == invalid
    assert code(lambda: archive.list_fragments(StreamName=stream, NextToken="AAAA")) == invalid
    assert code(
        lambda: archive.get_media_for_fragment_list(StreamName="nowhere", Fragments=["1"])
    ) == missing


@pytest.mark.parametrize("url", ["url", "tls_url"])
def test_files_that_players_open(server, filled, tmp_path, url):
    stream, at, numbers = filled
    client = server.client(
        "kinesis-video-archived-media", url=getattr(server, url), verify=server.ca_file
    )
    data = client.get_media_for_fragment_list(StreamName=stream, Fragments=[numbers[0]])[
        "Payload"
    ].read()
    path = tmp_path / "fragment.mkv"
    path.write_bytes(data)
    if shutil.which("mkvinfo"):
        info = subprocess.run(["mkvinfo", str(path)], capture_output=True, text=True)
        assert info.returncode == 0 and "V_MPEG4/ISO/AVC" in info.stdout, info.stdout
        assert info.stdout.count("Simple block") >= 0
    if shutil.which("ffprobe"):
        probe = subprocess.run(
            ["ffprobe", "-v", "error", "-count_packets", "-show_entries",
             "stream=codec_name,nb_read_packets", "-of", "csv=p=0", str(path)],
            capture_output=True, text=True,
        )
        assert "h264,50" in probe.stdout, probe.stdout + probe.stderr
