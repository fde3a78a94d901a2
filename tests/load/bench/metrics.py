"""A role's counters, as /metrics tells them."""

from http.client import HTTPConnection


class Counters:
    """Of one role, over a connection that is kept: a look may not cost what it measures."""

    def __init__(self, ops_port):
        self._connection = HTTPConnection("127.0.0.1", ops_port, timeout=5)

    def look(self, *wanted):
        """For each (name, labels) the sum over all lines of this name that have these labels, of one moment; 0 before
        the first event."""
        self._connection.request("GET", "/metrics")
        lines = self._connection.getresponse().read().decode().splitlines()
        return [
            sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{")) and labels in line)
            for name, labels in wanted
        ]
