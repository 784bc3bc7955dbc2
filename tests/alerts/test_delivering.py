"""Delivering: once to each receiver, whatever happens to it, to us, and to another at work."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from coinlog.alerts.delivering import Deliverer, kept_seconds
from coinlog.alerts.left import Alert, leave_alert
from coinlog.alerts.market_rules import Price
from coinlog.alerts.recorder_rules import Failing, Missed
from coinlog.alerts.targets import open_targets
from coinlog.archive import Archive, open_archive
from coinlog.errors import AlertError, SettingError
from receivers import SECRET, Receiver
from ringing import Makes
from samples import SLOT, STEP
from waiting import until

ALERT = Alert("coinlog: one", "Something.", None, SLOT)


@pytest.fixture
def archive() -> Archive:
    made = open_archive("memory://")
    assert leave_alert(made, "alerts/20260126T180000Z-failing-fired.json", ALERT)
    return made


def deliverer(archive: Archive, *receivers: Receiver, now: float | None = None) -> Deliverer:
    targets = open_targets([receiver.url for receiver in receivers], "COINLOG_ALERT_URLS")
    return Deliverer(archive, targets, clock=time.time if now is None else lambda: now)


def test_of_many_at_once_one_sends(archive: Archive, receiver: Receiver) -> None:
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: deliverer(archive, receiver).deliver().sent, range(6)))

    assert sorted(map(len, done)) == [0, 0, 0, 0, 0, 1]
    assert receiver.subjects == ["coinlog: one"]


def test_a_receiver_that_was_down_gets_it_once_it_is_back_and_no_other_twice(
    archive: Archive, receiver: Receiver
) -> None:
    with Receiver() as down:
        down.stop()
        first = deliverer(archive, receiver, down, now=SLOT).deliver()
        assert (len(first.sent), len(first.failed), first.again_at) == (1, 1, SLOT + 30)
        soon = deliverer(archive, receiver, down, now=SLOT + 29).deliver()
        assert (soon.sent, soon.failed, soon.again_at) == ((), (), SLOT + 30)
        again = deliverer(archive, receiver, down, now=SLOT + 31).deliver()
        assert again.again_at == SLOT + 31 + 60
        down.start()
        assert len(deliverer(archive, receiver, down, now=SLOT + 100).deliver().sent) == 1
        assert deliverer(archive, receiver, down, now=SLOT + 9000).deliver().sent == ()

        assert down.subjects == receiver.subjects == ["coinlog: one"]


def test_what_a_receiver_refuses_is_told_by_its_status_alone(
    archive: Archive, receiver: Receiver
) -> None:
    receiver.status = 403
    [failed] = deliverer(archive, receiver).deliver().failed

    assert failed == "address 1, JSON at 127.0.0.1, did not take the message (HTTP 403)"


def test_after_a_day_it_is_no_news(archive: Archive, receiver: Receiver) -> None:
    old = Alert("coinlog: old", "Something.", float(SLOT), SLOT)
    leave_alert(archive, "alerts/20260126T180000Z-missed-fired.json", old)
    made = deliverer(archive, receiver, now=SLOT + kept_seconds(0) + 1)

    assert len(made.deliver().sent) == 1
    assert receiver.subjects == ["coinlog: one"]


def test_what_redirects_is_not_followed(archive: Archive, receiver: Receiver) -> None:
    with Receiver() as elsewhere:
        receiver.status = 307
        receiver.headers = {"Location": f"http://127.0.0.1:{elsewhere.port}/"}
        assert deliverer(archive, receiver).deliver().sent == ()
        assert elsewhere.asked == 0


def test_a_slow_receiver_is_waited_for_so_long_and_no_longer(
    archive: Archive, receiver: Receiver
) -> None:
    receiver.go_on.clear()
    [target] = open_targets([f"{receiver.url}?rto=60"], "COINLOG_ALERT_URLS")
    begun = time.monotonic()
    with pytest.raises(AlertError, match="gave no answer within 0 s"):
        target.send(ALERT, seconds=0.3)
    assert time.monotonic() - begun < 10
    assert receiver.messages == []
    del archive


def test_no_slot_waits_for_a_slow_receiver(makes: Makes) -> None:
    ringing = makes([Failing()])
    ringing.at(SLOT)
    ringing.receiver.go_on.clear()
    ringing.bell.start()
    ringing.record(SLOT + STEP, status=401)
    ringing.bell.ring([SLOT + STEP])
    until(lambda: ringing.receiver.asked, "the message to be on its way")
    recording = ringing.record(SLOT + 2 * STEP)
    assert recording.done
    assert ringing.receiver.messages == []

    ringing.receiver.go_on.set()
    until(lambda: len(ringing.receiver.messages) == 1, "the message")
    ringing.bell.ring([SLOT + 2 * STEP])
    until(lambda: len(ringing.receiver.messages) == 2, "the recovery")
    ringing.bell.stop()


def test_a_new_start_tells_nothing_twice_and_forgets_nothing(makes: Makes) -> None:
    ringing = makes([Failing(), Price(asset=1, above=100)])
    ringing.at(SLOT, price=99)
    ringing.at(SLOT + STEP, price=101)
    for _ in range(2):
        ringing.bell = ringing.new_bell()
        assert ringing.ring() == []
    ringing.bell = ringing.new_bell()
    assert len(ringing.at(SLOT + 2 * STEP, price=90)) == 1
    assert len(ringing.receiver.subjects) == 2


def test_two_recorders_that_look_at_the_same_tell_it_once(makes: Makes) -> None:
    ringing = makes([Failing(), Price(asset=1, above=100)])
    others = [ringing.new_bell() for _ in range(3)]
    ringing.record(SLOT, price=99)
    with ThreadPoolExecutor(3) as pool:
        for number in (1, 2, 3):
            list(pool.map(lambda bell: bell.once([SLOT]), others))
            ringing.record(SLOT + number * STEP, price=(101, 102, 90)[number - 1])
        list(pool.map(lambda bell: bell.once([SLOT]), others))

    assert len(ringing.receiver.subjects) == 2


def test_what_was_before_a_rule_is_no_news(makes: Makes) -> None:
    ringing = makes([Price(asset=1, above=100), Failing(), Missed()])
    for number in range(4):
        ringing.record(SLOT + number * STEP, price=(101, 99, 101, 99)[number])
    # What had been missed before is none either.
    assert ringing.at(SLOT + 8 * STEP, price=99) == []
    assert len(ringing.at(SLOT + 9 * STEP, price=101)) == 1


def test_hostile_names_come_out_as_one_plain_line(makes: Makes) -> None:
    ringing = makes([Price(asset=1, above=100)])
    ringing.at(SLOT, price=99)
    name = "Evil\r\nBcc: all\u202e<b onload=x>*@everyone* &amp; [x](http://e)\x00" + "z" * 500
    [subject] = ringing.at(SLOT + STEP, price=101, names=name)

    assert subject == (
        "coinlog: Evil Bcc: allb onloadxeveryone amp; x(h… (A1, id 1) is above 100 USD: 101 USD"
    )
    assert subject in f"coinlog: {ringing.receiver.messages[0]['message']}"


def test_a_secret_address_is_in_no_log_and_no_error(
    makes: Makes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    ringing = makes([Failing()])
    ringing.at(SLOT)
    for status in (500, 307, 404):
        ringing.receiver.status = status
        ringing.at(SLOT + STEP, status=401)
        ringing.desk.now += 4000
        ringing.ring()
    ringing.receiver.stop()
    ringing.desk.now += 4000
    ringing.ring()
    told = caplog.text + "".join(capfd.readouterr())
    bells = repr(vars(ringing.bell)) + repr(open_targets([ringing.receiver.url], "x"))

    assert "did not take the message" in told
    assert SECRET not in told
    assert SECRET not in bells
    for path in ringing.desk.archive.objects.paths("alerts/"):
        assert SECRET not in path
        assert SECRET.encode() not in ringing.desk.archive.objects.read(path)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (SECRET, "is no address"),
        (f"jsn://{SECRET}", "did you mean json://?"),
        (f"tgram://{SECRET}", "expected all parts that Apprise's page on this service names"),
        (f"syslog://{SECRET}", "would act on this machine alone"),
        (f"dbus://{SECRET}", "would act on this machine alone"),
        (f"slack://{SECRET}/?template=/etc/passwd", "names a file in template="),
        (f"slack://{SECRET}/B/C/#channel?template=/etc/passwd", "names a file in template="),
        (f"slack://{SECRET}/B/C/?x=1;%74emplate+=/etc/passwd", "names a file in template="),
        (f"mailto://u:{SECRET}@example.org?pgpprv=/etc/passwd", "names a file in pgpprv="),
        (f"tgram://[123456789:{SECRET}]/42", "cannot be used: expected all parts"),
        (f"json://user:pa[ss@{SECRET}", "cannot be used: expected all parts"),
        (f"json://user:{SECRET}@ex\u2100mple.org", "cannot be used: expected all parts"),
        (f"{SECRET}!!://x", "is no address"),
        (f"json://h/{SECRET},json://h/b", "behind a comma: put a space between addresses"),
        (f"json://h/b, jsn://h/{SECRET}", "behind a comma: put a space between addresses"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_being_shown(url: str, said: str) -> None:
    with pytest.raises(SettingError, match="COINLOG_ALERT_URLS: address 2") as raised:
        open_targets(["json://127.0.0.1/x", url], "COINLOG_ALERT_URLS")

    assert said in str(raised.value)
    assert SECRET not in str(raised.value)


def test_no_token_is_taken_for_a_host() -> None:
    token = "123456789:alphanumeric_secret_token"
    [target] = open_targets([f"tgram://{token}/987654321"], "x")

    assert target.label == "address 1, Telegram"
    assert token not in f"{target!r} {target.id}"


def test_marks_are_called_after_an_address_without_its_password() -> None:
    token = "123456789:alphanumeric_secret_token"
    urls = (
        *("mailto://me:one@example.org", "mailto://me:two@example.org"),
        *("mailto://me@example.org?pass=one", "mailto://me@example.org?pass=two"),
        *("mailto://you:one@example.org", "json://me:one@127.0.0.1/a", "json://me:two@127.0.0.1/a"),
        *("json://me:one@127.0.0.1/b", f"tgram://{token}a/1", f"tgram://{token}b/1"),
    )
    ids = [target.id for target in open_targets(urls, "x")]

    assert ids[0] == ids[1]
    assert ids[2] == ids[3]
    assert ids[5] == ids[6]
    assert len(set(ids)) == len(ids) - 3
