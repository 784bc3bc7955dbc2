"""An authority made for the tests, and server certificates that it signs, or that nobody does."""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)
Signer = tuple[x509.Name, ec.EllipticCurvePrivateKey]


class Authority:
    """A CA: its certificate in a file, and server certificates signed by it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._signer = _name("coinlog tests"), ec.generate_private_key(ec.SECP256R1())
        name, key = self._signer
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = _builder(name, self._signer, key, _valid()).add_extension(
            constraints, critical=True
        )
        self.file = folder / "ca.pem"
        self.file.write_bytes(_signed(builder, key))

    def issue(
        self, host: str, stem: str | None = None, ended_days_ago: int | None = None
    ) -> tuple[Path, Path]:
        """Return the files of a certificate of a name or an address, and of its key."""
        return _issue(self.folder / (stem or host), host, self._signer, _valid(ended_days_ago))

    def server_options(self, name: str) -> tuple[str, ...]:
        """Return a server's options for a certificate of a name or an address."""
        pem, key = self.issue(name)
        return (f"--ssl-ca={self.file}", f"--ssl-cert={pem}", f"--ssl-key={key}")


def self_signed(folder: Path, host: str, stem: str) -> tuple[Path, Path]:
    """Return the files of a certificate that vouches for itself alone, and of its key."""
    return _issue(folder / stem, host, None, _valid())


def _issue(
    place: Path, host: str, signer: Signer | None, valid: tuple[dt.datetime, dt.datetime]
) -> tuple[Path, Path]:
    key, subject = ec.generate_private_key(ec.SECP256R1()), _name(host)
    issuer = signer or (subject, key)
    names = x509.SubjectAlternativeName([_general_name(host)])
    builder = _builder(subject, issuer, key, valid).add_extension(names, critical=False)
    # A host's own dots are no suffix.
    pem, key_pem = place.with_name(f"{place.name}.pem"), place.with_name(f"{place.name}.key")
    pem.write_bytes(_signed(builder, issuer[1]))
    key_pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pem, key_pem


def _valid(ended_days_ago: int | None = None) -> tuple[dt.datetime, dt.datetime]:
    now = dt.datetime.now(dt.UTC)
    if ended_days_ago is not None:
        return now - (ended_days_ago + 2) * DAY, now - ended_days_ago * DAY
    return now - DAY, now + 2 * DAY


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name,
    issuer: Signer,
    key: ec.EllipticCurvePrivateKey,
    valid: tuple[dt.datetime, dt.datetime],
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
    )


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
