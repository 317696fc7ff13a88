"""Nobody in: every route refuses what is not signed right, and secrets never reach the log."""

import json
import time

import pytest

import matroska as mkv
from conftest import ACCESS_KEY, SECRET_KEY
from put_media import PutMedia, amz_now
from signed_call import api_paths, call, presigned, send, signed_headers

MISSING = ("MissingAuthenticationTokenException", 403)
INCOMPLETE = ("IncompleteSignatureException", 403)
UNKNOWN = ("UnrecognizedClientException", 403)
WRONG = ("InvalidSignatureException", 403)
PATHS = api_paths()
BODY = '{"StreamName":"nowhere"}'


def other_signature(text):
    last = text[-1]
    return text[:-1] + ("0" if last != "0" else "1")


# What is wrong with a signed call, and how it is refused.
FAULTS = {
    "unsigned": ({"without_signature": True}, MISSING),
    "unknown-key": ({"access_key": "AKIDNOBODY"}, UNKNOWN),
    "wrong-secret": ({"secret": "wrong"}, WRONG),
    "wrong-signature": ({"authorization": other_signature}, WRONG),
    "expired": ({"offset": -16 * 60}, WRONG),
    "not-yet": ({"offset": 16 * 60}, WRONG),
    "other-service": ({"service": "s3"}, WRONG),
    "not-signed": ({"authorization": lambda text: text.split(", Signature")[0]}, INCOMPLETE),
    "short": ({"authorization": lambda text: text[:-2]}, INCOMPLETE),
    "basic": ({"authorization": lambda _: "Basic QUtJRDpzZWNyZXQ="}, INCOMPLETE),
    "bearer": ({"authorization": lambda _: "Bearer abc"}, INCOMPLETE),
    "empty": ({"authorization": lambda _: ""}, INCOMPLETE),
    "algorithm": (
        {"authorization": lambda text: text.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1")},
        INCOMPLETE,
    ),
    "session-token": ({"signed": {"x-amz-security-token": "a-token"}}, UNKNOWN),
    "unsigned-token": ({"unsigned": {"x-amz-security-token": "a-token"}}, UNKNOWN),
}


@pytest.mark.parametrize("operation", sorted(PATHS))
def test_every_route_is_closed(server, operation):
    path = PATHS[operation]
    for fault in ("unsigned", "unknown-key", "wrong-secret", "wrong-signature", "expired"):
        kwargs, expected = FAULTS[fault]
        answer = call(server.url, path, BODY if operation != "PutMedia" else "", **kwargs)
        assert answer.error == expected, fault
        assert list(answer.json()) == ["message"]
    if operation != "PutMedia":
        for body in ('{"StreamName":"no stream"}', "", "{"):
            answer = call(server.url, path, body)
            assert answer.status != 403, "the same call, signed right, gets further"


def test_every_described_operation_is_closed(server):
    """As the description has them, our own operations included."""
    described = send(server.url, "GET", "/openapi.json", {"host": "localhost"}, b"").json()
    checked = 0
    for path, item in described["paths"].items():
        for method, operation in item.items():
            if "security" in operation:
                continue  # a session token, or nothing at all
            for fault in ("unsigned", "wrong-secret", "expired"):
                kwargs, expected = FAULTS[fault]
                body = BODY if "requestBody" in operation and path != "/putMedia" else ""
                answer = call(server.url, path, body, method=method.upper(), **kwargs)
                assert answer.error == expected, (path, fault)
            checked += 1
    assert checked > 30


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("path", ["/describeStream", "/getMedia", "/putMedia"])
def test_faults(server, path, fault):
    kwargs, expected = FAULTS[fault]
    body = "" if path == "/putMedia" else BODY
    assert call(server.url, path, body, **kwargs).error == expected


def test_what_is_signed_cannot_be_changed(server, stream):
    """A recorded request is good for itself alone."""
    body = json.dumps({"StreamName": stream}).encode()
    headers = signed_headers(server.url, "/describeStream", body)

    def replay(path="/describeStream", body=body, **changed):
        changed = {name.replace("_", "-"): value for name, value in changed.items()}
        changed["content-length"] = str(len(body))
        return send(server.url, "POST", path, {**headers, **changed}, body).error

    assert replay() == (None, 200)
    assert replay(body=BODY.encode()) == WRONG
    assert replay(path="/deleteStream") == WRONG
    assert replay(path="/describeStream?x=1") == WRONG
    assert replay(host="example.org") == WRONG
    assert replay(content_type="text/plain") == WRONG
    assert replay(x_amz_date=amz_now(-30)) == WRONG
    assert replay(x_amz_content_sha256="0" * 64) == WRONG
    lies = {"x-amz-content-sha256": "0" * 64}
    assert call(server.url, "/describeStream", body, signed=lies).error == WRONG


def test_host_must_be_signed(server):
    answer = call(
        server.url, "/describeStream", BODY,
        authorization=lambda text: text.replace(";host;", ";"),
    )
    assert answer.error == WRONG


def test_clocks_may_differ_by_minutes(server):
    for offset in (-14 * 60, 14 * 60):
        assert call(server.url, "/describeStream", BODY, offset=offset).status == 404


def test_any_region_and_payload_form(server):
    for region in ("us-west-2", "eu-central-1", "mars-1"):
        assert call(server.url, "/describeStream", BODY, region=region).status == 404
    unsigned = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    assert call(server.url, "/describeStream", BODY, signed=unsigned).status == 404
    # Signed chunk streams are used by no client of this service.
    chunked = {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}
    assert call(server.url, "/describeStream", BODY, signed=chunked).error == INCOMPLETE


def test_presigned(server, stream):
    good = json.dumps({"StreamName": stream})
    assert presigned(server.url, "/describeStream", good).status == 200
    assert presigned(server.url, "/describeStream", good, offset=-299, expires=300).status == 200
    assert presigned(server.url, "/describeStream", good, expires=604_800).status == 200


PRESIGNED_FAULTS = {
    "expired": ({"offset": -400, "expires": 300}, WRONG),
    "not-yet": ({"offset": 16 * 60}, WRONG),
    "too-long": ({"expires": 604_801}, INCOMPLETE),
    "zero": ({"expires": 0}, INCOMPLETE),
    "wrong-secret": ({"secret": "wrong"}, WRONG),
    "unknown-key": ({"access_key": "AKIDNOBODY"}, UNKNOWN),
    "other-service": ({"service": "sts"}, WRONG),
    "changed": ({"change": other_signature}, WRONG),
    "longer-life": (
        {"change": lambda query: query.replace("Expires=300", "Expires=3000")}, WRONG,
    ),
    "added": ({"change": lambda query: query + "&x=1"}, WRONG),
    "other-body": ({"signed_body": "{}"}, WRONG),
    "no-date": ({"drop": ["X-Amz-Date"]}, INCOMPLETE),
    "no-expires": ({"drop": ["X-Amz-Expires"]}, INCOMPLETE),
    "no-headers": ({"drop": ["X-Amz-SignedHeaders"]}, INCOMPLETE),
    "no-signature": ({"change": lambda query: query.split("&X-Amz-Signature")[0]}, INCOMPLETE),
    "twice": ({"change": lambda query: query + "&X-Amz-Expires=300"}, INCOMPLETE),
}


@pytest.mark.parametrize("fault", PRESIGNED_FAULTS)
def test_presigned_faults(server, fault):
    kwargs, expected = PRESIGNED_FAULTS[fault]
    assert presigned(server.url, "/describeStream", BODY, **kwargs).error == expected


def test_both_forms_at_once(server):
    answer = call(server.url, "/describeStream?X-Amz-Signature=" + "0" * 64, BODY)
    assert answer.error == INCOMPLETE


def test_put_media_obeys_no_unsigned_header(server, kvs, stream):
    """Or who replays a session could send its media to another stream."""
    other = f"other-{time.time_ns()}"
    kvs.create_stream(StreamName=other, DataRetentionInHours=1)
    arn = kvs.describe_stream(StreamName=other)["StreamInfo"]["StreamARN"]
    for name, value in (
        ("x-amzn-stream-name", stream), ("x-amzn-stream-arn", arn),
        ("x-amzn-fragment-timecode-type", "ABSOLUTE"),
        ("x-amzn-producer-start-timestamp", "0"),
    ):
        session = PutMedia(
            server.url, stream, ACCESS_KEY, SECRET_KEY, headers={name: value}, unsigned=[name],
            drop=["x-amzn-stream-name"] if name == "x-amzn-stream-arn" else (),
        )
        assert session.head() == 403, name
        assert session.error()[0] == "InvalidSignatureException"


def test_put_media_is_refused_before_its_body(server, stream):
    for kwargs in ({"secret_key": "wrong"}, {"access_key": "AKIDNOBODY"}):
        keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, **kwargs}
        session = PutMedia(server.url, stream, **keys)
        assert session.head(seconds=2) == 403, "with no byte of the body sent"


