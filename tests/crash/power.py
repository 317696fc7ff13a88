#!/usr/bin/env python3
"""Power cuts under load: the file system is shut down without writing back, then mounted again.

    tests/crash/power.py [--cuts 10] [--fs ext4|xfs] [--cameras 20] [--seconds-between 2]

The data directory is on a file system of its own in a sparse file of 2 GiB. A cut is the file
system's own forced shutdown without log flush: from then on nothing reaches the device, what was
written without a sync is gone, and the server sees its writes fail until it is killed.

A sync that is under way at that moment may come back with success although its data is lost (seen
on ext4, Linux 6.18). A machine without power would not have answered, so acks from that moment on
do not count; but a sync that begins later must fail, and its fragment must not be acked.

Needs root and loop devices; says so and ends with status 0 where there are none.
"""

import argparse
import fcntl
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "clients")]

from crash_run import add_options, run
from server_process import Server

# _IOR('X', 125, __u32): EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN.
SHUTDOWN = 0x8004587D
WITHOUT_LOG_FLUSH = 2
IMAGE_BYTES = 2 << 30


class Disk:
    """A file system in a file."""

    def __init__(self, work, kind):
        self.image, self.mount_point, self.kind = work / "disk.img", work / "disk", kind
        self.mounted = False
        self.cuts = 0

    def make(self):
        with open(self.image, "wb") as file:
            file.truncate(IMAGE_BYTES)
        self.mount_point.mkdir()
        quiet = ["-q"] if self.kind == "xfs" else ["-q", "-E", "lazy_itable_init=0"]
        run_tool(f"mkfs.{self.kind}", *quiet, self.image)
        self.mount()

    def mount(self):
        run_tool("mount", "-o", "loop", "-t", self.kind, self.image, self.mount_point)
        self.mounted = True

    def unmount(self):
        if self.mounted:
            for _ in range(50):
                done = subprocess.run(["umount", self.mount_point], capture_output=True, text=True)
                if done.returncode == 0:
                    self.mounted = False
                    return
                time.sleep(0.1)
            raise RuntimeError(done.stderr)

    def cut(self):
        """Nothing reaches the device any more."""
        directory = os.open(self.mount_point, os.O_RDONLY)
        try:
            fcntl.ioctl(directory, SHUTDOWN, struct.pack("I", WITHOUT_LOG_FLUSH))
            self.cuts += 1
        finally:
            os.close(directory)


def run_tool(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip() or done.stdout.strip()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cuts", type=int, default=10)
    parser.add_argument("--fs", choices=["ext4", "xfs"], default="ext4")
    add_options(parser)
    parser.set_defaults(cameras=20)
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="streamkeep-power-"))
    disk = Disk(work, options.fs)
    try:
        disk.make()
    except (RuntimeError, OSError) as error:
        shutil.rmtree(work, ignore_errors=True)
        print(f"skipped: no file system of its own can be mounted here: {error}")
        return 0
    server = Server(disk.mount_point / "data")
    server.log_path, server.output_path = work / "server.log", work / "server.out"

    def cut(server, chance):
        since = time.monotonic()
        disk.cut()
        # The server lives on for a moment over a dead disk: it must not say PERSISTED.
        time.sleep(chance.random() * 1.2)
        server.kill()
        return since

    def again(server):
        disk.unmount()
        disk.mount()

    status = 1
    try:
        status = run(options, server, cut, options.cuts, again)
    finally:
        server.kill()
        disk.unmount()
        disk.image.unlink()
        if status == 0:
            shutil.rmtree(work)
        else:
            print(f"log: {server.log_path}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
