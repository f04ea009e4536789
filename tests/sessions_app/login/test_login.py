"""A QR login as it runs: every status of the protocol, on a simulated WeChat, without a browser."""

from datetime import timedelta
from functools import partial

import pytest
from cryptography.fernet import Fernet
from django.db import OperationalError
from django.utils import timezone

from sessions_app.login import attempts
from sessions_app.login.driver import LoginDriver
from sessions_app.login.qr_code import qr_svg
from sessions_app.models import Context, LoginAttempt, LoginState, Session, Team
from sessions_app.realtime.streams import announcing
from sessions_app.sessions import names, reasons, services
from sessions_app.sessions.binding import Credentials, bind
from sessions_app.team_settings.limits import TeamSettings
from tests.conftest import Running, in_thread, until
from tests.messaging.builders import make_session


async def _start(running: Running, name: str = "Shop A", session: Session | None = None) -> str:
    def start() -> str:
        return attempts.start_login(
            user=None, session_name=name, team=Team.objects.get(), session=session, force=True
        ).pk

    attempt_id: str = await in_thread(start)()
    return attempt_id


async def _handle(attempt_id: str, number: int = 1) -> str:
    """The handle of the `number`th code, once it is on the screen."""

    def drawn() -> str:
        attempt = LoginAttempt.objects.get(pk=attempt_id)
        return attempt.qrcode if attempt.qr_number == number else ""

    handle: str = await until(drawn, f"code {number}")
    return handle


async def _status(attempt_id: str, status: str) -> LoginAttempt:
    attempt: LoginAttempt = await until(
        lambda: LoginAttempt.objects.filter(pk=attempt_id, status=status).first(), status
    )
    return attempt


async def test_scan_and_confirm_bind_the_session(running: Running) -> None:
    attempt_id = await _start(running)
    handle = await _handle(attempt_id)
    await _status(attempt_id, "waiting")
    running.control.scan(handle, "Lin")
    await _status(attempt_id, "scanned")
    bot = running.control.confirm(handle)
    attempt = await _status(attempt_id, "confirmed")

    session = await Session.objects.aget(name="Shop A")
    assert attempt.session_id == session.pk
    assert session.bot_id == bot["bot_id"]
    assert bot["token"] not in session.encrypted_token
    assert session.is_default


async def test_the_code_is_drawn_black_on_white_with_its_quiet_zone(running: Running) -> None:
    attempt_id = await _start(running)
    await _handle(attempt_id)
    attempt = await LoginAttempt.objects.aget(pk=attempt_id)
    svg = qr_svg(attempt)
    assert svg.startswith("<svg")
    assert 'fill="white"' in svg
    assert 'fill="#000000"' in svg or 'fill="black"' in svg
    assert attempt.expires_at is not None
    assert attempt.expires_at > timezone.now()


async def test_digits_are_asked_for_wrong_ones_said_and_right_ones_taken(running: Running) -> None:
    attempt_id = await _start(running)
    handle = await _handle(attempt_id)
    digits = running.control.scan(handle, "Lin", ask_code=True)["digits"]
    attempt = await _status(attempt_id, "verify_code_required")
    wrong = "111111" if digits != "111111" else "222222"

    await in_thread(attempts.give_verify_code)(attempt=attempt, code=wrong)
    attempt = await _status(attempt_id, "verify_code_wrong")
    await in_thread(attempts.give_verify_code)(attempt=attempt, code=f" {digits} ")
    await until(lambda: running.control.login(handle)["status"] == "scaned", "digits taken")
    await _status(attempt_id, "scanned")
    running.control.confirm(handle)
    await _status(attempt_id, "confirmed")


async def test_too_many_wrong_digits_draw_a_new_code(running: Running) -> None:
    running.control.switches(verify_code_tries=1)
    attempt_id = await _start(running)
    handle = await _handle(attempt_id)
    digits = running.control.scan(handle, "Lin", ask_code=True)["digits"]
    attempt = await _status(attempt_id, "verify_code_required")
    wrong = "111111" if digits != "111111" else "222222"
    await in_thread(attempts.give_verify_code)(attempt=attempt, code=wrong)

    await _status(attempt_id, "verify_code_blocked")
    second = await _handle(attempt_id, 2)
    running.control.scan(second, "Lin")
    await _status(attempt_id, "scanned")


