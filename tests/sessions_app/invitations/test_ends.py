"""An invitation ends: by its date, and with the rights of the member who made it."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from sessions_app.invitations import invitations
from sessions_app.login import attempts
from sessions_app.models import Invitation, LoginAttempt, LoginState, Session, User
from sessions_app.people.roles import Role
from tests.conftest import Cast, make_user
from tests.queries import queries
from tests.sessions_app.invitations.visitors import (
    LIST,
    as_,
    come,
    page_of,
    scan,
    text_of,
    visitor,
)

pytestmark = pytest.mark.django_db

FORM = {"name_prefix": "Door", "label": "", "per_hour": 5, "in_all": 9}


@pytest.fixture
def maker(cast: Cast) -> User:
    """Not the operator who looks at the list."""
    return make_user("mia", Role.OPERATOR, cast.team)


@pytest.fixture
def fair(cast: Cast, maker: User) -> Invitation:
    return invitations.make_invitation(
        user=maker, team=cast.team, prefix="Fair", label="spring", per_hour=20, in_all=20
    )


def expire(invitation: Invitation) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )


# Its date


@pytest.mark.parametrize(("chosen", "days"), [("7", 7), ("365", 365), ("", 90)])
def test_an_expiry_is_chosen_and_shown(cast: Cast, chosen: str, days: int) -> None:
    operator = as_(cast.operator)
    assert operator.post(LIST, {**FORM, "team": cast.team.pk, "days": chosen}).status_code == 302
    made = Invitation.objects.get()
    assert abs(made.expires_at - timezone.now() - timedelta(days=days)) < timedelta(minutes=1)
    assert "good until" in text_of(operator, LIST)


@pytest.mark.parametrize("chosen", ["0", "366", "1000", "never"])
def test_nothing_is_good_for_longer_than_a_year(cast: Cast, chosen: str) -> None:
    answer = as_(cast.operator).post(LIST, {**FORM, "team": cast.team.pk, "days": chosen})
    assert answer.status_code == 422
    assert not Invitation.objects.exists()


def test_an_expired_invitation_says_so_to_strangers_and_to_operators(
    cast: Cast, fair: Invitation
) -> None:
    expire(fair)
    answer = visitor().get(page_of(fair))
    assert answer.status_code == 410
    page = answer.content.decode()
    assert "This invitation has expired." in page
    assert "Show my code" not in page
    assert visitor().post(f"{page_of(fair)}again/").status_code == 410
    assert not LoginAttempt.objects.exists()
    listed = text_of(as_(cast.operator), LIST)
    assert "expired " in listed
    assert fair.code not in listed


def test_who_was_about_to_scan_may_finish_after_it_expired(fair: Invitation) -> None:
    client = come(fair)
    LoginAttempt.objects.update(status="verify_code_required")
    expire(fair)
    assert "Digits that the phone shows" in text_of(client, f"{page_of(fair)}?watch")
    assert client.post(f"{page_of(fair)}digits/", {"code": "1234"}).status_code == 302
    scan(LoginAttempt.objects.get())
    assert Session.objects.filter(name="Fair 0001").exists()
    assert "Connected." in text_of(client, page_of(fair))


def test_after_it_expired_nobody_gets_another_code(fair: Invitation) -> None:
    client = come(fair)
    LoginAttempt.objects.update(qr_url="https://liteapp.weixin.qq.com/q/abc", qr_number=1)
    expire(fair)
    assert "Show a new code" not in text_of(client, page_of(fair))
    assert client.post(f"{page_of(fair)}again/").status_code == 410
    assert not LoginAttempt.objects.get().wants_new_code


# The rights of its maker


def disable(user: User, _cast: Cast) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def demote(user: User, _cast: Cast) -> None:
    user.groups.set(Group.objects.filter(name=Role.AGENT))


def move(user: User, cast: Cast) -> None:
    user.teams.set([cast.other_team])


def delete(user: User, _cast: Cast) -> None:
    user.delete()


Lose = Callable[[User, Cast], None]


def without_time(page: bytes) -> bytes:
    """A page says at which second it was drawn."""
    return re.sub(rb'data-now="\d+"', b"", page)


LOSSES = [
    (disable, "Ended: mia, who made it, is disabled."),
    (demote, "Ended: mia, who made it, may no longer manage accounts."),
    (move, "Ended: mia, who made it, is no longer in this team."),
    (delete, "Ended: the member who made it was deleted."),
]


@pytest.mark.parametrize(("lose", "words"), LOSSES)
def test_it_ends_with_the_rights_of_its_maker(
    cast: Cast, maker: User, fair: Invitation, lose: Lose, words: str
) -> None:
    lose(maker, cast)
    page = visitor().get(page_of(fair))
    assert page.status_code == 404
    assert without_time(page.content) == without_time(visitor().get("/invite/nonsense/").content)
    assert visitor().post(f"{page_of(fair)}again/").status_code == 404
    assert not LoginAttempt.objects.exists()
    listed = text_of(as_(cast.operator), LIST)
    assert words in listed
    assert fair.code not in listed


@pytest.mark.parametrize(("lose", "_words"), LOSSES)
def test_an_open_page_sees_the_end_and_its_login_ends(
    cast: Cast, maker: User, fair: Invitation, lose: Lose, _words: str
) -> None:
    client = come(fair)
    lose(maker, cast)
    answer = client.get(f"{page_of(fair)}state/")
    assert answer.status_code == 200  # the script of an open page draws nothing else
    assert b"This invitation has ended. Your WeChat account was not connected" in answer.content
    assert b"data-final" in answer.content
    attempt = LoginAttempt.objects.get()
    assert (attempt.status, attempt.error_code) == (LoginState.CANCELLED, attempts.UNINVITED)


@pytest.mark.parametrize(("lose", "_words"), LOSSES)
def test_the_worker_ends_a_login_that_nobody_watches(
    cast: Cast, maker: User, fair: Invitation, lose: Lose, _words: str
) -> None:
    come(fair)
    attempt = LoginAttempt.objects.get()
    assert attempts.is_open(attempt.pk)
    lose(maker, cast)
    assert not attempts.is_open(attempt.pk)
    attempt.refresh_from_db()
    assert attempt.status == LoginState.CANCELLED


@pytest.mark.parametrize(("lose", "_words"), LOSSES)
def test_a_scan_that_comes_too_late_waits_for_an_operator(
    cast: Cast, maker: User, fair: Invitation, lose: Lose, _words: str
) -> None:
    """WeChat has bound the account by then, and may not bind it again without its token."""
    client = come(fair)
    lose(maker, cast)
    attempt = LoginAttempt.objects.get()
    scan(attempt)
    assert not Session.objects.exists()
    assert "Nothing that you write is read here" in text_of(client, f"{page_of(fair)}state/")
    operator = as_(cast.operator)
    assert "was scanned after its invitation had ended." in text_of(operator, "/sessions/")
    dialog = f"/sessions/logins/{attempt.pk}/"
    page = text_of(operator, dialog)
    assert "Keep as a new account" in page
    assert "Replace the account" not in page
    operator.post(f"{dialog}resolve/", {"as": "replace"})
    assert not Session.objects.exists()
    operator.post(f"{dialog}resolve/", {"as": "new", "name": "Kept"})
    session = Session.objects.get()
    assert (session.name, session.owner_id, session.label) == ("Kept", attempt.pk, "spring")
    assert "Kept" in text_of(operator, LIST)


def test_a_scan_that_waits_is_not_swept_away(cast: Cast, maker: User, fair: Invitation) -> None:
    come(fair)
    disable(maker, cast)
    scan(LoginAttempt.objects.get())
    LoginAttempt.objects.update(finished_at=timezone.now() - timedelta(days=1))
    invitations.sweep(fair)
    assert LoginAttempt.objects.exclude(encrypted_result="").count() == 1


def test_it_admits_again_when_its_maker_has_the_rights_again(
    cast: Cast, maker: User, fair: Invitation
) -> None:
    disable(maker, cast)
    assert visitor().get(page_of(fair)).status_code == 404
    User.objects.update(is_active=True)
    come(fair)


def test_an_administrator_invites_for_every_team(cast: Cast) -> None:
    theirs = invitations.make_invitation(
        user=cast.administrator, team=cast.other_team, prefix="X", label="", per_hour=4, in_all=4
    )
    come(theirs)


def test_logins_without_an_invitation_are_nobodys_guests(cast: Cast) -> None:
    attempt = attempts.start_login(user=cast.operator, session_name="Shop", team=cast.team)
    cast.operator.delete()
    assert attempts.is_open(attempt.pk)


def test_the_list_asks_for_the_rights_of_each_maker_once(
    cast: Cast, maker: User, fair: Invitation
) -> None:
    client = as_(cast.operator)
    client.get(LIST)
    with queries() as few:
        client.get(LIST)
    for number in range(20):
        invitations.make_invitation(
            user=maker, team=cast.team, prefix=f"P{number}", label="", per_hour=1, in_all=1
        )
    with queries() as many:
        client.get(LIST)
    assert len(many) == len(few), many
