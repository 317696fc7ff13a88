"""What each quota set allows: the published figures, the protective default, and none."""

import json
import time

import pytest

import matroska as mkv
from conftest import ACCESS_KEY, SECRET_KEY
from put_media import PutMedia
from server_process import Server
from signed_call import call

MIB = 1 << 20
LIMITED = ("ClientLimitExceededException", 400)
TOO_MANY = ("ConnectionLimitExceededException", 400)
NOW = lambda: int(time.time() * 1000)


def running(tmp_path_factory, quotas):
    server = Server(tmp_path_factory.mktemp("quotas") / quotas, "--quotas", quotas).start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def kvs_quotas(tmp_path_factory):
    yield from running(tmp_path_factory, "kvs")


@pytest.fixture(scope="module")
def no_quotas(tmp_path_factory):
    yield from running(tmp_path_factory, "off")


def new_stream(server, retention=2):
    name = f"quota-{time.time_ns()}"
    server.client().create_stream(StreamName=name, DataRetentionInHours=retention)
    return name


def put(server, stream, **kwargs):
    return PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY, **kwargs)


def burst(server, path, body, count):
    """Outcomes of calls one after the other, as fast as they go."""
    return [call(server.url, path, json.dumps(body)).error for _ in range(count)]


@pytest.mark.parametrize("path, members, rate", [
    ("/describeStream", {}, 5),
    ("/getDataEndpoint", {"APIName": "PUT_MEDIA"}, 5),
    ("/listTagsForStream", {}, 5),
    ("/tagStream", {"Tags": {"a": "b"}}, 5),
    ("/untagStream", {"TagKeyList": ["a"]}, 5),
    ("/describeStreamStorageConfiguration", {}, 5),
])
def test_call_rates_per_stream(kvs_quotas, path, members, rate):
    first, second = new_stream(kvs_quotas), new_stream(kvs_quotas)
    outcomes = burst(kvs_quotas, path, {"StreamName": first, **members}, rate + 5)
    assert outcomes[:rate] == [(None, 200)] * rate, "a second's worth"
    assert LIMITED in outcomes[rate:] and set(outcomes) <= {(None, 200), LIMITED}
    assert burst(kvs_quotas, path, {"StreamName": second, **members}, 1) == [(None, 200)]
    time.sleep(1.1)
    outcomes = burst(kvs_quotas, path, {"StreamName": first, **members}, rate)
    assert outcomes == [(None, 200)] * rate, "a second later"


def test_call_rates_of_the_account(kvs_quotas):
    outcomes = burst(kvs_quotas, "/listStreams", {}, 100)
    assert outcomes[:50] == [(None, 200)] * 50
    assert LIMITED in outcomes[50:]


def test_a_refusal_for_a_rate_has_a_message(kvs_quotas):
    stream = new_stream(kvs_quotas)
    for _ in range(20):
        answer = call(kvs_quotas.url, "/describeStream", json.dumps({"StreamName": stream}))
        if answer.status != 200:
            break
    assert answer.error == LIMITED and "5 times in a second" in answer.json()["Message"]


def test_put_media_calls(kvs_quotas):
    stream = new_stream(kvs_quotas)
    errors = []
    for _ in range(8):
        session = put(kvs_quotas, stream)
        if session.head() == 400:
            errors.append(session.error()[0])
        session.close()
    assert "ClientLimitExceededException" in errors


def test_points_for_metadata(kvs_quotas):
    """ListFragments costs its MaxResults of 10,000 points a second."""
    body = {
        "StreamName": new_stream(kvs_quotas), "MaxResults": 1000,
        "FragmentSelector": {
            "FragmentSelectorType": "SERVER_TIMESTAMP",
            "TimestampRange": {"StartTimestamp": 0, "EndTimestamp": 1},
        },
    }
    outcomes = burst(kvs_quotas, "/listFragments", body, 25)
    assert outcomes[:10] == [(None, 200)] * 10 and LIMITED in outcomes[10:]


def test_points_for_media(kvs_quotas):
    """GetMediaForFragmentList costs one of 500 points a second for each fragment."""
    body = {"StreamName": new_stream(kvs_quotas), "Fragments": ["1"] * 1000}
    started = time.monotonic()
    outcomes = burst(kvs_quotas, "/getMediaForFragmentList", body, 2)
    assert outcomes == [(None, 200), LIMITED], "a whole call goes through, and is owed"
    while burst(kvs_quotas, "/getMediaForFragmentList", body, 1) == [LIMITED]:
        assert time.monotonic() - started < 5
        time.sleep(0.1)
    assert time.monotonic() - started > 1.5, "1,000 points at 500 a second"


