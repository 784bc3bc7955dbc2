"""The source is not reached, or somebody else is: names, ports and certificates."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from servers import free_port
from weather.certificates import (
    EXPIRED,
    OTHER_HOST,
    SELF_SIGNED,
    SOUND,
    authority_file,
    files_of,
)
from weather.fault import Fault, Parameters
from weather.recorder import Delivery, Recorder
from weather.truth import failed, stored
from weather.world import World

_WORDS = {
    EXPIRED: "certificate has expired",
    OTHER_HOST: "mismatch",
    SELF_SIGNED: "self-signed certificate",
}


@dataclass
class OutOfReach(Fault):
    """Nobody is there at all; the slot is tried again or not."""

    name: str
    url: str
    said: str
    about: str

    def choose(self, chance: random.Random) -> Parameters:
        return {"again": chance.random() < 0.3}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        again = parameters["again"]
        url = self.url.format(closed=free_port(), plain=world.source.url.partition("//")[2])
        world.expect(slot, stored() if again else failed("unreachable").saying(self.said))
        world.record(slot, source_url=url)
        if again:
            world.deliver(world.delivery(slot))


class WrongCertificate(Fault):
    """The source's certificate is not to be trusted, though its authority is known here.

    Where the slot is tried again, it is with a sound one, by the same recorder.
    """

    name = "wrong TLS certificate"

    def choose(self, chance: random.Random) -> Parameters:
        return {"kind": chance.choice([*_WORDS]), "again": chance.random() < 0.5}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        kind, again = parameters["kind"], parameters["again"]
        truth = failed("unreachable").saying(_WORDS[kind]).calling(0)
        world.expect(slot, stored() if again else truth)
        world.source.moment(slot, slot + 5)
        authority = authority_file(world.place / "certificates")
        with Recorder({"SSL_CERT_FILE": str(authority)}) as recorder:
            hear = world.heard(recorder)
            told = hear(self._by(world, slot, kind))
            if told.reason != "unreachable":
                world.complain(f"with a certificate that is wrong ({kind}): {told}")
            if again:
                hear(self._by(world, slot, SOUND))

    def _by(self, world: World, slot: int, kind: str) -> Delivery:
        url = world.source.tls(*files_of(world.place / "certificates", kind))
        return world.delivery(slot, source_url=url)


FAULTS: tuple[Fault, ...] = (
    OutOfReach(
        "name not found",
        "http://nothing.invalid",
        "was not found",
        "The source's name leads nowhere.",
    ),
    OutOfReach(
        "connection refused",
        "http://127.0.0.1:{closed}",
        "refused",
        "Nobody listens at the source's port.",
    ),
    OutOfReach(
        "plain text on a TLS port",
        "https://{plain}",
        "SSL",
        "The source is asked by TLS and answers without.",
    ),
    WrongCertificate(),
)
