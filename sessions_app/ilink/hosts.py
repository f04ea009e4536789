"""Decides which URLs in WeChat's answers are allowed: WeChat's own hosts and the configured ones.

Uses a strict grammar of its own, because lenient parsers disagree about `@`, `\\` and white space.
The parser that checks must never see another host than the one that connects.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from .errors import UnsafeHostError

TRUSTED_DOMAIN = "weixin.qq.com"

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_ADDRESS = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?"
    rf"(?P<host>\[[0-9a-f:.]{{2,45}}\]|{_LABEL}(?:\.{_LABEL})*)"
    r"(?::(?P<port>[0-9]{0,5}))?"
    r"(?P<rest>[/?][^#\\\s\x00-\x1f\x7f]*)?",
    re.IGNORECASE | re.ASCII,
)
# All ASCII characters are kept in paths and queries; only others are encoded.
_KEEP = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class _Address:
    scheme: str
    host: str
    port: int | None
    rest: str

    @property
    def netloc(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.rest}"


class HostPolicy:
    """Knows the configured URLs (the API's first) and checks every other URL against them."""

    def __init__(self, *configured_urls: str) -> None:
        """Raises UnsafeHostError for a configured URL that is not a plain http(s) URL."""
        self._configured = tuple(_base(_parse(url)) for url in configured_urls)
        self._origins = frozenset((one.scheme, one.netloc) for one in self._configured)
        self._hosts = frozenset(one.host for one in self._configured)
        self._plain = frozenset(one.host for one in self._configured if one.scheme == "http")

    def check(self, url: str) -> str:
        """A base URL, normalised and without a trailing slash.

        Raises UnsafeHostError if not allowed.
        """
        return _base(self._allowed(_parse(url))).url

    def check_file(self, url: str) -> str:
        """A file's complete URL, with its query unchanged.

        Raises UnsafeHostError if not allowed.
        """
        return self._allowed(_parse(url)).url

    def redirect(self, host: str) -> str:
        """The base URL for a `redirect_host`, which may include a scheme or a port.

        A configured address is returned with its path. A configured host keeps its scheme, and
        its port if that is https. Everything else becomes https, whatever the given scheme.
        """
        bare = host.partition("://")[2] or host
        for known in self._configured:
            if _parse(bare, default_scheme=known.scheme).netloc == known.netloc:
                return known.url
        for known in self._configured:
            there = _parse(bare, default_scheme=known.scheme)
            if there.host == known.host:
                return _base(self._allowed(there)).url
        return self.check(f"https://{bare}")

    def _allowed(self, address: _Address) -> _Address:
        """A host that is configured with https alone is reached so, at the configured port."""
        if (address.scheme, address.netloc) in self._origins or address.host in self._plain:
            return address
        if address.host in self._hosts:
            raise UnsafeHostError("A URL names another scheme or port of a configured host.")
        under = address.host == TRUSTED_DOMAIN or address.host.endswith(f".{TRUSTED_DOMAIN}")
        if address.scheme == "https" and under:
            return address
        raise UnsafeHostError("A URL does not belong to WeChat.")


def _parse(url: str, default_scheme: str = "") -> _Address:
    match = _ADDRESS.fullmatch(url)
    if match is None:
        raise UnsafeHostError("A URL cannot be parsed.")
    scheme = (match["scheme"] or default_scheme).lower()
    if scheme not in _DEFAULT_PORTS:
        raise UnsafeHostError("A URL is neither https nor http.")
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 0 < port < 65_536:
        raise UnsafeHostError("A URL has an invalid port.")
    if port == _DEFAULT_PORTS[scheme]:
        port = None
    return _Address(scheme, match["host"].lower(), port, _encoded(match["rest"] or ""))


def _base(address: _Address) -> _Address:
    if "?" in address.rest:
        raise UnsafeHostError("A base URL has a query.")
    return _Address(address.scheme, address.host, address.port, address.rest.rstrip("/"))


def _encoded(rest: str) -> str:
    return quote(rest, safe=_KEEP, errors="replace")
