"""HTTP/1.1 for a public port: who gets a connection, who may ask, and what is answered at once.

``PatientConnection`` says how long things may take, ``Places`` who holds a connection,
``Allowance`` how many requests an address may send; both are asked before the cache. A request's
head stays under ``MAX_HEAD_BYTES``. Refusals carry the same headers as every other answer.
"""

from __future__ import annotations

import asyncio
from math import ceil

from coinlog.web.cache import ByteCache
from coinlog.web.entries import Form
from coinlog.web.heads import NOTED, PLAIN, Noted, fault_of_target, look_at
from coinlog.web.patience import MAX_CONNECTIONS, Limits, PatientConnection
from coinlog.web.places import Place, Places
from coinlog.web.proxies import (
    HTTPS,
    address_of,
    client_said,
    forwarded_for,
    is_among,
    is_private,
    scheme_said,
    site_of,
)
from coinlog.web.refusals import HEAD_TOO_LARGE, TOO_MANY, too_many_of_one, too_often
from coinlog.web.security import STRICT
from coinlog.web.tallies import CONNECTIONS

_STRICTLY = b"%s: %s\r\n" % STRICT
_ENDS_KEEPING = b"\r\n\r\n"
_ENDS_CLOSING = b"\r\nconnection: close\r\n\r\n"
_FOR_MACHINES = (b"/live", b"/ready")
"""What a balancer or supervisor on a private network may ask as often as it likes."""


