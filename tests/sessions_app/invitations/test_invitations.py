"""Invitations: a public address, a session of their own for each visitor, limits, a list."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from sessions_app.invitations import invitations
from sessions_app.models import Invitation, InvitationVisit, LoginAttempt, Session
from tests.conftest import Cast
from tests.messaging.builders import make_session
from tests.sessions_app.invitations.visitors import LIST, as_, come, page_of, scan, text_of

pytestmark = pytest.mark.django_db

QR = "https://liteapp.weixin.qq.com/q/abc"


@pytest.fixture
def fair(cast: Cast) -> Invitation:
    return invitations.make_invitation(
        user=cast.operator, team=cast.team, prefix="Fair 展会", label="spring", per_hour=3, in_all=4
    )


def test_only_those_who_manage_sessions_make_see_and_revoke_invitations(
    cast: Cast, fair: Invitation
) -> None:
    for user in (cast.supervisor, cast.agent, cast.agent_elsewhere, cast.viewer, cast.outsider):
        assert as_(user).get(LIST).status_code == 403
        assert as_(user).post(LIST).status_code == 403
        assert as_(user).post(f"{LIST}{fair.pk}/revoke/").status_code == 403
    operator = as_(cast.operator)
    form = {
        "name_prefix": "Door",
        "team": cast.team.pk,
        "per_hour": 5,
        "in_all": 9,
        "label": "door",
    }
    assert operator.post(LIST, form)["Location"] == LIST
    made = Invitation.objects.get(prefix="Door")
    assert invitations.address(made) in operator.get(LIST).content.decode()
    assert operator.post(LIST, {**form, "name_prefix": "a/b"}).status_code == 422
    assert operator.post(LIST, {**form, "team": cast.other_team.pk}).status_code == 422


def test_an_invitation_of_another_team_does_not_exist(cast: Cast) -> None:
    theirs = invitations.make_invitation(
        user=None, team=cast.other_team, prefix="Theirs", label="", per_hour=1, in_all=1
    )
    client = as_(cast.operator)
    assert "Theirs" not in client.get(LIST).content.decode()
    assert client.post(f"{LIST}{theirs.pk}/revoke/").status_code == 404


def test_opening_the_page_costs_nothing_and_the_button_asks_for_a_code(fair: Invitation) -> None:
    visitor = Client()
    assert "Show my code" in text_of(visitor, page_of(fair))
    assert not LoginAttempt.objects.exists()
    visitor = come(fair)
    attempt = LoginAttempt.objects.get()
    assert attempt.session_name == "Fair 展会 0001"
    LoginAttempt.objects.update(qr_url=QR, qr_number=1)
    page = text_of(visitor, f"{page_of(fair)}?watch")
    assert 'aria-label="QR code to scan with WeChat"' in page
    assert f'href="{QR}"' in page
    assert not Session.objects.exists()


def test_a_visitor_who_comes_back_sees_their_own_code_and_nobody_elses(fair: Invitation) -> None:
    first, second = come(fair), come(fair)
    first.post(f"{page_of(fair)}again/")
    assert LoginAttempt.objects.count() == 2
    mine, other = (
        InvitationVisit.objects.get(pk=one.cookies["weilink_visit"].value)
        for one in (first, second)
    )
    assert mine.attempt_id != other.attempt_id
    LoginAttempt.objects.filter(pk=mine.attempt_id).update(status="verify_code_required")
    assert "Digits that the phone shows" in text_of(first, page_of(fair))
    assert "Digits that the phone shows" not in text_of(second, page_of(fair))
    first.post(f"{page_of(fair)}digits/", {"code": "1234"})
    assert LoginAttempt.objects.get(verify_code="1234").pk == mine.attempt_id


def test_who_scans_becomes_a_session_under_team_and_label(cast: Cast, fair: Invitation) -> None:
    visitor = come(fair)
    scan(LoginAttempt.objects.get())
    session = Session.objects.get()
    assert (session.name, session.label, session.team) == ("Fair 展会 0001", "spring", cast.team)
    assert "Connected." in text_of(visitor, page_of(fair))
    listed = as_(cast.operator).get(LIST).content.decode()
    assert "Fair 展会 0001" in listed
    assert "1 of 4 joined" in listed
    visitor.post(f"{page_of(fair)}again/")
    assert LoginAttempt.objects.count() == 1


def test_a_name_that_is_taken_does_not_lose_the_visitor(fair: Invitation) -> None:
    make_session("Fair 展会 0001")
    come(fair)
    scan(LoginAttempt.objects.get())
    assert Session.objects.filter(name="Fair 展会 0001 2").exists()


def test_the_limits_per_hour_and_in_all_are_kept(fair: Invitation) -> None:
    for _ in range(3):
        come(fair)
    again = f"{page_of(fair)}again/"
    full = Client().post(again)
    assert full.status_code == 429
    assert b"Too many people have come in the past hour. Try again in 60 minutes." in full.content
    assert 0 < int(full["Retry-After"]) <= 3_601
    Invitation.objects.update(hour_began_at=timezone.now() - invitations.HOUR)
    for attempt in LoginAttempt.objects.all():
        scan(attempt)
    come(fair)
    full = Client().post(again)
    assert b"This invitation is full." in full.content


def test_codes_that_nobody_scanned_leave_only_a_count(fair: Invitation) -> None:
    come(fair)
    long_ago = timezone.now() - invitations.KEPT - timedelta(seconds=1)
    LoginAttempt.objects.update(status="expired", finished_at=long_ago)
    come(fair)
    fair.refresh_from_db()
    assert fair.unscanned == 1
    assert InvitationVisit.objects.count() == LoginAttempt.objects.count() == 1
    assert not Session.objects.exists()


def test_a_revoked_invitation_says_what_an_unknown_one_says(cast: Cast, fair: Invitation) -> None:
    visitor = come(fair)
    as_(cast.operator).post(f"{LIST}{fair.pk}/revoke/")
    pages = [text_of(visitor, page_of(fair)), text_of(Client(), "/invite/nonsense/")]
    assert pages[0] == pages[1]
    assert "This invitation has ended." in pages[0]
    assert visitor.post(f"{page_of(fair)}again/").status_code == 404


def test_another_site_cannot_use_up_the_codes(fair: Invitation) -> None:
    client = Client(enforce_csrf_checks=True)
    for action in ("again", "digits"):
        assert client.post(f"{page_of(fair)}{action}/").status_code == 403
    assert not LoginAttempt.objects.exists()


def test_the_cookie_is_of_this_address_alone_and_no_script_reads_it(fair: Invitation) -> None:
    cookie = come(fair).cookies["weilink_visit"]
    assert (cookie["path"], cookie["samesite"]) == (page_of(fair), "Lax")
    assert cookie["httponly"]
    assert "no-store" in Client().get(page_of(fair))["Cache-Control"]
