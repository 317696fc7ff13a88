"""PutMedia from outside: what has hung or cheated real producers, and every error ack."""

import json
import time

import pytest
from botocore.exceptions import ClientError

import matroska as mkv
from conftest import ACCESS_KEY, REGION, SECRET_KEY
from put_media import PutMedia

NOW = lambda: int(time.time() * 1000)


def put(server, stream, **kwargs):
    kwargs.setdefault("access_key", ACCESS_KEY)
    kwargs.setdefault("secret_key", SECRET_KEY)
    return PutMedia(server.url, stream, **kwargs)


def open_session(server, stream, **kwargs):
    session = put(server, stream, **kwargs)
    assert session.head() == 200
    return session


def events(acks, *kinds):
    return [a for a in acks if not kinds or a["EventType"] in kinds]


def fragments(server, stream):
    client = server.client("kinesis-video-archived-media")
    found, token = [], None
    while True:
        extra = {"NextToken": token} if token else {}
        page = client.list_fragments(
            StreamName=stream, MaxResults=1000,
            FragmentSelector={
                "FragmentSelectorType": "SERVER_TIMESTAMP",
                "TimestampRange": {"StartTimestamp": 0, "EndTimestamp": time.time() + 60},
            }, **extra,
        )
        found += page["Fragments"]
        token = page.get("NextToken")
        if not token:
            return found


def test_the_head_comes_before_any_body_byte(server, stream):
    session = put(server, stream)
    assert session.head(seconds=1) == 200
    headers = session.headers()
    assert headers["transfer-encoding"] == "chunked"
    assert "x-amzn-requestid" in headers and "date" in headers


def test_acks_while_the_body_is_open(server, stream):
    session = open_session(server, stream)
    at = NOW()
    session.send(mkv.header() + mkv.cluster(at))
    acks = session.wait_for("BUFFERING", seconds=1)
    assert acks[0]["FragmentTimecode"] == at
    session.send(mkv.fragment(at)[len(mkv.cluster(at)):] + mkv.fragment(at + 2000))
    acks = session.wait_for("PERSISTED", timecode=at)
    order = [a["EventType"] for a in acks if a["FragmentTimecode"] == at]
    assert order == ["BUFFERING", "RECEIVED", "PERSISTED"]
    number = {a["FragmentNumber"] for a in acks if a["FragmentTimecode"] == at}
    assert len(number) == 1 and number.pop().isdigit()


def test_the_tag_ends_the_last_fragment_while_the_body_stays_open(server, stream):
    session = open_session(server, stream)
    at = NOW()
    session.send(mkv.header() + mkv.fragment(at) + mkv.END_OF_FRAGMENT)
    session.wait_for("PERSISTED", timecode=at, seconds=2)
    session.finish()
    assert session.wait_end()
    assert len(fragments(server, stream)) == 1


def test_the_end_of_the_body_ends_the_last_fragment(server, stream):
    session = open_session(server, stream)
    at = NOW()
    session.send(mkv.header() + mkv.fragment(at))
    session.finish()
    session.wait_for("PERSISTED", timecode=at)
    assert session.wait_end()


def test_a_half_closed_connection_still_gets_its_acks(server, stream):
    session = open_session(server, stream)
    at = NOW()
    session.send(mkv.header() + mkv.fragment(at))
    session.finish()
    session.half_close()
    session.wait_for("PERSISTED", timecode=at)
    assert session.wait_end()


def test_half_closed_without_the_last_chunk(server, stream):
    """The embedded producer's end: what was complete is kept and acked, the rest is not."""
    session = open_session(server, stream)
    at = NOW()
    session.send(mkv.header() + mkv.fragment(at) + mkv.fragment(at + 2000))
    session.half_close()
    session.wait_for("PERSISTED", timecode=at)
    time.sleep(0.2)
    assert len(fragments(server, stream)) == 1


def test_cut_without_a_word(server, stream):
    session = open_session(server, stream)
    at = NOW()
    session.send(mkv.header() + mkv.fragment(at) + mkv.fragment(at + 2000) + mkv.END_OF_FRAGMENT)
    session.wait_for("PERSISTED", count=2)
    session.send(mkv.fragment(at + 4000))
    session.close()
    time.sleep(0.3)
    assert len(fragments(server, stream)) == 2


