"""GetCoverage and GetStreamHealth from outside: what is recorded, why the rest is not, and how each
stream is doing."""

import json
import time

import pytest

import matroska as mkv
from conftest import ACCESS_KEY, SECRET_KEY
from put_media import PutMedia
from signed_call import call

NOW = lambda: int(time.time() * 1000)


def ask(server, path, **members):
    return call(server.url, path, json.dumps(members))


def coverage(server, *streams, start, end, **members):
    answer = ask(server, "/streamkeep/getCoverage", Streams=list(streams), StartTimestamp=start,
                 EndTimestamp=end, **members)
    assert answer.status == 200, answer.body
    return answer.json()["Streams"]


def health(server, *streams, **members):
    answer = ask(server, "/streamkeep/getStreamHealth", Streams=list(streams), **members)
    assert answer.status == 200, answer.body
    return answer.json()["Streams"]


def wait_for_state(server, stream, state, seconds=5):
    deadline = time.monotonic() + seconds
    while True:
        [found] = health(server, stream)
        if found["State"] == state:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def open_session(server, stream, **kwargs):
    session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY, **kwargs)
    assert session.head() == 200
    session.send(mkv.header())
    return session


def second(at):
    """A fragment of one second."""
    return mkv.fragment(at, frames=5, distance=200)


def send_second(session, at=None):
    """A complete and durable fragment of one second."""
    at = at or NOW()
    session.send(second(at) + mkv.END_OF_FRAGMENT)
    session.wait_for("PERSISTED", timecode=at)
    return at


def new_stream(server, hours=2):
    name = f"extension-{time.time_ns()}"
    server.client().create_stream(StreamName=name, DataRetentionInHours=hours)
    return name


def reasons(covered):
    return [gap["Reason"] for gap in covered["Gaps"]]


def check_order(covered, start, end):
    """Runs and gaps fill the range: each begins where the one before ends, or within a second."""
    parts = sorted(covered["Runs"] + covered["Gaps"], key=lambda part: part["StartTimestamp"])
    at = start
    for part in parts:
        assert -0.0005 < part["StartTimestamp"] - at < 1, (part, covered)
        assert part["EndTimestamp"] >= part["StartTimestamp"]
        at = part["EndTimestamp"]
    assert end - at < 1, covered


def test_a_silent_session_and_none(server, stream):
    begin = int(time.time() * 1000) / 1000  # as the server counts
    session = open_session(server, stream)
    send_second(session)
    time.sleep(2.7)  # the camera pauses
    send_second(session)
    session.finish()
    assert session.wait_end()
    session.close()
    time.sleep(2.2)  # the camera is gone
    end = time.time()
    [covered] = coverage(server, stream, start=begin, end=end)
    assert covered["StreamName"] == stream and covered["Error"] is None
    assert [run["FragmentCount"] for run in covered["Runs"]] == [1, 1]
    assert [run["EndTimestamp"] - run["StartTimestamp"] for run in covered["Runs"]] == [
        pytest.approx(1, abs=0.01)
    ] * 2
    assert covered["Runs"][0]["Bytes"] > 500
    assert reasons(covered) == ["NO_MEDIA", "NO_SESSION"]
    assert covered["Gaps"][0]["StartTimestamp"] == covered["Runs"][0]["EndTimestamp"]
    assert covered["Gaps"][0]["EndTimestamp"] == covered["Runs"][1]["StartTimestamp"]
    check_order(covered, begin, end)


def test_what_is_arriving_is_not_missing(server, stream):
    begin = int(time.time() * 1000) / 1000  # as the server counts
    session = open_session(server, stream)
    send_second(session)
    session.send(mkv.cluster(NOW()) + mkv.block(1, 0, True, mkv.h264_frame(True)))
    time.sleep(1.5)
    [covered] = coverage(server, stream, start=begin, end=time.time() + 3600)
    assert covered["Gaps"] == []
    session.close()
    time.sleep(1.5)
    [covered] = coverage(server, stream, start=begin, end=time.time() + 3600)
    assert reasons(covered)[-1] == "NO_SESSION", "it was cut, and the session is over"
    assert covered["Gaps"][-1]["EndTimestamp"] <= time.time(), "what is to come is not missing"


