"""Publishing: from a store to an edition that is whole, and from then on only what has changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import sqlalchemy as sa

from coinlog.errors import UsageError
from coinlog.notice import terms
from coinlog.publish.edition import Edition, read_edition, read_manifest, write_edition
from coinlog.publish.run import Run
from coinlog.publish.sites import open_site
from coinlog.publish.standing import Standing, standing_of
from coinlog.watching import Watch

Consent = Callable[[str], bool]
"""Told what the terms say, tells whether to go on."""


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What was published where: how many files were written, left as they were, and removed."""

    folder: str
    slot: int | None
    simulated: bool
    first: bool
    written: int
    unchanged: int
    removed: int
    bytes: int
    seconds: float


def publish(  # noqa: PLR0913  what is published, where, and how
    url: sa.URL,
    place: Path | str,
    watch: Watch,
    *,
    consent: Consent,
    everything: bool = False,
    origin: str = "",
    processes: int | None = None,
    clock: Callable[[], float] = time.time,
) -> Published:
    """Publish a store into a folder or ``s3://bucket/prefix``, or bring that up to date.

    ``origin`` is where it will be served: ``https://coinlog.example``.

    Raises:
        UsageError: the folder is not ours to write into, or the terms were not agreed to.
        CoinlogError: nothing is recorded yet, the store cannot be read, or a file not be written.
    """
    started = time.monotonic()
    site = open_site(str(place))

    def prepared(found: bytes | None) -> tuple[Edition, Standing]:
        edition = read_edition(site, found)
        standing = standing_of(url, edition, clock(), everything=everything)
        edition = edition or Edition(source=standing.source)
        _refuse_other(site.location, edition, standing)
        return edition, standing

    found = read_manifest(site)
    edition, standing = prepared(found)
    _ask(edition, standing, consent)
    with site.alone():
        now = read_manifest(site)
        if now != found:
            # Another run was at work here until a moment ago.
            edition, standing = prepared(now)
        first = not edition.finished
        if now is None:
            write_edition(site, edition)
        run = Run(url, site, edition, standing, origin)
        if everything or not run.is_up_to_date:
            run.carry_out(watch, processes)
    return Published(
        folder=site.location,
        slot=standing.head.newest.slot if standing.head.newest else None,
        simulated=standing.head.simulated,
        first=first,
        seconds=time.monotonic() - started,
        **msgspec.structs.asdict(run.tally),
    )


def _refuse_other(location: str, edition: Edition, standing: Standing) -> None:
    if edition.source != standing.source:
        raise UsageError(
            f"{location} holds an edition of the {edition.source} market, and this store holds the "
            f"{standing.source} one: publish into another place"
        )


def _ask(edition: Edition, standing: Standing, consent: Consent) -> None:
    """Say what the terms say before the first publishing, and go on where that is agreed to."""
    if edition.finished or standing.head.simulated or consent(terms(simulated=False)):
        return
    raise UsageError(
        f"{terms(simulated=False)}. Nothing was published; with --yes, all the same is"
    )
