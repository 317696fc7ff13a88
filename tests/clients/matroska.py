"""Matroska bodies made at test time, in the layout of the producer SDK (put-media.md §4.1)."""


def element(identifier, body):
    return bytes.fromhex(identifier) + (len(body) | 1 << 56).to_bytes(8, "big") + body


def uint(identifier, value):
    return element(identifier, value.to_bytes(8, "big"))


# 64x64 baseline H.264: a configuration and frames that begin with the right NAL headers.
AVCC = bytes.fromhex("0142c00affe1000967 42c00a8c8d41090001 0468ce3c80".replace(" ", ""))


def video_track(number=1, codec="V_MPEG4/ISO/AVC", private=AVCC):
    return element("ae", (
        element("d7", bytes([number])) + uint("73c5", number) + element("83", b"\1")
        + element("536e", b"kinesis_video") + element("86", codec.encode())
        + element("e0", element("b0", b"\0\x40") + element("ba", b"\0\x40"))
        + element("63a2", private)
    ))


def audio_track(number=2):
    return element("ae", (
        element("d7", bytes([number])) + uint("73c5", number) + element("83", b"\2")
        + element("86", b"A_AAC") + element("63a2", bytes.fromhex("1408"))
    ))


def header(tracks=None, scale=1_000_000):
    info = (
        element("73a4", bytes(range(16))) + uint("2ad7b1", scale)
        + element("4d80", b"test") + element("5741", b"test")
    )
    return (
        bytes.fromhex("1a45dfa3a3428681014 2f7810142f2810442f381084282886d6174726f736b61"
                      "42878102428581 02".replace(" ", ""))
        + bytes.fromhex("18538067ff") + element("1549a966", info)
        + element("1654ae6b", b"".join(tracks or [video_track()]))
    )


def cluster(timecode):
    return bytes.fromhex("1f43b675ff") + uint("e7", timecode) + bytes.fromhex("a78100")


def block(track, relative, key, payload):
    head = bytes([0x80 | track]) + relative.to_bytes(2, "big", signed=True)
    return element("a3", head + (b"\x80" if key else b"\0") + payload)


def h264_frame(key, size=100, fill=7):
    nal = (b"\x65" if key else b"\x41") + bytes([0x88]) + bytes([fill]) * max(0, size - 6)
    return len(nal).to_bytes(4, "big") + nal


def tags(*pairs):
    simple = b"".join(
        element("67c8", element("45a3", name.encode()) + element("4487", value.encode()))
        for name, value in pairs
    )
    return element("1254c367", element("7373", simple))


END_OF_FRAGMENT = tags(("AWS_KINESISVIDEO_END_OF_FRAGMENT", ""))


def fragment(timecode, frames=5, size=100, fill=7, distance=40):
    return cluster(timecode) + b"".join(
        block(1, i * distance, i == 0, h264_frame(i == 0, size, fill)) for i in range(frames)
    )
