"""Codecs over OpenLive: what a page gets of H.265 and of sound, judged by FFmpeg."""

import json
import subprocess
import time

import pytest

from open_live import Page
from playback import client_env
from server_process import binary

H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25"]
H265 = ["-c:v", "libx265", "-preset", "ultrafast", "-tune", "zerolatency",
        "-x265-params", "keyint=25:min-keyint=25:log-level=none:pools=1:frame-threads=1"]


@pytest.fixture
def encoded(server, stream):
    """Makes a camera: test pictures by FFmpeg in real time, into `streamkeep put`."""
    made = []

    def start(video, audio=None):
        sound = ["-f", "lavfi", "-i", "sine=440:r=48000"] if audio else []
        encoder = subprocess.Popen(
            ["ffmpeg", "-hide_banner", "-loglevel", "error", "-re",
             "-f", "lavfi", "-i", "testsrc=size=320x180:rate=25", *sound,
             *video, "-pix_fmt", "yuv420p", *(audio or []), "-f", "matroska",
             "-cluster_time_limit", "40", "-flush_packets", "1", "-"],
            stdout=subprocess.PIPE)
        producer = subprocess.Popen(
            [binary(), "put", stream, "-", "--format", "mkv"],
            stdin=encoder.stdout, stdout=subprocess.DEVNULL, env=client_env(server))
        encoder.stdout.close()
        made.extend([encoder, producer])

    yield start
    for process in made:
        process.kill()
        process.wait()


def probe(path, *wanted):
    out = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", *wanted, str(path)],
        check=True, capture_output=True, timeout=60)
    assert not out.stderr, out.stderr
    return json.loads(out.stdout)


def decode(path):
    """Every frame is decoded, and the decoder has nothing to say."""
    out = subprocess.run(["ffmpeg", "-v", "warning", "-xerror", "-i", str(path), "-f", "null", "-"],
                         capture_output=True, text=True, timeout=60)
    assert out.returncode == 0 and not out.stderr, out.stderr


def file_of(path, init, media):
    path.write_bytes(init.bytes + b"".join(message.bytes for message in media))
    return path


@pytest.mark.parametrize("tier", ["full", "key"])
def test_h265_is_what_it_says(server, stream, encoded, tmp_path, tier):
    encoded(H265)
    time.sleep(3)
    page = Page(server)
    page.open(1, stream, tier)
    page.until(lambda: len(page.media) >= (3 if tier == "key" else 20), 30)
    page.close()
    [follows] = [text for text in page.texts if text["is"] == "init-follows"]
    assert follows["codec"].startswith("hvc1.1.") and (follows["w"], follows["h"]) == (320, 180)
    [init] = page.inits
    path = file_of(tmp_path / "live.mp4", init, page.media)
    [track] = probe(path, "-show_streams", "-count_frames")["streams"]
    assert (track["codec_name"], track["codec_tag_string"]) == ("hevc", "hvc1")
    assert (track["width"], track["height"]) == (320, 180)
    frames = sum(len(message.samples) for message in page.media)
    assert int(track["nb_read_frames"]) == frames
    decode(path)
    if tier == "key":
        assert all(message.key and len(message.samples) == 1 for message in page.media)
    else:
        assert page.media[0].key and not any(m.discontinuity for m in page.media)
        assert frames > len(page.media)


@pytest.mark.parametrize("audio, codec, name", [
    (["-c:a", "aac", "-b:a", "64k"], "mp4a.40.2", "aac"),
    (["-c:a", "libopus", "-b:a", "48k"], "opus", "opus"),
    (["-c:a", "pcm_mulaw", "-ar", "8000"], "opus", "opus"),
    (["-c:a", "pcm_alaw", "-ar", "8000"], "opus", "opus"),
    (["-c:a", "pcm_s16le", "-ar", "44100", "-ac", "2"], "opus", "opus"),
])
def test_sound_is_beside_the_pictures(server, stream, encoded, tmp_path, audio, codec, name):
    encoded(H264, audio)
    time.sleep(3)
    page = Page(server)
    page.open(1, stream)
    page.until(lambda: len(page.media) >= 5, 30)
    assert not page.sound and page.text(**{"is": "init-follows"})["sound"] == "left-out"
    page.send(op="sound", tile=1, on=True)
    page.run(4)
    assert page.text(**{"is": "sound"})["codec"] == codec
    [init] = page.sound_inits
    path = file_of(tmp_path / "live.mp4", init, page.sound)
    [track] = probe(path, "-show_streams")["streams"]
    assert (track["codec_name"], track["sample_rate"]) == (name, "48000")
    decode(path)
    # All of it, without holes, and at the wall time of the pictures.
    for before, after in zip(page.sound, page.sound[1:]):
        assert after.decode_time - before.decode_time == sum(s[0] for s in before.samples)
        assert abs(after.wall_us - before.wall_us - before.duration_us) < 30_000
    assert sum(message.duration_us for message in page.sound) > 3_000_000
    assert abs(page.sound[-1].wall_us - page.media[-1].wall_us) < 400_000
    page.send(op="sound", tile=1, on=False)
    page.run(0.5)
    heard = len(page.sound)
    page.run(1)
    assert len(page.sound) == heard
    page.close()


def test_sound_that_cannot_be_played_is_named(server, stream, encoded):
    encoded(H264, ["-c:a", "ac3"])
    time.sleep(3)
    page = Page(server)
    page.open(1, stream)
    page.send(op="sound", tile=1, on=True)
    told = page.text(30, **{"is": "sound"})
    assert (told["codec"], told["name"], told["text"]) == (None, "NoSound", "The stream has no sound that can be played.")
    page.send(op="sound", tile=9, on=True)
    assert page.text(tile=9)["name"] == "NoSuchTile"
    page.run(1)
    assert len(page.media) > 5 and not page.sound
    page.close()
