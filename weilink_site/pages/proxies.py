"""The client's address. `X-Forwarded-*` is accepted only from the proxies in TRUSTED_PROXIES.

`Forwarded` (RFC 7239) is never read. Addresses are normalised before they are compared or counted:
no port, no brackets, no zone, and IPv4-mapped addresses as IPv4.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HEADERS = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_FORWARDED",
)
_IN_BRACKETS = re.compile(r"\[([^\[\]]+)\](?::\d{1,5})?")
_WITH_PORT = re.compile(r"([0-9.]+):\d{1,5}")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


class TrustedProxyMiddleware:
    """Must be the first middleware: it removes untrusted headers before anything reads them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.META["weilink.forwarded"] = any(name in request.META for name in _HEADERS)
        if not is_trusted(request.META.get("REMOTE_ADDR", "")):
            for name in _HEADERS:
                request.META.pop(name, None)
        request.META["weilink.client"] = _client(request.META)
        return self.get_response(request)


def _client(facts: dict[str, Any]) -> str:
    """The nearest address that is not one of our proxies. Addresses before it could be forged.

    If one of our proxies names no client ("unknown", "_hidden"), it is that proxy's address.
    """
    peer: str = facts.get("REMOTE_ADDR", "")
    nearest = address_of(peer)
    if nearest is None:
        return peer
    hops = [hop for hop in facts.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    while hops and _is_ours(nearest):
        before = address_of(hops.pop())
        if before is None:
            break
        nearest = before
    return str(nearest)


def client_of(peer: str, forwarded_for: str) -> str:
    """The client's address, before there is a request. `forwarded_for`: as it was sent."""
    return _client({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded_for})


def is_trusted(peer: str) -> bool:
    address = address_of(peer)
    return address is not None and _is_ours(address)


def _is_ours(address: Address) -> bool:
    return any(address in network for network in _networks(tuple(settings.TRUSTED_PROXIES)))


def address_of(text: str) -> Address | None:
    """The address in `1.2.3.4:567`, `[2001:db8::1]:567`, `fe80::1%eth0` and similar, or None.

    `::ffff:1.2.3.4` becomes the IPv4 address.
    """
    bare = text.strip().strip('"')
    if found := _IN_BRACKETS.fullmatch(bare) or _WITH_PORT.fullmatch(bare):
        bare = found[1]
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=4)
def _networks(proxies: Iterable[str]) -> list[Network]:
    return [_as_compared(ipaddress.ip_network(proxy, strict=False)) for proxy in proxies]


def _as_compared(network: Network) -> Network:
    """The IPv4 network, if it is written as IPv4-mapped IPv6 addresses."""
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        first = network.network_address.ipv4_mapped
        return ipaddress.IPv4Network(f"{first}/{network.prefixlen - 96}")
    return network
