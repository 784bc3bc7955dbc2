"""The HTTP client: one attempt's requests to the source, inside one deadline.

A failure is an answer too: ``get`` raises nothing for what the source or the network does.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import httpx
import tenacity
from tenacity import RetryCallState

from coinlog import __version__
from coinlog.errors import RateLimitedError, SourceError, UnavailableError
from coinlog.loopback import is_loopback
from coinlog.market import Reason
from coinlog.sources.addresses import checked_key, checked_url, join, proxy_for
from coinlog.sources.answers import Answer
from coinlog.sources.deadline import Deadline, DeadlineTransport
from coinlog.sources.fetching import Got, fetch_once
from coinlog.sources.hiding import hiding
from coinlog.sources.waiting import wait_seconds

log = logging.getLogger(__name__)

MOST_TRIES = 4
BODY_LIMIT_BYTES = 32 * 1024 * 1024
CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0


class Client:
    """Asks the source: keyless without ``api_key``, at any base URL, a sandbox's too.

    ``deadline_seconds`` counts from here on and holds for all requests together. ``sleep`` waits
    between tries: one that ends early makes a stop quick.

    Raises:
        UsageError: the base URL, the key or the system's proxy cannot be used; neither the key nor
            a proxy's password is shown.
    """

    def __init__(  # noqa: PLR0913 - the knobs of a request, by keyword, each with its default
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        deadline_seconds: float = 90.0,
        body_limit_bytes: int = BODY_LIMIT_BYTES,
        headers: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url = checked_url(base_url, keyed=bool(api_key))
        self._key = checked_key(api_key)
        self._hide = hiding(self._key)
        self._body_limit_bytes = body_limit_bytes
        self._clock = clock
        self._sleep = sleep
        self._pause_seconds = 0.0
        proxy = proxy_for(self._base_url)
        # Reading the CA list takes its time, which is not the source's: the deadline comes after.
        tls = _tls_for(self._base_url)
        self._deadline = Deadline(deadline_seconds)
        self._http = httpx.Client(
            transport=DeadlineTransport(self._deadline, tls, proxy),
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            headers=self._headers(headers or {}),
            trust_env=False,
        )

    def __repr__(self) -> str:
        return f"Client({self._base_url!r}, {'keyed' if self._key else 'keyless'})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, name: str, endpoint: str, params: dict[str, str]) -> Answer:
        """Return the final answer to a request, after as many tries as can help.

        ``endpoint`` carries its version: ``v3/cryptocurrency/listings/latest``.
        """
        begun = time.monotonic()
        tries = 0
        got = self._rested()
        if got is None:
            retrying = self._retrying()
            got = retrying(self._try, endpoint, params)
            tries = int(retrying.statistics["attempt_number"])
        answer = Answer(
            name=name,
            endpoint=endpoint,
            params=params,
            status=got.status,
            body=got.body,
            received_at=self._clock(),
            elapsed_seconds=time.monotonic() - begun,
            tries=tries,
            server_date=got.server_date,
            reason=got.error.reason if got.error else None,
            detail=_detail(got.error, tries),
        )
        log.debug("%s: HTTP %s, %s tries %s", name, answer.status, tries, answer.detail)
        return answer

    def _retrying(self) -> tenacity.Retrying:
        return tenacity.Retrying(
            retry=tenacity.retry_if_result(_heals),
            wait=lambda state: wait_seconds(_error(state), state.attempt_number),
            stop=self._must_stop,
            sleep=self._sleep,
            retry_error_callback=_last,
        )

    def _try(self, endpoint: str, params: dict[str, str]) -> Got:
        url = join(self._base_url, endpoint)
        return fetch_once(
            self._http,
            url,
            params,
            limit_bytes=self._body_limit_bytes,
            deadline=self._deadline,
            hide=self._hide,
        )

    def _must_stop(self, state: RetryCallState) -> bool:
        """Stop after a few tries, or where the wait for the next does not fit the deadline."""
        done = state.attempt_number >= MOST_TRIES or state.upcoming_sleep >= self._deadline.left()
        if done and isinstance(_error(state), RateLimitedError):
            self._pause_seconds = state.upcoming_sleep
        return done

    def _rested(self) -> Got | None:
        """Wait out a rate limit that an earlier request met; a failure where time is too short."""
        pause, self._pause_seconds = self._pause_seconds, 0.0
        left = self._deadline.left()
        if left <= 0:
            return Got(error=_out_of_time(self._deadline))
        if pause >= left:
            self._pause_seconds = pause
            return Got(error=_still_limited(pause, left))
        if pause:
            self._sleep(pause)
        return None

    def _headers(self, extra: Mapping[str, str]) -> dict[str, str]:
        key = {"X-CMC_PRO_API_KEY": self._key} if self._key else {}
        return {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"coinlog/{__version__}",
            **extra,
            **key,
        }


def _detail(error: SourceError | None, tries: int) -> str:
    if error is None:
        return ""
    return f"{error} (tried {tries} times)" if tries > 1 else str(error)


def _heals(got: Got) -> bool:
    return got.error is not None and got.error.heals


def _last(state: RetryCallState) -> Got:
    got = state.outcome.result() if state.outcome else None
    return got if isinstance(got, Got) else Got()


def _error(state: RetryCallState) -> SourceError:
    return _last(state).error or SourceError("no error")


def _out_of_time(deadline: Deadline) -> SourceError:
    return UnavailableError(
        f"not asked: the deadline of {deadline.seconds:g} s was spent by earlier requests",
        reason=Reason.TIMEOUT,
    )


def _still_limited(pause: float, left: float) -> SourceError:
    return RateLimitedError(
        f"not asked: an earlier request met the rate limit and is to wait {pause:.0f} s, and only "
        f"{left:.0f} s of the deadline are left; ask less often"
    )


def _tls_for(base_url: str) -> ssl.SSLContext:
    """Return how to speak TLS; on this machine there is none, and no list of CAs to read."""
    url = httpx.URL(base_url)
    if url.scheme == "http" and is_loopback(url.host):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.create_ssl_context()
