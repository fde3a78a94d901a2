"""Devices that post all the time, whatever happens, and know what was acknowledged."""

import threading

from hoshu.mqtt import Refused, connect

# Enough to keep every role busy, and few enough for a small machine.
PAUSE_SECONDS = 0.1


class Poster:
    """One device. A post that was not acknowledged is forgotten, not sent again."""

    def __init__(self, platform, device):
        self.device = device
        self.acknowledged = []
        self._platform = platform
        self._sent = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._stop.set()

    def join(self):
        self._thread.join(60)
        assert not self._thread.is_alive(), f"{self.device.device_name} hangs"

    def _run(self):
        while not self._stop.is_set():
            try:
                self._post_until_the_connection_ends()
            except (OSError, Refused, AssertionError):
                self._stop.wait(1)

    def _post_until_the_connection_ends(self):
        topic = self.device.topic("thing/event/property/post")
        connection = connect(self._platform, self.device)
        try:
            while not self._stop.is_set() and not connection.closed.is_set():
                self._sent += 1
                own_id = f"{self.device.device_name} {self._sent}"
                connection.publish(topic, {"id": own_id, "params": {"cycles": self._sent}})
                self.acknowledged.append(own_id)
                self._stop.wait(PAUSE_SECONDS)
        finally:
            connection.leave()


class Fleet:
    def __init__(self, platform, devices):
        self.posters = [Poster(platform, device) for device in devices]

    def acknowledged(self):
        return sum(len(poster.acknowledged) for poster in self.posters)

    def stop(self):
        for poster in self.posters:
            poster.stop()
        for poster in self.posters:
            poster.join()
        return [own_id for poster in self.posters for own_id in poster.acknowledged]
