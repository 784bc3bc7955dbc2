"""A MariaDB that speaks TLS by a name of its own, with a CA made for the test.

The name leads to this machine but is not its own, so nothing trusts it unseen: the certificate is
verified as Amazon's would be.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

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


class Authority:
    """A CA: its certificate in a file, and server certificates signed by it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "coinlog tests")])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = _builder(self._name, self._name, self._key).add_extension(
            constraints, critical=True
        )
        self._certificate = builder.sign(self._key, hashes.SHA256())
        self.file = folder / "ca.pem"
        self.file.write_bytes(self._certificate.public_bytes(Encoding.PEM))

    def server_options(self, name: str) -> tuple[str, ...]:
        """Return a server's options for a certificate of a name or an address."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([_general_name(name)])
        certificate = (
            _builder(subject, self._name, key)
            .add_extension(names, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        pem, key_pem = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        pem.write_bytes(certificate.public_bytes(Encoding.PEM))
        key_pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return (f"--ssl-ca={self.file}", f"--ssl-cert={pem}", f"--ssl-key={key_pem}")


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(subject: x509.Name, issuer: x509.Name, key: Any) -> x509.CertificateBuilder:  # noqa: ANN401  any kind of key
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
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
