#!/usr/bin/python3
"""Check a token of AWS as Amazon RDS does: the stand-in for its plugin, run by MariaDB's by PAM.

Given the user in PAM_USER and the token on standard input; exit code 0: it is a request to connect
as this user, signed with the made-up key of our tests, and not too old. What the plugin of Amazon
does beyond that (whose key it is, and what its role may) is known to Amazon alone.
"""

import calendar
import hashlib
import hmac
import os
import sys
import time
import urllib.parse

SECRET = "made-up"  # noqa: S105 -- the key of the tests' bucket, no secret


def signature(host: str, query: list[tuple[str, str]]) -> str:
    """Return the signature of a presigned request, as AWS describes it (version 4)."""
    given = dict(query)
    scope = given["X-Amz-Credential"].split("/", 1)[1]
    pairs = sorted(
        (urllib.parse.quote(name, safe="-_.~"), urllib.parse.quote(value, safe="-_.~"))
        for name, value in query
        if name != "X-Amz-Signature"
    )
    canonical = "&".join(f"{name}={value}" for name, value in pairs)
    empty = hashlib.sha256(b"").hexdigest()
    request = f"GET\n/\n{canonical}\nhost:{host}\n\nhost\n{empty}"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = b"AWS4" + SECRET.encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{given['X-Amz-Date']}\n{scope}\n{digest}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def is_good(token: str, user: str) -> bool:
    """Return whether a token is one for a user, signed and fresh."""
    address = urllib.parse.urlsplit(f"https://{token}")
    query = urllib.parse.parse_qsl(address.query, strict_parsing=True)
    given = dict(query)
    made = calendar.timegm(time.strptime(given["X-Amz-Date"], "%Y%m%dT%H%M%SZ"))
    return (
        (given["Action"], given["DBUser"]) == ("connect", user)
        and given["X-Amz-Credential"].split("/")[3:] == ["rds-db", "aws4_request"]
        and made - 60 <= time.time() <= made + int(given["X-Amz-Expires"])
        and hmac.compare_digest(signature(address.netloc, query), given["X-Amz-Signature"])
    )


def main() -> None:
    """Check what stands on standard input."""
    token = sys.stdin.buffer.read().rstrip(b"\0").decode()
    try:
        good = is_good(token, os.environ["PAM_USER"])
    except (KeyError, ValueError, IndexError):
        good = False
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
