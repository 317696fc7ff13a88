"""A run of cameras, disasters and restarts, and the verdict on it."""

import json
import random
import resource
import sys
import time

from archive import Findings, compare, sample
from cameras import Camera, Fleet, Violation

PROMISES = (
    "every PERSISTED fragment is listed",
    "every PERSISTED fragment comes back",
    "no wrong byte is served",
    "nothing is stored that was never sent",
    "what is sent again is stored once",
    "nothing is acked over a dead disk",
    "acks come in order",
    "numbers grow",
    "the listing is in order",
    "no camera is told to discard",
    "every camera stores all it has",
    "fragments are stored again after each restart",
    "the server is ready in time",
    "the server ends well",
    "fsck finds nothing",
    "every run comes to its end",
)
# Cameras buffer two minutes and begin to lose footage after half of it.
READY_SECONDS_MAX = 10
# An ack that comes this long after the disk died answers a sync that began after it.
IN_FLIGHT_SECONDS = 0.5


def add_options(parser):
    parser.add_argument("--cameras", type=int, default=40)
    parser.add_argument("--seconds-between", type=float, default=2.0,
                        help="mean time between restart and the next disaster")
    parser.add_argument("--fragment-kib", type=int, default=20)
    parser.add_argument("--fragments-per-second", type=float, default=8.0, help="of each camera")
    parser.add_argument("--window", type=int, default=30,
                        help="fragments a camera sends ahead of its PERSISTED acks")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--corrupt", action="store_true",
                        help="control: damage the volumes between disaster and restart; the run "
                             "must fail, with fragments told as lost and no wrong byte served")


def flip_bytes(data_dir, chance):
    """Damages what is durable: the first half of the largest volume, one byte in each 64 KiB."""
    volumes = [(len(p.read_bytes().rstrip(b"\0")), p) for p in (data_dir / "volumes").glob("*.vol")]
    length, path = max(volumes)
    with open(path, "r+b") as file:
        for at in range(8192, length // 2, 65_536):
            offset = at + chance.randrange(32_768)
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 1 << chance.randrange(8)]))


