"""Devices that post all the time and do what they are told, whatever happens, and people who tell them."""

import itertools
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass

import requests

from faults.size import DEVICES, LONGEST_SECONDS
from hoshu.model import boiler
from hoshu.mqtt import Refused, connect
from hoshu.things import make_product
from hoshu.wait import until

# Posts of all devices together: enough to keep every role busy, and few enough for a small machine.
POSTS_PER_SECOND = 150
# People who give commands, one after the other.
PEOPLE = 2
# How long a command is waited for.
ANSWER_SECONDS = 5
# How long a device waits for a PUBACK before it takes its connection for dead: longer than any fault.
PUBACK_SECONDS = 60

POST = "thing.event.property.post"
SET = "thing.service.property.set"


class Poster:
    """One device. A post that was not acknowledged is forgotten, not sent again."""

    def __init__(self, platform, device, pause):
        self.device = device
        self.acknowledged = []
        # The labels that it was told to wear, each as often as it was told.
        self.labels = Counter()
        self.connections = 0
        self._platform = platform
        self._pause = pause
        self._sent = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._stop.set()

    def join(self):
        self._thread.join(PUBACK_SECONDS + 30)
        assert not self._thread.is_alive(), f"{self.device.device_name} hangs"

    def _run(self):
        while not self._stop.is_set():
            try:
                self._post_until_the_connection_ends()
            except (OSError, Refused, AssertionError):
                self._stop.wait(1)

    def _post_until_the_connection_ends(self):
        topic = self.device.topic("thing/event/property/post")
        connection = connect(self._platform, self.device, on_message=self._obey)
        self.connections += 1
        try:
            while not self._stop.is_set() and not connection.closed.is_set():
                self._sent += 1
                own_id = f"{self.device.device_name} {self._sent}"
                connection.publish(topic, {"id": own_id, "params": {"cycles": self._sent}}, within=PUBACK_SECONDS)
                self.acknowledged.append(own_id)
                self._stop.wait(self._pause)
        finally:
            connection.leave()

    def _obey(self, connection, message):
        if not message.topic.endswith("/property/set"):
            return
        request = json.loads(message.payload)
        self.labels[request["params"]["label"]] += 1
        answer = {"id": request["id"], "code": 200, "data": {}}
        connection.client.publish(f"{message.topic}_reply", json.dumps(answer), qos=1)


@dataclass(frozen=True)
class Command:
    """A label that a device was told to wear, and what was answered."""

    poster: Poster
    label: str
    # Nothing: the api went away meanwhile.
    status: int | None
    answer: dict

    @property
    def obeyed(self):
        """How often the device was told."""
        return self.poster.labels[self.label]

    def __str__(self):
        return f"{self.label} for {self.poster.device.device_name}: {self.status} {self.answer}"


class Person:
    """Sets a property of one device after the other."""

    _labels = itertools.count(1)

    def __init__(self, rest, posters):
        self.commands = []
        self._rest = rest
        self._posters = itertools.cycle(posters)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join(90)
        assert not self._thread.is_alive(), "a command never ends"

    def _run(self):
        while not self._stop.wait(0.1):
            poster = next(self._posters)
            label = f"label {next(self._labels)}"
            status, answer = None, {}
            body = {"params": {"label": label}, "waitSeconds": ANSWER_SECONDS}
            try:
                response = self._rest.send("POST", f"{poster.device.path}/properties", body)
                status, answer = response.status_code, response.json()
            except requests.RequestException:
                self._stop.wait(0.5)
            self.commands.append(Command(poster, label, status, answer))


class Posters:
    """Devices that post."""

    def __init__(self, platform, devices):
        pause = len(devices) / POSTS_PER_SECOND
        self.posters = [Poster(platform, device, pause) for device in devices]
        until(lambda: all(poster.connections for poster in self.posters), "all connected", LONGEST_SECONDS)

    def acknowledged(self):
        return sum(len(poster.acknowledged) for poster in self.posters)

    def until_acknowledged(self, count):
        until(
            lambda: self.acknowledged() >= count,
            lambda: f"{count} posts acknowledged, but {self.acknowledged()}",
            LONGEST_SECONDS,
        )

    def until_more_are_acknowledged(self, count):
        self.until_acknowledged(self.acknowledged() + count)

    def until_none_is_acknowledged(self):
        """Until all of them wait for a PUBACK."""

        def none():
            before = self.acknowledged()
            time.sleep(3)
            return self.acknowledged() == before

        until(none, "no PUBACK", LONGEST_SECONDS)

    def until_all_are(self, status):
        def others():
            return [poster.device for poster in self.posters if poster.device.status != status]

        until(lambda: not others(), lambda: f"all {status}, but {others()}")

    def stop(self):
        """Answers with the ids of all posts that were acknowledged."""
        for poster in self.posters:
            poster.stop()
        for poster in self.posters:
            poster.join()
        return [own_id for poster in self.posters for own_id in poster.acknowledged]


class Fleet(Posters):
    """Devices of a product of their own that post, and people who tell them what to do."""

    def __init__(self, platform, rest):
        self.product = make_product(rest, boiler())
        super().__init__(platform, self.product.devices(DEVICES))
        self._people = [Person(rest.again(), self.posters[start::PEOPLE]) for start in range(PEOPLE)]

    @property
    def commands(self):
        return [command for person in self._people for command in person.commands]

    def end_commands(self):
        for person in self._people:
            person.stop()