async def test_an_expired_code_is_refreshed_three_codes_in_all(running: Running) -> None:
    attempt_id = await _start(running)
    for number in (1, 2, 3):
        running.control.expire(await _handle(attempt_id, number))
    attempt = await _status(attempt_id, "expired")

    assert attempt.qr_number == 3
    assert attempt.error_code == "too_many_codes"
    assert not await Session.objects.aexists()


async def test_a_refreshed_code_works(running: Running) -> None:
    attempt_id = await _start(running)
    running.control.expire(await _handle(attempt_id, 1))
    await _status(attempt_id, "refreshed")
    second = await _handle(attempt_id, 2)
    running.control.scan(second, "Lin")
    running.control.confirm(second)
    await _status(attempt_id, "confirmed")


async def test_a_redirect_is_followed(running: Running) -> None:
    attempt_id = await _start(running)
    handle = await _handle(attempt_id)
    running.control.scan(handle, "Lin", redirect=True)
    attempt = await _status(attempt_id, "scanned")
    running.control.confirm(handle)
    await _status(attempt_id, "confirmed")
    assert attempt.poll_url.startswith("http://127.0.0.1:")


async def test_a_redirect_to_a_strange_host_is_refused(running: Running) -> None:
    running.control.switches(redirect_host="evil.example")
    attempt_id = await _start(running)
    running.control.scan(await _handle(attempt_id), "Lin", redirect=True)
    attempt = await _status(attempt_id, "failed")
    assert attempt.error_code == "unsafe_host"


async def test_an_account_that_we_hold_already_changes_nothing(running: Running) -> None:
    session = await running.scan("Shop A", "Lin")
    attempt_id = await _start(running, "Shop B")
    running.control.scan(await _handle(attempt_id), "Lin")
    await _status(attempt_id, "already_connected")

    assert await Session.objects.acount() == 1
    again = await Session.objects.aget()
    assert (again.bot_id, again.generation) == (session.bot_id, session.generation)


async def test_a_session_may_be_scanned_again_by_its_own_account(running: Running) -> None:
    first = await running.scan("Shop A", "Lin")
    running.control.end_bot(first.bot_id)
    await until(lambda: Session.objects.filter(state="expired").exists(), "expired")
    again = await running.scan("Shop A", "Lin")

    assert again.pk == first.pk
    assert again.generation == first.generation + 1
    assert again.bot_id != first.bot_id


async def test_another_account_than_last_time_is_asked_about(running: Running) -> None:
    session = await running.scan("Shop A", "Lin")
    attempt_id = await _start(running, "Shop A", session)
    handle = await _handle(attempt_id)
    running.control.scan(handle, "Guo")
    bot = running.control.confirm(handle)
    attempt = await _status(attempt_id, "other_account")
    assert bot["token"] not in attempt.encrypted_result

    def resolve() -> Session:
        return attempts.resolve_other_account(
            attempt=attempt, replace=False, new_name="Guo's", user=None
        )

    made = await in_thread(resolve)()
    assert (made.name, made.bot_id) == ("Guo's", bot["bot_id"])
    assert (await Session.objects.aget(pk=session.pk)).bot_id == session.bot_id


@pytest.mark.django_db
def test_one_account_bound_anew_ends_its_older_session_with_the_reason() -> None:
    older, newer = make_session("Shop A"), make_session("Shop B")
    Session.objects.update(owner_id="lin@im.wechat")
    newer.refresh_from_db()
    credentials = Credentials(
        "token", "new@im.bot", "https://ilinkai.weixin.qq.com", "lin@im.wechat"
    )
    with announcing() as change:
        bind(change, newer, credentials, who=None)

    older.refresh_from_db()
    assert (older.state, older.error_code, older.error_detail) == (
        "expired", "bound_elsewhere", "Shop B",
    )  # fmt: skip
    assert reasons.sentence(older.error_code, older.error_detail) == (
        "this WeChat account is now bound as “Shop B”"
    )


