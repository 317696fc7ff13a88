"""Metrics, probes and log lines, read by a strict reader and compared with what was done."""

import json
import time
import urllib.error
import urllib.request

import pytest

import matroska as mkv
import openmetrics
from conftest import ACCESS_KEY, SECRET_KEY
from get_media import GetMedia
from put_media import PutMedia
from signed_call import call

PREFIX = "streamkeep_"


def get(server, path):
    with urllib.request.urlopen(server.url + path, timeout=5) as response:
        return response.headers, response.read().decode()


def scrape(server):
    return openmetrics.parse(get(server, "/metrics")[1])


def sent(server, stream, count=3, frames=5, finish=True):
    """Puts fragments of the stream; gives their numbers and the bytes sent."""
    session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    at = int(time.time() * 1000)
    body = mkv.header() + b"".join(
        mkv.fragment(at + i * 2000, frames=frames, size=1000) for i in range(count)
    ) + mkv.END_OF_FRAGMENT
    session.send(body)
    acks = session.wait_for("PERSISTED", count=count)
    if finish:
        session.finish()
        assert session.wait_end()
    numbers = [ack["FragmentNumber"] for ack in acks if ack["EventType"] == "PERSISTED"]
    return session, numbers, len(body)


@pytest.mark.parametrize("text", [
    "", "a 1\n", "# TYPE a counter\na_total 1\n# EOF", "# HELP a x\n# TYPE a counter\na 1\n# EOF\n",
    "# HELP a x\n# TYPE a gauge\na 1\na 2\n# EOF\n", "# HELP a x\n# TYPE a gauge\na x\n# EOF\n",
    "# HELP a x\n# TYPE a gauge\n\na 1\n# EOF\n", "# TYPE a gauge\na 1\n# EOF\n",
    '# HELP a x\n# TYPE a gauge\na{b="c} 1\n# EOF\n', "# HELP a x\n# TYPE a counter\na_total -1\n# EOF\n",
    '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 1\na_count 1\na_sum 1\n# EOF\n',
    "# HELP a x\n# TYPE a gauge\n# HELP b x\n# TYPE b gauge\nb 1\na 1\n# EOF\n",
    "# HELP a_s x\n# TYPE a_s gauge\n# UNIT a_s seconds\na_s 1\n# EOF\n",
])
def test_the_reader_is_strict(text):
    with pytest.raises(openmetrics.Malformed):
        openmetrics.parse(text)


def test_the_reader_reads():
    families = openmetrics.parse(
        '# HELP a_seconds x\n# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n'
        'a_seconds_bucket{le="0.5"} 1\na_seconds_bucket{le="+Inf"} 2\na_seconds_sum 1.5e3\n'
        'a_seconds_count 2\n# HELP b y\n# TYPE b counter\nb_total{s="x\\"\\\\\\n"} 7\n# EOF\n'
    )
    assert openmetrics.value(families, "a_seconds_sum") == 1500
    assert openmetrics.value(families, "b_total", s='x"\\\n') == 7


def test_probes(make_server):
    server = make_server()
    assert get(server, "/healthz")[1] == "ok\n"
    assert get(server, "/readyz")[1] == "ready\n"
    request = urllib.request.Request(server.url + "/readyz", method="HEAD")
    with urllib.request.urlopen(request, timeout=5) as response:
        assert response.status == 200 and response.read() == b""
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(server.url + "/readyz", data=b"x"))
    assert caught.value.code == 405
    assert server.stop() == 0


def test_metrics_are_openmetrics(server, stream):
    sent(server, stream)
    headers, text = get(server, "/metrics")
    assert headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = openmetrics.parse(text)
    assert all(name.startswith(PREFIX) for name in families)
    for family in families.values():
        if family.name.endswith("_seconds") and family.type == "histogram":
            assert family.unit == "seconds"


