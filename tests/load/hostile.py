#!/usr/bin/env python3
"""What one hostile client does to the others: the p99 of PERSISTED with and without it.

    tests/load/hostile.py [--cameras 200] [--seconds 15] [--rounds 3]

Each round measures the cameras alone, then beside each hostile client, on one server:

    slow      5,000 connections that send a byte of a request head a second, opened again when closed
    largest   fragments of 50 MB, one after another, as fast as they are taken
    endless   a body that never ends: one cluster of frames without end, begun again when refused

The goal is a ratio below 2. Prints a table to standard error, JSON to standard output. All runs on
one machine: what the hostile client's own process takes from the processors counts against the
server, so it is paced (`largest` and `endless` send at most 20 MB/s).
"""

import argparse
import contextlib
import json
import os
import pathlib
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "clients")]

import matroska as mkv
from put_media import PutMedia
from server_process import ACCESS_KEY, REGION, SECRET_KEY, Server, binary

SLOW_CONNECTIONS = 5_000
PACE = 20_000_000
FRAGMENT_MAX = 50 * 1024 * 1024


class Hostile(threading.Thread):
    """Runs until `stop`."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.stopping, self.done = server, threading.Event(), 0

    def stop(self):
        self.stopping.set()
        self.join(60)

    def session(self):
        session = PutMedia(self.server.url, "hostile", ACCESS_KEY, SECRET_KEY)
        session.head()
        return session

    def send_paced(self, session, piece):
        session.send(piece)
        time.sleep(len(piece) / PACE)


class Slow(Hostile):
    def run(self):
        head = b"POST /putMedia HTTP/1.1\r\nhost: 127.0.0.1\r\nx-padding: " + b"x" * 4_000
        selector, place = selectors.DefaultSelector(), {}

        def connect():
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", self.server.port))
            selector.register(sock, selectors.EVENT_READ)
            place[sock] = 0

        while not self.stopping.is_set():
            for _ in range(min(500, SLOW_CONNECTIONS - len(place))):
                connect()
            for key, _ in selector.select(0):  # closed by the server
                with contextlib.suppress(OSError):
                    if not key.fileobj.recv(4096):
                        raise OSError
                    continue
                selector.unregister(key.fileobj)
                place.pop(key.fileobj)
                key.fileobj.close()
            for sock in list(place):
                with contextlib.suppress(OSError):
                    self.done += sock.send(head[place[sock]:place[sock] + 1])
                    place[sock] += 1
            self.stopping.wait(1 if len(place) == SLOW_CONNECTIONS else 0.05)
        for sock in place:
            sock.close()


class Largest(Hostile):
    def run(self):
        piece = mkv.block(1, 40, False, mkv.h264_frame(False, 1 << 20))
        session, at = self.session(), int(time.time() * 1000)
        session.send(mkv.header())
        while not self.stopping.is_set():
            self.send_paced(session, mkv.cluster(at) + mkv.block(1, 0, True, mkv.h264_frame(True)))
            for _ in range(FRAGMENT_MAX // len(piece)):
                if self.stopping.is_set():
                    break
                self.send_paced(session, piece)
            session.send(mkv.END_OF_FRAGMENT)
            at += 2_000
            self.done += 1
        session.close()


class Endless(Hostile):
    def run(self):
        piece = mkv.block(1, 0, True, b"x" * 32_768) * 16
        while not self.stopping.is_set():
            session = self.session()
            with contextlib.suppress(OSError):
                session.send(mkv.header() + mkv.cluster(int(time.time() * 1000)))
                while not self.stopping.is_set():
                    self.send_paced(session, piece)
            self.done += 1
            session.close()


KINDS = {"slow": Slow, "largest": Largest, "endless": Endless}


def cameras(server, options):
    """The p99 of PERSISTED in ms."""
    environment = {
        **os.environ, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
    }
    command = [
        binary(), "bench", "ingest", "--endpoint", server.tls_url, "--ca", server.ca_file,
        "--streams", str(options.cameras), "--seconds", f"{options.seconds}s",
        "--server-pid", str(server.process.pid),
    ]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    result = json.loads(run.stdout)
    if result["missing"] or result["broken"] or result["errors"]:
        print(f"cameras lost fragments: {run.stderr[-500:]}", file=sys.stderr)
    return result["latency_ms"]["fragment_end_to_persisted"]["p99"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cameras", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    figures = {kind: [] for kind in ("alone", *KINDS)}
    with tempfile.TemporaryDirectory(prefix="streamkeep-hostile-") as work:
        server = Server(pathlib.Path(work) / "data", "--volume-size-mib", "1024")
        server.start()
        try:
            server.client("kinesisvideo").create_stream(
                StreamName="hostile", DataRetentionInHours=1
            )
            for round_number in range(options.rounds):
                for kind in figures:
                    hostile = KINDS[kind](server) if kind in KINDS else None
                    if hostile:
                        hostile.start()
                        time.sleep(3)
                    figures[kind].append(cameras(server, options))
                    if hostile:
                        hostile.stop()
                        assert hostile.done, f"{kind} did nothing"
                    print(f"round {round_number + 1}: {kind:8} p99 {figures[kind][-1]:8.1f} ms",
                          file=sys.stderr)
        finally:
            server.kill()
    medians = {kind: statistics.median(values) for kind, values in figures.items()}
    report = {
        "bench": "hostile", "cameras": options.cameras, "p99_ms": figures,
        "ratio": {kind: round(medians[kind] / medians["alone"], 2) for kind in KINDS},
    }
    print(json.dumps(report, indent=2))
    return 0 if all(ratio < 2 for ratio in report["ratio"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
