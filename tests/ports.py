"""A port for a server that is started later.

Not one that the system gives: until the server listens, an outgoing connection may get it.
"""

import random
import socket

NEVER_OUTGOING = range(10_000, 32_000)
"""Linux takes the ports of outgoing connections from 32,768 upwards."""
_random = random.SystemRandom()


def free_port() -> int:
    while True:
        port = _random.choice(NEVER_OUTGOING)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
