"""The page and the API's answer of one slot: what became of it, why, and where its answer lies."""

from __future__ import annotations

import msgspec

from coinlog.market import Missing, Reason
from coinlog.store.writer import settle
from coinlog.web.i18n import catalogue
from samples import SLOT, STEP, settlement, snapshot
from sites import Site, slots_before

NAME = "20260126T180000Z"
HOSTILE = "<img src=x onerror=alert(1)> & co"


def test_a_stored_slot_tells_when_at_what_price_and_where(web: Site) -> None:
    web.store(*slots_before(2))

    html = web.get(f"/log/{NAME}").text

    for said in (
        "Slot of",
        "Everything that was asked for is here.",
        "12 s after it was due",
        "<dd>0.9 s</dd>",
        "1,234 bytes",
        f"<code>{'ab' * 32}</code>",
        f"<code>captures/{NAME}/1/</code>",
        f"zcat captures/{NAME}/1/*.json.gz",
        f'href="/market?at={SLOT}"',
        'rel="prev" href="/log/20260126T120000Z"',
        "1 attempt",
    ):
        assert said in html
    assert 'rel="next"' not in html
    assert "Toma del" in web.get(f"/es/log/{NAME}").text


def test_other_ways_to_write_a_slot_lead_to_its_one_address(web: Site) -> None:
    web.store(SLOT)

    for text in (str(SLOT), "2026-01-26T18:00:00Z", "2026-01-26T18:00", "2026-01-26T13:00-05:00"):
        for prefix in ("", "/es"):
            reply = web.get(f"{prefix}/log/{text}")
            assert (reply.status, reply.headers["location"]) == (302, f"{prefix}/log/{NAME}")
    assert web.get(f"/log/{NAME}/").status == 200


def test_a_failed_and_a_partial_slot_say_why_and_what_to_do(web: Site) -> None:
    failed = msgspec.structs.replace(
        settlement(SLOT - STEP), reason=Reason.WRONG_KEY, detail=HOSTILE
    )
    settle(web.engine, failed, SLOT - STEP + 20)
    lacking = Missing(HOSTILE, Reason.NOT_ANSWERED, "no id 777", 777)
    known = Missing("asset 1", Reason.REFUSED, "a negative price", 1)
    web.store(SLOT - 2 * STEP)
    web.settle(SLOT, snapshot(missing=(lacking, known)))

    failure, part = web.get("/log/20260126T120000Z").text, web.get(f"/log/{NAME}").text

    assert "the API key is missing or wrong" in failure
    assert "Set COINLOG_API_KEY to a valid key" in failure
    assert "/market?at=" not in failure
    assert "2 parts are missing" in part
    # What was never recorded has no page.
    assert "id 777" in part
    assert 'href="/assets/777"' not in part
    assert 'href="/assets/1"' in part
    for html in (failure, part):
        assert "<img" not in html
        assert "&lt;img src=x onerror=alert(1)&gt; &amp; co" in html
    assert web.json(f"/api/v1/log/{SLOT}")["missing"][0]["what"] == HOSTILE


def test_a_missed_slot_has_a_page_and_an_answer_too(web: Site) -> None:
    first, missed, last = slots_before(3)
    web.store(first, last)

    html = web.get(f"/es/log/{missed}", {}).headers["location"]
    page = web.get(html).text
    answer = web.json(f"/api/v1/log/{missed}")

    assert "coinlog doctor dice si ahora todo va bien" in page
    assert "No la hay: no se preguntó nada." in page
    assert (answer["outcome"], answer["reason"]) == ("missed", "missed")
    assert (answer["folder"], answer["settled"]) == (None, [])
    assert (answer["before"], answer["after"]) == (first, last)


def test_every_attempt_is_told_and_which_of_them_counts(web: Site) -> None:
    web.settle(SLOT, attempt="1")
    web.settle(SLOT, snapshot(), attempt="2")

    html, answer = web.get(f"/log/{NAME}").text, web.json(f"/api/v1/log/{NAME}")

    assert "2 attempts" in html
    assert html.count('<tr class="stands"><th scope="row">2 <small>counts</small>') == 1
    assert [(one["attempt"], one["outcome"]) for one in answer["settled"]] == [
        ("1", "failed"),
        ("2", "stored"),
    ]
    assert (answer["attempt"], answer["attempts"], answer["credits"]) == ("2", 2, 6)
    assert answer["folder"] == f"captures/{NAME}/2"
    (row,) = web.json("/api/v1/log")["slots"]
    assert {name: answer[name] for name in row} == row


def test_a_slot_that_has_no_outcome_is_404_with_a_sentence(web: Site) -> None:
    web.store(SLOT - STEP)
    web.now = SLOT + 60

    for name, sentence in (
        ("2026-01-26T17:59:00Z", "that time belongs to the slot of /log/20260126T120000Z"),
        ("2020-01-01", "recording began at 2026-01-26T12:00:00Z"),
        ("2026-01-27T00:00:00Z", "is not due yet"),
        ("2026-01-26T18:00:00Z", "counts as missed from 2026-01-26T18:36:00Z on"),
        ("yesterday", "is not a time: expected ISO 8601 or epoch seconds"),
        ("99999999999999", "is not a time"),
    ):
        page, answer = web.get(f"/log/{name}"), web.get(f"/api/v1/log/{name}")
        assert (page.status, answer.status) == (404, 404)
        assert sentence in page.text
        assert sentence in answer.error["message"]


def test_an_empty_store_has_no_slot(web: Site) -> None:
    assert "nothing has been recorded yet" in web.get(f"/api/v1/log/{NAME}").error["message"]


def test_every_reason_of_a_slot_says_what_to_do() -> None:
    of_quotes = {Reason.NOT_DUE, Reason.NOT_LISTED, Reason.REFUSED, Reason.NOT_ANSWERED}

    told = {key for key in catalogue("en").texts if key.startswith("means.")}

    assert told == {"means.stored", *(f"means.{one}" for one in set(Reason) - of_quotes)}
