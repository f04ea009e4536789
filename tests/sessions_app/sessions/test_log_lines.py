"""What the log says of sessions and logins: their names, and why."""

import contextlib
import logging
from typing import Any

import pytest
from django.test import Client

from sessions_app.login import attempts
from sessions_app.models import LoginState, Session, SessionState
from sessions_app.realtime.streams import announcing
from sessions_app.sessions import services
from tests.conftest import Cast
from tests.messaging.builders import make_session


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="sessions_app")
    return caplog


def _turn(session: Session, state: SessionState, **reason: Any) -> None:
    with announcing() as change:
        services.lock(session)
        services.record_state(change, session, state, **reason)


def test_a_sessions_end_and_a_failing_session_are_lines_with_its_name(
    cast: Cast, lines: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    session = make_session("Shop A")
    with django_capture_on_commit_callbacks(execute=True):
        _turn(session, SessionState.FAILING, code="http", detail="502\nBad Gateway")
        _turn(session, SessionState.FAILING, code="http", detail="504")
        _turn(session, SessionState.EXPIRED, code="signed_out")
        services.log_out(session=session, user=cast.operator)
    said = [(one.levelname, one.getMessage()) for one in lines.records]
    assert said == [
        ("WARNING", "session “Shop A” is failing: WeChat answered 502 Bad Gateway"),
        (
            "WARNING",
            "session “Shop A” is expired: WeChat signed this account out: it was connected "
            "elsewhere or removed on the phone",
        ),
        ("INFO", "session “Shop A” is logged_out by otto"),
    ]


def test_what_is_rolled_back_is_not_said(
    cast: Cast, lines: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    session = make_session("Shop A")

    with (
        django_capture_on_commit_callbacks(execute=True),
        contextlib.suppress(RuntimeError),
        announcing() as change,
    ):
        services.record_state(change, session, SessionState.FAILING, code="unreachable")
        raise RuntimeError
    assert lines.records == []


def test_a_refused_scan_is_a_line_with_the_sessions_name(
    cast: Cast, lines: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        attempt = attempts.start_login(
            user=cast.operator, session_name="Shop B", team=cast.team, session=None, force=False
        )
        attempts.write(attempt.pk, status=LoginState.SCANNED)
        attempts.write(attempt.pk, status=LoginState.FAILED, error_code="no_credentials")
    assert [one.getMessage() for one in lines.records] == [
        "login of session “Shop B” is failed: WeChat confirmed the scan without handing out a token"
    ]


def test_a_refused_password_is_a_line_that_no_name_can_forge(
    cast: Cast, lines: pytest.LogCaptureFixture, client: Client
) -> None:
    form = {"username": "wei\n2026 forged", "password": "wrong"}
    client.post("/accounts/login/", form, REMOTE_ADDR="203.0.113.6")
    [line] = [one.getMessage() for one in lines.records]
    assert line == "sign-in as 'wei\\n2026 forged' from 203.0.113.6 is refused: invalid_login"