def test_expect_100_continue(server, stream):
    session = put(server, stream, expect=True)
    assert session.head(seconds=1) == 200
    assert [i.split(b"\r\n")[0] for i in session.interim] in ([b"HTTP/1.1 100 Continue"], [])
    at = NOW()
    session.send(mkv.header() + mkv.fragment(at) + mkv.END_OF_FRAGMENT)
    session.wait_for("PERSISTED")


@pytest.mark.parametrize("with_port", [False, True])
def test_host_with_and_without_port(server, stream, with_port):
    session = open_session(server, stream, host_with_port=with_port)
    at = NOW()
    session.send(mkv.header() + mkv.fragment(at) + mkv.END_OF_FRAGMENT)
    session.wait_for("PERSISTED")


def test_over_tls(server, stream):
    session = PutMedia(server.tls_url, stream, ACCESS_KEY, SECRET_KEY, ca_file=server.ca_file)
    assert session.head() == 200
    at = NOW()
    session.send(mkv.header() + mkv.fragment(at) + mkv.END_OF_FRAGMENT)
    session.wait_for("PERSISTED")
    session.finish()
    assert session.wait_end()


def test_right_after_create_stream(server, kvs):
    """A producer does not describe again after it created the stream."""
    name = f"fresh-{time.time_ns()}"
    kvs.create_stream(StreamName=name, DataRetentionInHours=2)
    session = open_session(server, name)
    session.send(mkv.header() + mkv.fragment(NOW()) + mkv.END_OF_FRAGMENT)
    session.wait_for("PERSISTED")


def test_without_retention_the_producer_is_not_left_waiting(server, kvs):
    """The producer believes in two hours and waits for PERSISTED with its body open."""
    name = f"unkept-{time.time_ns()}"
    kvs.create_stream(StreamName=name, DataRetentionInHours=0)
    session = open_session(server, name)
    at = NOW()
    session.send(mkv.header() + mkv.fragment(at) + mkv.END_OF_FRAGMENT)
    session.wait_for("RECEIVED", seconds=2)
    time.sleep(1)
    session.send(mkv.fragment(at + 2000) + mkv.END_OF_FRAGMENT)
    acks = session.wait_for("RECEIVED", count=2, seconds=2)
    assert not events(acks, "PERSISTED"), "nothing is durable"
    # Silence behind an end-of-fragment tag: the producer waits. It is released, once.
    acks = session.wait_for("PERSISTED", seconds=6)
    assert [a["FragmentTimecode"] for a in events(acks, "PERSISTED")] == [at + 2000]
    session.finish()
    assert session.wait_end()


def test_two_sessions_overlap_at_rotation(server, stream):
    first = open_session(server, stream)
    at = NOW()
    first.send(mkv.header() + mkv.fragment(at))
    second = open_session(server, stream)
    second.send(mkv.header() + mkv.fragment(at + 2000))
    first.send(mkv.END_OF_FRAGMENT)
    first.wait_for("PERSISTED", timecode=at)
    second.send(mkv.END_OF_FRAGMENT)
    second.wait_for("PERSISTED", timecode=at + 2000)
    assert len(fragments(server, stream)) == 2


def test_a_fragment_sent_again_is_stored_once(server, stream):
    at = NOW()
    numbers = []
    for _ in range(2):
        session = open_session(server, stream)
        session.send(mkv.header() + mkv.fragment(at) + mkv.END_OF_FRAGMENT)
        acks = session.wait_for("PERSISTED")
        numbers.append(events(acks, "PERSISTED")[0]["FragmentNumber"])
        session.finish()
    assert numbers[0] == numbers[1], "acked with the number of the first copy"
    assert len(fragments(server, stream)) == 1
    # The same time with other content is another fragment.
    session = open_session(server, stream)
    session.send(mkv.header() + mkv.fragment(at, fill=9) + mkv.END_OF_FRAGMENT)
    acks = session.wait_for("PERSISTED")
    assert events(acks, "PERSISTED")[0]["FragmentNumber"] != numbers[0]
    assert len(fragments(server, stream)) == 2


