"""The console's socket: bound before anything else, then given to Daphne with its true family.

Daphne's own `fd:fileno=…` takes every socket for an IPv4 one; of an IPv6 socket the peers'
addresses would be whatever lies in memory.
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
