"""A `streamkeep serve` process on free loopback ports, for the tests here and in ../crash."""

import os
import pathlib
import random
import shutil
import socket
import subprocess
import time
import urllib.request

import boto3
from botocore.config import Config

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACCESS_KEY = "AKIDEXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
REGION = "us-west-2"


def binary():
    """The server under test: $STREAMKEEP, else the newest build."""
    named = os.environ.get("STREAMKEEP")
    if named:
        return str(pathlib.Path(named).resolve())
    built = [ROOT / "target" / kind / "streamkeep" for kind in ("debug", "release")]
    built = [path for path in built if path.exists()]
    if not built:
        raise FileNotFoundError("no server: build it (cargo build --bin streamkeep), or name it "
                                "with STREAMKEEP")
    return str(max(built, key=lambda path: path.stat().st_mtime))


def free_port():
    """Below those that connections going out are given: none of them takes it before the server does."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.randrange(15_000, 32_000)))
            except OSError:
                continue
            return probe.getsockname()[1]


class Server:
    """Started, stopped or killed, and started again: ports and data directory stay the same."""

    def __init__(self, data_dir, *args, env=None):
        self.data_dir = pathlib.Path(data_dir)
        self.port, self.tls_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.tls_url = f"https://127.0.0.1:{self.tls_port}"
        # A gibibyte is preallocated for each volume otherwise.
        small = () if "--volume-size-mib" in args else ("--volume-size-mib", "64")
        self.args = (*args, *small)
        self.env = {
            **os.environ,
            "STREAMKEEP_ROOT_ACCESS_KEY_ID": ACCESS_KEY,
            "STREAMKEEP_ROOT_SECRET_ACCESS_KEY": SECRET_KEY,
            **(env or {}),
        }
        self.process = None
        self.log_path = self.data_dir.with_suffix(".log")
        self.output_path = self.data_dir.with_suffix(".out")

    def start(self, seconds=30):
        with open(self.log_path, "ab") as log, open(self.output_path, "ab") as output:
            self.process = subprocess.Popen(
                [
                    binary(), "serve",
                    "--data-dir", str(self.data_dir),
                    "--listen", f"127.0.0.1:{self.port}",
                    "--tls-listen", f"127.0.0.1:{self.tls_port}",
                    "--region", REGION,
                    *self.args,
                ],
                env=self.env, stdout=output, stderr=log, stdin=subprocess.DEVNULL,
            )
        try:
            self.wait_ready(seconds)
        except BaseException:
            self.kill()
            raise
        return self

    def wait_ready(self, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended at start:\n{self.log_tail()}")
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=1):
                    return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"the server was not ready in time:\n{self.log_tail()}")

    def log(self):
        """Standard error of all runs."""
        return self.log_path.read_text(errors="replace")

    def output(self):
        """Standard output of all runs: what start prints."""
        return self.output_path.read_text(errors="replace")

    def log_tail(self, lines=40):
        return "\n".join(self.log().splitlines()[-lines:])

    def stop(self, seconds=20):
        """Asks the server to end; its exit status."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return self.process.returncode if self.process else None

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def remove(self):
        """Ends the server and takes its data directory away; the log stays."""
        self.kill()
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def offline(self, command, *args, seconds=60):
        """Runs an offline command of the same binary on the data directory."""
        done = subprocess.run(
            [binary(), command, "--data-dir", str(self.data_dir), *args],
            capture_output=True, text=True, timeout=seconds, env=self.env,
        )
        if "unrecognized subcommand" in done.stderr:
            raise RuntimeError(done.stderr)
        return done

    def client(self, service="kinesisvideo", url=None, **kwargs):
        return boto3.client(
            service,
            endpoint_url=url or self.url,
            region_name=REGION,
            aws_access_key_id=kwargs.pop("access_key", ACCESS_KEY),
            aws_secret_access_key=kwargs.pop("secret_key", SECRET_KEY),
            config=Config(retries={"max_attempts": 0}, read_timeout=30),
            **kwargs,
        )

    def status(self, field):
        """A figure of /proc/PID/status: VmRSS and the like in KiB, Threads."""
        with open(f"/proc/{self.process.pid}/status") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                if name == field:
                    return int(value.split()[0])
        raise KeyError(field)

    @property
    def ca_file(self):
        return str(self.data_dir / "tls" / "ca.pem")