def test_open_routes_say_nothing(server):
    for path, text in (("/healthz", b"ok\n"), ("/readyz", b"ready\n")):
        answer = send(server.url, "GET", path, {"host": "x"}, b"")
        assert (answer.status, answer.body) == (200, text)
    metrics = send(server.url, "GET", "/metrics", {"host": "x"}, b"")
    assert metrics.status == 200, "on plain loopback"
    for header in ("forwarded", "x-forwarded-for"):
        proxied = send(server.url, "GET", "/metrics", {"host": "x", header: "1.2.3.4"}, b"")
        assert proxied.error == MISSING, "a proxy brings others in"
    host = server.tls_url.split("//")[1]
    over_tls = send(server.tls_url, "GET", "/metrics", {"host": host}, b"", server.ca_file)
    assert over_tls.error == MISSING
    signed = call(server.tls_url, "/metrics", "", method="GET", ca_file=server.ca_file)
    assert signed.status == 200 and signed.body.endswith(b"# EOF\n")


def test_refusals_do_not_tell_a_stream_from_none(server, stream):
    """Who may not ask learns nothing, in words or in bytes."""
    bodies = set()
    for name in (stream, "nowhere"):
        answer = call(server.url, "/describeStream", json.dumps({"StreamName": name}), secret="x")
        bodies.add((answer.status, answer.body))
    assert len(bodies) == 1