async def test_a_cancelled_login_ends_and_draws_no_more(running: Running) -> None:
    attempt_id = await _start(running)
    await _handle(attempt_id)
    attempt = await LoginAttempt.objects.aget(pk=attempt_id)
    await in_thread(attempts.cancel_login)(attempt=attempt, user=None)
    await until(lambda: not running.worker.logins._driven, "the driver to end")
    assert (await LoginAttempt.objects.aget(pk=attempt_id)).status == "cancelled"


async def test_wechat_away_is_said_and_the_code_comes_when_it_is_back(running: Running) -> None:
    running.control.add_fault("status", path="*get_bot_qrcode*", status=502, times=1)
    attempt_id = await _start(running)
    await until(
        lambda: LoginAttempt.objects.filter(pk=attempt_id).exclude(error_code="").exists(),
        "the failure on the page",
    )
    await _handle(attempt_id)
    assert (await LoginAttempt.objects.aget(pk=attempt_id)).error_code == ""


async def test_logging_out_forgets_credentials_and_contexts_and_tells_wechat(
    running: Running,
) -> None:
    session = await running.scan("Shop A")
    running.control.add_person("Li Na", "lina@im.wechat")
    running.control.write(session.bot_id, "lina@im.wechat", "hello")
    await until(lambda: Context.objects.exists(), "the context")
    await in_thread(services.log_out)(session=session, user=None)

    await until(lambda: running.control.requests().get("/ilink/bot/msg/notifystop"), "notifystop")
    session = await Session.objects.aget(pk=session.pk)
    assert (session.state, session.encrypted_token) == ("logged_out", "")
    assert not await Context.objects.aexists()


@pytest.mark.django_db
def test_digits_must_be_digits() -> None:
    team = Team.objects.get(name="Everyone")
    attempt = attempts.start_login(user=None, session_name="Shop A", team=team)
    with pytest.raises(ValueError, match="digits"):
        attempts.give_verify_code(attempt=attempt, code="12a4")
    with pytest.raises(attempts.VerifyCodeNotWanted):
        attempts.give_verify_code(attempt=attempt, code="1234")


@pytest.mark.django_db
def test_a_connected_session_asks_before_a_forced_new_login() -> None:
    session = make_session()
    with pytest.raises(attempts.AlreadyConnected):
        attempts.start_login(
            user=None, session_name=session.name, team=session.team, session=session
        )


async def test_a_token_that_our_keys_do_not_open_stops_no_other_login(running: Running) -> None:
    session = await running.scan("Shop A")
    strange = Fernet(Fernet.generate_key()).encrypt(b"x").decode()
    await Session.objects.filter(pk=session.pk).aupdate(encrypted_token=strange)
    await _handle(await _start(running, "Shop B"))


