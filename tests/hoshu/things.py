"""Products and devices, made through the front door."""

import itertools
from dataclasses import dataclass, field

from hoshu.model import boiler
from hoshu.rest import Rest, segment

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Device:
    """What a device is told when it is made."""

    product_key: str
    device_name: str
    device_secret: str
    iot_id: str
    rest: Rest = field(repr=False, compare=False)

    @property
    def path(self):
        return f"/products/{self.product_key}/devices/{segment(self.device_name)}"

    def topic(self, what):
        """One of its system topics: `thing/event/property/post`."""
        return f"/sys/{self.product_key}/{self.device_name}/{what}"

    def user_topic(self, what):
        return f"/{self.product_key}/{self.device_name}/user/{what}"

    def now(self):
        return self.rest.get(self.path)

    @property
    def status(self):
        return self.now()["status"]

    def properties(self):
        return {item["identifier"]: item["value"] for item in self.rest.get(f"{self.path}/properties")["items"]}


@dataclass(frozen=True)
class Product:
    product_key: str
    answer: dict
    rest: Rest = field(repr=False, compare=False)

    @property
    def path(self):
        return f"/products/{self.product_key}"

    def device(self, name=None):
        body = {"deviceName": name} if name else {}
        made = self.rest.create(f"{self.path}/devices", body)
        return Device(self.product_key, made["deviceName"], made["deviceSecret"], made["iotId"], self.rest)

    def devices(self, count):
        made = self.rest.create(f"{self.path}/device-batches", {"count": count})["items"]
        return [Device(self.product_key, one["deviceName"], one["deviceSecret"], one["iotId"], self.rest) for one in made]

    def publish(self, document):
        self.rest.put(f"{self.path}/tsl", document)
        return self.rest.post(f"{self.path}/tsl/publish")


def make_product(rest, model=None, edition="PRO", data_format="ALINK_JSON", node_type="DEVICE"):
    """A product; with `model` (a TSL document) published."""
    answer = rest.create(
        "/products",
        {"name": f"Product {next(_numbers)}", "nodeType": node_type, "dataFormat": data_format, "edition": edition},
    )
    product = Product(answer["productKey"], answer, rest)
    if model is not None:
        product.publish(model)
    return product


def make_boiler(rest):
    """A PRO product whose devices are boilers."""
    return make_product(rest, boiler())
