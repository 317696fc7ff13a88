"""A PutMedia producer on a bare socket: what goes over the wire is decided byte by byte."""

import hashlib
import hmac
import json
import select
import socket
import ssl
import time
from datetime import datetime, timezone
from urllib.parse import urlsplit

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


def signature(secret, scope, amz_date, method, path, query, headers, payload_hash):
    """The hexadecimal signature over `headers` (names in lower case) and a canonical `query`."""
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
    canonical = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{payload_hash}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{amz_date}\n{scope}\n{digest}"
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def sign(secret, access_key, region, method, path, headers, payload_hash, service="kinesisvideo"):
    """The Authorization value for `headers` (all are signed, names in lower case)."""
    amz_date = headers["x-amz-date"]
    scope = f"{amz_date[:8]}/{region}/{service}/aws4_request"
    proof = signature(secret, scope, amz_date, method, path, "", headers, payload_hash)
    names = ";".join(sorted(headers))
    return (
        f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names}, "
        f"Signature={proof}"
    )


def amz_now(offset=0):
    return datetime.fromtimestamp(time.time() + offset, timezone.utc).strftime("%Y%m%dT%H%M%SZ")


class PutMedia:
    """One session. `raw` collects every byte received; `chunks` the HTTP chunks after the head."""

    def __init__(
        self, url, stream, access_key, secret_key, region="us-west-2", timecode_type="ABSOLUTE",
        start="1500000000.5", host_with_port=False, expect=False, ca_file=None, headers=None,
        drop=(), unsigned=(), sign_offset=0, path="/putMedia",
    ):
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=ca_file)
            self.socket = context.wrap_socket(self.socket, server_hostname=parts.hostname)
        self.raw = b""
        signed = {
            "connection": "keep-alive",
            "host": parts.netloc if host_with_port else parts.hostname,
            "transfer-encoding": "chunked",
            "user-agent": "AWS-SDK-KVS-CPP-CLIENT/3.5.0 test",
            "x-amz-date": amz_now(sign_offset),
            "x-amzn-fragment-acknowledgment-required": "1",
            "x-amzn-fragment-timecode-type": timecode_type,
            "x-amzn-producer-start-timestamp": start,
            "x-amzn-stream-name": stream,
            **(headers or {}),
        }
        for name in drop:
            signed.pop(name, None)
        covered = {k: v for k, v in signed.items() if k not in unsigned}
        authorization = sign(
            secret_key, access_key, region, "POST", path, covered, EMPTY_SHA256
        )
        lines = [f"POST {path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in signed.items()]
        lines += [f"Authorization: {authorization}", "content-type: application/json"]
        if expect:
            lines.append("Expect: 100-continue")
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")

    def send(self, body):
        """One HTTP chunk."""
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(body), body))

    def finish(self):
        self.socket.sendall(b"0\r\n\r\n")

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.close()

    def _receive(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        pending = getattr(self.socket, "pending", lambda: 0)()
        if not pending and not select.select([self.socket], [], [], left)[0]:
            return False
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        self.ended = not data
        self.raw += data
        return bool(data)

    def head(self, seconds=5):
        """Status of the final response; 1xx heads before it are kept in `interim`."""
        deadline = time.monotonic() + seconds
        self.interim = []
        rest = b""
        while True:
            rest = self.raw[sum(len(i) for i in self.interim):]
            if b"\r\n\r\n" in rest:
                head, _, _ = rest.partition(b"\r\n\r\n")
                status = int(head.split(b" ", 2)[1])
                if status >= 200:
                    self.head_text = head.decode()
                    self.body_at = len(self.raw) - len(rest) + len(head) + 4
                    return status
                self.interim.append(head + b"\r\n\r\n")
                continue
            if not self._receive(deadline):
                raise TimeoutError(f"no response head; received {self.raw!r}")

    def headers(self):
        lines = self.head_text.split("\r\n")[1:]
        return {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}

    def error(self):
        """ErrorType and message of a refusal."""
        length = int(self.headers()["content-length"])
        deadline = time.monotonic() + 5
        while len(self.raw) - self.body_at < length and self._receive(deadline):
            pass
        body = json.loads(self.raw[self.body_at:self.body_at + length])
        return self.headers()["x-amzn-errortype"], body.get("Message", body.get("message"))

    def chunks(self):
        """The complete HTTP chunks so far, and whether the response is complete."""
        found, rest = [], self.raw[self.body_at:]
        while b"\r\n" in rest:
            size, _, tail = rest.partition(b"\r\n")
            assert b";" not in size, "no chunk extensions"
            length = int(size, 16)
            if len(tail) < length + 2:
                break
            if length == 0:
                return found, True
            assert tail[length:length + 2] == b"\r\n"
            found.append(tail[:length])
            rest = tail[length + 2:]
        return found, False

    def acks(self):
        """The acks so far: each HTTP chunk holds exactly one."""
        acks = []
        for chunk in self.chunks()[0]:
            assert len(chunk) <= 1024 and chunk.endswith(b"\n") and chunk.count(b"\n") == 1
            acks.append(json.loads(chunk))
        return acks

    def wait_for(self, event, count=1, seconds=10, timecode=None):
        """Reads until `count` acks of this type came; returns all acks."""
        deadline = time.monotonic() + seconds
        while True:
            hits = [
                a for a in self.acks()
                if a["EventType"] == event
                and (timecode is None or a.get("FragmentTimecode") == timecode)
            ]
            if len(hits) >= count:
                return self.acks()
            if not self._receive(deadline):
                raise TimeoutError(f"no {event} x{count}; got {self.acks()}")

    def outcome(self, seconds=10):
        """Reads until the first PERSISTED or ERROR; gives that ack."""
        deadline = time.monotonic() + seconds
        while True:
            for ack in self.acks():
                if ack["EventType"] in ("PERSISTED", "ERROR"):
                    return ack
            if not self._receive(deadline):
                raise TimeoutError(f"neither PERSISTED nor ERROR; got {self.acks()}")

    def wait_end(self, seconds=10):
        """Reads to the end of the response; true when it ended properly."""
        deadline = time.monotonic() + seconds
        while not self.chunks()[1]:
            if not self._receive(deadline):
                return False
        return True