class PatientProtocol(PatientConnection):
    """A connection that asks for its place, its allowance and the cache."""

    places = Places(MAX_CONNECTIONS)

    # What each begins with; the constructor is uvicorn's.
    _in_request = False
    _in_head = True
    _head_bytes = 0
    _from_proxy = False
    _name: int | None = None
    _asker: int | None = None
    _is_told_of = False
    _is_neighbour = False
    _scheme_said = ""
    _noted: Noted | None = None
    _version = ""
    _head = PLAIN
    _cache: ByteCache | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: a connection that asks nothing is as slow as one that never ends."""
        super().connection_made(transport)
        self._cache = self.app if isinstance(self.app, ByteCache) else None
        self._count_connections()
        address = address_of(self.client)
        self._from_proxy = is_among(address, self.limits.proxies)
        self._is_told_of = self._from_proxy or address is None or address.is_loopback
        self._is_neighbour = is_private(address)
        site = site_of(address) if address else None
        if site is not None and self.limits.allowance:
            self._name = self.limits.allowance.name_of(site)
        found = self.places.enter(self, None if self._from_proxy else site)
        if found is Place.GIVEN:
            self._start_deadline()
        else:
            self._refuse(self._no_place(found))

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self.places.leave(self)
        super().connection_lost(exc)
        self._count_connections()

    def data_received(self, data: bytes) -> None:
        """Take a part of a request; a deadline runs from its first byte to its last."""
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.head_bytes:
                self._refuse(HEAD_TOO_LARGE)
                return
        super().data_received(data)
        # Blank lines between requests are no reason to stay either.
        idle = self.timeout_keep_alive_task is None and not self._busy
        if self._deadline is None and (self._in_request or idle):
            self._start_deadline()

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._in_request = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Answer at once what was answered before; hand everything else to the application."""
        self._in_head = False
        self._read_head()
        # Nothing that comes after the last answer is looked at.
        self._answered = self._is_done() or self._answer_at_once()
        if not self._answered:
            self.places.work(self)
            super().on_headers_complete()
            # Where a body ends is what two programs in a row may see differently.
            self.cycle.keep_alive = self.cycle.keep_alive and not self._head.has_body

    def _read_head(self) -> None:
        """Note what the head says; on one connection it is mostly the same again and again."""
        noted = [header for header in self.headers if header[0] in NOTED]
        version = self.parser.get_http_version()
        if noted != self._noted or version != self._version:
            self._noted, self._version = noted, version
            self._head = look_at(version, noted)
            self._scheme_said = scheme_said(noted, self.scope["scheme"])
            self._asker = self._asker_of(noted)
        if self._from_proxy:
            self.scope["scheme"] = self._scheme_said

    def _asker_of(self, noted: Noted) -> int | None:
        """Return for whom a request is counted: nobody where this machine asks for itself."""
        said, allowance = forwarded_for(noted), self.limits.allowance
        if not self._is_told_of or (said and not self._from_proxy):
            return self._name
        if not said or not allowance:
            return None
        address = client_said(said, self.limits.proxies)
        # A proxy that does not say for whom it asks is counted itself.
        return allowance.name_of(site_of(address)) if address else self._name

    def _is_done(self) -> bool:
        return self.transport.is_closing() or self._refuse_head() or self._put_off()

    def _refuse_head(self) -> bool:
        """Refuse a head that is none; return whether it was."""
        fault = self._head.fault
        if not fault and self.url[:1] != b"/":
            fault = fault_of_target(self.url, self._head.hosts)
        if fault:
            self._refuse(fault)
        return fault is not None

    def _put_off(self) -> bool:
        """Refuse a request of an address that sends too many; return whether it was."""
        allowance = self.limits.allowance
        if allowance is None or self._asker is None or self._asks_for_health():
            return False
        wait = allowance.wait(self._asker)
        if not wait:
            return False
        if self._busy or self.flow.write_paused:
            self._end_after_answers()
        else:
            is_head = self.parser.get_method() == b"HEAD"
            self._count_refusal(429)
            self._send(too_often(allowance.per_minute, ceil(wait), head=is_head))
        return True

    def _asks_for_health(self) -> bool:
        """Return whether a machine on our network asks for itself how we are."""
        if not self._is_neighbour or self._is_told_of or forwarded_for(self._noted or ()):
            return False
        return self.url.partition(b"?")[0] in _FOR_MACHINES

    def _answer_at_once(self) -> bool:
        """Send an answer that needs no application, task or waiting, if there is one.

        Answers leave in the order of their requests, so none may be in the making before it.
        """
        if self._cache is None or self._busy or self.flow.write_paused or not self._head.plain:
            return False
        method = self.parser.get_method()
        form = self._cache.at_once(method, self.url, self.headers, self.scope["scheme"])
        if form is None:
            return False
        self._send(form)
        return True

    def _send(self, form: Form) -> None:
        date = self.server_state.default_headers[0][1]
        self.server_state.total_requests += 1
        keep = self.parser.should_keep_alive() and not self._head.has_body
        ends = _ENDS_KEEPING if keep else _ENDS_CLOSING
        strictly = _STRICTLY if self.scope["scheme"] == HTTPS else b""
        self.transport.writelines((form.wire, strictly, b"date: ", date, ends, form.content))
        self._unset_keepalive_if_required()
        self._is_sent()
        if keep:
            self._wait_for_the_next()
        else:
            self.transport.close()

    def on_body(self, body: bytes) -> None:
        """Pass a body on, unless the request is answered already."""
        if not self._answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that a request is complete: its answer may take its time."""
        self._in_request = False
        self._in_head = True
        self._head_bytes = 0
        self._stop_deadline()
        if self._answered:
            self._answered = False
        else:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Note that an answer is made: from now on it is the client that takes its time."""
        super().on_response_complete()
        self._is_sent()

    def _is_sent(self) -> None:
        if not self._busy:
            self.places.wait(self)
        if self.transport.get_write_buffer_size():
            self._watch_reading()

    def pause_writing(self) -> None:
        """Note that the client does not read as fast as we send."""
        super().pause_writing()
        self.places.wait(self)
        self._watch_reading()

    def resume_writing(self) -> None:
        """Note that the client has read."""
        super().resume_writing()
        if self._busy:
            self.places.work(self)

    def make_room(self, why: Place) -> None:
        """Leave the place to a newcomer: a client that has begun to ask is told so."""
        if self.transport.get_write_buffer_size():
            self._cut_off()
        elif self._in_request:
            self._refuse(self._no_place(why))
        else:
            self.transport.close()

    def _no_place(self, why: Place) -> bytes:
        """Return the refusal for who has taken its own places, or came when all were taken."""
        own = why is Place.OWN_TAKEN
        return too_many_of_one(self.limits.connections_of_one) if own else TOO_MANY

    def _count_connections(self) -> None:
        if self._cache is not None:
            self._cache.tallies.counts[CONNECTIONS] = len(self.connections)

    def _turn_away(self, answer: bytes) -> None:
        self._count_refusal(int(answer[9:12]))
        super()._turn_away(answer)

    def _count_refusal(self, status: int) -> None:
        if self._cache is not None:
            self._cache.tallies.refused(status)


def protocol_with(limits: Limits) -> type[PatientProtocol]:
    """Return the protocol of one worker, with other limits than the usual."""
    places = Places(limits.connections, limits.connections_of_one)
    return type("PatientProtocol", (PatientProtocol,), {"limits": limits, "places": places})