def test_connections_of_producers(kvs_quotas):
    """One, a second at token rotation; a third is refused until one of them ends."""
    stream = new_stream(kvs_quotas)
    at = NOW()
    first = put(kvs_quotas, stream)
    assert first.head() == 200
    first.send(mkv.header() + mkv.fragment(at))
    second = put(kvs_quotas, stream)
    assert second.head() == 200
    second.send(mkv.header() + mkv.fragment(at + 2000))
    third = put(kvs_quotas, stream)
    assert third.head() == 400 and third.error()[0] == TOO_MANY[0]
    first.send(mkv.END_OF_FRAGMENT)
    first.wait_for("PERSISTED", timecode=at)
    first.finish()
    assert first.wait_end()
    time.sleep(0.3)
    fourth = put(kvs_quotas, stream)
    assert fourth.head() == 200
    second.send(mkv.END_OF_FRAGMENT)
    second.wait_for("PERSISTED", timecode=at + 2000)
    for session in (first, second, third, fourth):
        session.close()


def test_connections_of_live_readers(kvs_quotas):
    stream = new_stream(kvs_quotas)
    client = kvs_quotas.client("kinesis-video-media")
    selector = {"StartSelectorType": "NOW"}
    readers = [
        client.get_media(StreamName=stream, StartSelector=selector)["Payload"] for _ in range(3)
    ]
    body = {"StreamName": stream, "StartSelector": selector}
    assert burst(kvs_quotas, "/getMedia", body, 1) == [TOO_MANY]
    readers.pop().close()
    # What is written to a reader that is gone tells so.
    session = put(kvs_quotas, stream)
    assert session.head() == 200
    session.send(mkv.header() + b"".join(mkv.fragment(NOW() + i * 2000) for i in range(5)))
    time.sleep(1.2)
    readers.append(client.get_media(StreamName=stream, StartSelector=selector)["Payload"])
    session.close()
    for reader in readers:
        reader.close()


def test_connections_of_archive_readers(kvs_quotas):
    stream = new_stream(kvs_quotas)
    session = put(kvs_quotas, stream)
    assert session.head() == 200
    session.send(mkv.header() + mkv.fragment(NOW(), frames=2, size=8 * MIB) + mkv.END_OF_FRAGMENT)
    number = session.wait_for("PERSISTED", seconds=20)[-1]["FragmentNumber"]
    session.finish()
    client = kvs_quotas.client("kinesis-video-archived-media")
    # Half a gibibyte that nobody reads keeps each of them open.
    wanted = {"StreamName": stream, "Fragments": [number] * 30}
    readers = [client.get_media_for_fragment_list(**wanted)["Payload"] for _ in range(5)]
    assert burst(kvs_quotas, "/getMediaForFragmentList", wanted, 1) == [TOO_MANY]
    readers.pop().close()
    deadline = time.monotonic() + 5
    while True:
        time.sleep(0.3)
        try:
            readers.append(client.get_media_for_fragment_list(**wanted)["Payload"])
            break
        except client.exceptions.ClientError:
            assert time.monotonic() < deadline, "a place is free again"
    for reader in readers:
        reader.close()


def seconds_to_store(server, bodies):
    """How long it takes until all of `bodies`, sent as fast as they go, are PERSISTED."""
    session = put(server, new_stream(server))
    assert session.head() == 200
    started = time.monotonic()
    session.send(mkv.header() + b"".join(bodies) + mkv.END_OF_FRAGMENT)
    session.wait_for("PERSISTED", count=len(bodies), seconds=20)
    session.close()
    return time.monotonic() - started


def test_fragments_per_second(kvs_quotas, server):
    """Five, then the producer is held back; nothing is refused, for it would be thrown away."""
    bodies = [mkv.fragment(NOW() + i * 100, frames=2) for i in range(15)]
    assert seconds_to_store(server, bodies) < 1
    # A read may take several: what it took too early is waited for afterwards.
    later = [mkv.fragment(NOW() + i * 100, frames=2, size=40_000) for i in range(15)]
    assert seconds_to_store(kvs_quotas, later) > 1.4


