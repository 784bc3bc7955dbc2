"""Certificates for a source that speaks TLS: a sound one, and those that must not be trusted."""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
SOUND, EXPIRED, OTHER_HOST, SELF_SIGNED = "sound", "expired", "other host", "self-signed"


def authority_file(folder: Path) -> Path:
    """Return the certificate that vouches for the others, made with them at first use."""
    file = folder / "authority.pem"
    if not file.exists():
        folder.mkdir(exist_ok=True)
        _make(folder, file)
    return file


def files_of(folder: Path, kind: str) -> tuple[Path, Path]:
    """Return the files of a server's certificate of a kind, and of its key."""
    authority_file(folder)
    return folder / f"{kind}.pem", folder / f"{kind}.key"


def _make(folder: Path, authority: Path) -> None:
    now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    name, key = _name("the weather's authority"), ec.generate_private_key(ec.SECP256R1())
    _write(folder, SOUND, HOST, (now - day, now + day), (name, key))
    _write(folder, EXPIRED, HOST, (now - 3 * day, now - day), (name, key))
    _write(folder, OTHER_HOST, "127.0.0.2", (now - day, now + day), (name, key))
    _write(folder, SELF_SIGNED, HOST, (now - day, now + day), None)
    rights = x509.BasicConstraints(ca=True, path_length=None)
    builder = _builder(name, name, key, (now - day, now + day)).add_extension(rights, critical=True)
    authority.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))


def _write(
    folder: Path,
    kind: str,
    host: str,
    valid: tuple[dt.datetime, dt.datetime],
    authority: tuple[x509.Name, ec.EllipticCurvePrivateKey] | None,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(host)
    issuer, signer = authority or (subject, key)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    builder = _builder(subject, issuer, key, valid).add_extension(names, critical=False)
    pem = builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{kind}.pem").write_bytes(pem)
    (folder / f"{kind}.key").write_bytes(secret)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    valid: tuple[dt.datetime, dt.datetime],
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
    )