class Run:
    """The server, its cameras, and what is known of both."""

    def __init__(self, options, server, disaster, again):
        seed = random.randrange(1 << 32) if options.seed is None else options.seed
        print(f"seed {seed}", file=sys.stderr)
        self.options, self.server, self.seed = options, server, seed
        self.disaster, self.again = disaster, again
        self.chance = random.Random(seed)
        self.violations, self.findings = Violation(), Findings()
        self.ready, self.disasters, self.recoveries_cut = [], 0, 0
        self.began = time.monotonic()

    def start(self):
        """Starts the server and notes how long it takes until it is ready."""
        began = time.monotonic()
        self.server.start(seconds=60)
        took = time.monotonic() - began
        self.ready.append(took)
        if took > READY_SECONDS_MAX:
            self.violations.note("the server is ready in time", took)

    def open(self):
        """Streams and their cameras, on a new server."""
        self.options.first_timecode = int(time.time() * 1000)
        self.start()
        kvs = self.server.client()
        self.client = self.server.client("kinesis-video-archived-media")
        self.cameras = []
        for index in range(self.options.cameras):
            name = f"camera-{index:04}"
            kvs.create_stream(StreamName=name, DataRetentionInHours=24)
            self.cameras.append(
                Camera(index, name, self.server, self.options, self.violations)
            )
        self.fleet = Fleet(self.cameras)

    def strike(self):
        """One disaster, and what makes a start possible again."""
        since = self.disaster(self.server, self.chance)
        if since is not None:
            self.forget(since)
        if self.again:
            self.again(self.server)

    def forget(self, since):
        """Drops the acks that a machine without power would not have sent any more."""
        for camera in self.cameras:
            for entry in camera.persisted[-self.options.window:]:
                if entry[3] > since + IN_FLIGHT_SECONDS:
                    detail = (camera.stream, entry[1], f"{entry[3] - since:.3f} s after")
                    self.violations.note("nothing is acked over a dead disk", detail)
        self.fleet.forget(since)

    def turn(self):
        """From one disaster to the next."""
        moved(self.fleet, self.violations, self.disasters)
        time.sleep(self.options.seconds_between * (0.5 + self.chance.random()))
        self.fleet.check()
        persisted = self.fleet.persisted()
        self.strike()
        self.disasters += 1
        if self.options.corrupt:
            flip_bytes(self.server.data_dir, self.chance)
        if self.chance.random() < 0.3:
            # Recovery is cut as well, and must begin again from what it left.
            try:
                self.server.start(seconds=self.chance.random() * 0.05)
            except RuntimeError:
                self.recoveries_cut += 1
            self.strike()
        self.start()
        for camera in self.chance.sample(self.cameras, min(3, len(self.cameras))):
            sample(self.client, camera, self.violations)
        print(f"{self.disasters}: {persisted} persisted, ready in {self.ready[-1]:.2f} s",
              file=sys.stderr)

    def finish(self):
        """Lets the cameras end, restarts once more in good order, and reads everything."""
        moved(self.fleet, self.violations, self.disasters)
        unfinished = self.fleet.end(seconds=60)
        if unfinished:
            self.violations.note("every camera stores all it has", f"{unfinished} cameras")
        if self.server.stop() != 0:
            self.violations.note("the server ends well", self.server.process.returncode)
        self.start()
        for camera in self.cameras:
            compare(self.client, camera, self.violations, self.findings)
        if self.server.stop() != 0:
            self.violations.note("the server ends well", self.server.process.returncode)
        checked = self.server.offline("fsck", seconds=3600)
        if checked.returncode != 0:
            text = (checked.stdout + checked.stderr)[-2000:]
            self.violations.note("fsck finds nothing", text)

    def summary(self):
        if "panicked" in self.server.log():
            self.violations.note("the server ends well", "a thread panicked, see the log")
        of = self.violations.of
        return {
            "seed": self.seed,
            "disasters": self.disasters,
            "recoveries_cut": self.recoveries_cut,
            "cameras": self.options.cameras,
            "seconds": round(time.monotonic() - self.began, 1),
            "persisted": self.fleet.persisted(),
            "sent_again": sum(camera.resent for camera in self.cameras),
            "sessions": sum(camera.sessions for camera in self.cameras),
            "read_back": self.findings.read,
            "stored_without_ack": self.findings.unacked,
            "lost": self.findings.lost,
            "wrong": self.findings.wrong,
            "never_sent": self.findings.never_sent,
            "stored_twice": self.findings.twice,
            "ready_seconds": {
                "median": round(sorted(self.ready)[len(self.ready) // 2], 3),
                "max": round(max(self.ready), 3),
            },
            "failed": {
                promise: [str(detail)[:2000] for detail in of(promise)[:3]]
                + [f"{len(of(promise))} in all"]
                for promise in PROMISES if of(promise)
            },
        }


def run(options, server, disaster, count, again=None):
    """The exit status. `disaster` ends the server in some bad way and tells from when on acks do
    not count, if it matters; `again` makes it startable."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    this = Run(options, server, disaster, again)
    this.open()
    try:
        for _ in range(count):
            this.turn()
        this.finish()
    except RuntimeError as error:
        # The server did not start: nothing more can be read.
        this.violations.note("every run comes to its end", str(error)[-2000:])
    finally:
        this.fleet.stop()
    summary = this.summary()
    print(json.dumps(summary))
    failed = len(summary["failed"])
    print(f"{len(PROMISES) - failed} passed, {failed} failed")
    return 1 if failed else 0


def moved(fleet, violations, turn, seconds=30):
    """Waits until fragments are stored (again)."""
    before, deadline = fleet.persisted(), time.monotonic() + seconds
    while fleet.persisted() <= before:
        fleet.check()
        if time.monotonic() > deadline:
            violations.note("fragments are stored again after each restart", f"turn {turn}")
            return
        time.sleep(0.01)
