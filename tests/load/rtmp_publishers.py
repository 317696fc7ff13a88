#!/usr/bin/env python3
"""Many RTMP publishers on one thread: H.264-shaped noise, each frame sent when it is due.

    tests/load/rtmp_publishers.py --port 1935 --cameras 300 --seconds 30

Frames are sized as `streamkeep bench ingest` sizes them: a key frame is eight times as large as
the others. They are cut into chunks of 4096 bytes, as common encoders do. Says `ready` on standard
error when all are connected, and prints one JSON object at the end. `lag_ms` says how late frames
were sent: when it is not small, the machine or this generator was the bottleneck.
Adobe's RTMP specification 1.0, sections 5.2 (handshake), 5.3 (chunks), 7.2 (commands).
"""

import argparse
import concurrent.futures
import json
import os
import socket
import struct
import sys
import time

CHUNK_LEN = 4096
KEY_FRAME_RATIO = 8
SPS = bytes.fromhex("6742c01fd900a0047fe584000003000400000300f03c60c920")
PPS = bytes.fromhex("68cb83cb20")


def amf(value):
    """AMF 0: numbers, strings, null and objects."""
    if value is None:
        return b"\x05"
    if isinstance(value, str):
        return b"\x02" + struct.pack(">H", len(value)) + value.encode()
    if isinstance(value, dict):
        pairs = (struct.pack(">H", len(key)) + key.encode() + amf(value[key]) for key in value)
        return b"\x03" + b"".join(pairs) + b"\x00\x00\x09"
    return b"\x00" + struct.pack(">d", value)


def chunks(chunk_stream, kind, message_stream, body, chunk_len=CHUNK_LEN):
    """A message with timestamp 0 as chunks: a full header, then headers of one byte."""
    head = bytes([chunk_stream]) + b"\0\0\0" + struct.pack(">I", len(body))[1:] + bytes([kind])
    parts = [head + struct.pack("<I", message_stream)]
    for start in range(0, len(body), chunk_len):
        if start:
            parts.append(bytes([0xC0 | chunk_stream]))
        parts.append(body[start : start + chunk_len])
    return b"".join(parts)


def command(message_stream, *values):
    return chunks(3, 20, message_stream, b"".join(map(amf, values)))


def publish(port, name):
    """Opens a connection up to the server's consent to publish."""
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.settimeout(10)
    sock.sendall(b"\x03" + bytes(8) + os.urandom(1528))
    answer = b""
    while len(answer) < 1 + 2 * 1536:
        answer += receive(sock)
    sock.sendall(answer[1:1537])
    url = f"rtmp://127.0.0.1:{port}/live"
    sock.sendall(
        chunks(2, 1, 0, struct.pack(">I", CHUNK_LEN))
        + command(0, "connect", 1, {"app": "live", "type": "nonprivate", "tcUrl": url})
        + command(0, "createStream", 2, None)
    )
    wait_for(sock, b"_result", 2)
    sock.sendall(command(1, "publish", 3, None, name, "live"))
    wait_for(sock, b"NetStream.Publish.Start", 1)
    record = b"\x01" + SPS[1:4] + b"\xff\xe1" + struct.pack(">H", len(SPS)) + SPS
    record += b"\x01" + struct.pack(">H", len(PPS)) + PPS
    sock.sendall(chunks(6, 9, 1, b"\x17\0\0\0\0" + record))
    sock.setblocking(False)
    return sock


def receive(sock):
    part = sock.recv(65536)
    if not part:
        raise ConnectionError("the server ended the connection")
    return part


def wait_for(sock, text, times):
    answer = b""
    while answer.count(text) < times:
        answer += receive(sock)


def frame(length, key):
    """A video message of one NAL unit, to be patched with its timestamp."""
    noise = bytes(byte or 1 for byte in os.urandom(length - 9))
    nal_unit = (b"\x65" if key else b"\x41") + noise[1:]
    body = (b"\x17" if key else b"\x27") + b"\x01\0\0\0" + struct.pack(">I", len(nal_unit))
    return bytearray(chunks(6, 9, 1, body + nal_unit))


class Camera:
    def __init__(self, sock, phase):
        self.sock, self.unsent, self.phase = sock, b"", phase

    def send(self, message):
        """Sends what the socket takes; the rest goes before the next frame."""
        data = self.unsent + message if self.unsent else message
        try:
            count = self.sock.send(data)
        except BlockingIOError:
            count = 0
        self.unsent = bytes(data[count:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cameras", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--bitrate", type=float, default=1e6)
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--fragment", type=float, default=2, help="seconds between key frames")
    options = parser.parse_args()

    group = round(options.fragment * options.fps)
    delta_len = options.bitrate / 8 * options.fragment / (group - 1 + KEY_FRAME_RATIO)
    key_frame = frame(int(delta_len * KEY_FRAME_RATIO), True)
    delta_frame = frame(int(delta_len), False)
    golden = 0.618033988749895
    # Where each camera is in its group of pictures, so that key frames do not meet.
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        names = (f"camera-{index:05}" for index in range(options.cameras))
        sockets = list(pool.map(lambda name: publish(options.port, name), names))
    phases = (int(index * golden % 1 * group) for index in range(options.cameras))
    cameras = [Camera(sock, phase) for sock, phase in zip(sockets, phases)]
    print("ready", file=sys.stderr, flush=True)
    period = 1 / options.fps
    start = time.monotonic()
    lags, sent_bytes, frames, broken = [], 0, 0, 0
    for round_index in range(int(options.seconds * options.fps)):
        timestamp = struct.pack(">I", int(round_index * period * 1000))[1:]
        key_frame[1:4] = delta_frame[1:4] = timestamp
        worst = 0
        for index, camera in enumerate(cameras):
            due = start + (round_index + index / len(cameras)) * period
            now = time.monotonic()
            if due > now:
                # Several at a time: a sleep is not exact anyway.
                if due > now + 0.001:
                    time.sleep(due - now)
            else:
                worst = max(worst, now - due)
            if camera is None:
                continue
            # Each begins with a key frame, then keeps its own place in the group.
            is_key = round_index == 0 or (round_index + camera.phase) % group == 0
            message = key_frame if is_key else delta_frame
            try:
                camera.send(message)
            except OSError:
                broken, cameras[index] = broken + 1, None
                continue
            frames, sent_bytes = frames + 1, sent_bytes + len(message)
        lags.append(worst * 1000)
        if round_index % options.fps == 0:
            drain(cameras)
    elapsed = time.monotonic() - start
    lags.sort()
    times = os.times()
    print(
        json.dumps(
            {
                "cameras": options.cameras,
                "frames": frames,
                "mbit_per_s": round(sent_bytes * 8 / 1e6 / elapsed, 1),
                "broken": broken,
                "unsent_bytes": sum(len(camera.unsent) for camera in cameras if camera),
                "seconds": round(elapsed, 2),
                "lag_ms": {"p50": round(lags[len(lags) // 2], 1), "max": round(lags[-1], 1)},
                "generator_cpu_cores": round((times.user + times.system) / elapsed, 2),
            }
        )
    )


def drain(cameras):
    """Throws away what the server says: acknowledgements and pings."""
    for camera in cameras:
        try:
            if camera:
                camera.sock.recv(65536)
        except BlockingIOError:
            pass


if __name__ == "__main__":
    main()
