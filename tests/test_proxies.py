"""Whose address counts: proxies write it in many forms, and strangers write what they like."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from tests.conftest import Cast
from weilink_site.pages.proxies import address_of, is_trusted

LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def _is_refused(client: Client, forwarded: str, **facts: Any) -> bool:
    form = {"username": "wei", "password": "wrong"}
    answer = client.post(LOGIN, form, HTTP_X_FORWARDED_FOR=forwarded, **facts)
    return "Too many attempts" in answer.content.decode()


@pytest.mark.parametrize(
    "forms",
    [
        ["203.0.113.6:51234", "203.0.113.6:51235"],
        ["203.0.113.6", " 203.0.113.6 ", "::ffff:203.0.113.6", "[::ffff:203.0.113.6]:1"],
        ["[2001:db8::6]:51234", "[2001:db8::6]", "2001:db8:0::6", "2001:DB8::6"],
        ["fe80::6%eth0", "[fe80::6%25eth0]:443", "fe80::6"],
        ['"[2001:db8::6]:4711"', "2001:db8::6"],
        ["198.51.100.1:1, 203.0.113.6:2, 127.0.0.1:3", "9.9.9.9, 203.0.113.6, ::1"],
        ["unknown", "_hidden", "", "203.0.113", "203.0.113.6:port", "<script>"],
        ["203.0.113.6, unknown", "198.51.100.1, _gazonk"],
    ],
)
def test_one_visitor_is_one_address_in_whatever_form(
    cast: Cast, client: Client, settings: Any, forms: list[str]
) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1", "::1"]
    for number in range(10):
        assert not _is_refused(client, forms[number % len(forms)])
    assert all(_is_refused(client, form) for form in forms)
    assert not _is_refused(client, "203.0.113.7:51234")


def test_a_proxy_that_comes_over_ipv6_as_ipv4_is_the_proxy_that_was_named(
    cast: Cast, client: Client, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    for _ in range(10):
        assert not _is_refused(client, "203.0.113.6", REMOTE_ADDR="::ffff:10.1.2.3")
    assert _is_refused(client, "203.0.113.6:9", REMOTE_ADDR="10.4.4.4")
    assert not _is_refused(client, "203.0.113.6", REMOTE_ADDR="192.0.2.1")


def test_forwarded_is_not_read(cast: Cast, client: Client, settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    for number in range(10):
        assert not _is_refused(client, "", HTTP_FORWARDED=f"for=203.0.113.{number}")
    assert _is_refused(client, "", HTTP_FORWARDED="for=203.0.113.99;proto=https")


@pytest.mark.parametrize("proxy", ["::ffff:10.0.0.0/104", "2001:db8::/32", "::1", "10.0.0.0/8"])
def test_networks_of_both_kinds_are_taken(settings: Any, proxy: str) -> None:
    settings.TRUSTED_PROXIES = [proxy]
    peers = {"10.9.9.9", "::ffff:10.9.9.9", "2001:db8::9", "::1", "192.0.2.1", "", "unix"}
    wanted = {
        "::ffff:10.0.0.0/104": {"10.9.9.9", "::ffff:10.9.9.9"},
        "10.0.0.0/8": {"10.9.9.9", "::ffff:10.9.9.9"},
        "2001:db8::/32": {"2001:db8::9"},
        "::1": {"::1"},
    }
    assert {peer for peer in peers if is_trusted(peer)} == wanted[proxy]


@pytest.mark.parametrize("text", ["1.2.3.4:999999", "[::1", "::1]", "[1.2.3.4", "a::b::c", "1.2"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert address_of(text) is None
