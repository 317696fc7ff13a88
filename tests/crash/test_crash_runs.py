"""The crash runs themselves: green on a good server, red for the right reason on damage."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
SMALL = ["--cameras", "6", "--seconds-between", "0.5"]


@pytest.fixture
def outcome(tmp_path):
    """Runs a script; its exit status, summary and closing line."""
    return lambda *args: run(tmp_path, *args)


def run(tmp_path, script, *args):
    done = subprocess.run(
        [sys.executable, str(HERE / script), *SMALL, *args],
        capture_output=True, text=True, timeout=300,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    if done.stdout.startswith("skipped"):
        pytest.skip(done.stdout.strip())
    *_, summary, closing = done.stdout.splitlines()
    return done.returncode, json.loads(summary), closing


@pytest.mark.parametrize("script, args", [
    ("kill.py", ["--kills", "3"]),
    ("power.py", ["--cuts", "2", "--fs", "ext4"]),
    ("power.py", ["--cuts", "2", "--fs", "xfs"]),
])
def test_green(outcome, script, args):
    status, summary, closing = outcome(script, *args)
    assert (status, summary["failed"]) == (0, {})
    assert summary["persisted"] > 20 and summary["read_back"] >= summary["persisted"]
    assert closing == "16 passed, 0 failed"


def test_damage_is_seen_and_never_served(outcome):
    """The control: bytes flipped between kill and restart."""
    status, summary, closing = outcome("kill.py", "--kills", "2", "--corrupt")
    assert status == 1 and closing.endswith(" failed") and not closing.endswith(" 0 failed")
    assert summary["lost"] > 0
    assert (summary["wrong"], summary["never_sent"]) == (0, 0)
    assert "every PERSISTED fragment comes back" in summary["failed"]
    assert "no wrong byte is served" not in summary["failed"]
