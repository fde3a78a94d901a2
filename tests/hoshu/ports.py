"""Addresses on this machine that nobody uses."""

import random
import socket

# Given before, and perhaps not taken yet: a house of two of each role takes fifty.
_given = set()


def free_port():
    """A port below the range from which the kernel gives ports to clients."""
    while True:
        port = random.randint(20_000, 32_000)
        if port in _given:
            continue
        with socket.socket() as probe:
            # As servers do, or a port that was used a minute ago would look taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            _given.add(port)
            return port