def test_relative_timecodes(server, stream):
    start = time.time() - 100
    session = open_session(server, stream, timecode_type="RELATIVE", start=f"{start:.3f}")
    session.send(mkv.header() + mkv.fragment(0) + mkv.fragment(2000) + mkv.END_OF_FRAGMENT)
    acks = session.wait_for("PERSISTED", count=2)
    assert [a["FragmentTimecode"] for a in events(acks, "PERSISTED")] == [0, 2000]
    stamps = sorted(f["ProducerTimestamp"].timestamp() for f in fragments(server, stream))
    assert stamps == pytest.approx([start, start + 2], abs=0.002)


def test_byte_by_byte(server, stream):
    session = open_session(server, stream)
    at = NOW()
    body = mkv.header() + mkv.fragment(at, frames=2, size=20) + mkv.END_OF_FRAGMENT
    for byte in body:
        session.send(bytes([byte]))
    session.wait_for("PERSISTED")


# What a body may do wrong, after one good fragment: (what follows, error id, error code)
FAULTS = {
    "timecode-equal": (lambda t: mkv.fragment(t), 4004, "FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS"),
    "timecode-smaller": (
        lambda t: mkv.fragment(t - 1), 4004, "FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS",
    ),
    "too-long": (
        lambda t: mkv.cluster(t + 2000) + mkv.block(1, 0, True, mkv.h264_frame(True))
        + mkv.block(1, 20_001, False, mkv.h264_frame(False)),
        4002, "MAX_FRAGMENT_DURATION_REACHED",
    ),
    "no-matroska": (lambda t: mkv.cluster(t + 2000) + b"\0" * 64, 4006, "INVALID_MKV_DATA"),
    "second-document": (lambda t: mkv.header(), 4006, "INVALID_MKV_DATA"),
    "far-future": (
        lambda t: mkv.fragment(t + 50 * 365 * 86_400_000), 4007, "INVALID_PRODUCER_TIMESTAMP",
    ),
    "eleven-tags": (
        lambda t: mkv.fragment(t + 2000) + b"".join(mkv.tags((f"n{i}", "v")) for i in range(11)),
        4009, "FRAGMENT_METADATA_LIMIT_REACHED",
    ),
    "tag-name": (
        lambda t: mkv.fragment(t + 2000) + mkv.tags(("n" * 129, "v")),
        4009, "FRAGMENT_METADATA_LIMIT_REACHED",
    ),
    "tag-value": (
        lambda t: mkv.fragment(t + 2000) + mkv.tags(("n", "v" * 257)),
        4009, "FRAGMENT_METADATA_LIMIT_REACHED",
    ),
    "undeclared-track": (
        lambda t: mkv.cluster(t + 2000) + mkv.block(3, 0, True, b"x"),
        4010, "TRACK_NUMBER_MISMATCH",
    ),
    "no-frames": (
        lambda t: mkv.cluster(t + 2000) + mkv.cluster(t + 4000),
        4011, "FRAMES_MISSING_FOR_TRACK",
    ),
    "too-large": (
        lambda t: mkv.cluster(t + 2000) + bytes.fromhex("a3")
        + ((51 << 20) | 1 << 56).to_bytes(8, "big"),
        4001, "MAX_FRAGMENT_SIZE_REACHED",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_after_all_before_it_is_durable(server, stream, fault):
    make, error_id, error_code = FAULTS[fault]
    session = open_session(server, stream)
    at = NOW()
    session.send(mkv.header() + mkv.fragment(at) + make(at))
    acks = session.wait_for("ERROR")
    error = acks[-1]
    assert (error["ErrorId"], error["ErrorCode"]) == (error_id, error_code)
    assert "PERSISTED" in [a["EventType"] for a in acks[:-1]]
    assert session.wait_end(), "the session ends with the error"
    assert len(fragments(server, stream)) == 1, "what is at fault costs nothing stored"
    if fault not in ("second-document", "timecode-equal"):
        assert error["FragmentTimecode"] != at, "it names the fragment at fault"


def test_too_many_tracks(server, stream):
    session = open_session(server, stream)
    tracks = [mkv.video_track(n) for n in range(1, 5)]
    session.send(mkv.header(tracks) + mkv.cluster(NOW()))
    acks = session.wait_for("ERROR")
    assert (acks[-1]["ErrorId"], acks[-1]["ErrorCode"]) == (4012, "MORE_THAN_ALLOWED_TRACKS_FOUND")


def test_the_stream_is_deleted_under_a_session(server, kvs, stream):
    session = open_session(server, stream)
    at = NOW()
    session.send(mkv.header() + mkv.fragment(at))
    session.wait_for("BUFFERING")
    arn = kvs.describe_stream(StreamName=stream)["StreamInfo"]["StreamARN"]
    kvs.delete_stream(StreamARN=arn)
    acks = session.wait_for("ERROR")
    assert acks[-1]["ErrorId"] in (4008, 4507)
    assert session.wait_end()


def test_headers_that_are_missing_or_wrong(server, stream):
    def refused(status, error_type, **kwargs):
        session = put(server, kwargs.pop("name", stream), **kwargs)
        assert session.head() == status
        assert session.error()[0] == error_type

    invalid = "InvalidArgumentException"
    refused(404, "ResourceNotFoundException", name="no-such-stream")
    refused(400, invalid, drop=["x-amzn-stream-name"])
    refused(400, invalid, drop=["x-amzn-fragment-timecode-type"])
    refused(400, invalid, timecode_type="SOMETIMES")
    refused(400, invalid, timecode_type="RELATIVE", drop=["x-amzn-producer-start-timestamp"])
    refused(400, invalid, timecode_type="RELATIVE", start="yesterday")
    refused(403, "InvalidSignatureException", secret_key="wrong")
    refused(403, "UnrecognizedClientException", access_key="AKIDNOBODY")
    refused(403, "InvalidSignatureException", sign_offset=-3600)
    refused(403, "InvalidSignatureException", sign_offset=3600)


def test_stream_arn_instead_of_name(server, kvs, stream):
    arn = kvs.describe_stream(StreamName=stream)["StreamInfo"]["StreamARN"]
    session = open_session(
        server, stream, drop=["x-amzn-stream-name"], headers={"x-amzn-stream-arn": arn}
    )
    session.send(mkv.header() + mkv.fragment(NOW()) + mkv.END_OF_FRAGMENT)
    session.wait_for("PERSISTED")


@pytest.mark.parametrize("name", ["h264-realtime", "h264-aac", "h265", "offline"])
def test_captured_producers(server, stream, fixtures, name):
    """What the real producer sent, acked right and given back frame for frame."""
    body = (fixtures / "kvssink" / f"{name}.put-media.mkv").read_bytes()
    session = open_session(server, stream, expect=True)
    for start in range(0, len(body), 7919):
        session.send(body[start:start + 7919])
    count = body.count(bytes.fromhex("1f43b675"))
    acks = session.wait_for("PERSISTED", count=count)
    assert [a["EventType"] for a in acks].count("RECEIVED") == count
    assert not events(acks, "ERROR")
    session.finish()
    assert session.wait_end()
    listed = fragments(server, stream)
    assert len(listed) == count
    media = server.client("kinesis-video-archived-media").get_media_for_fragment_list(
        StreamName=stream, Fragments=sorted(f["FragmentNumber"] for f in listed),
    )["Payload"].read()
    first = body.index(bytes.fromhex("1f43b675"))
    clusters, rest = [], body[first:]
    while rest:
        following = rest.find(bytes.fromhex("1f43b675"), 4)
        clusters.append(rest if following < 0 else rest[:following])
        rest = b"" if following < 0 else rest[following:]
    for cluster in clusters:
        assert cluster in media, "every byte came back"


def test_idle_acks_and_the_end_of_a_silent_session(server, stream):
    session = open_session(server, stream)
    session.send(mkv.header() + mkv.fragment(NOW()))
    session.wait_for("IDLE", seconds=25)
    assert session.wait_end(seconds=45), "closed after 30 s of silence"
