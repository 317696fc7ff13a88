"""The AWS command line as people use it: endpoint by variable or option, media to a file; and our
own: files and URLs out of a stream."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import matroska as mkv
from conftest import ACCESS_KEY, REGION, SECRET_KEY
from put_media import PutMedia
from server_process import binary

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


class Streamkeep:
    """Our own command line, with what it needs to find the server."""

    def __init__(self, server, folder):
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL_KINESIS_VIDEO": server.url,
        }

    def run(self, *args, seconds=60):
        return subprocess.run(
            [binary(), *map(str, args)], env=self.environment, cwd=self.folder,
            capture_output=True, timeout=seconds,
        )

    def ok(self, *args):
        done = self.run(*args)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def refused(self, *args):
        done = self.run(*args)
        assert done.returncode != 0 and done.stdout == b""
        return done.stderr.decode()


def run_tool(*args):
    done = subprocess.run(args, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def frames(source, *options):
    """Pictures that a player would show: decoded, edit lists obeyed."""
    shown = run_tool(
        "ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0",
        "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", *options, str(source),
    )
    return int(shown.split()[0])


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    """Twelve seconds of pictures and sound, a key frame every two."""
    path = tmp_path_factory.mktemp("movie") / "movie.mkv"
    run_tool(
        "ffmpeg", "-v", "error",
        "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=12",
        "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=12",
        "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p",
        "-g", "50", "-keyint_min", "50", "-sc_threshold", "0", "-c:a", "aac", str(path),
    )
    return path


@pytest.fixture
def camera(server, movie, tmp_path):
    """The command line, a stream that holds the movie, and when it begins in epoch seconds."""
    folder = tmp_path / "out"
    folder.mkdir()
    streamkeep = Streamkeep(server, folder)
    name, start = f"watch-{time.time_ns()}", int(time.time()) - 60
    streamkeep.ok("put", name, movie, "--create", "--start", start)
    return streamkeep, name, start


def test_get_mp4(camera):
    streamkeep, name, start = camera
    span = ["--from", start + 1.5, "--to", start + 4.5]
    streamkeep.ok("get", name, *span, "-o", "exact.mp4")
    assert abs(frames(streamkeep.folder / "exact.mp4") - 75) <= 1
    # Two fragments begin in the range.
    streamkeep.ok("get", name, *span, "-o", "whole.mp4", "--whole-fragments")
    assert frames(streamkeep.folder / "whole.mp4") == 100
    piped = streamkeep.ok("get", name, *span, "-o", "-", "--format", "mp4")
    assert piped == (streamkeep.folder / "exact.mp4").read_bytes()
    # A name that is taken is kept when there is nothing to put in its place.
    said = streamkeep.refused("get", name, "--from", start - 50, "--to", start - 40, "-o", "whole.mp4")
    assert "ResourceNotFoundException" in said
    assert "give --from" in streamkeep.refused("get", name, "-o", "live.mp4")
    assert sorted(os.listdir(streamkeep.folder)) == ["exact.mp4", "whole.mp4"]
    assert frames(streamkeep.folder / "whole.mp4") == 100


def test_get_pictures(camera):
    streamkeep, name, start = camera
    size = lambda path: run_tool(
        "ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height",
        "-of", "csv=p=0", str(streamkeep.folder / path),
    ).decode().strip()
    streamkeep.ok("get", name, "--at", start + 1, "-o", "still.jpg")
    assert size("still.jpg") == "mjpeg,320,240"
    streamkeep.ok("get", name, "-o", "newest.png")
    assert size("newest.png") == "png,320,240"
    piped = streamkeep.ok("get", name, "--from", start + 1, "-o", "-", "--format", "jpeg")
    assert piped == (streamkeep.folder / "still.jpg").read_bytes()
    # Seven instants in two calls; the last lies behind the media.
    done = streamkeep.run(
        "get", name, "--from", start + 1, "--to", start + 13.9, "--every", "2s", "-o", "every.jpg"
    )
    assert done.returncode == 0 and b"6 pictures" in done.stderr, done.stderr
    assert b"nothing was recorded at 1" in done.stderr
    made = sorted(name for name in os.listdir(streamkeep.folder) if name.startswith("every"))
    assert made == [f"every-{(start + at) * 1000}.jpg" for at in (1, 3, 5, 7, 9, 11)]
    assert "no pictures there" in streamkeep.refused("get", name, "--at", start - 9, "-o", "no.jpg")
    assert not (streamkeep.folder / "no.jpg").exists()


def test_get_a_playlist(camera):
    streamkeep, name, start = camera
    streamkeep.ok("get", name, "--from", start - 1, "--to", start + 20, "-o", "list.m3u8")
    path = streamkeep.folder / "list.m3u8"
    text = path.read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert text.startswith("#EXTM3U") and lines
    assert all(line.startswith("http://127.0.0.1:") for line in lines)
    assert text.count("URI=") == text.count('URI="http://127.0.0.1:')
    assert frames(path, "-protocol_whitelist", "file,http,tcp", "-allowed_extensions", "ALL") == 300


def test_urls_play(camera):
    streamkeep, name, start = camera
    span = ["--from", start - 1, "--to", start + 20]
    fetch = lambda url: urllib.request.urlopen(url, timeout=10).read().decode()

    def url(*options):
        printed = streamkeep.ok("url", name, *options).decode()
        assert printed.count("\n") == 1 and printed.startswith("http://127.0.0.1:")
        return printed.strip()

    def media_playlist(address):
        listed = [line for line in fetch(address).splitlines() if not line.startswith("#")]
        return fetch(address.rpartition("/")[0] + "/" + listed[0])

    hls = url("--hls", *span, "--timestamps")
    assert frames(hls) == 300
    listed = media_playlist(hls)
    assert listed.count("#EXTINF") == 6 and "#EXT-X-ENDLIST" in listed
    assert listed.count("#EXT-X-PROGRAM-DATE-TIME") == 6
    assert "#EXT-X-PROGRAM-DATE-TIME" not in media_playlist(url("--hls", *span))
    always = media_playlist(url("--hls", *span, "--discontinuity", "always"))
    never = media_playlist(url("--hls", *span, "--discontinuity", "never"))
    assert always.count("#EXT-X-DISCONTINUITY\n") >= 5 and "#EXT-X-DISCONTINUITY\n" not in never
    assert "getTSFragment.ts" in media_playlist(url("--hls", "--ts", *span))
    assert "#EXT-X-ENDLIST" not in media_playlist(url("--hls", *span[:2], "--live-replay"))
    # What was put just now has just arrived: live media.
    assert "#EXT-X-ENDLIST" not in media_playlist(url("--hls"))
    low = url("--hls", "--low-latency")
    assert low.endswith("&LowLatency=1") and "#EXT-X-PART-INF" in media_playlist(low)
    assert 'type="static"' in fetch(url("--dash", *span))
    assert 'type="dynamic"' in fetch(url("--dash"))
    said = streamkeep.refused("url", name, "--hls", "--from", start - 50, "--to", start - 40)
    assert "ResourceNotFoundException" in said
    assert "--hls" in streamkeep.refused("url", name)
    assert "between 5m and 12h" in streamkeep.refused("url", name, "--hls", "--expires", "1m")
