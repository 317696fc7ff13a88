"""One request with a signature of which every part can be wrong."""

import contextlib
import hashlib
import http.client
import json
import ssl
from urllib.parse import quote, urlsplit

import botocore.session

from put_media import amz_now, sign, signature
from server_process import ACCESS_KEY, REGION, SECRET_KEY

SERVICES = (
    "kinesisvideo", "kinesis-video-media", "kinesis-video-archived-media",
    "kinesis-video-signaling", "kinesis-video-webrtc-storage",
)


def api_paths():
    """Operation -> path, from the published models; PutMedia is in none of them."""
    session = botocore.session.get_session()
    paths = {"PutMedia": "/putMedia"}
    for service in SERVICES:
        model = session.get_service_model(service)
        for name in model.operation_names:
            http_trait = model.operation_model(name).http
            assert http_trait["method"] == "POST"
            paths[name] = http_trait["requestUri"]
    return paths


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def error(self):
        """Exception name and status, as clients compare them."""
        return self.headers.get("x-amzn-errortype"), self.status

    def json(self):
        return json.loads(self.body)


def send(url, method, target, headers, body, ca_file=None, seconds=20):
    parts = urlsplit(url)
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=ca_file)
        connection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=seconds, context=context
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=seconds)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders(body)  # a refusal may come before the body is out
        return Answer(connection.getresponse())
    finally:
        connection.close()


def signed_headers(
    url, path, body="{}", *, method="POST", access_key=ACCESS_KEY, secret=SECRET_KEY,
    region=REGION, service="kinesisvideo", offset=0, signed=None, unsigned=None, signed_body=None,
    authorization=None, without_signature=False,
):
    """`signed` and `unsigned` are headers added before and after signing; `offset` shifts the
    date by seconds; `authorization` changes the header's text."""
    body = body if isinstance(body, bytes) else body.encode()
    headers = {
        "host": urlsplit(url).netloc,
        "content-type": "application/json",
        "x-amz-date": amz_now(offset),
        **(signed or {}),
    }
    payload = hashlib.sha256(body if signed_body is None else signed_body.encode()).hexdigest()
    payload = headers.get("x-amz-content-sha256", payload)
    proof = sign(secret, access_key, region, method, path, headers, payload, service)
    if authorization:
        proof = authorization(proof)
    headers["content-length"] = str(len(body))
    if not without_signature:
        headers["authorization"] = proof
    return {**headers, **(unsigned or {})}


def call(url, path, body="{}", *, method="POST", ca_file=None, **kwargs):
    """A call with the options of `signed_headers`."""
    body = body if isinstance(body, bytes) else body.encode()
    headers = signed_headers(url, path, body, method=method, **kwargs)
    return send(url, method, path, headers, body, ca_file)


def presigned(
    url, path, body="{}", *, method="POST", access_key=ACCESS_KEY, secret=SECRET_KEY,
    region=REGION, service="kinesisvideo", offset=0, expires=300, signed_body=None, change=None,
    drop=(), ca_file=None,
):
    """The query form. `change` alters the query's text after signing, `drop` leaves parameters
    out before."""
    body = body.encode()
    date = amz_now(offset)
    scope = f"{date[:8]}/{region}/{service}/aws4_request"
    parameters = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{access_key}/{scope}",
        "X-Amz-Date": date,
        "X-Amz-Expires": str(expires),
        "X-Amz-SignedHeaders": "host",
    }
    parameters = {name: value for name, value in parameters.items() if name not in drop}
    query = "&".join(f"{n}={quote(v, safe='')}" for n, v in sorted(parameters.items()))
    headers = {"host": urlsplit(url).netloc}
    payload = hashlib.sha256(body if signed_body is None else signed_body.encode()).hexdigest()
    proof = signature(secret, scope, date, method, path, query, headers, payload)
    query += f"&X-Amz-Signature={proof}"
    if change:
        query = change(query)
    headers["content-length"] = str(len(body))
    return send(url, method, f"{path}?{query}", headers, body, ca_file)
