"""Signing in: how often one may try, from where, and where one goes who is signed in already."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from tests.conftest import Cast

LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


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


@pytest.mark.parametrize("wanted", [LOGIN, f"{LOGIN}?x=1"])
def test_who_is_signed_in_and_wants_the_login_goes_home(
    cast: Cast, client: Client, wanted: str
) -> None:
    client.force_login(cast.agent)
    answer = client.get(LOGIN, {"next": wanted})
    assert (answer.status_code, answer["Location"]) == (302, "/")
