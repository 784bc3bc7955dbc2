"""Certificates for servers of the tests: an authority, and what it vouches for."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
END = datetime(2100, 1, 1, tzinfo=UTC)


class Authority:
    """A folder with ``ca.pem``, and ``server.pem`` and ``server.key`` for hosts it vouches for."""

    def __init__(self, folder: Path, *addresses: str) -> None:
        self.ca, self.certificate = folder / "ca.pem", folder / "server.pem"
        self.key = folder / "server.key"
        authority, server = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        name = _name("coinlog's tests")
        own = _begun(name, name, authority.public_key())
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
        own = own.add_extension(identifier, critical=False)
        own = own.add_extension(_usage(signs=True), critical=True)
        self.ca.write_bytes(own.sign(authority, hashes.SHA256()).public_bytes(_PEM))
        named = x509.SubjectAlternativeName(
            [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        )
        vouched = _begun(_name("server"), name, server.public_key())
        vouched = vouched.add_extension(named, critical=False)
        vouched = vouched.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        vouched = vouched.add_extension(_usage(signs=False), critical=True)
        self.certificate.write_bytes(vouched.sign(authority, hashes.SHA256()).public_bytes(_PEM))
        self.key.write_bytes(
            server.private_bytes(
                _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


_PEM = serialization.Encoding.PEM


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    begun = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    number = x509.random_serial_number()
    return begun.serial_number(number).not_valid_before(BEGIN).not_valid_after(END)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
