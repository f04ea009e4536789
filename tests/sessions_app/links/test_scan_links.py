"""Links for the owner: made in the console, opened by a stranger, dead after one use."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app.links import scan_links
from sessions_app.login import attempts
from sessions_app.models import LoginAttempt, ScanLink, Session, SessionState, User
from sessions_app.sessions import services
from sessions_app.sessions.binding import Credentials
from tests.conftest import Cast
from tests.messaging.builders import make_session

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
QR = "https://liteapp.weixin.qq.com/q/abc"


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def path_of(link: ScanLink) -> str:
    return "/scan/" + scan_links.address(link).split("/scan/")[1]


def text_of(address: str, status: int = 200) -> str:
    answer = Client().get(address)
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


@pytest.fixture
def shop(cast: Cast) -> Session:
    session = make_session("Old shop")
    Session.objects.filter(pk=session.pk).update(state=SessionState.EXPIRED)
    session.refresh_from_db()
    return session


@pytest.fixture
def link(cast: Cast, shop: Session) -> ScanLink:
    return scan_links.make_link(
        user=cast.operator, team=shop.team, session_name=shop.name, session=shop
    )


def credentials(owner: str) -> Credentials:
    return Credentials("token", "bot@im.bot", "https://ilinkai.weixin.qq.com", owner)


# In the console


def test_only_those_who_manage_make_see_and_revoke_links(cast: Cast, link: ScanLink) -> None:
    make, revoke = "/sessions/Old%20shop/link/", f"/sessions/-/links/{link.pk}/revoke/"
    for user in (cast.supervisor, cast.agent, cast.agent_elsewhere, cast.viewer, cast.outsider):
        assert as_(user).post(make).status_code == 403
        assert as_(user).post(revoke).status_code == 403
        assert as_(user).get("/sessions/-/links/").status_code == 403
    assert (
        scan_links.address(link)
        not in as_(cast.viewer).get("/sessions/Old%20shop/").content.decode()
    )
    link.refresh_from_db()
    assert link.revoked_at is None
    for user in (cast.operator, cast.administrator):
        assert scan_links.address(link) in as_(user).post(make, headers=HTMX).content.decode()
        assert "Old shop" in as_(user).get("/sessions/-/links/").content.decode()
    assert ScanLink.objects.count() == 1


def test_a_link_of_another_team_does_not_exist(cast: Cast) -> None:
    theirs = scan_links.make_link(user=None, team=cast.other_team, session_name="Theirs")
    client = as_(cast.operator)
    assert client.post(f"/sessions/-/links/{theirs.pk}/revoke/").status_code == 404
    assert "Theirs" not in client.get("/sessions/-/links/").content.decode()


def test_the_dialog_makes_a_link_to_its_own_code_and_shows_it_to_all_who_watch(cast: Cast) -> None:
    attempt = attempts.start_login(user=cast.operator, session_name="Kiosk", team=cast.team)
    client, page = as_(cast.operator), f"/sessions/logins/{attempt.pk}/"
    assert "Copy link for the owner" in client.get(page, headers=HTMX).content.decode()
    headers = {**HTMX, "Live-Login": attempt.pk}
    answer = client.post(f"{page}link/", headers=headers).content.decode()
    address = scan_links.address(ScanLink.objects.get())
    assert address in answer
    assert 'data-version="2"' in answer
    assert address in as_(cast.administrator).get(page, headers=HTMX).content.decode()
    assert "“Kiosk”" in text_of(path_of(ScanLink.objects.get()))
    assert LoginAttempt.objects.count() == 1


def test_a_connected_session_gets_no_link(cast: Cast) -> None:
    make_session("Shop A")
    as_(cast.operator).post("/sessions/Shop%20A/link/")
    assert not ScanLink.objects.exists()


def test_the_session_page_lists_links_and_revokes_them(cast: Cast, link: ScanLink) -> None:
    client = as_(cast.operator)
    assert "Revoke the link for Old shop" in client.get("/sessions/Old%20shop/").content.decode()
    answer = client.post(f"/sessions/-/links/{link.pk}/revoke/", follow=True)
    assert answer.redirect_chain[-1][0] == "/sessions/Old%20shop/"
    assert "Revoke the link for" not in answer.content.decode()


# In public


def test_opening_a_link_asks_for_a_code_and_looking_on_does_not(link: ScanLink) -> None:
    page = text_of(path_of(link))
    assert "“Old shop”" in page
    attempt = LoginAttempt.objects.get()
    assert (attempt.session, attempt.started_by) == (link.session, link.made_by)
    LoginAttempt.objects.update(qr_url=QR, qr_number=1)
    state = text_of(f"{path_of(link)}state/")
    assert 'aria-label="QR code to scan with WeChat"' in state
    assert "<svg" in state
    text_of(f"{path_of(link)}?watch")
    assert LoginAttempt.objects.count() == 1


def test_a_link_shows_the_code_that_is_open_already(cast: Cast, link: ScanLink) -> None:
    assert link.session is not None
    attempts.start_login(
        user=cast.operator, session_name="Old shop", team=cast.team, session=link.session
    )
    text_of(path_of(link))
    assert LoginAttempt.objects.count() == 1


def test_a_link_asks_for_one_code_a_minute_at_most(link: ScanLink) -> None:
    for _ in range(3):
        text_of(path_of(link))
        LoginAttempt.objects.update(status="expired", finished_at=timezone.now())
    assert LoginAttempt.objects.count() == 1
    assert "Nobody scanned in time" in text_of(path_of(link))
    ScanLink.objects.update(started_at=timezone.now() - scan_links.REST)
    Client().post(f"{path_of(link)}again/")
    assert LoginAttempt.objects.count() == 2


def test_the_public_page_holds_nothing_of_the_console(link: ScanLink, shop: Session) -> None:
    page = text_of(path_of(link))
    for secret in ("/sessions/", "/ws/", "/inbox/", shop.bot_id, shop.owner_id, "otto", "Otto"):
        assert secret not in page, secret
    for secret in ("console.js", "live/connection.js", "data-socket", "data-streams"):
        assert secret not in page, secret


def test_the_public_page_is_not_kept_not_framed_and_not_found(link: ScanLink) -> None:
    for address in (path_of(link), f"{path_of(link)}state/", "/scan/nonsense/"):
        answer = Client().get(address)
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == "strict-origin"  # the address stays where it is
        assert "noindex" in answer["X-Robots-Tag"]


def test_the_page_refreshes_itself_without_javascript_but_not_while_somebody_types(
    link: ScanLink,
) -> None:
    refresh = '<noscript><meta http-equiv="refresh"'
    assert refresh in text_of(path_of(link))
    LoginAttempt.objects.update(status="verify_code_required")
    page = text_of(f"{path_of(link)}?watch")
    assert refresh not in page
    assert "Digits that the phone shows" in page


def test_digits_are_handed_on_and_nonsense_comes_back(link: ScanLink) -> None:
    scan_links.open_link(link)
    LoginAttempt.objects.update(status="verify_code_required")
    client, page = Client(), f"{path_of(link)}digits/"
    wrong = client.post(page, {"code": "abc"})
    assert wrong.status_code == 422
    assert b"Type the digits" in wrong.content
    good = client.post(page, {"code": "12 34"})
    assert good["Location"] == f"{path_of(link)}?watch"
    assert LoginAttempt.objects.get().verify_code == "1234"


def test_digits_from_another_site_are_refused(link: ScanLink) -> None:
    scan_links.open_link(link)
    LoginAttempt.objects.update(status="verify_code_required")
    client = Client(enforce_csrf_checks=True)
    for action in ("digits", "again"):
        assert client.post(f"{path_of(link)}{action}/", {"code": "1234"}).status_code == 403
    assert LoginAttempt.objects.get().verify_code == ""


# Dead links


def test_a_dead_link_says_so_in_one_sentence_and_nothing_else(link: ScanLink) -> None:
    now = timezone.now()
    deaths: dict[str, dict[str, object]] = {
        "This link has been used.": {"used_at": now},
        "This link was revoked": {"used_at": None, "revoked_at": now},
        "This link has expired.": {"revoked_at": None, "expires_at": now - timedelta(seconds=1)},
    }
    for words, columns in deaths.items():
        ScanLink.objects.filter(pk=link.pk).update(**columns)
        for address, status in ((path_of(link), 410), (f"{path_of(link)}state/", 200)):
            page = text_of(address, status)
            assert words in page
            assert "Old shop" not in page
        for action in ("digits", "again"):
            assert Client().post(f"{path_of(link)}{action}/", {"code": "1"}).status_code == 410
    assert not LoginAttempt.objects.exists()


def test_a_guessed_or_changed_address_is_not_found(link: ScanLink) -> None:
    token = path_of(link).split("/")[2]
    for wrong in (link.pk, f"{link.pk}.", token[:-1], f"A{token}", token.replace(".", "..")):
        page = text_of(reverse("public:scan", args=[wrong]), 404)
        assert "This link is not complete." in page
    assert not LoginAttempt.objects.exists()


def test_a_scan_uses_the_link_up_from_wherever_the_code_was_seen(
    link: ScanLink, shop: Session
) -> None:
    attempt = scan_links.open_link(link)
    assert attempt is not None
    attempts.confirm(attempt.pk, credentials(shop.owner_id))
    assert "This link has been used." in text_of(path_of(link), 410)
    Session.objects.update(state=SessionState.EXPIRED)
    assert "This link has been used." in text_of(path_of(link), 410)


def test_another_account_through_a_link_changes_nothing_and_the_operator_decides(
    link: ScanLink, shop: Session
) -> None:
    attempt = scan_links.open_link(link)
    assert attempt is not None
    attempts.confirm(attempt.pk, credentials("stranger@im.wechat"))
    page = text_of(f"{path_of(link)}?watch")
    assert "This is not the same WeChat account as before." in page
    assert "Replace the account" not in page
    before = shop.owner_id
    shop.refresh_from_db()
    assert (shop.owner_id, shop.state) == (before, SessionState.EXPIRED)


def test_cancelling_the_login_of_a_session_to_be_ends_its_link(cast: Cast) -> None:
    attempt = attempts.start_login(user=cast.operator, session_name="Kiosk", team=cast.team)
    link = scan_links.make_link(
        user=cast.operator, team=cast.team, session_name="Kiosk", attempt=attempt
    )
    attempts.cancel_login(attempt=attempt, user=cast.operator)
    assert "This link was revoked" in text_of(path_of(link), 410)


def test_deleting_the_session_ends_its_links(link: ScanLink, shop: Session) -> None:
    services.delete_session(session=shop, user=None)
    assert "This link was revoked" in text_of(path_of(link), 410)
