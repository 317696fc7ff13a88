#!/usr/bin/env python3
"""Media segments from the archive, next to nginx serving the same bytes as files.

    tests/load/playback.py [--seconds 8] [--rounds 3] [--segments 3000]

Both on loopback, plain and under TLS, one after the other. Cold: every segment is asked for once, after
the page cache was dropped (root only), so each is read from the disk and decrypted. First: once as well,
from the page cache. Hot: a hundred of them, over and over. What counts is how many segments a second of
the server's processor time answers; the client is on the same machine. Then: the list of a whole day, a clip of an hour, images. Needs wrk, nginx and ffmpeg.
Prints a table to standard error, JSON to standard output.
"""

import argparse
import http.client
import json
import os
import pathlib
import re
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "clients"), str(HERE)]

from compare import free_port, stop, wait_for_port
from server_process import ACCESS_KEY, REGION, SECRET_KEY, Server, binary

NGINX = """
user root;
daemon off;
worker_processes 1;
pid {work}/nginx.pid;
error_log {work}/nginx.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    default_type video/mp4;
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{tls_port} ssl;
        ssl_certificate {tls}/server.pem;
        ssl_certificate_key {tls}/server.key;
        root {work}/files;
    }}
}}
"""
LUA = """
local paths, next_path = {}, 0
for line in io.lines("%s") do paths[#paths + 1] = line end
request = function()
    next_path = next_path %% #paths + 1
    return wrk.format("GET", paths[next_path])
end
"""
HOT = 100


def cpu_seconds(pid):
    """Of a process and its children, from /proc (proc(5))."""
    def own(pid):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own(pid) + sum(own(child) for child in children)