async def test_a_database_error_in_the_middle_drops_no_scan(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt_id = await _start(running)
    handle = await _handle(attempt_id)
    real, troubles = attempts.is_open, [OperationalError("database is locked")]

    def is_open(pk: str) -> bool:
        if troubles:
            raise troubles.pop()
        return real(pk)

    monkeypatch.setattr(attempts, "is_open", is_open)
    await until(lambda: not troubles, "the database error")
    running.control.scan(handle, "Lin")
    running.control.confirm(handle)
    await _status(attempt_id, "confirmed")
    assert await Session.objects.acount() == 1


def _renew_after(monkeypatch: pytest.MonkeyPatch, lifetime: timedelta) -> None:
    monkeypatch.setattr(TeamSettings, "qr_lifetime", property(lambda _settings: lifetime))


async def test_an_unscanned_code_is_replaced_before_wechat_drops_it(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    _renew_after(monkeypatch, timedelta(seconds=3))
    attempt_id = await _start(running)
    first = await _handle(attempt_id)
    await _handle(attempt_id, 2)
    assert running.control.login(first)["status"] == "wait"


@pytest.mark.parametrize("ask_code", [False, True])
async def test_a_scan_of_the_code_that_was_just_replaced_still_connects(
    running: Running, ask_code: bool
) -> None:
    attempt_id = await _start(running)
    first = await _handle(attempt_id)
    await in_thread(attempts.ask_new_code)(attempt=await LoginAttempt.objects.aget(pk=attempt_id))
    await _status(attempt_id, "refreshed")
    digits = running.control.scan(first, "Lin", ask_code=ask_code).get("digits")
    attempt = await _status(attempt_id, "verify_code_required" if ask_code else "scanned")
    if ask_code:
        await in_thread(attempts.give_verify_code)(attempt=attempt, code=digits)
        await until(lambda: running.control.login(first)["status"] == "scaned", "digits taken")
    running.control.confirm(first)
    await _status(attempt_id, "confirmed")
    assert await Session.objects.acount() == 1


async def test_a_scanned_code_is_not_replaced_however_long_the_phone_takes(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    _renew_after(monkeypatch, timedelta(seconds=2))
    attempt_id = await _start(running)
    handle = await _handle(attempt_id)
    running.control.scan(handle, "Lin")
    await _status(attempt_id, "scanned")
    passed = lambda: LoginAttempt.objects.filter(  # noqa: E731
        pk=attempt_id, expires_at__lt=timezone.now()
    ).exists()
    await until(passed, "the code over its age")
    running.control.confirm(handle)
    attempt = await _status(attempt_id, "confirmed")
    assert attempt.qr_number == 1


def _other_code(attempt_id: str, handle: str) -> LoginAttempt | None:
    drawn = LoginAttempt.objects.filter(pk=attempt_id, status="refreshed", qr_number=1)
    return drawn.exclude(qrcode=handle).first()


async def test_a_new_code_is_there_whenever_somebody_asks(running: Running) -> None:
    attempt_id = await _start(running)
    first = await _handle(attempt_id)
    running.control.scan(first, "Lin")
    attempt = await _status(attempt_id, "scanned")
    for _again in range(4):  # a person's wish counts from 1 again
        handle = attempt.qrcode
        assert await in_thread(attempts.ask_new_code)(attempt=attempt)
        attempt = await until(partial(_other_code, attempt_id, handle), "another code")
    running.control.scan(attempt.qrcode, "Mei")
    running.control.confirm(attempt.qrcode)
    attempt = await _status(attempt_id, "confirmed")
    assert not await in_thread(attempts.ask_new_code)(attempt=attempt)


@pytest.mark.django_db
def test_a_public_page_waits_a_little_between_two_codes() -> None:
    attempt = attempts.start_login(user=None, session_name="Shop", team=Team.objects.get())
    attempts.show_code(attempt.pk, qrcode_handle="h", qr_url="https://q", status=LoginState.WAITING)
    assert not attempts.ask_new_code(attempt=attempt, shown_for=attempts.PUBLIC_REST)
    LoginAttempt.objects.update(expires_at=timezone.now())
    assert attempts.ask_new_code(attempt=attempt, shown_for=attempts.PUBLIC_REST)


async def test_a_status_refused_again_and_again_draws_a_new_code_once_over_age(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt_id = await _start(running)
    await _handle(attempt_id)
    running.control.add_fault("ret", path="*/get_qrcode_status", ret=-1, times=None)
    _renew_after(monkeypatch, timedelta(0))
    monkeypatch.setattr(LoginDriver, "_is_over_age", lambda driver: True)
    attempt = await _status(attempt_id, "expired")
    assert (attempt.qr_number, attempt.error_code) == (3, "too_many_codes")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["🎉" * 50, "x" * 64, "名" * 64])
def test_a_taken_long_name_gets_a_number_within_both_limits(name: str) -> None:
    make_session(name)
    free = attempts.name_still_free(name)
    assert free.endswith(" 2")
    assert names.clean_session_name(free) == free
