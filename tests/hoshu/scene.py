"""Something of everything that an operation can be about, all of one account."""

import itertools
from dataclasses import dataclass, field

from hoshu.model import boiler as boiler_model
from hoshu.rest import Rest
from hoshu.things import Device, Product, make_boiler, make_product

_numbers = itertools.count(1)


@dataclass
class Scene:
    """A request may change or end what it is about: then the next one needs a new scene."""

    rest: Rest
    product: Product = field(init=False)
    device: Device = field(init=False)
    # Without devices, so that it can be deleted.
    empty: Product = field(init=False)
    user_id: str = field(init=False)
    token_id: str = field(init=False)
    model: dict = field(init=False)

    def __post_init__(self):
        self.model = boiler_model()
        self.product = make_boiler(self.rest)
        self.device = self.product.device()
        self.empty = make_product(self.rest)
        self.user_id = self.rest.create("/users", {"name": self.fresh_name(), "role": "VIEWER"})["id"]
        self.token_id = self.rest.create("/tokens", {"name": self.fresh_name(), "role": "VIEWER"})["id"]

    def fresh_name(self):
        return f"name-{next(_numbers)}"
