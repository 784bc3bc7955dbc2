"""Errors are typed by their remedy: what is wrong, until when, and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coinlog.errors import SourceError
from coinlog.market import Reason
from coinlog.sources.answers import Answer
from coinlog.sources.coinmarketcap import credits_of, error_of

NOON = 1_769_428_800.0  # 2026-01-26T12:00:00Z


def answer(status: int, body: bytes) -> Answer:
    return Answer("listings-1", "v3/x", {}, status, body, NOON, 0.1)


def told(status: int, code: object, message: str | None = "Said so.") -> Answer:
    words = {"timestamp": "2026-01-26T12:00:00.000Z", "error_code": code, "error_message": message}
    return answer(status, json.dumps({"status": words}).encode())


def failure(given: Answer) -> SourceError:
    error = error_of(given)
    assert error
    return error


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (401, 1001, Reason.WRONG_KEY),
        (401, 1002, Reason.WRONG_KEY),
        (402, 1003, Reason.PLAN),
        (402, 1004, Reason.PLAN),
        (403, 1005, Reason.WRONG_KEY),
        (403, 1006, Reason.PLAN),
        (403, 1007, Reason.WRONG_KEY),
        (429, 1008, Reason.RATE_LIMITED),
        (429, 1009, Reason.QUOTA),
        (429, 1010, Reason.QUOTA),
        (429, 1011, Reason.RATE_LIMITED),
        (400, 400, Reason.REFUSED_REQUEST),
        (500, 500, Reason.SERVER_ERROR),
        (401, None, Reason.WRONG_KEY),
        (402, 0, Reason.PLAN),
        (403, "0", Reason.PLAN),
        (429, "", Reason.RATE_LIMITED),
        (503, "0", Reason.SERVER_ERROR),
        (418, 0, Reason.REFUSED_REQUEST),
    ],
)
def test_each_code_has_its_remedy(status: int, code: object, reason: Reason) -> None:
    assert failure(told(status, code)).reason is reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1001, Reason.WRONG_KEY),
        ("1006", Reason.PLAN),
        ("1008", Reason.RATE_LIMITED),
        (1010, Reason.QUOTA),
        (400, Reason.REFUSED_REQUEST),
        ("500", Reason.SERVER_ERROR),
        (1234, Reason.BROKEN_ANSWER),
        ("what", Reason.BROKEN_ANSWER),
        (1e300, Reason.BROKEN_ANSWER),
        ([], Reason.BROKEN_ANSWER),
    ],
)
def test_an_error_inside_http_200_counts(code: object, reason: Reason) -> None:
    assert failure(told(200, code)).reason is reason


@pytest.mark.parametrize("code", [0, "0", None, "", 0.0, False])
def test_zero_in_every_spelling_is_no_error(code: object) -> None:
    assert error_of(told(200, code, "")) is None


@pytest.mark.parametrize("body", [b"{}", b'{"status": null}', b'{"status": [1]}', b'{"data": []}'])
def test_a_status_that_is_missing_is_no_error(body: bytes) -> None:
    assert error_of(answer(200, body)) is None


def test_only_what_heals_is_worth_trying_again() -> None:
    healing = {500, 502, 503, 504}
    assert {status for status in range(500, 512) if failure(told(status, 0)).heals} == healing
    assert failure(told(429, 1008)).heals
    assert not failure(told(429, 1009)).heals


def test_a_spent_day_ends_at_the_next_midnight() -> None:
    assert "until 2026-01-27T00:00:00Z" in str(failure(told(429, 1009)))


def test_a_spent_month_ends_with_the_calendars_month_and_says_where_to_look() -> None:
    assert "until 2026-02-01T00:00:00Z" in str(failure(told(429, 1010)))
    assert "key/info" in str(failure(told(429, 1010)))


def test_the_sources_own_sentence_is_passed_on_in_one_short_line() -> None:
    error = failure(told(400, 400, '"symbol" is\nnot\x1b[31m allowed ' + "x" * 1000))
    assert '\'"symbol" is not [31m allowed' in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < 400


@pytest.mark.parametrize("status", [200, 403, 404, 429, 503])
def test_a_page_in_place_of_json_shows_its_first_words(status: int) -> None:
    error = failure(answer(status, b"<html>\n <title>403 ERROR</title>" + b" blocked" * 1000))
    assert "'<html> <title>403 ERROR</title> blocked" in str(error)
    assert "not JSON" in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < 400


def test_a_page_is_typed_by_its_http_status() -> None:
    reasons = {status: failure(answer(status, b"<html>")).reason for status in (200, 403, 429, 503)}
    assert reasons == {
        200: Reason.BROKEN_ANSWER,
        403: Reason.BROKEN_ANSWER,
        429: Reason.RATE_LIMITED,
        503: Reason.SERVER_ERROR,
    }


@pytest.mark.parametrize("reason", list(Reason))
def test_a_failure_kept_in_the_archive_is_the_same_failure_later(reason: Reason) -> None:
    kept = Answer("listings-1", "v3/x", {}, 0, b"", NOON, 0.1, reason=reason, detail="as it was")
    expected = {
        Reason.UNREACHABLE,
        Reason.TIMEOUT,
        Reason.SERVER_ERROR,
        Reason.WRONG_KEY,
        Reason.PLAN,
        Reason.QUOTA,
        Reason.RATE_LIMITED,
        Reason.REFUSED_REQUEST,
        Reason.CLOCK_SKEW,
    }
    assert str(failure(kept)) == "as it was"
    assert failure(kept).reason is (reason if reason in expected else Reason.BROKEN_ANSWER)


def test_credits_are_what_the_answers_say_themselves() -> None:
    odd: tuple[object, ...] = (25, 1, "2", None, -5, [], 1e300)
    bodies = [json.dumps({"status": {"credit_count": each}}).encode() for each in odd]
    assert credits_of([answer(200, body) for body in [*bodies, b"", b"<html>"]]) == 28


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("error_1001_invalid_key_2026-02-19", 401, Reason.WRONG_KEY),
        ("error_1002_missing_key_2026-02-19", 401, Reason.WRONG_KEY),
        ("error_1008_rate_limit_429_documented", 429, Reason.RATE_LIMITED),
        ("error_400_empty_symbol_2026-02-19", 400, Reason.REFUSED_REQUEST),
    ],
)
def test_recorded_errors_are_understood(
    shared: Path, name: str, status: int, reason: Reason
) -> None:
    body = (shared / "cmc" / f"{name}.json").read_bytes()
    assert failure(answer(status, body)).reason is reason
    assert failure(answer(200, body)).reason is reason
