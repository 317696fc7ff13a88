"""A server of its own for each test session, on free loopback ports, stopped at the end."""

import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import boto3
import pytest
from botocore.config import Config

sys.path.insert(0, str(pathlib.Path(__file__).parent))

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT.parent / "shared" / "fixtures"
ACCESS_KEY = "AKIDEXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
REGION = "us-west-2"


def binary():
    """The server under test: $STREAMKEEP, else the newest build."""
    named = os.environ.get("STREAMKEEP")
    if named:
        return named
    built = [ROOT / "target" / kind / "streamkeep" for kind in ("debug", "release")]
    return str(max((b for b in built if b.exists()), key=lambda b: b.stat().st_mtime))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A `streamkeep serve` process."""

    def __init__(self, data_dir, *args, env=None):
        self.data_dir = pathlib.Path(data_dir)
        self.port, self.tls_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.tls_url = f"https://127.0.0.1:{self.tls_port}"
        self.args = args
        self.env = {
            **os.environ,
            "STREAMKEEP_ROOT_ACCESS_KEY_ID": ACCESS_KEY,
            "STREAMKEEP_ROOT_SECRET_ACCESS_KEY": SECRET_KEY,
            **(env or {}),
        }
        self.process = None
        self.log_path = self.data_dir.with_suffix(".log")

    def start(self):
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [
                binary(), "serve",
                "--data-dir", str(self.data_dir),
                "--listen", f"127.0.0.1:{self.port}",
                "--tls-listen", f"127.0.0.1:{self.tls_port}",
                "--region", REGION,
                *self.args,
            ],
            env=self.env, stdout=self.log, stderr=self.log,
        )
        self.wait_ready()
        return self

    def wait_ready(self, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended at start:\n{self.log_path.read_text()}")
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=1):
                    return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("the server was not ready in time")

    def stop(self, seconds=20):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(seconds)
        return self.process.returncode if self.process else None

    def kill(self):
        self.process.kill()
        self.process.wait()

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

    @property
    def ca_file(self):
        return str(self.data_dir / "tls" / "ca.pem")


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server") / "data").start()
    yield running
    running.stop()


@pytest.fixture
def make_server(tmp_path):
    """Makes servers with other options; all are stopped at the end of the test."""
    servers = []

    def make(*args, **kwargs):
        server = Server(tmp_path / f"data{len(servers)}", *args, **kwargs)
        servers.append(server)
        return server.start()

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def kvs(server):
    return server.client()


@pytest.fixture
def stream(server, kvs, request):
    """A fresh stream with two hours of retention."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)[:200]
    name = f"{name}-{time.time_ns()}"
    kvs.create_stream(StreamName=name, DataRetentionInHours=2, MediaType="video/h264")
    return name


@pytest.fixture(scope="session")
def fixtures():
    if not FIXTURES.exists():
        pytest.skip("no fixtures beside the project")
    return FIXTURES
