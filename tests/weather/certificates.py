"""Certificates for a source that speaks TLS: a sound one, and those that must not be trusted."""

from __future__ import annotations

from pathlib import Path

from certificates import Authority, self_signed

HOST = "127.0.0.1"
SOUND, EXPIRED, OTHER_HOST, SELF_SIGNED = "sound", "expired", "other host", "self-signed"


def authority_file(folder: Path) -> Path:
    """Return the certificate that vouches for the others, made with them at first use."""
    file = folder / "ca.pem"
    if not file.exists():
        folder.mkdir(exist_ok=True)
        authority = Authority(folder)
        authority.issue(HOST, SOUND)
        authority.issue(HOST, EXPIRED, ended_days_ago=1)
        authority.issue("127.0.0.2", OTHER_HOST)
        self_signed(folder, HOST, SELF_SIGNED)
    return file


def files_of(folder: Path, kind: str) -> tuple[Path, Path]:
    """Return the files of a server's certificate of a kind, and of its key."""
    authority_file(folder)
    return folder / f"{kind}.pem", folder / f"{kind}.key"
