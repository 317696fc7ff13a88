"""What the tests of playback share: recordings, session URLs, sub-requests, outside players."""

import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from server_process import ACCESS_KEY, REGION, ROOT, SECRET_KEY, binary

VIDEO = {
    "plain": ["-preset", "ultrafast", "-tune", "zerolatency"],
    "bframes": ["-preset", "veryfast", "-bf", "3", "-b_strategy", "0",
                "-x264-params", "scenecut=0:b-pyramid=normal"],
}
SOUND = {
    "aac": ["-c:a", "aac", "-b:a", "64k"],
    "mulaw": ["-c:a", "pcm_mulaw", "-ar", "8000"],
    "alaw": ["-c:a", "pcm_alaw", "-ar", "8000"],
    "opus": ["-c:a", "libopus", "-b:a", "48k"],
    "pcm": ["-c:a", "pcm_s16le", "-ar", "16000"],
    "none": None,
}


def make_video(path, seconds=6, video="plain", sound="aac", size="320x180", rate=25, gop=50,
               tone=440):
    """A moving test picture with a tone."""
    command = ["ffmpeg", "-v", "error", "-y",
               "-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}"]
    audio = SOUND[sound]
    if audio:
        command += ["-f", "lavfi", "-i", f"sine={tone}:r=48000"]
    command += ["-t", str(seconds), "-c:v", "libx264", *VIDEO[video], "-g", str(gop),
                "-keyint_min", str(gop), "-pix_fmt", "yuv420p", *(audio or []), str(path)]
    subprocess.run(command, check=True, timeout=120)
    return path


def client_env(server):
    return {
        **os.environ, "AWS_ENDPOINT_URL": server.url, "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }


def put(server, stream, path, start_ms, *more):
    done = subprocess.run(
        [binary(), "put", stream, str(path), "--start", str(start_ms / 1000), *more],
        env=client_env(server), capture_output=True, text=True, timeout=120,
    )
    assert done.returncode == 0, done.stderr


class Recording:
    """A stream that holds one file, recorded ten minutes ago."""

    def __init__(self, server, name, path, seconds, *put_options):
        self.server, self.stream, self.path, self.seconds = server, name, path, seconds
        self.start_ms = int(time.time()) * 1000 - 600_000
        server.client().create_stream(StreamName=name, DataRetentionInHours=2)
        put(server, name, path, self.start_ms, *put_options)

    def range(self, before=0.0, after=60.0):
        return {"StartTimestamp": self.start_ms / 1000 - before,
                "EndTimestamp": self.start_ms / 1000 + after}

    def archived(self):
        return self.server.client("kinesis-video-archived-media")

    def hls(self, container="FRAGMENTED_MP4", mode="ON_DEMAND", **more):
        selector = {"FragmentSelectorType": "PRODUCER_TIMESTAMP", "TimestampRange": self.range()}
        return self.archived().get_hls_streaming_session_url(
            StreamName=self.stream, PlaybackMode=mode, HLSFragmentSelector=selector,
            ContainerFormat=container, **more)["HLSStreamingSessionURL"]

    def dash(self, **more):
        selector = {"FragmentSelectorType": "PRODUCER_TIMESTAMP", "TimestampRange": self.range()}
        return self.archived().get_dash_streaming_session_url(
            StreamName=self.stream, PlaybackMode="ON_DEMAND", DASHFragmentSelector=selector,
            **more)["DASHStreamingSessionURL"]

    def url(self, form):
        """`form`: fmp4, ts, dash."""
        if form == "dash":
            return self.dash()
        return self.hls({"fmp4": "FRAGMENTED_MP4", "ts": "MPEG_TS"}[form])

    def clip(self, client=None, before=0.0, after=60.0):
        selector = {"FragmentSelectorType": "PRODUCER_TIMESTAMP",
                    "TimestampRange": self.range(before, after)}
        answer = (client or self.archived()).get_clip(
            StreamName=self.stream, ClipFragmentSelector=selector)
        assert answer["ContentType"] == "video/mp4"
        return answer["Payload"].read()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = {name.lower(): value for name, value in headers.items()}

    @property
    def text(self):
        return self.body.decode()


def fetch(url, method="GET", **headers):
    """One sub-request, as a browser on another origin makes it."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, method=method, headers=names)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


def uris(playlist):
    """What a playlist points at, in order: plain lines and URI attributes."""
    found = []
    for line in playlist.splitlines():
        if line.startswith("#"):
            _, quoted, rest = line.partition('URI="')
            if quoted:
                found.append(rest.partition('"')[0])
        elif line:
            found.append(line)
    return found


def media_playlists(url):
    """The URLs of the media playlists of a multivariant playlist, video first."""
    answer = fetch(url)
    assert answer.status == 200, answer.text
    found = [urllib.parse.urljoin(url, uri) for uri in uris(answer.text) if "IFrames" not in uri]
    return sorted(dict.fromkeys(found), key=lambda uri: "TrackNumber=2" in uri)


def segments(list_url):
    """The absolute URLs of a media playlist's segments, initialisation left out."""
    text = fetch(list_url).text
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [urllib.parse.urljoin(list_url, line) for line in lines]


def ffmpeg_log(url, *output):
    """Decodes all of it; what ffmpeg has to say about it."""
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-hide_banner", "-v", "warning", "-i", str(url), *output,
         "-f", "null", "-"],
        capture_output=True, text=True, timeout=120,
    )
    # Not about the media: a format that names no layout of its one channel.
    said = [line for line in done.stderr.splitlines() if "Guessed Channel Layout" not in line]
    return done.returncode, "\n".join(said).strip()


def pictures(source):
    """MD5 of every decoded picture, in order of presentation."""
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", str(source), "-map", "0:v:0",
         "-vsync", "passthrough", "-f", "framemd5", "-"],
        capture_output=True, text=True, timeout=120, check=True,
    )
    rows = [line.split(",") for line in done.stdout.splitlines() if not line.startswith("#")]
    return [row[5].strip() for row in rows]


def probe(source, *entries):
    """ffprobe's fields, a line each."""
    done = subprocess.run(
        ["ffprobe", "-v", "warning", *entries, "-of", "csv=p=0", str(source)],
        capture_output=True, text=True, timeout=60, check=True,
    )
    assert not done.stderr.strip(), done.stderr
    return done.stdout.split()


def playlist_checker():
    """cargo build -p streamkeep-playlist --example check_playlist"""
    named = os.environ.get("CHECK_PLAYLIST")
    path = pathlib.Path(named) if named else ROOT / "target/debug/examples/check_playlist"
    return path if path.exists() else None
