"""The pages of one QR login: the dialog, who may see it, and its status in words."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sessions_app.login import attempts
from sessions_app.models import LoginAttempt, User
from tests.conftest import Cast

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def attempt(cast: Cast) -> LoginAttempt:
    return attempts.start_login(user=cast.operator, session_name="Kiosk", team=cast.team)


def watched(attempt: LoginAttempt, **columns: Any) -> str:
    """The panel's text for these columns."""
    LoginAttempt.objects.filter(pk=attempt.pk).update(**columns)
    assert attempt.started_by is not None
    answer = as_(attempt.started_by).get(f"/sessions/logins/{attempt.pk}/", headers=HTMX)
    return " ".join(answer.content.decode().split())


def test_only_those_who_manage_sessions_see_a_code(cast: Cast, attempt: LoginAttempt) -> None:
    page = f"/sessions/logins/{attempt.pk}/"
    for user in (cast.administrator, cast.operator):
        assert as_(user).get(page).status_code == 200
    for user in (cast.supervisor, cast.agent, cast.viewer, cast.outsider, cast.agent_elsewhere):
        assert as_(user).get(page).status_code == 403


def test_a_login_of_another_team_does_not_exist(cast: Cast) -> None:
    theirs = attempts.start_login(user=None, session_name="Theirs", team=cast.other_team)
    client = as_(cast.operator)
    assert client.get(f"/sessions/logins/{theirs.pk}/").status_code == 404
    assert client.post(f"/sessions/logins/{theirs.pk}/cancel/").status_code == 404
    theirs.refresh_from_db()
    assert theirs.status == "waiting"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("waiting", "Waiting for the scan."),
        ("scanned", "Scanned. Now confirm on the phone."),
        ("verify_code_required", "Type the digits that the phone shows."),
        ("verify_code_wrong", "Those digits were wrong."),
        ("verify_code_blocked", "Too many wrong digits."),
        ("refreshed", "The last code has expired."),
        ("expired", "Nobody scanned in time"),
        ("already_connected", "is already connected here"),
        ("other_account", "This is not the WeChat account that “Kiosk” had before."),
        ("confirmed", "“Kiosk” is connected."),
        ("failed", "Login failed"),
        ("cancelled", "Cancelled. Nothing was changed."),
    ],
)
def test_each_status_of_a_login_is_said_in_words(
    attempt: LoginAttempt, status: str, words: str
) -> None:
    assert words in watched(attempt, status=status, qr_url="https://x.weixin.qq.com/q", qr_number=1)


def test_the_code_is_svg_black_on_white_with_its_countdown(attempt: LoginAttempt) -> None:
    soon = timezone.now() + timedelta(minutes=4)
    page = watched(attempt, qr_url="https://x.weixin.qq.com/q", qr_number=2, expires_at=soon)
    assert "<svg" in page
    assert 'aria-label="QR code to scan with WeChat"' in page
    assert f'data-countdown="{int(soon.timestamp())}"' in page
    assert "(2 of 3)" in page
    assert "style=" not in page  # the content policy forbids it


def test_a_scanned_code_is_no_longer_offered_for_scanning(attempt: LoginAttempt) -> None:
    page = watched(attempt, status="scanned", qr_url="https://x.weixin.qq.com/q", qr_number=1)
    assert 'aria-label="QR code to scan with WeChat"' not in page


def test_digits_are_handed_on_and_nonsense_comes_back(cast: Cast, attempt: LoginAttempt) -> None:
    LoginAttempt.objects.update(status="verify_code_required")
    client, page = as_(cast.operator), f"/sessions/logins/{attempt.pk}/digits/"
    wrong = client.post(page, {"code": "abc"}, headers=HTMX)
    assert wrong.status_code == 422
    assert b"Type the digits" in wrong.content
    good = client.post(page, {"code": "12 34"}, headers={**HTMX, "Live-Login": attempt.pk})
    assert "Checking the digits…" in good.content.decode()
    attempt.refresh_from_db()
    assert attempt.verify_code == "1234"


def test_looking_at_a_login_changes_nothing_and_cancel_ends_it(
    cast: Cast, attempt: LoginAttempt
) -> None:
    client = as_(cast.operator)
    client.get(f"/sessions/logins/{attempt.pk}/")
    attempt.refresh_from_db()
    assert attempt.status == "waiting"
    client.post(f"/sessions/logins/{attempt.pk}/cancel/")
    attempt.refresh_from_db()
    assert attempt.status == "cancelled"


def test_a_login_that_ended_can_be_started_again(cast: Cast, attempt: LoginAttempt) -> None:
    LoginAttempt.objects.update(status="expired", finished_at=timezone.now())
    answer = as_(cast.operator).post(f"/sessions/logins/{attempt.pk}/again/", headers=HTMX)
    fresh = LoginAttempt.objects.exclude(pk=attempt.pk).get()
    assert fresh.session_name == "Kiosk"
    assert f'data-login-id="{fresh.pk}"' in answer.content.decode()


def test_a_scan_by_another_account_waits_on_the_board_until_somebody_decides(
    cast: Cast, attempt: LoginAttempt
) -> None:
    words = "“Kiosk” was scanned with another WeChat account."
    LoginAttempt.objects.update(status="other_account", encrypted_result="sealed")
    for page in ("/sessions/", "/sessions/-/changes/"):
        assert words in as_(cast.operator).get(page).content.decode()
        assert words not in as_(cast.viewer).get(page).content.decode()
    LoginAttempt.objects.update(encrypted_result="")
    assert words not in as_(cast.operator).get("/sessions/").content.decode()
