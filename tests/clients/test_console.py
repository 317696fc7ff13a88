"""The console's page and its sign-in link from outside."""

import http.client
import json
import re
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.exceptions import ClientError

from server_process import REGION, binary, free_port

HEADERS = {
    "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy",
    "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Permissions-Policy",
}


def fetch(url, data=None, **headers):
    request = urllib.request.Request(url, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@pytest.mark.parametrize("path", ["/", "/console", "/console/", "/console/streams/gate-3?live",
                                  "/console/assets/none.js", "/console/../createStream"])
def test_every_answer_has_the_headers(server, path):
    status, headers, body = fetch(server.url + path)
    assert HEADERS <= set(headers) or {h.lower() for h in HEADERS} <= {h.lower() for h in headers}
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "*" not in policy
    # Without Node.js the server builds too, and says what is missing.
    assert status in (200, 404)
    if status == 404 and "assets" not in path:
        assert b"scripts/console" in body


def test_hsts_over_tls_by_name_alone(server):
    trusted = ssl.create_default_context(cafile=server.ca_file)

    def has(port, host, context=None):
        connection = (http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
                      if context else http.client.HTTPConnection("127.0.0.1", port, timeout=10))
        connection.request("GET", "/console/", headers={"Host": host})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.headers["Strict-Transport-Security"]

    assert has(server.tls_port, "nvr.example:8443", trusted) == "max-age=31536000"
    assert has(server.tls_port, "localhost", trusted) is None
    assert has(server.tls_port, "127.0.0.1", trusted) is None
    assert has(server.port, "nvr.example") is None


def test_only_reading(server):
    for path in ("/console/", "/console"):
        status, headers, _ = fetch(server.url + path, data=b"{}")
        assert (status, headers["Allow"]) == (405, "GET")
    # Clients of other services post to the root: that is still no operation of this one.
    status, _, body = fetch(server.url + "/", data=b"{}")
    assert status == 400 and b"No operation" in body, body


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A demo with one camera, and the sign-in token it printed."""
    port = free_port()
    process = subprocess.Popen(
        [binary(), "demo", "--cameras", "1", "--listen", f"127.0.0.1:{port}",
         "--data-dir", str(tmp_path_factory.mktemp("demo") / "data")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    try:
        token = None
        for line in process.stdout:
            if found := re.search(r"/console/#signin=([A-Za-z0-9_-]+)", line):
                token = found[1]
            if "Ctrl-C" in line:
                break
        if token is None:
            pytest.skip("no console in this build")
        yield f"http://127.0.0.1:{port}", token
    finally:
        process.terminate()
        process.wait(20)


def redeem(url, token):
    return fetch(f"{url}/console/session", data=json.dumps({"token": token}).encode(),
                 **{"Content-Type": "application/json"})


def test_a_link_signs_in_once(demo):
    url, token = demo
    for wrong in ("", "x" * 43, token[:-1], token.lower()):
        assert redeem(url, wrong)[0] == 403
    status, headers, body = redeem(url, token)
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    given = json.loads(body)
    assert given["accessKeyId"].startswith("ASIA")
    assert 0 < given["expiration"] - time.time() <= 12 * 3600
    status, _, body = redeem(url, token)
    assert status == 403 and b"used already" in body

    def client(session_token):
        return boto3.client(
            "kinesisvideo", endpoint_url=url, region_name=REGION,
            aws_access_key_id=given["accessKeyId"],
            aws_secret_access_key=given["secretAccessKey"], aws_session_token=session_token,
        )

    assert [s["StreamName"] for s in client(given["sessionToken"]).list_streams()["StreamInfoList"]]
    for wrong in (None, "x" * 43):
        with pytest.raises(ClientError) as refused:
            client(wrong).list_streams()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)


def test_what_is_no_token(demo):
    url, _ = demo
    for body in (b"", b"[]", b"{}", b'{"token": 5}', b"\xff", b'{"token": null}'):
        assert fetch(f"{url}/console/session", data=body)[0] == 403
    assert fetch(f"{url}/console/session", data=b"x" * 2000)[0] == 413
    assert fetch(f"{url}/console/session")[0] == 405
