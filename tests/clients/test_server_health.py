"""GetServerHealth and GetStreamTags from outside: one page for the administrator, and the tags of many
streams in one call."""

import json
import os
import time

import pytest

import matroska as mkv
from conftest import ACCESS_KEY, SECRET_KEY
from put_media import PutMedia
from signed_call import call

HEALTH = "/streamkeep/getServerHealth"
TAGS = "/streamkeep/getStreamTags"


def health(server):
    answer = call(server.url, HEALTH, "{}")
    assert answer.status == 200, answer.body
    return answer.json()


def problems(found):
    """What is wrong with the server; the disk of this machine may be what it likes."""
    return [problem for problem in found["Problems"] if not problem["What"].startswith("DISK_")]


def send_seconds(server, stream, count):
    """So many durable fragments of a second, and the session, still open."""
    session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    session.send(mkv.header())
    begin = int(time.time() * 1000) - 1000 * count
    for n in range(count):
        at = begin + 1000 * n
        session.send(mkv.fragment(at, frames=5, distance=200) + mkv.END_OF_FRAGMENT)
        session.wait_for("PERSISTED", timecode=at)
    return session


def test_a_server_that_is_well(make_server):
    server = make_server()
    found = health(server)
    assert problems(found) == [], found
    assert abs(found["Timestamp"] - time.time()) < 5
    assert 0 <= found["Timestamp"] - found["StartTimestamp"] < 30
    assert found["Version"].count(".") == 2
    disk = found["Disk"]
    assert 0 < disk["RefuseBelowBytes"] < disk["TotalBytes"]
    assert disk["AvailableBytes"] <= disk["TotalBytes"]
    # The server has not run for a minute: nothing is foretold.
    assert (disk["Outlook"], disk["DaysUntilFull"]) == ("MEASURING", None)
    assert disk["DayStoredBytesPerSecond"] is None and disk["DaySeconds"] < 30
    assert disk["History"] == {"StepSeconds": 60, "StoredBytesPerSecond": []}
    assert found["Ingest"]["Streams"] == 0
    assert found["Store"]["Sync"] == {"Count": 0, "P50Milliseconds": None, "P99Milliseconds": None}
    # It listens with TLS, by a certificate of its own authority.
    days = (found["Certificate"]["NotAfter"] - time.time()) / 86_400
    assert 390 < days < 397


def test_a_server_at_work(make_server):
    server = make_server()
    kvs = server.client()
    for name in ("cam", "idle"):
        kvs.create_stream(StreamName=name, DataRetentionInHours=2)
    session = send_seconds(server, "cam", 4)
    time.sleep(1)  # over less than a second no rate is told
    found = health(server)
    ingest = found["Ingest"]
    assert [ingest[key] for key in ("Streams", "Live", "Silent", "Refused", "Off")] == [2, 1, 0, 0, 1]
    assert (ingest["Sessions"], ingest["ErrorAcks"], ingest["CallsRefused"]) == (1, 0, 0)
    assert ingest["PersistedAck"]["Count"] == 4
    assert 0 < ingest["PersistedAck"]["P50Milliseconds"] <= ingest["PersistedAck"]["P99Milliseconds"]
    assert ingest["FragmentsPerSecond"] > 0
    assert found["Store"]["Sync"]["Count"] > 0 and found["Store"]["State"] != "READ_ONLY"
    assert found["Disk"]["StoredBytesPerSecond"] > 0
    assert found["Disk"]["WrittenBytesPerSecond"] >= found["Disk"]["StoredBytesPerSecond"]
    media = server.client("kinesis-video-media").get_media(
        StreamName="cam", StartSelector={"StartSelectorType": "EARLIEST"}
    )
    media["Payload"].read(100)
    assert health(server)["Playback"]["GetMediaConnections"] == 1
    media["Payload"].close()
    # More tags of a fragment than are allowed: refused, and that is a problem.
    session.send(mkv.fragment(int(time.time() * 1000), frames=5, distance=200))
    session.send(b"".join(mkv.tags((f"n{i}", "v")) for i in range(11)))
    session.wait_for("ERROR")
    found = health(server)
    assert (found["Ingest"]["Refused"], found["Ingest"]["ErrorAcks"]) == (1, 1)
    [problem] = problems(found)
    assert (problem["What"], problem["Severity"]) == ("STREAMS_REFUSED", "WARNING")
    assert abs(problem["Since"] - time.time()) < 5 and problem["Text"]
    since = problem["Since"]
    time.sleep(1)
    assert problems(health(server))[0]["Since"] == since
    session.close()


def test_the_disk_is_as_the_system_says(make_server):
    server = make_server()
    found = health(server)["Disk"]
    stat = os.statvfs(server.data_dir)
    assert found["TotalBytes"] == stat.f_blocks * stat.f_frsize
    # Other processes write meanwhile.
    assert abs(found["AvailableBytes"] - stat.f_bavail * stat.f_frsize) < 1 << 30


def test_of_many_streams_it_is_cheap(make_server):
    server = make_server()
    kvs = server.client()
    for n in range(50):
        kvs.create_stream(StreamName=f"cam-{n}", DataRetentionInHours=2)
    times = []
    for _ in range(20):
        begin = time.monotonic()
        health(server)
        times.append(time.monotonic() - begin)
    assert sorted(times)[10] < 0.1, times


@pytest.mark.parametrize("path", [HEALTH, TAGS])
def test_who_may_not_ask_learns_nothing(server, stream, path):
    body = json.dumps({"Streams": [stream]} if path == TAGS else {})
    for answer in (
        call(server.url, path, body, without_signature=True),
        call(server.url, path, body, secret="wrong" * 8),
        call(server.url, path, body, access_key="AKIDNOBODY"),
    ):
        assert answer.status == 403, answer.body
        assert "Streams" not in answer.json() and "Problems" not in answer.json()
    assert call(server.url, path, "[]").status == 400


def test_tags_of_many_streams(server, kvs, stream):
    tagged = [f"{stream}-{n}" for n in range(3)]
    for n, name in enumerate(tagged):
        kvs.create_stream(StreamName=name, Tags={"site": f"site-{n}", "where": "門"})
    arn = kvs.describe_stream(StreamName=tagged[2])["StreamInfo"]["StreamARN"]
    wanted = [tagged[1], "no-such-stream", arn, stream]
    answer = call(server.url, TAGS, json.dumps({"Streams": wanted}))
    assert answer.status == 200, answer.body
    one, none, by_arn, untagged = answer.json()["Streams"]
    assert one == {"StreamName": tagged[1], "Error": None, "Tags": {"site": "site-1", "where": "門"}}
    assert none["Error"]["Code"] == "ResourceNotFoundException" and "Tags" not in none
    assert by_arn["Tags"]["site"] == "site-2"
    assert untagged["Tags"] == {}
    assert kvs.list_tags_for_stream(StreamName=tagged[1])["Tags"] == one["Tags"]
    kvs.untag_stream(StreamName=tagged[1], TagKeyList=["site"])
    answer = call(server.url, TAGS, json.dumps({"Streams": [tagged[1]]}))
    assert answer.json()["Streams"][0]["Tags"] == {"where": "門"}
    for streams in ([], ["cam"] * 1001, "cam"):
        assert call(server.url, TAGS, json.dumps({"Streams": streams})).status == 400
    assert call(server.url, TAGS, json.dumps({"Streams": ["cam"] * 1000})).status == 200
