"""A gateway's refusal is no heartbeat: one is normal, minutes of nothing else are said."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from messaging.models import Message
from messaging.receiving import poll_notes
from messaging.receiving.binding import Binding
from messaging.receiving.poll_notes import GaveUp
from messaging.worker.pauses import USUAL
from sessions_app.login import driver
from sessions_app.login.panel import login_panel
from sessions_app.models import LoginAttempt, Session
from sessions_app.sessions import reasons
from sessions_app.sessions.health import GATEWAY_PATIENCE_S, health_of
from tests.api.callers import calling
from tests.conftest import QUICK, Cast, Running, in_thread, until
from tests.messaging.builders import heard, make_session

UPDATES = "/ilink/bot/getupdates"
STATUS = "/ilink/bot/get_qrcode_status"
LINA = "lina@im.wechat"
GATEWAY = [502, 503, 504, 520, 522, 524]


def _binding(session: Session) -> Binding:
    return Binding(session.pk, session.generation, "", 35_000)


def _last_heard(session: Session, seconds: float) -> None:
    """WeChat itself answered so long ago, and the gateway gives up again and again since."""
    now = timezone.now()
    then = now - timedelta(seconds=seconds)
    Session.objects.filter(pk=session.pk).update(last_poll_at=then, bound_at=then, state_since=then)
    poll_notes.write_given_up({_binding(session): GaveUp(now, 524)})


@pytest.mark.django_db
def test_one_is_normal_and_minutes_of_nothing_else_are_a_failure(cast: Cast) -> None:
    session = make_session("Shop A")
    _last_heard(session, GATEWAY_PATIENCE_S - 60)
    ask = calling(cast.administrator)
    (shown,) = ask.get("/sessions").body["items"]
    assert (shown["state"], shown["last_error"]) == ("connected", "WeChat answered 524")

    _last_heard(session, 4 * 60 + 10)
    (shown,) = ask.get("/sessions").body["items"]
    words = "WeChat's gateway answered 524 for 4 minutes"
    assert (shown["state"], shown["last_error"]) == ("failing", words)
    assert ask.get("/status").body["connected_count"] == 0
    operator = Client()
    operator.force_login(cast.operator)
    for page in ("/sessions/", "/sessions/Shop%20A/"):
        assert words.replace("'", "&#x27;") in operator.get(page).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["the first good poll", "one of many good polls"])
def test_it_comes_back_by_itself(how: str) -> None:
    session = make_session()
    _last_heard(session, 600)
    assert poll_notes.settle_quiet([_binding(session)], GATEWAY_PATIENCE_S) == [_binding(session)]
    session.refresh_from_db()
    assert (session.state, session.error_code) == ("failing", "http_for")
    at = timezone.now() + timedelta(seconds=2)
    if how == "the first good poll":
        poll_notes.good_polls({_binding(session): at})
    else:
        poll_notes.write_good_polls(heard(_binding(session), at))
    session.refresh_from_db()
    assert (session.state, session.error_code) == ("connected", "")
    states = list(
        session.events.filter(kind="state").order_by("pk").values_list("state", flat=True)
    )
    assert states == ["failing", "connected"]


@pytest.mark.django_db
def test_how_long_is_handed_in() -> None:
    session = make_session()
    _last_heard(session, 100)
    session.refresh_from_db()
    now = timezone.now()
    assert health_of(session, now=now, patience_s=60).state == "failing"
    assert health_of(session, now=now, patience_s=120).state == "connected"


@pytest.mark.django_db
def test_refusals_without_end_are_told_from_silence() -> None:
    session = make_session()
    _last_heard(session, 100)
    session.refresh_from_db()
    later = timezone.now() + timedelta(seconds=95)
    assert health_of(session, now=later).code == "http_for"
    assert health_of(session, now=later, patience_s=600).is_silent


@pytest.mark.parametrize("status", GATEWAY)
async def test_the_worker_says_it_and_receives_again_when_the_gateway_is_well(
    running: Running, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("messaging.receiving.poller.SILENT_AFTER_S", 0.0)
    running.worker.polls.patience_s = 0.5
    running.worker.polls.sleep = _short
    session = await running.scan("Shop A")
    running.control.add_fault("status", path=UPDATES, status=status, times=None, wait_s=0.1)
    heard_at = (await Session.objects.aget(pk=session.pk)).last_poll_at
    await until(lambda: Session.objects.filter(pk=session.pk, state="failing").exists(), "failing")
    failing = await Session.objects.aget(pk=session.pk)
    assert failing.error_detail.split()[0] == str(status)
    assert failing.last_poll_at == heard_at or running.control.faults()[0]["hits"]
    frozen = failing.last_poll_at
    hits = running.control.faults()[0]["hits"]
    await until(lambda: running.control.faults()[0]["hits"] > hits + 1, "polled on")
    assert (await Session.objects.aget(pk=session.pk)).last_poll_at == frozen

    running.control.clear_faults()
    running.control.write(session.bot_id, LINA, "still there?")
    await until(lambda: Message.objects.exists(), "received")
    await until(lambda: Session.objects.filter(pk=session.pk, state="connected").exists(), "well")


async def _short(_seconds: float) -> None:
    await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "pauses", [replace(QUICK, retry_s=USUAL.retry_s, retry_later_s=USUAL.retry_later_s)], ids=[""]
)
async def test_a_code_s_status_polls_back_off_and_the_page_says_why(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[float] = []
    pause = driver.LoginDriver._pause

    async def note(self: driver.LoginDriver, seconds: float) -> None:
        noted.append(seconds)
        await pause(self, min(seconds, 0.02))

    monkeypatch.setattr(driver.LoginDriver, "_pause", note)
    attempt: LoginAttempt = await in_thread(running._start)("Shop A")
    handle = await until(lambda: LoginAttempt.objects.get(pk=attempt.pk).qrcode, "a code")
    running.control.add_fault("status", path=STATUS, status=524, times=None)
    noted.clear()
    await until(lambda: len(noted) >= 6, "asked again")
    backed_off = [one for one in noted if one > 1.5][:4]
    # 2 s or 30 s with a fifth of jitter; the first refusal may have come before the list began.
    assert [24 <= one <= 36 for one in backed_off] in (
        [False, False, True, True],
        [False, True, True, True],
    )
    row = await until(lambda: LoginAttempt.objects.filter(pk=attempt.pk, error_code="http").first())
    assert row.status == "waiting"
    assert login_panel(row).sentence == (
        "Waiting for the scan, but WeChat answered 524. Trying again…"
    )

    running.control.clear_faults()
    running.control.scan(handle, "Lin")
    await until(lambda: LoginAttempt.objects.get(pk=attempt.pk).status == "scanned", "scanned")
    assert not (await LoginAttempt.objects.aget(pk=attempt.pk)).error_code
    running.control.confirm(handle)
    await until(lambda: Session.objects.filter(state="connected").exists(), "connected")


async def test_one_refusal_of_the_gateway_does_not_take_a_scan_back(running: Running) -> None:
    running.control.switches(hold_s=0.1)
    attempt: LoginAttempt = await in_thread(running._start)("Shop A")
    handle = await until(lambda: LoginAttempt.objects.get(pk=attempt.pk).qrcode, "a code")
    running.control.scan(handle, "Lin")
    await until(lambda: LoginAttempt.objects.get(pk=attempt.pk).status == "scanned", "scanned")
    version = (await LoginAttempt.objects.aget(pk=attempt.pk)).version
    running.control.add_fault("status", path=STATUS, status=502)
    await until(lambda: not running.control.faults(), "the gateway refused")
    running.control.confirm(handle)
    await until(lambda: LoginAttempt.objects.get(pk=attempt.pk).status == "confirmed", "bound")
    assert (await LoginAttempt.objects.aget(pk=attempt.pk)).version == version + 1


def test_the_sentence_counts_minutes() -> None:
    assert reasons.sentence("http_for", "502 1") == "WeChat's gateway answered 502 for 1 minute"
    assert reasons.sentence("http_for", "502 15") == "WeChat's gateway answered 502 for 15 minutes"