def load(url, paths, pid, work, seconds):
    """Segments a second of processor time, and segments a second, and bytes a second."""
    (work / "paths").write_text("\n".join(paths) + "\n")
    script = work / "paths.lua"
    script.write_text(LUA % (work / "paths"))
    before = cpu_seconds(pid)
    command = ["wrk", "-t1", "-c8", f"-d{seconds}s", "-s", script, url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = cpu_seconds(pid) - before
    requests = int(re.search(r"(\d+) requests in", text)[1])
    if "Non-2xx" in text or "Socket errors" in text:
        print(text, file=sys.stderr)
    return {"per_core_second": round(requests / used), "per_second": round(requests / seconds)}


def once(url, paths, pid, drop_page_cache):
    """As `load`, each path once, over eight connections."""
    if drop_page_cache:
        subprocess.run(["sync"], check=True)
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("1")
    host = url.partition("//")[2]
    trusting = ssl._create_unverified_context()
    lock, left = threading.Lock(), iter(paths)

    def client():
        if url.startswith("https"):
            connection = http.client.HTTPSConnection(host, context=trusting)
        else:
            connection = http.client.HTTPConnection(host)
        buffer = bytearray(1 << 20)
        while True:
            with lock:
                path = next(left, None)
            if path is None:
                return
            connection.request("GET", path)
            answer = connection.getresponse()
            while answer.readinto(buffer):
                pass
            assert answer.status == 200, answer.status

    before, began = cpu_seconds(pid), time.monotonic()
    clients = [threading.Thread(target=client) for _ in range(8)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    used, took = cpu_seconds(pid) - before, time.monotonic() - began
    return {"per_core_second": round(len(paths) / used), "per_second": round(len(paths) / took)}


def media(work, name, *options):
    path = work / name
    command = ["ffmpeg", "-v", "error", "-y", *options, str(path)]
    subprocess.run(command, check=True)
    return path


def put(server, stream, path, *options):
    environment = {
        **os.environ, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION, "AWS_ENDPOINT_URL_KINESIS_VIDEO": server.url,
    }
    command = [binary(), "put", stream, str(path), "--create", "--retention-hours", "48", *options]
    subprocess.run(command, env=environment, check=True, capture_output=True)


def session(server, stream, start, end, results=5000):
    client = server.client("kinesis-video-archived-media")
    return client.get_hls_streaming_session_url(
        StreamName=stream, PlaybackMode="ON_DEMAND", Expires=43200, DiscontinuityMode="NEVER",
        MaxMediaPlaylistFragmentResults=results,
        HLSFragmentSelector={
            "FragmentSelectorType": "PRODUCER_TIMESTAMP",
            "TimestampRange": {"StartTimestamp": start, "EndTimestamp": end},
        },
    )["HLSStreamingSessionURL"]


def lists(server, url, extra=""):
    base = f"{server.url}/hls/v1/"
    master = urllib.request.urlopen(url + extra).read().decode()
    path = [line for line in master.split("\n") if line and line[0] != "#"][0]
    return base + path


def fetch(url):
    began = time.perf_counter()
    body = urllib.request.urlopen(url).read()
    return (time.perf_counter() - began) * 1000, body


def segments(server, work, options, report):
    count = options.segments
    video = media(
        work, "hour.mkv", "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25", "-t", "60",
        "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "1M", "-minrate", "1M", "-maxrate", "1M",
        "-bufsize", "500k", "-nal-hrd", "cbr", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0",
        "-bf", "0", "-pix_fmt", "yuv420p",
    )
    long = media(work, "long.mkv", "-stream_loop", str(count // 30), "-i", str(video), "-c", "copy")
    start = int(time.time()) - 80_000
    put(server, "archive", long, "--start", str(start))
    time.sleep(1)
    sessions = iter(range(1, 1000))

    def fresh():
        """Paths of a session of its own: none was asked for before."""
        url = session(server, "archive", start + 2 * next(sessions) - 1, start + 2 * count + 60)
        text = fetch(lists(server, url))[1].decode()
        found = [line for line in text.split("\n") if line.startswith("getMP4Media")][:count]
        return [f"/hls/v1/{line}" for line in found]

    paths = fresh()
    files = work / "files"
    files.mkdir()
    for index, path in enumerate(paths):
        (files / f"{index}.m4s").write_bytes(fetch(server.url + path)[1])
    report["segment_kb"] = round(statistics.mean(f.stat().st_size for f in files.iterdir()) / 1000)
    port, tls_port = free_port(), free_port()
    conf = work / "nginx.conf"
    conf.write_text(NGINX.format(work=work, port=port, tls_port=tls_port, tls=server.data_dir / "tls"))
    nginx = subprocess.Popen(["nginx", "-c", conf, "-p", work], stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, nginx)
        names = [f"/{index}.m4s" for index in range(len(paths))]
        kinds = {
            "plain": (server.url, f"http://127.0.0.1:{port}"),
            "tls": (server.tls_url, f"https://127.0.0.1:{tls_port}"),
        }
        for kind, (ours, theirs) in kinds.items():
            heats = ("cold", "first", "hot") if os.geteuid() == 0 else ("first", "hot")
            for heat in heats:
                ratios = []
                for _ in range(options.rounds):
                    if heat == "hot":
                        mine = load(ours, paths[:HOT], server.process.pid, work, options.seconds)
                        other = load(theirs, names[:HOT], nginx.pid, work, options.seconds)
                    else:
                        is_cold = heat == "cold"
                        mine = once(ours, fresh(), server.process.pid, is_cold)
                        other = once(theirs, names, nginx.pid, is_cold)
                    ratios.append(round(mine["per_core_second"] / other["per_core_second"], 3))
                    print(f"{kind} {heat}: streamkeep {mine}, nginx {other}, ratio {ratios[-1]}",
                          file=sys.stderr)
                report[f"{kind}_{heat}"] = {"ratio": sorted(ratios), "streamkeep": mine, "nginx": other}
    finally:
        stop(nginx)
        shutil.rmtree(files)


def day(server, work, report):
    """43,200 fragments of 2 s."""
    video = media(
        work, "day.mkv", "-f", "lavfi", "-i", "color=s=16x16:r=1", "-t", "86400", "-c:v", "libx264",
        "-preset", "ultrafast", "-g", "2", "-keyint_min", "2", "-sc_threshold", "0", "-bf", "0",
    )
    start = int(time.time()) - 86_390
    put(server, "day", video, "--start", str(start))
    time.sleep(1)
    url = session(server, "day", start - 1, start + 86_390)
    for name, extra in (("page of 5,000", ""), ("whole day", "&Whole=1")):
        address = lists(server, url, extra)
        times = [fetch(address) for _ in range(11)]
        lines = times[0][1].count(b"#EXTINF")
        report[f"list, {name}"] = {
            "segments": lines, "megabytes": round(len(times[0][1]) / 1e6, 1),
            "first_ms": round(times[0][0], 1),
            "median_ms": round(statistics.median(t for t, _ in times[1:]), 1),
        }
        print(f"list, {name}: {report[f'list, {name}']}", file=sys.stderr)


def clip(server, options, report):
    client = server.client("kinesis-video-archived-media")
    client.meta.events.register(
        "before-sign.*.GetClip",
        lambda request, **_: request.headers.add_header("x-streamkeep-clip-limits", "off"),
    )
    start = int(time.time()) - 90_000
    began = time.perf_counter()
    body = client.get_clip(StreamName="archive", ClipFragmentSelector={
        "FragmentSelectorType": "PRODUCER_TIMESTAMP",
        "TimestampRange": {"StartTimestamp": start, "EndTimestamp": start + 86_000},
    })["Payload"]
    size = sum(len(piece) for piece in body.iter_chunks(1 << 20))
    seconds = time.perf_counter() - began
    report["clip"] = {"megabytes": round(size / 1e6), "megabytes_per_second": round(size / 1e6 / seconds)}
    print(f"clip: {report['clip']}", file=sys.stderr)


def images(server, work, report):
    video = media(
        work, "hd.mkv", "-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=25", "-t", "60", "-c:v", "libx264",
        "-preset", "veryfast", "-b:v", "4M", "-g", "50", "-pix_fmt", "yuv420p",
    )
    long = media(work, "hd5.mkv", "-stream_loop", "4", "-i", str(video), "-c", "copy")
    start = int(time.time()) - 4_000
    put(server, "hd", long, "--start", str(start))
    time.sleep(1)
    client = server.client("kinesis-video-archived-media")

    def ask(begin, end, interval):
        began = time.perf_counter()
        found = client.get_images(
            StreamName="hd", ImageSelectorType="PRODUCER_TIMESTAMP", StartTimestamp=begin,
            EndTimestamp=end, SamplingInterval=interval, Format="JPEG",
        )["Images"]
        assert all("ImageContent" in image for image in found), found[0].get("Error")
        return (time.perf_counter() - began) * 1000, len(found)

    ask(start, start + 10, 1000)
    singles = [ask(start + 7 * n, start + 7 * n + 0.1, 3000)[0] for n in range(1, 20)]
    pages = [ask(start, start + 299, 12_000) for _ in range(5)]
    report["images"] = {
        "single_ms": round(statistics.median(singles), 1),
        f"{pages[0][1]}_over_300_s_ms": round(statistics.median(ms for ms, _ in pages)),
    }
    print(f"images: {report['images']}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--segments", type=int, default=3000)
    parser.add_argument("--only", choices=("segments", "day", "images"))
    options = parser.parse_args()
    report = {"bench": "playback"}
    with tempfile.TemporaryDirectory(prefix="streamkeep-playback-") as work:
        work = pathlib.Path(work)
        server = Server(work / "data", "--volume-size-mib", "1024", "--quotas", "off")
        server.start()
        try:
            if options.only in (None, "segments"):
                segments(server, work, options, report)
                clip(server, options, report)
            if options.only in (None, "day"):
                day(server, work, report)
            if options.only in (None, "images"):
                images(server, work, report)
            status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
            report["server_peak_mb"] = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1000
        finally:
            server.kill()
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
