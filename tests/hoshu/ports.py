"""Addresses on this machine that nobody uses."""

import random
import socket

# Given before, and perhaps not taken yet: a house of two of each role takes fifty.
_given = set()


def free_port():
    return free_ports(1)[0]


def free_ports(count):
    """Ports that follow each other, below the range from which the kernel gives ports to clients."""
    while True:
        first = random.randint(20_000, 32_000)
        ports = range(first, first + count)
        if _given.isdisjoint(ports) and all(map(_is_free, ports)):
            _given.update(ports)
            return ports


def _is_free(port):
    with socket.socket() as probe:
        # As servers do, or a port that was used a minute ago would look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
