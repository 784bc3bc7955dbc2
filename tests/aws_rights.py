"""Roles that hold: a server between a program and a bucket, which asks a template's own policies.

The stand-in for S3 lets everybody do everything. This stands before it, finds out what action a
request is, on what, and passes on what a role's statements allow. What they do not gets S3's own
refusal, and so does the reading of an object that is not there by a role that may not list.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

import httpx

from aws_templates import Template, statements

REFUSED = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    "<Error><Code>AccessDenied</Code><Message>{} is not allowed</Message></Error>"
)
OBJECT_ACTIONS = {
    "GET": "s3:GetObject",
    "HEAD": "s3:GetObject",
    "PUT": "s3:PutObject",
    "DELETE": "s3:DeleteObject",
}


@dataclass
class Role:
    """What one role's statements say, with a bucket of the test's for the template's."""

    allowed: Sequence[Mapping[str, Any]]
    bucket: str
    refused: list[str] = field(default_factory=list)
    """What was tried and not allowed."""

    def may(self, action: str, key: str = "", prefix: str | None = None) -> bool:
        """Return whether an action is allowed on the bucket, or on an object in it."""
        arn = f"arn:aws:s3:::{self.bucket}" + (f"/{key}" if key else "")
        return any(
            action in one["Action"]
            and any(fnmatch.fnmatchcase(arn, resource) for resource in one["Resource"])
            and _holds(one.get("Condition", {}), prefix)
            for one in self.allowed
        )


def role_of(template: Template, role: str, bucket: str) -> Role:
    """Return the role of a logical id that begins with ``role``."""
    [(archive, _)] = [
        pair for pair in template.of_type("AWS::S3::Bucket") if pair[0].startswith("archive")
    ]
    theirs = f"${{{archive}.Arn}}"
    allowed = [
        {
            **one,
            "Resource": [on.replace(theirs, f"arn:aws:s3:::{bucket}") for on in one["Resource"]],
        }
        for whose, one in statements(template)
        if whose.startswith(role) and one["Effect"] == "Allow"
    ]
    assert allowed, f"no statement of {role}"
    return Role(allowed, bucket)


def _holds(condition: Mapping[str, Any], prefix: str | None) -> bool:
    """Return whether a condition holds; a value that a request does not have fulfils none."""
    wanted = condition.get("StringLike", {}).get("s3:prefix")
    assert condition.keys() <= {"StringLike"}, condition
    if wanted is None:
        return not condition
    return prefix is not None and any(fnmatch.fnmatchcase(prefix, one) for one in wanted)


class Guarded(ThreadingHTTPServer):
    """Stands before a server of buckets, and is one role."""

    daemon_threads = True

    def __init__(self, role: Role, behind: str, client: httpx.Client) -> None:
        super().__init__(("127.0.0.1", 0), Guard)
        self.role, self.behind, self.client = role, behind, client


class Guard(BaseHTTPRequestHandler):
    """Passes on what a role may do, and refuses the rest as S3 does."""

    protocol_version = "HTTP/1.1"
    server: Guarded

    def _look(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        _, bucket, *rest = unquote(parts.path).split("/", 2)
        assert bucket == self.server.role.bucket
        if self.command == "POST" and parts.query == "delete":
            self._delete(body)
            return
        key = rest[0] if rest else ""
        action, prefix = _action(self.command, key, parts.query)
        if not self.server.role.may(action, key, prefix):
            self._refuse(action, key or str(prefix))
        elif key and not self.server.role.may("s3:ListBucket") and not self._is_there():
            self._refuse(action, f"{key}, which is not there")
        else:
            self._pass_on(body)

    def _delete(self, body: bytes) -> None:
        """Remove many objects, which is one answer whatever is refused of them."""
        role = self.server.role
        keys = [unescape(one) for one in re.findall("<Key>(.*?)</Key>", body.decode())]
        refused = [one for one in keys if not role.may("s3:DeleteObject", one)]
        role.refused += [f"s3:DeleteObject {one}" for one in refused]
        if refused:
            self._tell(200, _not_deleted(refused).encode())
        else:
            self._pass_on(body)

    def _refuse(self, action: str, what: str) -> None:
        self.server.role.refused.append(f"{action} {what}")
        self._tell(403, REFUSED.format(action).encode())

    def _is_there(self) -> bool:
        """Return whether what is to be read is there; what is to be written need not be."""
        if self.command not in {"GET", "HEAD"}:
            return True
        found = self.server.client.head(f"{self.server.behind}{self.path}")
        return found.status_code != httpx.codes.NOT_FOUND

    def _pass_on(self, body: bytes) -> None:
        headers = {name: value for name, value in self.headers.items() if name != "Host"}
        address = f"{self.server.behind}{self.path}"
        found = self.server.client.request(self.command, address, content=body, headers=headers)
        self._tell(found.status_code, found.content, found.headers)

    def _tell(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            if name.lower() not in _OURS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    do_GET = do_HEAD = do_PUT = do_DELETE = do_POST = _look  # noqa: N815  the library's names


@contextmanager
def guarded(role: Role, behind: str) -> Iterator[str]:
    """Stand before a server of buckets; yield the address to ask instead of its own."""
    with httpx.Client(trust_env=False) as client, Guarded(role, behind, client) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


_OURS = {"content-length", "transfer-encoding", "connection", "server", "date", "content-encoding"}


def _not_deleted(keys: Sequence[str]) -> str:
    """Return what S3 says of objects that were not removed: all is well, but for these."""
    errors = "".join(
        f"<Error><Key>{escape(key)}</Key><Code>AccessDenied</Code>"
        "<Message>s3:DeleteObject is not allowed</Message></Error>"
        for key in keys
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><DeleteResult>{errors}</DeleteResult>'


def _action(method: str, key: str, query: str) -> tuple[str, str | None]:
    """Return what a request does, and the prefix that it lists."""
    asked = parse_qs(query, keep_blank_values=True)
    if not key and method == "GET":
        return "s3:ListBucket", asked.get("prefix", [""])[0]
    assert key, f"{method} of a bucket with {query!r} is no action that is known here"
    return OBJECT_ACTIONS[method], None
