#!/usr/bin/env python3
"""kill -9 under load, again and again: what was PERSISTED must come back bit for bit.

    tests/crash/kill.py [--kills 20] [--cameras 40] [--seconds-between 2] [--corrupt]

Prints progress on standard error, then one JSON summary and a closing line. The page cache
survives a killed process; a power cut is ./power.py.
"""

import argparse
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "clients")]

from crash_run import add_options, run
from server_process import Server


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--keep", action="store_true", help="leave the data directory behind")
    add_options(parser)
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="streamkeep-kill-"))
    server = Server(work / "data")
    status = 1
    try:
        status = run(options, server, lambda server, chance: server.kill(), options.kills)
    finally:
        server.kill()
        if options.keep or status:
            print(f"log: {server.log_path}", file=sys.stderr)
        if not options.keep:
            shutil.rmtree(server.data_dir, ignore_errors=True)
            if status == 0:
                shutil.rmtree(work)
    return status


if __name__ == "__main__":
    sys.exit(main())
