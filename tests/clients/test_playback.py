"""HLS, DASH, clips and images with the players and tools people use."""

import base64
import json
import pathlib
import re
import shutil
import subprocess
import threading
import time
import urllib.parse

import pytest

from conftest import ACCESS_KEY, SECRET_KEY
from playback import (
    Recording, client_env, fetch, ffmpeg_log, make_video, media_playlists, pictures,
    playlist_checker, probe, segments, uris,
)
from put_media import PutMedia
from refusal import refusal
from server_process import ROOT, binary
from signed_call import call

FORMS = ("fmp4", "ts", "dash")
MP4_CHECK = ROOT / "tests" / "players" / "check_mp4.mjs"


@pytest.fixture(scope="module")
def record(server, tmp_path_factory):
    """Recordings by what is in them, each made when it is first asked for."""
    directory = tmp_path_factory.mktemp("recordings")
    made = {}

    def record(video="plain", sound="aac", **options):
        key = "-".join([video, sound, *(f"{k}{v}" for k, v in sorted(options.items()))])
        if key not in made:
            put_options = options.pop("put_options", ())
            path = make_video(directory / f"{key}.mkv", video=video, sound=sound, **options)
            name = f"{key}-{time.time_ns()}"
            made[key] = Recording(server, name, path, options.get("seconds", 6), *put_options)
        return made[key]

    return record


