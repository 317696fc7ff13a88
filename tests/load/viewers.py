#!/usr/bin/env python3
"""Many live HLS viewers while cameras send: is any segment late?

    tests/load/viewers.py [--viewers 500] [--streams 20] [--seconds 40]

Cameras of 1 Mbit/s send fragments of 2 s under TLS. Each viewer has a session of its own and a
connection kept open, begins three segments behind the newest and loads the list as RFC 8216 §6.3.4
says: a target duration after one that had changed, half of one otherwise. Its picture begins with the
first segment; a segment is late when it is not whole by the time the one before it has been shown.
All of it runs on one machine. Prints a table to standard error, JSON to standard output.
"""

import argparse
import asyncio
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "clients")]

from playback import cpu_seconds
from server_process import ACCESS_KEY, REGION, SECRET_KEY, Server, binary

JOIN_SECONDS = 10


class Connection:
    """One request at a time over a connection that stays open."""

    def __init__(self, port):
        self.port, self.reader, self.writer = port, None, None

    async def get(self, path):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        length = int(re.search(rb"content-length: (\d+)", head, re.I)[1])
        body = await self.reader.readexactly(length)
        if status != 200:
            raise RuntimeError(f"{status} for {path[:80]}: {body[:200]}")
        return body


class Viewer:
    def __init__(self, port, url):
        self.connection, self.path = Connection(port), url.split("/", 3)[3]
        self.segments = self.late = 0
        self.behind = []
        self.segment_ms, self.list_ms = [], []
        self.trouble = None

    async def timed(self, path, into):
        began = time.monotonic()
        body = await self.connection.get(path)
        into.append((time.monotonic() - began) * 1000)
        return body

    async def watch(self, joins_after, until):
        await asyncio.sleep(joins_after)
        try:
            await self.play(until)
        except (RuntimeError, OSError, EOFError, TypeError) as error:
            self.trouble = repr(error)

    async def play(self, until):
        master = (await self.connection.get(f"/{self.path}")).decode()
        media = [line for line in master.split("\n") if line and line[0] != "#"][0]
        newest, shown_until = None, None
        while time.monotonic() < until:
            text = (await self.timed(f"/hls/v1/{media}", self.list_ms)).decode()
            target = int(re.search(r"TARGETDURATION:(\d+)", text)[1])
            first = int(re.search(r"MEDIA-SEQUENCE:(\d+)", text)[1])
            found = re.findall(r"#EXTINF:([\d.]+),[^\n]*\n(?:#[^\n]*\n)*([^#\n]+)", text)
            numbered = [(first + index, *one) for index, one in enumerate(found)]
            fresh = numbered[-3:] if newest is None else [n for n in numbered if n[0] > newest]
            for number, duration, uri in fresh:
                if newest is None:
                    await self.connection.get("/hls/v1/" + re.search(r'MAP:URI="([^"]+)', text)[1])
                await self.timed(f"/hls/v1/{uri}", self.segment_ms)
                now = time.monotonic()
                if shown_until is None:
                    shown_until = now
                elif now > shown_until:
                    self.late += 1
                    self.behind.append(now - shown_until)
                    shown_until = now
                if newest is not None and number != newest + 1:
                    raise RuntimeError(f"segment {number} after {newest}")
                newest = number
                shown_until += float(duration)
                self.segments += 1
            await asyncio.sleep(target if fresh else target / 2)


def percentiles(values):
    values = sorted(values)
    at = lambda share: round(values[min(len(values) - 1, int(len(values) * share))], 1)
    return {"p50": at(0.5), "p99": at(0.99), "max": at(1)}


def sessions(server, options):
    client = server.client("kinesis-video-archived-media")
    urls = []
    for viewer in range(options.viewers):
        urls.append(client.get_hls_streaming_session_url(
            StreamName=f"bench-{viewer % options.streams:05}", PlaybackMode="LIVE",
            HLSFragmentSelector={"FragmentSelectorType": "SERVER_TIMESTAMP"},
        )["HLSStreamingSessionURL"])
    return urls


async def watch(viewers, options):
    until = time.monotonic() + JOIN_SECONDS + options.seconds
    joins = (JOIN_SECONDS * index / len(viewers) for index in range(len(viewers)))
    await asyncio.gather(*(viewer.watch(join, until) for viewer, join in zip(viewers, joins)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--viewers", type=int, default=500)
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=40)
    options = parser.parse_args()
    environment = {
        **os.environ, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
    }
    with tempfile.TemporaryDirectory(prefix="streamkeep-viewers-") as work:
        server = Server(pathlib.Path(work) / "data", "--volume-size-mib", "1024")
        server.start()
        cameras = None
        try:
            whole = options.seconds + JOIN_SECONDS + 40
            cameras = subprocess.Popen(
                [binary(), "bench", "ingest", "--endpoint", server.tls_url, "--ca", server.ca_file,
                 "--streams", str(options.streams), "--seconds", f"{whole}s"],
                env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )
            time.sleep(12)  # a list to begin with
            viewers = [Viewer(server.port, url) for url in sessions(server, options)]
            before, began = cpu_seconds(server.process.pid), time.monotonic()
            asyncio.run(watch(viewers, options))
            used = cpu_seconds(server.process.pid) - before
            took = time.monotonic() - began
            ingest = json.loads(cameras.communicate()[0])
        finally:
            if cameras:
                cameras.kill()
            server.kill()
    troubles = [viewer.trouble for viewer in viewers if viewer.trouble]
    behind = [seconds for viewer in viewers for seconds in viewer.behind]
    report = {
        "bench": "viewers", "viewers": options.viewers, "streams": options.streams,
        "segments": sum(viewer.segments for viewer in viewers),
        "late": len(behind), "late_by_s_max": round(max(behind, default=0), 3),
        "segment_ms": percentiles([ms for viewer in viewers for ms in viewer.segment_ms]),
        "list_ms": percentiles([ms for viewer in viewers for ms in viewer.list_ms]),
        "server_cores": round(used / took, 2),
        "ingest_ms": ingest["latency_ms"]["fragment_end_to_persisted"],
        "ingest_missing": ingest["missing"],
        "troubles": troubles[:3] + ([f"{len(troubles)} viewers"] if troubles else []),
    }
    print(json.dumps(report, indent=2))
    return 0 if not (behind or troubles or ingest["missing"]) else 1


if __name__ == "__main__":
    sys.exit(main())
