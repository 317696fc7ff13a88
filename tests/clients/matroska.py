"""Matroska bodies made at test time, in the layout of the producer SDK (put-media.md §4.1)."""


def element(identifier, body):
    return bytes.fromhex(identifier) + (len(body) | 1 << 56).to_bytes(8, "big") + body


def uint(identifier, value):
    return element(identifier, value.to_bytes(8, "big"))


# 64x64 baseline H.264: avcC with one SPS (picture order count type 2) and one PPS.
AVCC = bytes.fromhex("0142c00affe10007" "6742c00ada1099" "010004" "68ce3c80")


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


class Broken(Exception):
    """The bytes are no whole element."""


def read_header(data, at):
    """Element ID (hex), data size (None: unknown) and where the data begins."""
    if at >= len(data) or not data[at]:
        raise Broken(f"no element at {at}")
    width = 9 - data[at].bit_length()
    identifier = data[at:at + width].hex()
    at += width
    if at >= len(data) or not data[at]:
        raise Broken(f"no size at {at}")
    width = 9 - data[at].bit_length()
    size = int.from_bytes(data[at:at + width], "big") & ((1 << 7 * width) - 1)
    if at + width > len(data):
        raise Broken(f"cut in the size at {at}")
    return identifier, None if size == (1 << 7 * width) - 1 else size, at + width


def children(data):
    """(Element ID, data) of each element in `data`."""
    at = 0
    while at < len(data):
        identifier, size, start = read_header(data, at)
        if size is None or start + size > len(data):
            raise Broken(f"{identifier} at {at} is not whole")
        yield identifier, data[start:start + size]
        at = start + size


def tag_values(tags_data):
    """TagName -> TagString of the data of a Tags element."""
    values = {}
    for _, tag in children(tags_data):
        for identifier, simple in children(tag):
            if identifier == "67c8":
                fields = dict(children(simple))
                values[fields["45a3"].decode()] = fields.get("4487", b"").decode()
    return values


EBML, SEGMENT, CLUSTER, TAGS = "1a45dfa3", "18538067", "1f43b675", "1254c367"
VOID = "ec"
TOP_LEVEL = (EBML, SEGMENT, CLUSTER, TAGS, "1549a966", "1654ae6b", "114d9b74", "1c53bb6b")


class Document:
    """One document of a GetMedia or GetMediaForFragmentList answer."""

    def __init__(self):
        self.header = b""  # up to the first Tags of the service, or the cluster
        self.service = {}  # AWS_KINESISVIDEO_... name -> value
        self.clusters = []  # each with its own header, verbatim
        self.tags = []  # the producer's Tags after a cluster, whole elements
        self.bytes = b""  # the whole document

    @property
    def number(self):
        return self.service.get("AWS_KINESISVIDEO_FRAGMENT_NUMBER")

    @property
    def media(self):
        """What the producer sent for the fragment: its cluster and the tags after it."""
        return b"".join(self.clusters + self.tags)


def cluster_end(data, at):
    """Where the unknown-sized cluster ends whose data begins at `at`."""
    while at < len(data):
        identifier, size, start = read_header(data, at)
        if identifier in TOP_LEVEL:
            return at
        if size is None or start + size > len(data):
            raise Broken(f"{identifier} at {at} is not whole")
        at = start + size
    return at


def documents(data):
    """Reads a finite answer; raises Broken on anything that is not Matroska."""
    found, at = [], 0
    while at < len(data):
        begin = at
        identifier, size, start = read_header(data, at)
        if identifier == EBML:
            found.append(Document())
        if not found:
            raise Broken(f"begins with {identifier}")
        document = found[-1]
        if identifier == SEGMENT:
            at = start
        elif identifier == CLUSTER and size is None:
            at = cluster_end(data, start)
            document.clusters.append(data[begin:at])
        else:
            known = identifier in (*TOP_LEVEL, VOID)
            if not known or size is None or start + size > len(data):
                raise Broken(f"{identifier} at {at} is not whole")
            at = start + size
            values = tag_values(data[start:at]) if identifier == TAGS else {}
            if any(name.startswith("AWS_KINESISVIDEO_") for name in values) and not all(
                name == "AWS_KINESISVIDEO_END_OF_FRAGMENT" for name in values
            ):
                document.service.update(values)
            elif identifier == CLUSTER:
                document.clusters.append(data[begin:at])
            elif document.clusters:
                document.tags.append(data[begin:at])
        if not document.clusters and not document.service:
            document.header += data[begin:at]
        document.bytes += data[begin:at]
    return found
