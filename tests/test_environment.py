"""What the host sets is checked at the start, and a wrong value is one sentence with its name."""

import re
from pathlib import Path

import pytest

from weilink_site.host import environment, places

SECRET = "hunter2"
KEY = "A" * 43 + "="
VALUES = {
    "LOG_LEVEL": ["loud"],
    "PORT": ["eighty", "0", "70000"],
    "DEBUG": ["perhaps"],
    "PUBLIC_URL": [
        "https://host/weilink", "https://host/weilink?x=1", f"https://user:{SECRET}@host",
        "https://host?", "https://host#top", "ftp://host", "host:8000", "https://", "https://:8000",
        "https://host:70000", "https://host:0", "https://host:port", "https://ho st",
        "https://host.", "https://客服.example.com", "https://a..b", "https://under_score.com",
        "https://[::1", "https://[fe80::1%25eth0]", "https://1.2.3.444", "https://host\\evil",
    ],
    "WEILINK_ILINK_URL": ["ilinkai.weixin.qq.com", f"https://u:{SECRET}@host", "https://h:99999"],
    "WEILINK_CDN_URL": ["https://host/c2c?x=1", "file:///tmp"],
    "ALLOWED_HOSTS": ["https://host", "host:8000", "*.example.com", "host/path"],
    "TRUSTED_PROXIES": ["localhost", "10.0.0.0/33", "127.0.0.1:80"],
    "WEILINK_STORE": ["redis"],
    "WEILINK_SIGN_IN_IDLE_HOURS": ["0", "two weeks", "1000000"],
    "WEILINK_SIGN_IN_MAX_HOURS": ["-1", "9e9"],
    "WEILINK_CREDENTIAL_KEYS": ["secret", f"{KEY},{SECRET}", ","],
    "DATABASE_URL": [
        f"mysql://root:{SECRET}@host/name", f"postgres://u:{SECRET}#1@host/name", "console.sqlite3",
        "postgres://host", f"postgres://u:{SECRET}@host:port/name", "sqlite://", "sqlite:///",
        "sqlite://var/console.sqlite3", "sqlite:////tmp",
    ],
    "REDIS_URL": ["localhost:6379", "http://host", "redis://host:port/0", "redis://host/name"],
}  # fmt: skip
BAD = [(name, value) for name, values in VALUES.items() for value in values]

GOOD = [
    ("PUBLIC_URL", "https://Console.Example.com:443/", "https://console.example.com"),
    ("PUBLIC_URL", "http://[::1]:8000", "http://[::1]:8000"),
    ("PUBLIC_URL", "https://xn--fiq228c.com", "https://xn--fiq228c.com"),
    ("PUBLIC_URL", "http://10.0.0.7:80/", "http://10.0.0.7"),
    ("LOG_LEVEL", "debug", "DEBUG"),
    ("ALLOWED_HOSTS", "::1, Host.Example.com, .example.com, *", [
        "[::1]", "host.example.com", ".example.com", "*"
    ]),
    ("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8, [::1], fd00::/8", [
        "127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8"
    ]),
    ("WEILINK_CDN_URL", "http://127.0.0.1:8010/c2c/", "http://127.0.0.1:8010/c2c"),
    ("REDIS_URL", "rediss://user:pw@host:6380/3", "rediss://user:pw@host:6380/3"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_wrong_value_is_said_with_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        environment.load()
    sentence = str(stopped.value)
    assert sentence.startswith(f"{name} in the environment or .env: ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert SECRET not in sentence


@pytest.mark.parametrize(("name", "value", "kept"), GOOD)
def test_a_good_value_is_kept_in_one_form(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, kept: object
) -> None:
    monkeypatch.setenv(name, value)
    assert getattr(environment.load(), name.lower()) == kept


def test_the_sentence_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "127.0.0.1, localhost")
    with pytest.raises(SystemExit) as stopped:
        environment.load()
    assert str(stopped.value) == (
        "TRUSTED_PROXIES in the environment or .env: “localhost” is no address or network, "
        "as in 127.0.0.1 or 10.0.0.0/8."
    )


def test_the_demo_takes_its_port_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = tmp_path / ".env"
    kept.write_text("PORT=8123\nDATABASE_URL=postgres://real@host/data\n")
    monkeypatch.setitem(environment.PortSettings.model_config, "env_file", kept)
    monkeypatch.setenv("WEILINK_DEMO", "1")
    demo = environment.load()
    assert (demo.port, demo.database_url) == (8123, "")
    monkeypatch.setenv("PORT", "8124")
    assert environment.load().port == 8124
    monkeypatch.setenv("PORT", "many")
    with pytest.raises(SystemExit, match="PORT in the environment or"):
        environment.load()


def test_a_key_file_without_a_key_is_said_and_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("WEILINK_CREDENTIAL_KEYS", raising=False)
    monkeypatch.setattr(environment, "VAR", tmp_path)
    (tmp_path / "credential_keys").write_text("no key\n")
    with pytest.raises(SystemExit, match="must hold Fernet keys"):
        environment.credential_keys(environment.load())
    assert (tmp_path / "credential_keys").read_text() == "no key\n"


def test_the_example_names_every_variable_and_no_other() -> None:
    example = (places.ROOT / ".env.example").read_text(encoding="utf-8")
    named = re.findall(r"^#?\s?([A-Z_]+)=", example, re.MULTILINE)
    assert set(named) == {name.upper() for name in environment.HostSettings.model_fields}