@pytest.fixture(scope="module")
def mp4_check():
    """mp4box.js, which shares nothing with ffmpeg or us."""
    if not (MP4_CHECK.parent / "node_modules" / "mp4box").exists():
        pytest.skip("no second MP4 checker: run npm ci in tests/players")

    def check(path):
        done = subprocess.run(["node", str(MP4_CHECK), str(path)], capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    return check


def check_lists(directory, texts, *options):
    """The playlist rules over reloads of one list, in order."""
    program = playlist_checker()
    if program is None:
        pytest.skip("no playlist checker: "
                    "cargo build -p streamkeep-playlist --example check_playlist")
    directory.mkdir(exist_ok=True)
    files = []
    for index, text in enumerate(texts):
        files.append(directory / f"{index:04}.txt")
        files[-1].write_text(text)
    done = subprocess.run([program, "--must", *options, *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


# Players.


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("video", ["plain", "bframes"])
def test_ffmpeg_plays_it_without_a_word(record, form, video):
    assert ffmpeg_log(record(video).url(form)) == (0, "")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("video", ["plain", "bframes"])
def test_the_pictures_are_those_that_were_sent(record, form, video):
    recording = record(video)
    sent = pictures(recording.path)
    assert len(sent) == recording.seconds * 25
    assert pictures(recording.url(form)) == sent


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("video", ["plain", "bframes"])
def test_gstreamer_plays_it_to_the_end(record, form, video):
    if not shutil.which("gst-launch-1.0"):
        pytest.skip("no GStreamer")
    done = subprocess.run(
        ["gst-launch-1.0", "playbin3", f"uri={record(video).url(form)}",
         "video-sink=fakesink sync=false", "audio-sink=fakesink sync=false"],
        capture_output=True, text=True, timeout=60,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "Got EOS from element" in said
    assert not re.search(r"^(ERROR|WARNING)|CRITICAL", said, re.MULTILINE), said


@pytest.mark.parametrize("sound", ["mulaw", "alaw", "opus", "pcm"])
def test_other_sound_plays_as_opus(record, sound):
    """Browsers play neither G.711 nor PCM."""
    recording = record("bframes", sound)
    for form in ("fmp4", "dash"):
        url = recording.url(form)
        assert ffmpeg_log(url) == (0, ""), form
        found = probe(url, "-show_entries", "stream=codec_name")
        assert sorted(set(found)) == ["h264", "opus"], form
    assert pictures(recording.url("fmp4")) == pictures(recording.path)


@pytest.mark.parametrize("name", ["h264-realtime", "h264-aac", "offline", "h265"])
def test_captured_producers_play(server, stream, fixtures, tmp_path, name):
    """What kvssink sent, sent again."""
    capture = fixtures / "kvssink" / f"{name}.put-media.mkv"
    if not capture.exists():
        pytest.skip("no capture of a producer")
    head = capture.with_suffix(".head").read_text()
    kind = re.search(r"x-amzn-fragment-timecode-type: *(\w+)", head, re.IGNORECASE).group(1)
    begun = int(time.time())
    session = PutMedia(server.url, stream, ACCESS_KEY, SECRET_KEY, timecode_type=kind)
    assert session.head() == 200
    session.send(capture.read_bytes())
    session.finish()
    assert session.wait_end(20)
    assert not [ack for ack in session.acks() if ack["EventType"] == "ERROR"]
    sent = pictures(capture)
    span = {"StartTimestamp": begun - 5, "EndTimestamp": int(time.time())}
    by_server = {"FragmentSelectorType": "SERVER_TIMESTAMP", "TimestampRange": span}
    archived = server.client("kinesis-video-archived-media")
    time.sleep(max(0.0, span["EndTimestamp"] + 1 - time.time()))
    span["EndTimestamp"] += 1
    hls = archived.get_hls_streaming_session_url(
        StreamName=stream, PlaybackMode="ON_DEMAND", HLSFragmentSelector=by_server,
        DiscontinuityMode="NEVER")["HLSStreamingSessionURL"]
    dash = archived.get_dash_streaming_session_url(
        StreamName=stream, PlaybackMode="ON_DEMAND", DASHFragmentSelector=by_server,
    )["DASHStreamingSessionURL"]
    for url in (hls, dash):
        assert ffmpeg_log(url) == (0, "")
        assert pictures(url) == sent
    clip = archived.get_clip(StreamName=stream, ClipFragmentSelector=by_server)["Payload"].read()
    file = tmp_path / "clip.mp4"
    file.write_bytes(clip)
    assert ffmpeg_log(file) == (0, "")
    assert pictures(file) == sent


# Lists.


@pytest.mark.parametrize("video", ["plain", "bframes"])
def test_all_that_lists_name_is_there_and_stays_the_same(record, tmp_path, video):
    recording = record(video)
    url = recording.hls()
    check_lists(tmp_path / "multivariant", [fetch(url).text])
    lists = media_playlists(url)
    assert len(lists) == 2
    texts = [fetch(one).text for one in lists]
    for index, text in enumerate(texts):
        check_lists(tmp_path / str(index), [text, fetch(lists[index]).text])
        assert text.count("#EXTINF") == recording.seconds // 2
        assert text.endswith("#EXT-X-ENDLIST\n")
        for uri in uris(text):
            one = urllib.parse.urljoin(lists[index], uri)
            first, again = fetch(one), fetch(one)
            assert first.status == 200, first.text
            assert first.body == again.body
            kind = "audio/mp4" if "TrackNumber=2" in uri else "video/mp4"
            assert first.headers["content-type"] == kind
            assert int(first.headers["content-length"]) == len(first.body)
            assert "immutable" in first.headers["cache-control"]
    check_lists(tmp_path / "renditions", texts, "--renditions")
    # Another session of the same range: the same bytes behind other URLs.
    others = [segments(one) for one in media_playlists(recording.hls())]
    for here, there in zip(sum(map(segments, lists), []), sum(others, [])):
        assert here != there and fetch(here).body == fetch(there).body


def test_sound_is_listed_as_long_as_it_is(record):
    """With B-frames a fragment's sound begins and ends before its pictures; shaka goes by EXTINF."""
    text = fetch(media_playlists(record("bframes").hls())[1]).text
    starts = [int(at) for at in re.findall(r"[?&]At=(\d+)", text)]
    lengths = [float(length) for length in re.findall(r"#EXTINF:([\d.]+)", text)]
    between = [(later - start) / 48_000 for start, later in zip(starts, starts[1:])]
    assert lengths[:-1] == pytest.approx(between, abs=1e-5)
    assert lengths[0] < 1.99, "the recording interleaves as cameras do"


def test_the_manifest(record, tmp_path):
    url = record("bframes").dash(DisplayFragmentNumber="ALWAYS", DisplayFragmentTimestamp="ALWAYS")
    answer = fetch(url)
    assert answer.headers["content-type"] == "application/dash+xml"
    check_lists(tmp_path / "mpd", [answer.text])
    assert answer.text.count("kvs:fn=") == answer.text.count("kvs:ts=") == 6


def test_lists_of_a_live_stream_keep_the_rules(server, stream, tmp_path):
    """Plain and low latency, as a player reloads them while a camera sends."""
    camera = (
        "ffmpeg -v error -re -f lavfi -i testsrc2=s=320x180:r=25 -f lavfi -i sine=440:r=48000 "
        "-t 20 -c:v libx264 -preset ultrafast -tune zerolatency -g 50 -pix_fmt yuv420p "
        "-c:a aac -f matroska -cluster_time_limit 40 -flush_packets 1 - | "
        f"{binary()} put {stream} - --format mkv"
    )
    with subprocess.Popen(camera, shell=True, env=client_env(server), stderr=subprocess.DEVNULL):
        live = server.client("kinesis-video-archived-media")

        def session():
            return live.get_hls_streaming_session_url(
                StreamName=stream, PlaybackMode="LIVE")["HLSStreamingSessionURL"]

        deadline = time.monotonic() + 15
        while True:
            try:
                plain, low_latency = session(), session() + "&LowLatency=1"
                break
            except live.exceptions.ResourceNotFoundException:
                assert time.monotonic() < deadline, "nothing arrived"
                time.sleep(0.3)
        until = time.monotonic() + 10
        series = {}

        def reload(name, url, blocks):
            texts, query = [], ""
            while time.monotonic() < until:
                answer = fetch(url + query)
                assert answer.status == 200, answer.text
                texts.append(answer.text)
                if not blocks:
                    time.sleep(0.7)
                    continue
                first = int(re.search(r"MEDIA-SEQUENCE:(\d+)", answer.text).group(1))
                whole, _, open_part = answer.text.rpartition("#EXTINF")
                sequence = first + answer.text.count("#EXTINF")
                query = f"&_HLS_msn={sequence}&_HLS_part={open_part.count('#EXT-X-PART:')}"
            series[name] = texts

        threads = []
        for kind, url in (("plain", plain), ("low-latency", low_latency)):
            for number, one in enumerate(media_playlists(url)):
                arguments = (f"{kind}-{number}", one, kind == "low-latency")
                threads.append(threading.Thread(target=reload, args=arguments))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(series) == ["low-latency-0", "low-latency-1", "plain-0", "plain-1"]
    for name, texts in series.items():
        check_lists(tmp_path / name, texts)
        assert len(texts) > 8 and texts[0] != texts[-1], name
    parts = [text.count("#EXT-X-PART:") for text in series["low-latency-0"]]
    assert len(parts) > 20, "each part answered a reload"


# Sessions.


def change(token, at):
    """Another character of the same alphabet, whose bits are not those that base64 ignores."""
    new = "A" if token[at] != "A" else "Q"
    return token[:at] + new + token[at + 1:]


def test_a_token_opens_its_own_session_only(record):
    mine, other = record("plain"), record("bframes")
    url = mine.hls()
    list_url = media_playlists(url)[0]
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["SessionToken"][0]
    assert token.endswith("~") and re.fullmatch(r"[A-Za-z0-9_-]+~", token)
    assert fetch(url.replace("~", "%7E")).status == 200

    # Bits of version, nonce, claims, tag.
    for at in (0, 1, 5, 12, 20, len(token) // 2, len(token) - 24, len(token) - 10, len(token) - 4):
        answer = fetch(url.replace(token, change(token, at)))
        assert answer.status == 403, at
        assert answer.headers["x-amzn-errortype"] == "AccessDeniedException"
    for bad in ("", "~", token[:-1] + "!", token[:-5] + "~", token + token, "A" * 200 + "~",
                "%00", "..%2F..", "A" * 20_000):
        answer = fetch(url.replace(token, bad))
        assert answer.status in (403, 414, 431), (bad[:20], answer.status)
    assert fetch(url.partition("?")[0]).status == 403
    # Fragments of another stream, by its own numbers.
    own, foreign = segments(list_url)[0], segments(media_playlists(other.hls())[0])[0]
    number = re.compile(r"FragmentNumber=(\d+)")
    theirs = number.search(foreign).group(0)
    answer = fetch(number.sub(theirs, own))
    assert answer.status in (403, 404), answer.status
    # A session of HLS is none of DASH, and fMP4 none of TS.
    base = url[:url.index("/hls/")]
    assert fetch(f"{base}/dash/v1/getDASHManifest.mpd?SessionToken={token}").status == 403
    answer = fetch(own.replace("getMP4MediaFragment.mp4", "getTSFragment.ts"))
    assert answer.status == 404


def test_a_session_sees_its_range_only(record, server):
    recording = record("plain")
    start = recording.start_ms / 1000
    narrow = {"FragmentSelectorType": "PRODUCER_TIMESTAMP",
              "TimestampRange": {"StartTimestamp": start + 1.5, "EndTimestamp": start + 2.5}}
    url = recording.archived().get_hls_streaming_session_url(
        StreamName=recording.stream, PlaybackMode="ON_DEMAND", HLSFragmentSelector=narrow,
    )["HLSStreamingSessionURL"]
    inside = segments(media_playlists(url)[0])
    everything = segments(media_playlists(recording.hls())[0])
    assert len(inside) == 1 and len(everything) == 3
    number = re.compile(r"FragmentNumber=(\d+)")
    own = number.search(inside[0]).group(0)
    for one in everything:
        theirs = number.search(one).group(0)
        expected = 200 if theirs == own else 404
        assert fetch(number.sub(theirs, inside[0])).status == expected


def test_a_deleted_stream_is_not_there(server, tmp_path):
    path = make_video(tmp_path / "gone.mkv", seconds=4)
    recording = Recording(server, f"gone-{time.time_ns()}", path, 4)
    url = recording.hls()
    list_url = media_playlists(url)[0]
    segment = segments(list_url)[0]
    dash = recording.dash()
    assert fetch(segment).status == 200
    server.client().delete_stream(
        StreamARN=server.client().describe_stream(
            StreamName=recording.stream)["StreamInfo"]["StreamARN"])
    # Made anew under its name, it is another one.
    server.client().create_stream(StreamName=recording.stream, DataRetentionInHours=2)
    for one in (url, list_url, segment, dash):
        answer = fetch(one)
        assert answer.status == 404, one
        assert answer.headers["x-amzn-errortype"] == "ResourceNotFoundException"


def test_a_restart_ends_no_session(make_server, tmp_path):
    server = make_server()
    recording = Recording(server, "kept", make_video(tmp_path / "kept.mkv", seconds=4), 4)
    segment = segments(media_playlists(recording.hls())[0])[0]
    before = fetch(segment).body
    server.stop()
    server.start()
    after = fetch(segment)
    assert after.status == 200 and after.body == before


def test_refused_sessions(server, kvs, record):
    archived = server.client("kinesis-video-archived-media")
    recording = record("plain")
    name = f"empty-{time.time_ns()}"
    kvs.create_stream(StreamName=name, DataRetentionInHours=2)
    hls = archived.get_hls_streaming_session_url
    missing = ("ResourceNotFoundException", 404)
    invalid = ("InvalidArgumentException", 400)
    assert refusal(hls, StreamName="no-such-stream") == missing
    assert refusal(hls, StreamName=name, PlaybackMode="LIVE") == missing
    assert refusal(hls, StreamName=recording.stream, PlaybackMode="ON_DEMAND") == invalid
    for expires in (299, 43_201):  # which the SDK itself would not send
        body = json.dumps({"StreamName": recording.stream, "Expires": expires})
        assert call(server.url, "/getHLSStreamingSessionURL", body).error == invalid
    before = {"FragmentSelectorType": "PRODUCER_TIMESTAMP",
              "TimestampRange": {"StartTimestamp": 1_000_000, "EndTimestamp": 1_000_060}}
    assert refusal(hls, StreamName=recording.stream, PlaybackMode="ON_DEMAND",
                   HLSFragmentSelector=before) == missing
    backwards = {"FragmentSelectorType": "PRODUCER_TIMESTAMP",
                 "TimestampRange": {"StartTimestamp": 2_000_000, "EndTimestamp": 1_000_060}}
    assert refusal(hls, StreamName=recording.stream, PlaybackMode="ON_DEMAND",
                   HLSFragmentSelector=backwards) == invalid
    kvs.create_stream(StreamName=f"{name}-none", DataRetentionInHours=0)
    assert refusal(hls, StreamName=f"{name}-none") == ("NoDataRetentionException", 400)


# HTTP.


def test_http_around_sub_requests(record):
    url = record("plain").hls()
    list_url = media_playlists(url)[0]
    segment = segments(list_url)[0]
    init = urllib.parse.urljoin(list_url, uris(fetch(list_url).text)[0])
    whole = fetch(segment).body
    for one in (url, list_url, init, segment):
        get, head = fetch(one, origin="http://page.example"), fetch(one, "HEAD")
        assert (get.status, head.status) == (200, 200)
        assert head.body == b"" and head.headers["content-type"] == get.headers["content-type"]
        assert get.headers["access-control-allow-origin"] == "*"
        exposed = get.headers["access-control-expose-headers"].lower()
        assert "content-range" in exposed and "date" in exposed
        assert "access-control-allow-credentials" not in get.headers
        preflight = fetch(one, "OPTIONS", origin="http://page.example",
                          access_control_request_method="GET",
                          access_control_request_headers="range")
        assert preflight.status == 204
        assert preflight.headers["access-control-allow-origin"] == "*"
        assert "range" in preflight.headers["access-control-allow-headers"].lower()
        assert "GET" in preflight.headers["access-control-allow-methods"]
        for method in ("POST", "PUT", "DELETE"):
            assert fetch(one, method).status in (403, 404, 405)
    assert int(fetch(segment, "HEAD").headers["content-length"]) == len(whole)
    for wanted, expected in (("bytes=0-", whole), ("bytes=0-0", whole[:1]),
                             ("bytes=10-19", whole[10:20]), ("bytes=-7", whole[-7:])):
        part = fetch(segment, range=wanted)
        assert (part.status, part.body) == (206, expected), wanted
        assert part.headers["content-range"].endswith(f"/{len(whole)}")
    beyond = fetch(segment, range=f"bytes={len(whole)}-")
    assert beyond.status == 416 and beyond.headers["content-range"] == f"bytes */{len(whole)}"
    for one in (init, segment):
        tag = fetch(one).headers["etag"]
        again = fetch(one, if_none_match=tag)
        assert (again.status, again.body) == (304, b"")
        assert fetch(one, if_none_match='"other"').status == 200


def test_errors_of_sub_requests_can_be_read_by_pages(record):
    url = record("plain").hls()
    list_url = media_playlists(url)[0]
    segment = segments(list_url)[0]
    cases = (
        (url.replace("SessionToken=", "SessionToken=x"), 403, "AccessDeniedException"),
        (segment.replace("TrackNumber=1", "TrackNumber=x"), 400, "InvalidArgumentException"),
        (re.sub(r"FragmentNumber=\d+", "FragmentNumber=1", segment), 404,
         "ResourceNotFoundException"),
        (re.sub(r"FragmentNumber=\d+", "FragmentNumber=-1", segment), 400,
         "InvalidArgumentException"),
        (re.sub(r"FragmentNumber=\d+&", "", segment), 400, "InvalidArgumentException"),
        (list_url.replace("TrackNumber=1", "TrackNumber=9"), 404, "ResourceNotFoundException"),
        (list_url + "&_HLS_part=1", 400, "InvalidArgumentException"),
    )
    for one, status, kind in cases:
        answer = fetch(one)
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (status, kind), one
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "immutable" not in answer.headers.get("cache-control", "")
        message = json.loads(answer.body)["message"]
        assert message and "/" not in message, "a sentence, no path"


def test_paths_that_lead_elsewhere(record, server):
    url = record("plain").hls()
    query = url.partition("?")[2]
    for path in (
        "/hls/v1/../v1/getHLSMasterPlaylist.m3u8", "/hls/v1/%2e%2e/v1/getHLSMasterPlaylist.m3u8",
        "/hls/v1//getHLSMasterPlaylist.m3u8", "/hls/v1/getHLSMasterPlaylist.m3u8/",
        "/hls/v1/getHLSMasterPlaylist.m3u8%00", "/hls/v1/", "/hls/v1", "/hls/", "/HLS/V1/x",
        "/hls/v1/..%2f..%2f..%2fetc%2fpasswd", "/hls/v1/../../../../etc/passwd",
        "/hls/v2/getHLSMasterPlaylist.m3u8", "/dash/v1/../../hls/v1/getHLSMasterPlaylist.m3u8",
        "/hls/v1/getMP4Secret.mp4", "/hls/v1/getDASHManifest.mpd",
    ):
        answer = fetch(f"{server.url}{path}?{query}")
        assert answer.status in (400, 403, 404), (path, answer.status)


# Clips.


@pytest.mark.parametrize("video,sound", [
    ("plain", "aac"), ("bframes", "aac"), ("bframes", "none"), ("plain", "mulaw"),
    ("plain", "opus"),
])
def test_clips(record, mp4_check, tmp_path, video, sound):
    recording = record(video, sound)
    file = tmp_path / "clip.mp4"
    file.write_bytes(recording.clip())
    assert ffmpeg_log(file) == (0, "")
    assert pictures(file) == pictures(recording.path)
    seconds = float(probe(file, "-show_entries", "format=duration")[0])
    assert seconds == pytest.approx(recording.seconds, abs=0.1)
    found = mp4_check(file)
    assert not found["fragmented"]
    assert found["tracks"][0]["samples"] == recording.seconds * 25
    assert len(found["tracks"]) == (1 if sound == "none" else 2)
    # A part: whole fragments that start within.
    file.write_bytes(recording.clip(before=-1.5, after=2.5))
    assert pictures(file) == pictures(recording.path)[50:100]


def test_a_clip_has_two_hundred_fragments_unless_asked_otherwise(record, tmp_path):
    recording = record("plain", "none", seconds=205, size="64x36", rate=5, gop=5)
    file = tmp_path / "clip.mp4"
    file.write_bytes(recording.clip(after=300))
    assert len(pictures(file)) == 200 * 5
    client = recording.archived()
    client.meta.events.register(
        "before-sign.*.GetClip",
        lambda request, **_: request.headers.add_header("x-streamkeep-clip-limits", "off"),
    )
    file.write_bytes(recording.clip(client, after=300))
    assert len(pictures(file)) == 205 * 5


def test_refused_clips(record):
    recording = record("plain")
    clip = recording.archived().get_clip

    def selector(start, end):
        return {"FragmentSelectorType": "PRODUCER_TIMESTAMP",
                "TimestampRange": {"StartTimestamp": start, "EndTimestamp": end}}

    now = time.time()
    missing = ("ResourceNotFoundException", 404)
    invalid = ("InvalidArgumentException", 400)
    assert refusal(clip, StreamName=recording.stream,
                   ClipFragmentSelector=selector(1_000_000, 1_000_060)) == missing
    assert refusal(clip, StreamName="no-such-stream",
                   ClipFragmentSelector=selector(now - 60, now)) == missing
    assert refusal(clip, StreamName=recording.stream,
                   ClipFragmentSelector=selector(now, now - 60)) == invalid
    assert refusal(clip, StreamName=recording.stream,
                   ClipFragmentSelector=selector(now - 90_000, now)) == invalid


# Images.


def images(recording, start=0.0, end=5.5, **options):
    """From 100 ms after the first frame on: where sound came first, the first picture is later."""
    options = {"Format": "JPEG", "SamplingInterval": 1000, **options}
    at = recording.start_ms / 1000 + 0.1
    return recording.archived().get_images(
        StreamName=recording.stream, ImageSelectorType="PRODUCER_TIMESTAMP",
        StartTimestamp=at + start, EndTimestamp=at + end, **options)


@pytest.fixture
def decoder():
    if not pathlib.Path(binary()).with_name("streamkeep-decoder").exists():
        pytest.skip("no streamkeep-decoder beside the server: cargo build --bins")


@pytest.mark.parametrize("video", ["plain", "bframes"])
@pytest.mark.parametrize("form,magic", [("JPEG", b"\xff\xd8\xff"), ("PNG", b"\x89PNG")])
def test_images(decoder, record, tmp_path, video, form, magic):
    recording = record(video)
    for options, size in (
        ({}, "320,180"), ({"WidthPixels": 160, "HeightPixels": 160}, "160,160"),
        ({"HeightPixels": 90}, "160,90"),
    ):
        answer = images(recording, Format=form, **options)
        found = answer["Images"]
        assert len(found) == 6 and "NextToken" not in answer
        for index, image in enumerate(found):
            at = image["TimeStamp"].timestamp() * 1000
            assert at == pytest.approx(recording.start_ms + 100 + index * 1000, abs=1)
            assert "Error" not in image, image["Error"]
            data = base64.b64decode(image["ImageContent"])
            assert data.startswith(magic)
            file = tmp_path / f"{index}.{form.lower()}"
            file.write_bytes(data)
            shape = probe(file, "-show_entries", "stream=width,height")
            assert shape == [size]
        assert len({image["ImageContent"] for image in found}) == 6, "the picture moves"


def test_images_where_there_is_nothing(decoder, record):
    found = images(record("plain"), start=-3, end=1)["Images"]
    assert [image.get("Error") for image in found] == ["NO_MEDIA"] * 3 + [None] * 2
    assert all("ImageContent" not in image for image in found[:3])


def test_images_by_page(decoder, record):
    recording = record("plain")
    options = {"SamplingInterval": 200, "HeightPixels": 36}
    whole = [image["TimeStamp"] for image in images(recording, **options)["Images"]]
    assert len(whole) == 25, "a page has 25 images at most"
    seen, token, pages = [], None, 0
    while True:
        more = {"NextToken": token} if token else {}
        answer = images(recording, MaxResults=10, **options, **more)
        assert len(answer["Images"]) <= 10
        seen += [image["TimeStamp"] for image in answer["Images"]]
        token, pages = answer.get("NextToken"), pages + 1
        if not token:
            break
    assert pages == 3 and len(seen) == 28 and seen[:25] == whole


def test_refused_images(record):
    recording = record("plain")
    invalid = ("InvalidArgumentException", 400)
    assert refusal(images, recording, end=301) == invalid
    assert refusal(images, recording, start=5, end=1) == invalid
    assert refusal(images, recording, SamplingInterval=100) == invalid
    assert refusal(images, recording, FormatConfig={"JPEGQuality": "101"}) == invalid
    assert refusal(images, recording, NextToken="nonsense") == invalid
