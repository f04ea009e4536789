"""What the host sets is checked at the start, and a wrong value is one sentence with its name."""

import pytest

from weilink_site import environment


def test_a_proxy_that_is_no_address_is_said_with_the_variables_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "127.0.0.1, localhost")
    with pytest.raises(SystemExit) as stopped:
        environment.load()
    assert str(stopped.value) == (
        "TRUSTED_PROXIES in the environment or .env: “localhost” is no address or network, "
        "as in 127.0.0.1 or 10.0.0.0/8."
    )


def test_addresses_and_networks_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8, ::1")
    assert environment.load().trusted_proxies == ["127.0.0.1", "10.0.0.0/8", "::1"]