def test_refused_media(server, stream):
    begin = int(time.time() * 1000) / 1000  # as the server counts
    session = open_session(server, stream)
    send_second(session)
    time.sleep(1)
    session.send(second(NOW()))
    time.sleep(1.3)
    session.send(b"".join(mkv.tags((f"n{i}", "v")) for i in range(11)))
    session.wait_for("ERROR")
    found = wait_for_state(server, stream, "REFUSED")
    assert found["LastError"]["ErrorId"] == 4009
    assert found["LastError"]["ErrorCode"] == "FRAGMENT_METADATA_LIMIT_REACHED"
    assert abs(found["LastError"]["TimeStamp"] - time.time()) < 2
    time.sleep(1.3)
    session = open_session(server, stream)
    send_second(session)
    assert wait_for_state(server, stream, "LIVE")["LastError"]["ErrorId"] == 4009
    [covered] = coverage(server, stream, start=begin, end=time.time())
    assert reasons(covered)[:2] == ["REFUSED", "NO_SESSION"], covered
    assert [gap["ErrorId"] for gap in covered["Gaps"]][:2] == [4009, None]
    session.close()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_server_did_not_run(make_server, end):
    server = make_server()
    stream = new_stream(server)
    begin = int(time.time() * 1000) / 1000  # as the server counts
    session = open_session(server, stream)
    send_second(session)
    getattr(server, end)()
    time.sleep(2.5)
    server.start()
    [found] = health(server, stream)
    assert (found["State"], found["SessionSince"]) == ("OFF", None)
    assert found["LastFragment"]["ServerTimestamp"] >= begin, "from the archive"
    time.sleep(1.2)
    session = open_session(server, stream)
    send_second(session)
    [covered] = coverage(server, stream, start=begin, end=time.time())
    assert reasons(covered)[:2] == ["SERVER_STOPPED", "NO_SESSION"], covered
    assert covered["Gaps"][0]["StartTimestamp"] == covered["Runs"][0]["EndTimestamp"]
    assert covered["Gaps"][0]["EndTimestamp"] - covered["Gaps"][0]["StartTimestamp"] > 1
    # Another start: what was known of sessions is not any more, and not guessed.
    server.stop()
    server.start()
    [covered] = coverage(server, stream, start=begin, end=time.time())
    assert reasons(covered)[:2] == ["SERVER_STOPPED", "UNKNOWN"], covered
    server.stop()


def test_what_was_never_kept(server):
    stream = new_stream(server, hours=0)
    created = time.time()
    session = open_session(server, stream)
    at = NOW()
    session.send(second(at) + mkv.END_OF_FRAGMENT)
    session.wait_for("RECEIVED", timecode=at)
    time.sleep(1.5)
    [covered] = coverage(server, stream, start=created - 3600, end=time.time())
    assert covered["Runs"] == []
    assert reasons(covered) == ["NOT_CREATED", "EXPIRED"], covered
    assert health(server, stream)[0]["LastFragment"]["FragmentNumber"].isdigit()
    session.close()


def test_a_shorter_retention_is_told(server, kvs, stream):
    session = open_session(server, stream)
    begin = int(time.time() * 1000) / 1000  # as the server counts
    send_second(session)
    session.close()
    version = kvs.describe_stream(StreamName=stream)["StreamInfo"]["Version"]
    kvs.update_data_retention(
        StreamName=stream, CurrentVersion=version, Operation="DECREASE_DATA_RETENTION",
        DataRetentionChangeInHours=1,
    )
    [covered] = coverage(server, stream, start=begin - 7200, end=time.time())
    assert reasons(covered)[0] == "NOT_CREATED"
    assert [run["FragmentCount"] for run in covered["Runs"]] == [1]


@pytest.fixture
def jumping(server, stream):
    """Three seconds of media that the producer's clock puts ten seconds apart."""
    at = NOW() - 60_000
    session = open_session(server, stream)
    for n in range(3):
        send_second(session, at + 10_000 * n)
    session.finish()
    assert session.wait_end()
    return at / 1000


def test_the_producer_clock_jumped(server, stream, jumping):
    [covered] = coverage(server, stream, start=jumping, end=jumping + 22,
                         FragmentSelectorType="PRODUCER_TIMESTAMP")
    assert [run["StartTimestamp"] - jumping for run in covered["Runs"]] == [
        pytest.approx(10 * n, abs=0.001) for n in range(3)
    ]
    assert reasons(covered)[:2] == ["CLOCK_JUMP", "CLOCK_JUMP"], covered
    [covered] = coverage(server, stream, start=jumping - 3600, end=jumping + 21,
                         FragmentSelectorType="PRODUCER_TIMESTAMP")
    assert reasons(covered)[0] == "NOT_CREATED", covered


@pytest.mark.parametrize("points", [1, 2])
def test_more_runs_than_points(server, stream, jumping, points):
    [covered] = coverage(server, stream, start=jumping, end=jumping + 30, MaxPoints=points,
                         FragmentSelectorType="PRODUCER_TIMESTAMP")
    assert covered["Runs"] is None and covered["Gaps"] == []
    buckets = covered["Buckets"]
    assert buckets["BucketSeconds"] == 30 / points
    assert buckets["RecordedSeconds"] == [pytest.approx(s, abs=0.01) for s in
                                          ([3], [2, 1])[points - 1]]
    [covered] = coverage(server, stream, start=jumping, end=jumping + 30, MaxPoints=3,
                         FragmentSelectorType="PRODUCER_TIMESTAMP")
    assert len(covered["Runs"]) == 3 and covered["Buckets"] is None


