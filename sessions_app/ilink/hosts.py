"""Which addresses named by WeChat's answers we follow: its own hosts, and those of the settings.

Parsed with a strict grammar of our own, because lenient parsers disagree about `@`, `\\` and
white space, and the one that checks must never read another host than the one that connects.
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
# Everything that may stand in a path or query, so that only what is not ASCII gets encoded.
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
    """Knows the configured URLs (the API's first) and judges every other address against them."""

    def __init__(self, *configured_urls: str) -> None:
        """Raises UnsafeHostError for a configured URL that is no plain http(s) address."""
        self._configured = tuple(_base(_parse(url)) for url in configured_urls)
        self._hosts = frozenset(address.host for address in self._configured)

    def check(self, url: str) -> str:
        """A base URL, normalised and without a slash at its end; UnsafeHostError if not allowed."""
        return _base(self._allowed(_parse(url))).url

    def check_file(self, url: str) -> str:
        """The full address of a file, with its query untouched; UnsafeHostError if not allowed."""
        return self._allowed(_parse(url)).url

    def redirect(self, host: str) -> str:
        """The base URL for a `redirect_host`, which may come with a scheme, a port or neither.

        A configured place is returned whole, with its path; a configured host keeps its scheme;
        everything else is https, whatever scheme was named.
        """
        bare = host.partition("://")[2] or host
        for known in self._configured:
            if _parse(bare, default_scheme=known.scheme).netloc == known.netloc:
                return known.url
        for known in self._configured:
            there = _parse(bare, default_scheme=known.scheme)
            if there.host == known.host:
                return _base(there).url
        return self.check(f"https://{bare}")

    def _allowed(self, address: _Address) -> _Address:
        if address.host in self._hosts:
            return address
        under = address.host == TRUSTED_DOMAIN or address.host.endswith(f".{TRUSTED_DOMAIN}")
        if address.scheme == "https" and under:
            return address
        raise UnsafeHostError("An address was named that is not one of WeChat's.")


def _parse(url: str, default_scheme: str = "") -> _Address:
    match = _ADDRESS.fullmatch(url)
    if match is None:
        raise UnsafeHostError("An address was named that cannot be read.")
    scheme = (match["scheme"] or default_scheme).lower()
    if scheme not in _DEFAULT_PORTS:
        raise UnsafeHostError("An address was named that is neither https nor http.")
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 0 < port < 65_536:
        raise UnsafeHostError("An address was named with an impossible port.")
    if port == _DEFAULT_PORTS[scheme]:
        port = None
    return _Address(scheme, match["host"].lower(), port, _encoded(match["rest"] or ""))


def _base(address: _Address) -> _Address:
    if "?" in address.rest:
        raise UnsafeHostError("A base address was named that carries a query.")
    return _Address(address.scheme, address.host, address.port, address.rest.rstrip("/"))


def _encoded(rest: str) -> str:
    return quote(rest, safe=_KEEP, errors="replace")