def test_secrets_never_reach_the_log(make_server):
    """A whole exchange, good and refused, at the most talkative setting."""
    server = make_server(env={"STREAMKEEP_LOG": "trace"})
    kvs = server.client()
    kvs.create_stream(StreamName="cam", DataRetentionInHours=1)
    proofs = []

    def keep(text):
        proofs.append(text.rsplit("=", 1)[1])
        return text

    call(server.url, "/describeStream", '{"StreamName":"cam"}', authorization=keep)
    call(server.tls_url, "/describeStream", '{"StreamName":"cam"}', authorization=keep,
         ca_file=server.ca_file)
    for kwargs, _ in FAULTS.values():
        change = kwargs.get("authorization", lambda text: text)
        call(server.url, "/describeStream", BODY, **{
            **kwargs, "authorization": lambda text, change=change: change(keep(text)),
        })

    def keep_query(query):
        proofs.append(query.rsplit("=", 1)[1])
        return query

    presigned(server.url, "/describeStream", '{"StreamName":"cam"}', change=keep_query)
    presigned(server.url, "/describeStream", BODY, change=keep_query, offset=-4000)
    session = PutMedia(server.url, "cam", ACCESS_KEY, SECRET_KEY)
    assert session.head() == 200
    at = int(time.time() * 1000)
    session.send(mkv.header() + mkv.fragment(at) + mkv.END_OF_FRAGMENT)
    number = session.wait_for("PERSISTED")[-1]["FragmentNumber"]
    session.finish()
    PutMedia(server.url, "cam", ACCESS_KEY, "the-wrong-secret-key").head()
    server.client("kinesis-video-archived-media").get_media_for_fragment_list(
        StreamName="cam", Fragments=[number]
    )["Payload"].read()
    root_key = (server.data_dir / "root.key").read_text().strip()
    assert server.stop() == 0
    log = server.log() + server.output()
    assert log.count("refused") > 10, "the log does talk"
    assert len(proofs) == len(FAULTS) + 4
    for secret in (SECRET_KEY, "the-wrong-secret-key", root_key, "a-token", *proofs):
        assert secret not in log, secret
    assert "Signature=" not in log and "AWS4" + SECRET_KEY not in log
    assert "QUtJRDpzZWNyZXQ=" not in log, "nor what others might take for one"