def test_a_stream_that_cannot_be_shown_hides_no_other(server, stream):
    for path, members in [
        ("/streamkeep/getCoverage", {"StartTimestamp": time.time() - 9, "EndTimestamp": time.time()}),
        ("/streamkeep/getStreamHealth", {}),
    ]:
        answer = ask(server, path, Streams=["no-such-stream", stream], **members)
        lost, found = answer.json()["Streams"]
        assert lost == {
            "StreamName": "no-such-stream",
            "Error": {"Code": "ResourceNotFoundException", "Message": lost["Error"]["Message"]},
        }
        assert found["Error"] is None
        assert call(server.url, path, "{}", without_signature=True).status == 403
        assert call(server.url, path, "{}", secret="wrong" * 8).status == 403
        assert ask(server, path, Streams=[], **members).status == 400


def test_health_of_a_live_stream(server, stream):
    [found] = health(server, stream)
    assert (found["State"], found["StateSince"], found["Viewers"]) == ("OFF", None, 0)
    assert (found["LastFragment"], found["LastError"]) == (None, None)
    session = open_session(server, stream)
    found = wait_for_state(server, stream, "SILENT")
    assert found["Producer"].startswith("AWS-SDK-KVS-CPP-CLIENT/3.5.0")
    media = server.client("kinesis-video-media").get_media(
        StreamName=stream, StartSelector={"StartSelectorType": "NOW"}
    )
    begin = NOW()
    for n in range(4):
        send_second(session, begin + 1000 * n)
        time.sleep(max(0, begin / 1000 + n + 1 - time.time()))
    [found] = health(server, stream)
    assert found["State"] == "LIVE"
    assert begin / 1000 - 0.1 < found["StateSince"] < begin / 1000 + 0.5
    assert found["SessionSince"] <= found["StateSince"]
    assert found["FragmentsPerSecond"] == pytest.approx(1, abs=0.3)
    assert found["MinuteFragmentsPerSecond"] == pytest.approx(1, abs=0.3)
    assert 3_000 < found["BitsPerSecond"] < 20_000
    assert found["CodecIds"] == ["V_MPEG4/ISO/AVC"]
    assert (found["WidthPixels"], found["HeightPixels"]) == (64, 64)
    assert found["FramesPerSecond"] == 5.0
    assert found["KeyFrameIntervalMilliseconds"] == 1000
    assert 0 < found["PersistedAck"]["P50Milliseconds"] <= found["PersistedAck"]["P99Milliseconds"]
    assert found["ReceivedAck"]["P99Milliseconds"] < 2_000
    assert abs(found["ClockSkewMilliseconds"]) < 1_000
    assert found["Viewers"] == 1
    last = found["LastFragment"]
    assert last["FragmentNumber"] == session.acks()[-1]["FragmentNumber"]
    assert last["ProducerTimestamp"] == pytest.approx(begin / 1000 + 3, abs=0.001)
    media["Payload"].close()
    session.finish()
    session.close()
    found = wait_for_state(server, stream, "OFF")
    assert abs(found["StateSince"] - time.time()) < 3
    assert found["LastFragment"] == last and found["FragmentsPerSecond"] is None


def test_a_silent_session_is_seen(server, stream):
    session = open_session(server, stream)
    sent = time.time()
    send_second(session)
    wait_for_state(server, stream, "LIVE")
    found = wait_for_state(server, stream, "SILENT", seconds=14)
    assert abs(found["StateSince"] - sent) < 1, "since the last byte"
    [covered] = coverage(server, stream, start=sent, end=time.time())
    assert reasons(covered) == ["NO_MEDIA"], covered
    send_second(session)
    wait_for_state(server, stream, "LIVE")
    session.close()


def history_until(server, stream, wanted):
    """Bit rates of the last minute; steps end with the clock's tens of seconds."""
    deadline = time.monotonic() + 25
    while True:
        [found] = health(server, stream, HistoryMinutes=1)
        history = found["BitRateHistory"]
        assert (history["StepSeconds"], len(history["BitsPerSecond"])) == (10, 6)
        assert history["EndTimestamp"] % 10 == 0 and 0 <= time.time() - history["EndTimestamp"] < 11
        if wanted(history):
            return history
        assert time.monotonic() < deadline, history
        time.sleep(0.2)


def test_bit_rates_of_the_last_minutes(server, stream):
    [found] = health(server, stream)
    assert found["BitRateHistory"] is None, "not asked for"
    # A step in which the server started is not known.
    history_until(server, stream, lambda history: history["BitsPerSecond"][-1] == 0)
    session = open_session(server, stream)
    while time.time() % 10 > 8:
        time.sleep(0.1)
    sent = time.time()
    send_second(session)
    session.finish()
    session.close()
    history = history_until(server, stream, lambda history: history["EndTimestamp"] > sent)
    rates = history["BitsPerSecond"]
    assert 0 < rates[-1] * 10 / 8 < 20_000
    assert not any(rates[:-1]), history
    assert ask(server, "/streamkeep/getStreamHealth", Streams=[stream], HistoryMinutes=11).status == 400