def test_put_media_counts_what_was_sent(server, stream):
    """The meanings of the published metrics (PutMedia.Requests and so on)."""
    families = scrape(server)
    of = lambda name: openmetrics.value(families, f"{PREFIX}put_media_{name}", stream=stream)
    assert of("requests_total") == 0
    histograms = (
        "latency", "fragment_ingestion_latency", "fragment_persist_latency",
        "buffering_ack_latency", "received_ack_latency", "persisted_ack_latency",
    )
    count = lambda name: openmetrics.value(families, f"{PREFIX}put_media_{name}_seconds_count")
    before = {name: count(name) for name in histograms}
    session, _, size = sent(server, stream, count=3, frames=5, finish=False)
    families = scrape(server)
    assert of("requests_total") == 1
    assert of("incoming_bytes_total") == size, "bytes of the body without its chunk framing"
    assert of("incoming_fragments_total") == 3
    assert of("incoming_frames_total") == 15
    assert of("persisted_fragments_total") == 3
    assert of("active_connections") == 1
    assert of("error_acks_total") == 0
    for name in histograms:
        assert count(name) - before[name] >= (1 if name == "latency" else 3), name
    session.send(mkv.cluster(1))
    session.wait_for("ERROR")
    session.wait_end()
    time.sleep(0.1)
    families = scrape(server)
    assert of("error_acks_total") == 1
    assert of("active_connections") == 0


def test_what_is_sent_again_is_counted_apart(server, stream):
    at = int(time.time() * 1000)
    for _ in range(2):
        session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY)
        assert session.head() == 200
        session.send(mkv.header() + mkv.fragment(at) + mkv.END_OF_FRAGMENT)
        session.wait_for("PERSISTED")
        session.finish()
    families = scrape(server)
    name = f"{PREFIX}put_media_duplicate_fragments_total"
    assert openmetrics.value(families, name, stream=stream) == 1


def test_readers_are_counted(server, stream):
    _, numbers, _ = sent(server, stream, count=3, frames=4)
    archive = server.client("kinesis-video-archived-media")
    data = archive.get_media_for_fragment_list(
        StreamName=stream, Fragments=[*numbers[:2], "7"]
    )["Payload"].read()
    archive.list_fragments(StreamName=stream, FragmentSelector={
        "FragmentSelectorType": "SERVER_TIMESTAMP",
        "TimestampRange": {"StartTimestamp": 0, "EndTimestamp": time.time() + 9},
    })
    reader = GetMedia(server.url, stream, StartSelectorType="EARLIEST")
    reader.documents(3)
    families = scrape(server)
    of = lambda name: openmetrics.value(families, PREFIX + name, stream=stream)
    assert of("get_media_for_fragment_list_requests_total") == 1
    assert of("get_media_for_fragment_list_outgoing_bytes_total") == len(data)
    assert of("get_media_for_fragment_list_outgoing_fragments_total") == 2
    assert of("get_media_for_fragment_list_outgoing_frames_total") == 8
    assert of("get_media_for_fragment_list_failures_total") == 1
    assert of("list_fragments_requests_total") == 1
    assert of("get_media_requests_total") == 1
    assert of("get_media_active_connections") == 1
    assert of("get_media_outgoing_bytes_total") >= len(reader.data)
    assert of("get_media_outgoing_fragments_total") == 3
    assert of("get_media_outgoing_frames_total") == 12
    assert 0 <= of("get_media_millis_behind_now") < 60_000
    reader.close()
    # A client may close its side after its request, so only a failed write tells that it is gone.
    deadline = time.monotonic() + 5
    while of("get_media_active_connections"):
        assert time.monotonic() < deadline, "a reader that is gone is not counted"
        sent(server, stream, count=1)
        families = scrape(server)


