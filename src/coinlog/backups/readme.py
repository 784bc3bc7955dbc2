"""What stands at the beginning of every backup, for whoever finds one in ten years."""

from __future__ import annotations

from coinlog import notice
from coinlog.slots import iso

_TEXT = """\
This is a backup of coinlog, a logbook of the crypto market, made at {made_at}.
{whose}
{terms}

To put it back, into an empty database and an empty archive:

    coinlog restore THIS_FILE

Without coinlog: it is a plain tar. store/ holds the rows of each table as JSON lines, packed with
gzip; manifest.json names their columns. archive/ holds every answer of the source as it was kept,
if the archive was not left out. manifest.json has the SHA-256 of every part of this file, and
seal.json that of the manifest. There is no key and no password in it.
"""


def readme(made_at: int, *, simulated: bool) -> bytes:
    """Return what is told about a backup made at a moment (seconds UTC)."""
    whose = notice.attribution(simulated=simulated)
    terms = notice.terms(simulated=simulated)
    return _TEXT.format(made_at=iso(made_at), whose=whose, terms=terms).encode()
