"""Signing in: how often one may try, from where, and where one goes who is signed in already."""

import threading
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.core.cache import cache
from django.test import Client

from sessions_app.people import login_throttle
from tests.conftest import Cast

LOGIN = "/accounts/login/"


def _try(client: Client, password: str, username: str = "wei", **facts: Any) -> Any:
    return client.post(LOGIN, {"username": username, "password": password}, **facts)


def test_after_ten_failures_even_the_right_password_waits(cast: Cast, client: Client) -> None:
    for _ in range(10):
        assert "Wrong username or password" in _try(client, "wrong").content.decode()
    answer = _try(client, "wei-pw")
    assert answer.status_code == 200
    assert "Too many attempts" in answer.content.decode()


def test_another_name_and_another_address_are_counted_apart(cast: Cast, client: Client) -> None:
    for _ in range(11):
        _try(client, "wrong")
    assert _try(client, "otto-pw", "otto").status_code == 302
    assert _try(client, "wei-pw", REMOTE_ADDR="192.0.2.7").status_code == 302


def test_upper_case_is_the_same_name(cast: Cast, client: Client) -> None:
    for number in range(10):
        _try(client, "wrong", "WEI" if number % 2 else "wei")
    assert "Too many attempts" in _try(client, "wei-pw").content.decode()


def test_the_right_password_begins_the_count_anew(cast: Cast, client: Client) -> None:
    for _ in range(2):
        for _ in range(9):
            _try(client, "wrong")
        assert _try(client, "wei-pw").status_code == 302


def test_a_forged_forwarded_address_does_not_help(cast: Cast, client: Client) -> None:
    for number in range(10):
        _try(client, "wrong", HTTP_X_FORWARDED_FOR=f"192.0.2.{number}")
    answer = _try(client, "wei-pw", HTTP_X_FORWARDED_FOR="192.0.2.99")
    assert "Too many attempts" in answer.content.decode()


def test_behind_our_proxy_each_visitor_has_an_own_count(
    cast: Cast, client: Client, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    for _ in range(11):
        _try(client, "wrong", HTTP_X_FORWARDED_FOR="198.51.100.1, 192.0.2.1")
    assert _try(client, "wei-pw", HTTP_X_FORWARDED_FOR="192.0.2.1, 192.0.2.2").status_code == 302


def _says_too_many(answer: Any) -> bool:
    return "Too many attempts" in answer.content.decode()


def test_a_restart_and_an_empty_cache_forget_no_try(cast: Cast, client: Client) -> None:
    for number in range(10):
        _try(client, "wrong")
        _try(client, "wrong", f"nobody {number}")
    cache.clear()
    answer = _try(client, "wei-pw")
    assert "Too many attempts. Try again in 15 minutes." in answer.content.decode()


def test_one_address_may_not_try_one_password_for_every_name(cast: Cast, client: Client) -> None:
    for number in range(login_throttle.ADDRESS.capacity):
        assert not _says_too_many(_try(client, "wrong", f"name {number}"))
    assert _says_too_many(_try(client, "wei-pw"))
    assert _try(client, "wei-pw", REMOTE_ADDR="192.0.2.7").status_code == 302


def test_a_whole_ipv6_network_is_one_visitor(cast: Cast, client: Client) -> None:
    for number in range(10):
        _try(client, "wrong", REMOTE_ADDR=f"2001:db8:1:2:{number}::1")
    assert _says_too_many(_try(client, "wei-pw", REMOTE_ADDR="2001:db8:1:2:ffff::9"))
    assert _try(client, "wei-pw", REMOTE_ADDR="2001:db8:1:3::1").status_code == 302


def test_many_right_passwords_of_one_office_are_not_too_many(cast: Cast, client: Client) -> None:
    for _ in range(login_throttle.ADDRESS.capacity + 5):
        assert _try(Client(), "wei-pw").status_code == 302


def _try_from_everywhere() -> Client:
    """More addresses than a name has tries, each below its own limit."""
    stranger = Client()
    for number in range(login_throttle.NAME.capacity // 5 + 1):
        for _ in range(5):
            _try(stranger, "wrong", REMOTE_ADDR=f"198.51.100.{number}")
    return stranger


def test_many_addresses_get_no_more_tries_at_one_name(cast: Cast) -> None:
    stranger = _try_from_everywhere()
    answer = _try(stranger, "wei-pw", REMOTE_ADDR="203.0.113.5")
    assert "Too many attempts. Try again in 60 minutes." in answer.content.decode()


def test_strangers_cannot_keep_a_person_out_of_the_own_browser(cast: Cast, client: Client) -> None:
    assert _try(client, "wei-pw").status_code == 302
    client.post("/accounts/logout/")
    _try_from_everywhere()
    assert _try(client, "wei-pw").status_code == 302


def test_a_known_browser_has_ten_tries_too_and_only_for_its_person(
    cast: Cast, client: Client
) -> None:
    assert _try(client, "wei-pw").status_code == 302
    client.post("/accounts/logout/")
    for _ in range(10):
        assert not _says_too_many(_try(client, "wrong"))
    assert _says_too_many(_try(client, "wei-pw", REMOTE_ADDR="192.0.2.7"))
    assert not _says_too_many(_try(client, "wrong", "otto"))


def test_a_forged_mark_of_a_known_browser_gives_no_new_tries(cast: Cast) -> None:
    for number in range(10):
        stranger = Client()
        mark = f"{login_throttle._name('wei')}:{number}:1vPQaa:forged"
        stranger.cookies[login_throttle.KNOWN_COOKIE] = mark
        assert not _says_too_many(_try(stranger, "wrong"))
    stranger.cookies[login_throttle.KNOWN_COOKIE] = mark.replace(":9:", ":10:")
    assert _says_too_many(_try(stranger, "wei-pw"))


def test_few_passwords_are_looked_at_at_once(
    cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guessing must not take all cores from those who work."""
    monkeypatch.setattr(login_throttle, "_looking", threading.BoundedSemaphore(1))
    monkeypatch.setattr(login_throttle, "WAIT_S", 0.01)
    with login_throttle._a_place():
        answer = _try(client, "wei-pw")
        assert "Too many people are signing in at this moment" in answer.content.decode()
    assert _try(client, "wei-pw").status_code == 302


def test_each_sign_in_is_a_line_with_name_and_address(
    cast: Cast, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "sessions_app.people.login_throttle")
    _try(client, "wrong", REMOTE_ADDR="192.0.2.7")
    _try(client, "wei-pw", REMOTE_ADDR="192.0.2.8")
    said = [one.getMessage() for one in caplog.records if one.name.endswith("login_throttle")]
    assert said == [
        "sign-in as 'wei' from 192.0.2.7 is refused: invalid_login",
        "sign-in as 'wei' from 192.0.2.8",
    ]


def test_the_admin_has_no_password_page_of_its_own(cast: Cast, client: Client) -> None:
    """It would take tries that nobody counts."""
    client.force_login(cast.administrator)
    answer = client.post(
        "/admin/password_change/",
        {"old_password": "ada-pw", "new_password1": "x-new-pw-1", "new_password2": "x-new-pw-1"},
    )
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    cast.administrator.refresh_from_db()
    assert check_password("ada-pw", cast.administrator.password)


@pytest.mark.parametrize("wanted", [LOGIN, f"{LOGIN}?x=1"])
def test_who_is_signed_in_and_wants_the_login_goes_home(
    cast: Cast, client: Client, wanted: str
) -> None:
    client.force_login(cast.agent)
    answer = client.get(LOGIN, {"next": wanted})
    assert (answer.status_code, answer["Location"]) == (302, "/")
