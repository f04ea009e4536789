"""Binds the console's socket before anything else and hands it to Daphne with its address family.

Reason: Daphne takes a bound socket only by its number (`fd:fileno=…`), and its parser
(`_FDParser._parseServer` in `twisted/plugins/fd_endpoint.py`) takes every socket for an IPv4 one;
a family in the endpoint's text stays text, which Twisted refuses
(https://github.com/django/daphne/pull/68). Read as IPv4, an IPv6 socket reports wrong addresses of
its clients.
Can go when: the parser asks the socket for its family, or `daphne.server.Server` takes a socket.
"""

import socket
from typing import Any

from daphne import server
from twisted.internet.endpoints import AdoptedStreamServerEndpoint

BACKLOG = 512
ANY_V6 = "::"


def bound(host: str, port: int) -> socket.socket:
    """A listening socket. `::` takes IPv4 too. Raises OSError, also for a port out of range."""
    bare = host.removeprefix("[").removesuffix("]")
    if not 0 <= port <= 65535:
        raise OSError("a port is a number from 0 to 65535")
    [family, kind, protocol, _, address] = socket.getaddrinfo(
        bare or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, bare != ANY_V6)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def adopt(listener: socket.socket) -> list[str]:
    """What Daphne's server takes as its endpoints, so that it listens on this very socket."""

    def adopted(reactor: Any, _description: str) -> Any:
        make: Any = AdoptedStreamServerEndpoint
        return make(reactor, listener.fileno(), listener.family)

    server.serverFromString = adopted
    return [f"fd:fileno={listener.fileno()}"]
