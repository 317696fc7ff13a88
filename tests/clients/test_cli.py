"""The AWS command line as people use it: endpoint by variable or option, media to a file."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import matroska as mkv
from conftest import ACCESS_KEY, REGION, SECRET_KEY
from put_media import PutMedia

AWS = Path(sys.executable).with_name("aws")


class Cli:
    def __init__(self, home, **variables):
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
            **variables,
        }

    def run(self, *args, seconds=60):
        return subprocess.run(
            [str(AWS), *args], env=self.environment, capture_output=True, text=True,
            timeout=seconds,
        )

    def json(self, *args):
        done = self.run(*args, "--output", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}


@pytest.fixture(params=["variable", "option", "tls"])
def cli(server, tmp_path, request):
    """The command line with its endpoint set in one of three ways; and the options it needs."""
    if request.param == "variable":
        return Cli(tmp_path, AWS_ENDPOINT_URL_KINESIS_VIDEO=server.url), []
    if request.param == "option":
        return Cli(tmp_path), ["--endpoint-url", server.url]
    variables = {
        "AWS_ENDPOINT_URL_KINESIS_VIDEO": server.tls_url, "AWS_CA_BUNDLE": server.ca_file,
    }
    return Cli(tmp_path, **variables), []


def test_the_whole_way(server, cli, tmp_path):
    aws, options = cli
    name = f"cli-{time.time_ns()}"
    video = lambda *args: aws.json("kinesisvideo", *args, *options)
    made = video(
        "create-stream", "--stream-name", name, "--data-retention-in-hours", "2",
        "--media-type", "video/h264", "--tags", "site=roof",
    )
    described = video("describe-stream", "--stream-name", name)["StreamInfo"]
    assert described["StreamARN"] == made["StreamARN"] and described["Status"] == "ACTIVE"
    assert video("list-tags-for-stream", "--stream-name", name)["Tags"] == {"site": "roof"}

    at = int(time.time() * 1000) - 10_000
    session = PutMedia(server.url, name, ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    sent = [mkv.fragment(at + i * 2000, frames=50, fill=i + 1) for i in range(3)]
    session.send(mkv.header() + b"".join(sent) + mkv.END_OF_FRAGMENT)
    acks = session.wait_for("PERSISTED", count=3)
    session.finish()
    numbers = [ack["FragmentNumber"] for ack in acks if ack["EventType"] == "PERSISTED"]

    def endpoint(api):
        answer = video("get-data-endpoint", "--stream-name", name, "--api-name", api)
        return ["--endpoint-url", answer["DataEndpoint"]]

    listed = aws.json(
        "kinesis-video-archived-media", "list-fragments", "--stream-name", name,
        "--fragment-selector",
        "FragmentSelectorType=PRODUCER_TIMESTAMP,TimestampRange="
        f"{{StartTimestamp={at // 1000 - 60},EndTimestamp={at // 1000 + 60}}}",
        *endpoint("LIST_FRAGMENTS"),
    )["Fragments"]
    assert [fragment["FragmentNumber"] for fragment in listed] == numbers

    # Written in the order asked for; the command ends by itself.
    wanted = [numbers[2], numbers[0]]
    path = tmp_path / "fragments.mkv"
    done = aws.json(
        "kinesis-video-archived-media", "get-media-for-fragment-list", str(path),
        "--stream-name", name, *endpoint("GET_MEDIA_FOR_FRAGMENT_LIST"), "--fragments", *wanted,
    )
    assert done["ContentType"]
    documents = mkv.documents(path.read_bytes())
    assert [document.number for document in documents] == wanted
    assert [document.clusters for document in documents] == [[sent[2]], [sent[0]]]

    # GetMedia does not end: what has arrived is in the file while the command runs.
    path = tmp_path / "live.mkv"
    reader = subprocess.Popen(
        [str(AWS), "kinesis-video-media", "get-media", str(path), "--stream-name", name,
         "--start-selector", "StartSelectorType=EARLIEST", *endpoint("GET_MEDIA")],
        env=aws.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )
    try:
        # The command writes in pieces of a mebibyte: the end of the stream lets the last one out.
        time.sleep(2)
        assert reader.poll() is None, reader.stderr.read()
        video("delete-stream", "--stream-arn", made["StreamARN"])
        reader.wait(20)
    finally:
        reader.kill()
        reader.wait()
    data = path.read_bytes()
    positions = [data.index(cluster) for cluster in sent]
    assert positions == sorted(positions)
    gone = aws.run("kinesisvideo", "describe-stream", "--stream-name", name, *options)
    assert gone.returncode != 0 and "ResourceNotFoundException" in gone.stderr


def test_refusals_are_shown(server, tmp_path):
    aws = Cli(tmp_path, AWS_ENDPOINT_URL_KINESIS_VIDEO=server.url)
    run = aws.run("kinesisvideo", "describe-stream", "--stream-name", "nowhere")
    assert run.returncode != 0 and "ResourceNotFoundException" in run.stderr
    assert "The requested stream is not found" in run.stderr
    wrong = Cli(tmp_path, AWS_ENDPOINT_URL_KINESIS_VIDEO=server.url, AWS_SECRET_ACCESS_KEY="wrong")
    run = wrong.run("kinesisvideo", "list-streams")
    assert run.returncode != 0 and "InvalidSignatureException" in run.stderr


def test_waits_for_nothing_it_cannot_trust(server, tmp_path):
    aws = Cli(tmp_path, AWS_ENDPOINT_URL_KINESIS_VIDEO=server.tls_url)
    run = aws.run("kinesisvideo", "list-streams")
    assert run.returncode != 0 and "certificate verify failed" in run.stderr.lower()


def test_pages(server, tmp_path):
    aws = Cli(tmp_path, AWS_ENDPOINT_URL_KINESIS_VIDEO=server.url)
    prefix = f"cli-page-{time.time_ns()}-"
    kvs = server.client()
    for i in range(5):
        kvs.create_stream(StreamName=f"{prefix}{i}")
    condition = f"ComparisonOperator=BEGINS_WITH,ComparisonValue={prefix}"
    listed = aws.json(
        "kinesisvideo", "list-streams", "--page-size", "2", "--stream-name-condition", condition
    )["StreamInfoList"]
    assert [stream["StreamName"] for stream in listed] == [f"{prefix}{i}" for i in range(5)]
