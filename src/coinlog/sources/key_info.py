"""What the key's plan allows and what of it is spent. Asking costs no credits."""

from __future__ import annotations

from typing import Any

import msgspec

from coinlog.errors import BrokenAnswerError
from coinlog.sources.asking import Asks, raise_error_of
from coinlog.sources.decode import decode
from coinlog.sources.quotes import whole
from coinlog.sources.status import parse_iso
from coinlog.sources.texts import one_line

_KEY_INFO = "v1/key/info"


class KeyInfo(msgspec.Struct, frozen=True):
    """A key's plan and usage; ``None`` where the source does not say.

    ``month_resets_at`` is seconds UTC: the end of the calendar month, or a billing date.
    """

    plan: str | None = None
    requests_per_minute: int | None = None
    credits_per_month: int | None = None
    credits_used_this_month: int | None = None
    credits_left_this_month: int | None = None
    credits_left_today: int | None = None
    month_resets_at: int | None = None
    credits_per_day: int | None = None


class _Info(msgspec.Struct):
    data: dict[str, Any]


_INFO = msgspec.json.Decoder(_Info)


def key_info(client: Asks) -> KeyInfo:
    """Ask what the key's plan allows and what is spent.

    Raises:
        SourceError: the source gave no usable answer; WrongKeyError without a key.
    """
    answer = client.get("key-info", _KEY_INFO, {})
    raise_error_of(answer)
    return read_key_info(answer.body)


def read_key_info(body: bytes) -> KeyInfo:
    """Return the plan and usage in an answer of key/info.

    Raises:
        BrokenAnswerError: it cannot be read.
    """
    try:
        data = decode(_INFO, body).data
    except msgspec.ValidationError as error:
        raise BrokenAnswerError(f"got JSON that is no key/info ({error}): expected data") from error
    plan, usage = _inside(data, "plan"), _inside(data, "usage")
    month, day = _inside(usage, "current_month"), _inside(usage, "current_day")
    name = plan.get("name") or plan.get("plan_name")
    return KeyInfo(
        plan=one_line(name, 64) if isinstance(name, str) and name.strip() else None,
        requests_per_minute=_limit(plan.get("rate_limit_minute")),
        credits_per_month=_limit(plan.get("credit_limit_monthly")),
        credits_used_this_month=_count(month.get("credits_used")),
        credits_left_this_month=_count(month.get("credits_left")),
        credits_left_today=_count(day.get("credits_left")),
        month_resets_at=parse_iso(plan.get("credit_limit_monthly_reset_timestamp")),
        credits_per_day=_limit(plan.get("credit_limit_daily")),
    )


def _inside(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return whole(value)


def _limit(value: object) -> int | None:
    """Return a limit; one of nothing at all would be no plan, and is as good as unknown."""
    return _count(value) or None