def test_bytes_per_second(kvs_quotas, server):
    """12.5 MB, then the producer is held back."""
    bodies = [mkv.fragment(NOW() + i * 4000, frames=2, size=4 * MIB) for i in range(4)]
    assert seconds_to_store(kvs_quotas, bodies) > 1.4
    assert seconds_to_store(server, bodies) < 1.4


def spanning(at, ms):
    """A fragment whose frames span `ms` milliseconds; blocks reach no further than 32 s."""
    return (
        mkv.cluster(at) + mkv.block(1, 0, True, mkv.h264_frame(True))
        + mkv.block(1, ms, False, mkv.h264_frame(False))
    )


def tracks(count):
    declared = mkv.header([mkv.video_track(n) for n in range(1, count + 1)])
    blocks = b"".join(mkv.block(n, 0, True, mkv.h264_frame(True)) for n in range(1, count + 1))
    return declared, blocks


def tagged(count, name="n", value="v"):
    return b"".join(mkv.tags((f"{name}{i}", value)) for i in range(count))


def body(case, at):
    return {
        "20-seconds": lambda: mkv.header() + spanning(at, 19_900),
        "25-seconds": lambda: mkv.header() + spanning(at, 25_000),
        "3-tracks": lambda: tracks(3)[0] + mkv.cluster(at) + tracks(3)[1],
        "4-tracks": lambda: tracks(4)[0] + mkv.cluster(at) + tracks(4)[1],
        "10-tags": lambda: mkv.header() + mkv.fragment(at) + tagged(10),
        "11-tags": lambda: mkv.header() + mkv.fragment(at) + tagged(11),
        "long-tag-name": lambda: mkv.header() + mkv.fragment(at) + tagged(1, name="n" * 128),
        "long-tag-value": lambda: mkv.header() + mkv.fragment(at) + tagged(1, value="v" * 257),
    }[case]()


def outcome(server, case):
    """`PERSISTED`, or the error's id."""
    at = NOW()
    session = put(server, new_stream(server))
    assert session.head() == 200
    session.send(body(case, at) + mkv.END_OF_FRAGMENT)
    ack = session.outcome()
    session.close()
    return ack.get("ErrorId", ack["EventType"])


PUBLISHED = {
    "20-seconds": "PERSISTED", "25-seconds": 4002,
    "3-tracks": "PERSISTED", "4-tracks": 4012,
    "10-tags": "PERSISTED", "11-tags": 4009,
    "long-tag-name": 4009, "long-tag-value": 4009,
}


@pytest.mark.parametrize("case", PUBLISHED)
def test_the_published_sizes_hold_by_default(server, case):
    assert outcome(server, case) == PUBLISHED[case]


@pytest.mark.parametrize("case", PUBLISHED)
def test_the_published_sizes_hold_with_kvs(kvs_quotas, case):
    assert outcome(kvs_quotas, case) == PUBLISHED[case]


@pytest.mark.parametrize("case", PUBLISHED)
def test_off_takes_what_the_format_can_hold(no_quotas, case):
    assert outcome(no_quotas, case) == "PERSISTED"


def test_off_still_has_a_largest_fragment(no_quotas):
    session = put(no_quotas, new_stream(no_quotas))
    assert session.head() == 200
    size = (51 * MIB | 1 << 56).to_bytes(8, "big")
    session.send(mkv.header() + mkv.cluster(NOW()) + bytes.fromhex("a3") + size)
    assert session.wait_for("ERROR")[-1]["ErrorId"] == 4001
    session.close()


@pytest.mark.parametrize("quotas", ["server", "no_quotas"])
def test_rates_are_for_kvs_alone(request, quotas):
    server = request.getfixturevalue(quotas)
    stream = new_stream(server)
    assert set(burst(server, "/describeStream", {"StreamName": stream}, 60)) == {(None, 200)}
    for _ in range(20):
        session = put(server, stream)
        assert session.head() == 200
        session.close()
        time.sleep(0.01)


def test_off_has_no_limit_on_connections(no_quotas):
    stream = new_stream(no_quotas)
    sessions = [put(no_quotas, stream) for _ in range(40)]
    assert {session.head() for session in sessions} == {200}
    for session in sessions:
        session.close()
