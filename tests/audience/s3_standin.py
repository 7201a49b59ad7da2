"""As much of S3 as a reader asks for: a bucket is listed, an object is described and read, whole or from a place on."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

WHEN = "2026-11-28T09:00:00.000Z"


@contextmanager
def s3_standin(bucket: str, objects: dict[str, bytes]) -> Iterator[str]:
    """The address of a storage that holds these objects in one bucket. It asks for no signature."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(body=True)

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def answer(self, *, body: bool) -> None:
            url = urlsplit(self.path)
            name = unquote(url.path).lstrip("/")
            asked = {key: values[0] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
            if name.rstrip("/") == bucket:
                listed = _listing(bucket, objects, asked) if "list-type" in asked else b""
                return self.send(200, listed, {"Content-Type": "application/xml"}, body=body)
            content = objects.get(name.removeprefix(f"{bucket}/"))
            if content is None:
                return self.send(404, b"<Error><Code>NoSuchKey</Code></Error>", {"Content-Type": "application/xml"}, body=body)
            headers = {"ETag": _etag(content), "Last-Modified": "Sat, 28 Nov 2026 09:00:00 GMT", "Accept-Ranges": "bytes"}
            if match := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
                first, last = int(match[1]), min(int(match[2] or len(content)), len(content) - 1)
                headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
                return self.send(206, content[first : last + 1], headers, body=body)
            return self.send(200, content, headers, body=body)

        def send(self, status: int, content: bytes, headers: dict[str, str], *, body: bool) -> None:
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _listing(bucket: str, objects: dict[str, bytes], asked: dict[str, str]) -> bytes:
    prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
    files, folders = list[str](), set[str]()
    for name, content in sorted(objects.items()):
        if not name.startswith(prefix):
            continue
        head, separator, _ = name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if separator:
            folders.add(prefix + head + separator)
        else:
            said = f"<Key>{escape(name)}</Key><LastModified>{WHEN}</LastModified><ETag>{_etag(content)}</ETag><Size>{len(content)}</Size>"
            files.append(f"<Contents>{said}<StorageClass>STANDARD</StorageClass></Contents>")
    shared = "".join(f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in sorted(folders))
    told = f"<Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(files) + len(folders)}</KeyCount><MaxKeys>1000</MaxKeys>"
    return f"<ListBucketResult>{told}<IsTruncated>false</IsTruncated>{''.join(files)}{shared}</ListBucketResult>".encode()
