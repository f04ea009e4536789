"""Pure functions that check and normalise values of environment variables.

Each returns the value in the form that the rest of the project expects, or raises ValueError with
the end of a sentence that begins with the variable's name. Sentences never repeat a value that may
contain a password.
"""

import ipaddress
import re
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import dj_database_url
import redis
from cryptography.fernet import Fernet

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
SQLITE = "django.db.backends.sqlite3"
POSTGRESQL = "weilink_site.postgresql"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NO_URL_CHARACTER = re.compile(r"[\s\x00-\x1f\x7f\\]")


def public_url(value: str) -> str:
    """An origin as in the header `Origin`: scheme, host, and the port if it is not the default."""
    address = _web_address(value, example="https://console.example.com")
    if address.path not in {"", "/"}:
        raise ValueError("must have no path: the console is always at the root of its host")
    host = _browser_host(address.hostname or "")
    if address.port is None or address.port == _DEFAULT_PORTS[address.scheme]:
        return f"{address.scheme}://{host}"
    return f"{address.scheme}://{host}:{address.port}"


def service_url(value: str) -> str:
    """The URL of WeChat's servers or of a simulator. May have a path; has no trailing slash."""
    _web_address(value, example="https://ilinkai.weixin.qq.com")
    return value.rstrip("/")


def _web_address(value: str, *, example: str) -> SplitResult:
    """The checks that all web addresses share."""
    if _NO_URL_CHARACTER.search(value):
        raise ValueError("must hold no space, backslash or control character")
    if not value.lower().startswith(("http://", "https://")):
        raise ValueError(f"must start with http:// or https://, as in {example}")
    if "?" in value or "#" in value:
        raise ValueError("must have no query (?…) and no fragment (#…)")
    try:
        address = urlsplit(value)
        port = address.port
    except ValueError:
        raise ValueError(
            f"is not a web address with a port from 1 to 65535, as in {example}"
        ) from None
    if "@" in address.netloc:
        raise ValueError("must hold no user name and no password")
    if not address.hostname:
        raise ValueError(f"names no host, as in {example}")
    if port == 0 or address.netloc.endswith(":"):
        raise ValueError("needs a port from 1 to 65535, or no colon after the host")
    return address


def _browser_host(host: str) -> str:
    """The host as browsers send it. An IPv6 address is in brackets."""
    if ":" in host:
        return f"[{_ipv6(host)}]"
    if not host.isascii():
        raise ValueError(f"must name its host in ASCII, as browsers send it{_in_ascii(host)}")
    if host.endswith("."):
        raise ValueError("must name its host without a dot at the end")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise ValueError("names a host with characters that no host name has, such as _ or *")
    if host.rpartition(".")[2].isdigit():
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise ValueError("names a host that is not an IPv4 address") from None
    return host


def _ipv6(host: str) -> ipaddress.IPv6Address:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        raise ValueError("names a host that is not an IPv6 address") from None
    if address.scope_id is not None:
        raise ValueError("must name an IPv6 address without a zone (%…)")
    return address


def _in_ascii(host: str) -> str:
    try:
        return f": {host.encode('idna').decode()}"
    except UnicodeError:
        return ""


def allowed_host(value: str) -> str:
    """A host as Django compares it: lower case, IPv6 in brackets, `.example.com` for subdomains."""
    host = value.lower().rstrip(".")
    bare = host.removeprefix("[").removesuffix("]")
    if ":" in bare:
        try:
            return f"[{ipaddress.IPv6Address(bare)}]"
        except ValueError:
            words = f"“{value}” is not a host: name hosts alone, without http:// and port"
            raise ValueError(words) from None
    if host.startswith("*."):
        raise ValueError(f"“{value}” is not a host; for all hosts of a domain write “{host[1:]}”")
    name = host.removeprefix(".")
    if host != "*" and not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError(f"“{value}” is not a host: name hosts alone, as in console.example.com")
    return host


def network(value: str) -> str:
    """An address or a network. Brackets around an IPv6 address are removed."""
    bare = re.sub(r"[\[\]]", "", value)
    try:
        ipaddress.ip_network(bare, strict=False)
    except ValueError:
        words = f"“{value}” is no address or network, as in 127.0.0.1 or 10.0.0.0/8"
        raise ValueError(words) from None
    return bare


def log_level(value: str) -> str:
    level = value.strip().upper()
    if level not in LEVELS:
        raise ValueError(f"must be one of {', '.join(LEVELS)}")
    return level


def credential_keys(text: str) -> list[str]:
    """Fernet keys, newest first.

    Checked here, or a bad key would be noticed only with the first token.
    """
    keys = [key.strip() for key in text.split(",") if key.strip()]
    if not keys:
        raise ValueError("must hold at least one key")
    for place, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError:
            which = f"key {place} of {len(keys)}" if len(keys) > 1 else "its key"
            raise ValueError(
                f"must hold Fernet keys of 44 characters, but {which} is none; `python -c 'from "
                "cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'` "
                "makes one"
            ) from None
    return keys


def redis_url(value: str) -> str:
    """The URL of a Redis server. "" means none."""
    if not value:
        return ""
    if not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must start with redis://, rediss:// or unix://")
    try:
        redis.connection.parse_url(value)  # type: ignore[no-untyped-call]
        place = urlsplit(value).path.strip("/")
    except (ValueError, TypeError):
        raise ValueError("is not the address of a Redis, as in redis://127.0.0.1:6379/0") from None
    if not value.startswith("unix://") and place and not place.isdecimal():
        raise ValueError("must end in the number of a database, as in redis://127.0.0.1:6379/0")
    return value


def database(url: str, *, root: Path) -> dict[str, Any]:
    """Django's settings for a database. A relative SQLite path starts at `root`."""
    kind = url.partition("://")[0]
    if kind not in {"sqlite", "postgres", "postgresql"}:
        raise ValueError(
            "must start with sqlite:/// or postgres://; other databases cannot be used"
        )
    try:
        config: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=0))
    except (ValueError, KeyError):
        raise ValueError(
            "is not a database address, as in postgres://user:password@host:5432/name; characters "
            "such as # and / in a password are written as %23 and %2F"
        ) from None
    if kind == "sqlite":
        return {**config, "NAME": _sqlite_path(config, root)}
    if not config["NAME"]:
        raise ValueError("names no database, as in postgres://user:password@host:5432/name")
    return {**config, "ENGINE": POSTGRESQL}


def _sqlite_path(config: dict[str, Any], root: Path) -> str:
    name = config["NAME"]
    if config["HOST"] or not name or ":memory:" in name:
        raise ValueError(
            "must name a file, as in sqlite:///var/console.sqlite3 or sqlite:////srv/console.sqlite3"
        )
    path = root / Path(name).expanduser()
    if path.is_dir():
        raise ValueError("must name a file, not a folder")
    return str(path)
