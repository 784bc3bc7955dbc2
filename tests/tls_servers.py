"""A MariaDB that speaks TLS by a name of its own, with a CA made for the test.

The name leads to this machine but is not its own, so nothing trusts it unseen: the certificate is
verified as Amazon's would be.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from certificates import Authority
from servers import MariaDB

NAME = "database.test"
TOKEN_CHECKER = Path("/usr/local/lib/coinlog-tests/check_token")
TOKEN_SERVICE = Path("/etc/pam.d/coinlog-tests")
BY_TOKEN = f"IDENTIFIED VIA pam USING '{TOKEN_SERVICE.name}'"
TOKEN_OPTIONS = (
    ("--plugin-load-add=auth_pam", "--pam-use-cleartext-plugin=ON")
    if TOKEN_SERVICE.exists()
    else ()
)

needs_token_check = pytest.mark.skipif(
    not (TOKEN_CHECKER.exists() and TOKEN_SERVICE.exists()),
    reason="tokens are checked through PAM, which scripts/install_token_signin.sh sets up as root",
)


class TlsMariaDB(MariaDB):
    """A MariaDB with a certificate of ``NAME``, and tokens of AWS by PAM where that is set up."""

    def __init__(self) -> None:
        super().__init__()
        self.authority = Authority(self.folder)
        self.options = self.authority.server_options(NAME) + TOKEN_OPTIONS
        for path in self.folder.iterdir():
            if self.user and path.is_file():
                shutil.chown(path, self.user)


@contextmanager
def named(monkeypatch: pytest.MonkeyPatch, *names: str) -> Iterator[None]:
    """Let names lead to this machine, as its name service would."""
    real = socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **more: Any) -> Any:  # noqa: ANN401  whatever is asked
        return real("127.0.0.1" if host in names else host, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", look_up)
        yield
