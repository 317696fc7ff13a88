"""A server of its own for each test session, on free loopback ports, stopped at the end."""

import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from server_process import ACCESS_KEY, REGION, ROOT, SECRET_KEY, Server  # noqa: F401

FIXTURES = ROOT.parent / "shared" / "fixtures"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server") / "data").start()
    yield running
    running.remove()


@pytest.fixture
def make_server(tmp_path):
    """Makes servers with other options; all are gone at the end of the test."""
    servers = []

    def make(*args, **kwargs):
        server = Server(tmp_path / f"data{len(servers)}", *args, **kwargs)
        servers.append(server)
        return server.start()

    yield make
    for server in servers:
        server.remove()


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
