"""The hour's codes are shared out: one network gets a part of them, whoever sits behind it."""

from typing import Any

import pytest
from django.test import Client

from sessions_app.invitations import invitations
from sessions_app.models import Invitation, LoginAttempt, ThrottleCount
from tests.conftest import Cast
from tests.sessions_app.invitations.visitors import come, page_of, scan, text_of, visitor

pytestmark = pytest.mark.django_db

GREEDY = "203.0.113.7"


@pytest.fixture
def fair(cast: Cast) -> Invitation:
    return invitations.make_invitation(
        user=cast.operator, team=cast.team, prefix="Fair", label="", per_hour=8, in_all=100
    )


def press(invitation: Invitation, address: str) -> Any:
    """The button, by somebody who keeps no cookie."""
    return visitor(address).post(f"{page_of(invitation)}again/")


def test_one_stranger_cannot_use_up_the_codes_of_the_hour(fair: Invitation) -> None:
    answers = [press(fair, GREEDY).status_code for _ in range(20)]
    assert answers == [302, 302, *[429] * 18]
    for _ in range(6):
        come(fair)
    assert LoginAttempt.objects.count() == 8


def test_who_has_used_their_share_is_told_when_to_come_back(fair: Invitation) -> None:
    for _ in range(2):
        come(fair, GREEDY)
    refused = press(fair, GREEDY)
    page = " ".join(refused.content.decode().split())
    words = "Too many codes were shown to your network in the past hour. Try again in 60 minutes."
    assert f'<p class="qr-status warn" role="status">{words}</p>' in page
    assert 3_500 < int(refused["Retry-After"]) <= 3_601
    assert "Show my code" in page


def test_the_share_comes_back_after_an_hour(fair: Invitation) -> None:
    for _ in range(2):
        come(fair, GREEDY)
    assert press(fair, GREEDY).status_code == 429
    count = ThrottleCount.objects.get()
    ThrottleCount.objects.update(full_at=count.full_at - invitations.HOUR_S)
    come(fair, GREEDY)


def test_a_whole_ipv6_network_is_one(fair: Invitation) -> None:
    for last in ("1", "2"):
        come(fair, f"2001:db8:1:2::{last}")
    assert press(fair, "2001:db8:1:2:aaaa:bbbb:cccc:dddd").status_code == 429
    come(fair, "2001:db8:1:3::1")


def test_behind_our_proxy_it_is_the_visitors_address_that_counts(
    fair: Invitation, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = ["192.0.2.1"]
    path = f"{page_of(fair)}again/"

    def through_the_proxy(address: str) -> int:
        client = Client(REMOTE_ADDR="192.0.2.1")
        return client.post(path, headers={"x-forwarded-for": address}).status_code

    assert [through_the_proxy(GREEDY) for _ in range(3)] == [302, 302, 429]
    assert through_the_proxy("203.0.113.8") == 302


def test_another_invitation_has_shares_of_its_own(fair: Invitation, cast: Cast) -> None:
    other = invitations.make_invitation(
        user=cast.operator, team=cast.team, prefix="Door", label="", per_hour=1, in_all=9
    )
    for _ in range(2):
        come(fair, GREEDY)
    come(other, GREEDY)


def test_a_visitor_who_watches_their_own_code_uses_nothing_more(fair: Invitation) -> None:
    client = come(fair, GREEDY)
    for _ in range(5):
        assert client.post(f"{page_of(fair)}again/").status_code == 302
    assert LoginAttempt.objects.count() == 1
    come(fair, GREEDY)


def test_a_code_that_nobody_got_is_given_back(fair: Invitation) -> None:
    Invitation.objects.update(in_all=0)
    for _ in range(5):
        assert b"This invitation is full." in press(fair, GREEDY).content
    Invitation.objects.update(in_all=9)
    come(fair, GREEDY)


def test_who_is_connected_still_sees_so_when_the_share_is_spent(fair: Invitation) -> None:
    client = come(fair, GREEDY)
    scan(LoginAttempt.objects.get())
    come(fair, GREEDY)
    assert press(fair, GREEDY).status_code == 429
    assert "Connected." in text_of(client, page_of(fair))


@pytest.mark.parametrize(("per_hour", "share"), [(1, 1), (3, 1), (4, 1), (5, 2), (20, 5)])
def test_a_share_is_a_quarter_rounded_up(per_hour: int, share: int) -> None:
    assert invitations.share_of(per_hour) == share
