"""A GetMedia reader that takes what has arrived, be it a byte or a fragment."""

import http.client
import json
import time
from urllib.parse import urlsplit

import matroska as mkv
from signed_call import signed_headers

LAST_TAG = b"AWS_KINESISVIDEO_CONTINUATION_TOKEN"


class GetMedia:
    def __init__(self, url, stream, seconds=20, **selector):
        body = json.dumps({"StreamName": stream, "StartSelector": selector}).encode()
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=seconds)
        headers = signed_headers(url, "/getMedia", body)
        headers.pop("content-length")
        self.connection.request("POST", "/getMedia", body, headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        self.data = b""

    def documents(self, count, seconds=20):
        """Reads until `count` documents are whole."""
        deadline = time.monotonic() + seconds
        while True:
            if self.data.count(LAST_TAG) >= count:
                try:
                    return mkv.documents(self.data)
                except mkv.Broken:
                    pass  # the tags, or a fragment after them, are still coming
            assert time.monotonic() < deadline, f"{self.data.count(LAST_TAG)} of {count}"
            piece = self.response.read1(1 << 16)
            assert piece, "the stream ended"
            self.data += piece

    def to_the_end(self):
        self.data += self.response.read()
        return self.data

    def close(self):
        self.connection.close()