def test_calls_are_counted_by_outcome(server):
    name = f"{PREFIX}calls_total"
    before = scrape(server)
    for body, secret in (("{}", None), ('{"StreamName":"nowhere"}', None), ("{}", "wrong")):
        call(server.url, "/describeStream", body, **({"secret": secret} if secret else {}))
    call(server.url, "/listStreams")
    after = scrape(server)
    for operation, outcome in (
        ("DescribeStream", "InvalidArgumentException"),
        ("DescribeStream", "ResourceNotFoundException"),
        ("DescribeStream", "InvalidSignatureException"),
        ("ListStreams", "ok"),
    ):
        labels = {"operation": operation, "outcome": outcome}
        moved = openmetrics.value(after, name, **labels) - openmetrics.value(before, name, **labels)
        assert moved == 1, labels


def test_the_store_and_the_listener_are_counted(make_server):
    server = make_server()
    server.client().create_stream(StreamName="cam", DataRetentionInHours=1)
    before = scrape(server)
    sent(server, "cam", count=4)
    after = scrape(server)
    of = lambda families, name: openmetrics.value(families, PREFIX + name)
    moved = lambda name: of(after, name) - of(before, name)
    assert moved("store_fragments_total") == 4
    assert 1 <= moved("store_syncs_total") and 1 <= moved("store_batches_total") <= 4
    assert moved("store_written_bytes_total") > moved("store_media_bytes_total") > 4 * 5000
    assert moved("store_write_failures_total") == 0
    assert moved("requests_total") >= 2 and moved("connections_accepted_total") >= 2
    assert moved("received_bytes_total") > 20_000
    assert of(after, "streams") == 1


def test_a_deleted_stream_leaves_no_series(server, kvs, stream):
    sent(server, stream, count=1)
    labelled = lambda families: [
        key for family in families.values() for key in family.samples if ("stream", stream) in key[1]
    ]
    assert labelled(scrape(server))
    arn = kvs.describe_stream(StreamName=stream)["StreamInfo"]["StreamARN"]
    kvs.delete_stream(StreamARN=arn)
    assert not labelled(scrape(server))


def test_log_lines_are_json(make_server):
    server = make_server("--log-format", "json", env={"STREAMKEEP_LOG": "debug"})
    server.client().create_stream(StreamName="cam-7", DataRetentionInHours=1)
    session, _, _ = sent(server, "cam-7", finish=False)
    session.send(mkv.cluster(1))
    session.wait_for("ERROR")
    call(server.url, "/describeStream", '{"StreamName":"nowhere"}')
    assert server.stop() == 0
    lines = [json.loads(line) for line in server.log().splitlines()]
    assert lines
    for line in lines:
        assert {"timestamp", "level", "fields"} <= set(line)
        assert line["level"] in ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")
    spans = lambda line: {span["name"]: span for span in line.get("spans", [])}
    [fault] = [line for line in lines if line["fields"].get("message") == "error ack"]
    assert spans(fault)["put_media"]["stream"] == "cam-7"
    connection = spans(fault)["connection"]
    assert connection["id"] and connection["peer"].startswith("127.0.0.1:")
    refused = [line for line in lines if line["fields"].get("message") == "refused"]
    assert refused and "connection" in spans(refused[0])
    assert [line["fields"]["message"] for line in lines][-1] == "stopped"


def test_text_log_lines_name_the_stream(make_server):
    server = make_server()
    server.client().create_stream(StreamName="cam-8", DataRetentionInHours=1)
    session, _, _ = sent(server, "cam-8", finish=False)
    session.send(mkv.cluster(1))
    session.wait_for("ERROR")
    assert server.stop() == 0
    assert "\x1b" not in server.log(), "no colours where there is no terminal"
    [line] = [line for line in server.log().splitlines() if "error ack" in line]
    assert "cam-8" in line and "127.0.0.1" in line and "4004" in line


def test_a_wrong_log_filter_does_not_keep_the_server_from_starting(make_server):
    server = make_server(env={"STREAMKEEP_LOG": "=,=!"})
    assert "STREAMKEEP_LOG" in server.log()
