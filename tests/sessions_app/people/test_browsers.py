"""The browsers in which a user is signed in: listed, signed out, and ended by time."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from sessions_app.database.browser_keys import digest_of
from sessions_app.models import SignedInBrowser, User
from sessions_app.people.browser_names import browser_name
from tests.conftest import Cast
from tests.queries import queries

pytestmark = pytest.mark.django_db

PAGE = "/account/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
WECHAT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50"
)


def sign_in(user: User, browser: str = FIREFOX, address: str = "203.0.113.9") -> Client:
    """Through the page, as a browser does."""
    client = Client(headers={"user-agent": browser}, REMOTE_ADDR=address)
    form = {"username": user.username, "password": f"{user.username}-pw"}
    assert client.post("/accounts/login/", form).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return bool(client.get(PAGE).status_code == 200)


def handle_of(client: Client) -> str:
    return digest_of(client.cookies[django_settings.SESSION_COOKIE_NAME].value)


def age(client: Client, **ago: timedelta) -> None:
    changes: dict[str, Any] = {name: timezone.now() - one for name, one in ago.items()}
    SignedInBrowser.objects.filter(pk=handle_of(client)).update(**changes)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (CHROME, "Chrome on Windows"),
        (CHROME + " Edg/140.0", "Edge on Windows"),
        (WECHAT, "WeChat on iPhone"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18 Safari/605",
            "Safari on macOS",
        ),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/140 Mobile Safari/537", "Chrome on Android"),
        ("curl/8.0", "curl"),
        ("<script>", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_named_by_what_it_says(header: str, name: str) -> None:
    assert browser_name(header) == name


def test_the_page_lists_the_browsers_of_its_owner_only(cast: Cast) -> None:
    here = sign_in(cast.agent)
    sign_in(cast.agent, CHROME, "2001:db8::7")
    sign_in(cast.supervisor, WECHAT, "198.51.100.1")
    page = here.get(PAGE).content.decode()
    assert page.index("Firefox on Linux") < page.index("This browser") < page.index("Chrome on Win")
    for words in ("203.0.113.9", "2001:db8::7", "last seen"):
        assert words in page
    for words in ("WeChat on iPhone", "198.51.100.1"):
        assert words not in page
    key = here.cookies[django_settings.SESSION_COOKIE_NAME].value
    assert key not in page


def test_one_browser_is_signed_out(cast: Cast) -> None:
    here, there, third = (sign_in(cast.agent) for _ in range(3))
    answer = here.post("/account/browsers/", {"browser": handle_of(there)}, follow=True)
    assert "The browser was signed out." in answer.content.decode()
    assert (is_in(here), is_in(there), is_in(third)) == (True, False, True)
    again = here.post("/account/browsers/", {"browser": "of nobody"}, follow=True)
    assert "was not signed in any more" in again.content.decode()


def test_all_others_are_signed_out(cast: Cast) -> None:
    here, there, third = (sign_in(cast.agent) for _ in range(3))
    other = sign_in(cast.supervisor)
    here.post("/account/browsers/others/")
    assert [is_in(one) for one in (here, there, third, other)] == [True, False, False, True]


def test_nobody_signs_out_another_person(cast: Cast) -> None:
    here, victim = sign_in(cast.administrator), sign_in(cast.agent)
    here.post("/account/browsers/", {"browser": handle_of(victim)})
    here.post("/account/browsers/others/")
    assert is_in(victim)


def test_a_changed_password_leaves_one_browser_in_the_list(cast: Cast) -> None:
    here, there = sign_in(cast.agent), sign_in(cast.agent, CHROME)
    new = {"new_password1": "Correct horse 7", "new_password2": "Correct horse 7"}
    assert here.post("/account/password/", {"old_password": "wei-pw", **new}).status_code == 302
    assert (is_in(here), is_in(there)) == (True, False)
    assert cast.agent.browsers.count() == 1


def test_a_login_with_an_earlier_password_is_not_listed(cast: Cast) -> None:
    """The command and the admin change passwords, too."""
    sign_in(cast.agent, CHROME)
    user = User.objects.get(pk=cast.agent.pk)
    user.set_password("another")
    user.save()
    here = Client()
    here.force_login(user)
    assert "Chrome on Windows" not in here.get(PAGE).content.decode()


def test_use_is_noted_at_most_once_a_minute(cast: Cast) -> None:
    client = sign_in(cast.agent)
    with queries() as seen:
        client.get(PAGE)
    assert not [one for one in seen.statements if one.startswith(("UPDATE", "INSERT"))]
    age(client, seen_at=timedelta(minutes=2))
    client.get(PAGE, headers={"user-agent": CHROME}, REMOTE_ADDR="198.51.100.7")
    with queries() as seen:
        client.get(PAGE)
    assert not [one for one in seen.statements if one.startswith(("UPDATE", "INSERT"))]
    row = SignedInBrowser.objects.get()
    assert timezone.now() - row.seen_at < timedelta(minutes=1)
    assert (row.address, browser_name(row.browser)) == ("198.51.100.7", "Chrome on Windows")


def test_a_page_that_asks_by_itself_is_no_use(cast: Cast) -> None:
    client = sign_in(cast.agent)
    age(client, seen_at=timedelta(hours=3))
    client.get("/inbox/told/", headers={"live-unasked": "1"})
    assert timezone.now() - SignedInBrowser.objects.get().seen_at > timedelta(hours=2)
    client.get("/inbox/")
    assert timezone.now() - SignedInBrowser.objects.get().seen_at < timedelta(minutes=1)


def test_a_browser_that_is_not_used_is_signed_out(cast: Cast, settings: Any) -> None:
    settings.SIGN_IN_IDLE = timedelta(hours=8)
    client = sign_in(cast.agent)
    age(client, seen_at=timedelta(hours=7, minutes=59))
    assert is_in(client)  # and its time begins again
    row = SignedInBrowser.objects.get()
    assert row.expire_date == row.seen_at + timedelta(hours=8)
    age(client, seen_at=timedelta(hours=8, minutes=1))
    assert not is_in(client)


def test_a_login_ends_however_much_it_is_used(cast: Cast, settings: Any) -> None:
    settings.SIGN_IN_MAX = timedelta(days=1)
    client = sign_in(cast.agent)
    age(client, signed_in_at=timedelta(hours=23), seen_at=timedelta(minutes=2))
    assert is_in(client)
    row = SignedInBrowser.objects.get()
    assert row.expire_date == row.signed_in_at + timedelta(days=1)
    age(client, signed_in_at=timedelta(hours=25))
    assert not is_in(client)


def test_rows_of_ended_logins_are_deleted_with_the_next_sign_in(cast: Cast) -> None:
    sign_in(cast.agent)
    SignedInBrowser.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    sign_in(cast.supervisor)
    assert [row.user for row in SignedInBrowser.objects.all()] == [cast.supervisor]


def test_what_a_session_stores_leaves_the_rest_of_its_row(cast: Cast) -> None:
    client = sign_in(cast.agent)
    age(client, signed_in_at=timedelta(days=3))
    before = SignedInBrowser.objects.values("user", "browser", "address", "signed_in_at").get()
    session = client.session
    session["cart"] = 1
    session.save()
    after = SignedInBrowser.objects.values("user", "browser", "address", "signed_in_at").get()
    assert before == after
    assert client.session["cart"] == 1
