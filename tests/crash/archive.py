"""What a reader finds of a camera, compared with what was acked and what was sent."""

import hashlib
import time

from botocore.exceptions import ClientError

import matroska as mkv
from cameras import FRAGMENT_MS, HEADER, cluster

BATCH = 50


class Findings:
    """Counts over all cameras."""

    def __init__(self):
        self.read = self.lost = self.wrong = self.never_sent = self.twice = self.unacked = 0


def listed(client, stream):
    """Fragment numbers, oldest first."""
    pages = client.get_paginator("list_fragments").paginate(
        StreamName=stream,
        FragmentSelector={
            "FragmentSelectorType": "SERVER_TIMESTAMP",
            "TimestampRange": {"StartTimestamp": 0, "EndTimestamp": time.time() + 3600},
        },
        PaginationConfig={"PageSize": 1000},
    )
    return [int(f["FragmentNumber"]) for page in pages for f in page["Fragments"]]


def fetch(client, stream, numbers):
    """Number -> document, for those that are served; None for those told as lost."""
    served = {}
    for at in range(0, len(numbers), BATCH):
        batch = [str(number) for number in numbers[at:at + BATCH]]
        data = client.get_media_for_fragment_list(StreamName=stream, Fragments=batch)[
            "Payload"
        ].read()
        documents = mkv.documents(data)
        assert [document.number for document in documents] == batch, "one document for each"
        for document in documents:
            told = "AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE" in document.service
            served[int(document.number)] = None if told else document
    return served


def timecode_of(document):
    """The Timestamp of its one cluster; None when it has another form than those sent."""
    if len(document.clusters) != 1:
        return None
    media = document.clusters[0]
    _, _, at = mkv.read_header(media, 0)
    identifier, size, at = mkv.read_header(media, at)
    return int.from_bytes(media[at:at + size], "big") if identifier == "e7" else None


def is_exact(document, camera, timecode):
    """Header and cluster byte for byte; behind it nothing but end-of-fragment tags."""
    return (
        document.header == HEADER
        and document.clusters == [cluster(camera.index, timecode, camera.size)]
        and all(tag == mkv.END_OF_FRAGMENT for tag in document.tags)
        and document.service["AWS_KINESISVIDEO_PRODUCER_TIMESTAMP"]
        == f"{timecode // 1000}.{timecode % 1000:03}"
    )


def or_note(check):
    """A refused reader is a broken promise, not the end of the run."""
    def checked(client, camera, violations, *args):
        try:
            check(client, camera, violations, *args)
        except ClientError as error:
            violations.note("every PERSISTED fragment comes back", (camera.stream, error))
    return checked


@or_note
def compare(client, camera, violations, findings):
    """Everything there is of a camera."""
    stream = camera.stream
    numbers = listed(client, stream)
    if numbers != sorted(set(numbers)):
        violations.note("the listing is in order", stream)
    acked = {number: (timecode, sent) for timecode, number, sent, _ in camera.persisted}
    for number in acked.keys() - set(numbers):
        violations.note("every PERSISTED fragment is listed", (stream, number, acked[number][0]))
    served = fetch(client, stream, sorted(acked.keys() | set(numbers)))
    sent_until = camera.timecode(camera.produced())
    times = set()
    for number, document in served.items():
        findings.read += 1
        if document is None:
            findings.lost += 1
            if number in acked:
                violations.note("every PERSISTED fragment comes back",
                                (stream, number, acked[number][0]))
            continue
        timecode = timecode_of(document)
        sent = (
            timecode is not None and camera.first_timecode <= timecode < sent_until
            and (timecode - camera.first_timecode) % FRAGMENT_MS == 0
        )
        if not sent:
            findings.never_sent += 1
            violations.note("nothing is stored that was never sent", (stream, number, timecode))
        elif not is_exact(document, camera, timecode):
            findings.wrong += 1
            violations.note("no wrong byte is served", (stream, number, timecode))
        if number in acked:
            media = b"".join(document.clusters)
            if acked[number] != (timecode, hashlib.sha256(media).digest()):
                violations.note("no wrong byte is served", (stream, number, timecode))
        else:
            findings.unacked += 1
        if timecode in times:
            findings.twice += 1
            violations.note("what is sent again is stored once", (stream, number, timecode))
        times.add(timecode)


@or_note
def sample(client, camera, violations, count=3):
    """The last fragments that were PERSISTED, right after a restart."""
    last = camera.persisted[-count:]
    if not last:
        return
    for number, document in fetch(client, camera.stream, [number for _, number, _, _ in last]).items():
        timecode = next(entry[0] for entry in last if entry[1] == number)
        if document is None:
            violations.note("every PERSISTED fragment comes back",
                            (camera.stream, number, timecode, "right after a restart"))
        elif not is_exact(document, camera, timecode):
            violations.note("no wrong byte is served",
                            (camera.stream, number, timecode, "right after a restart"))
