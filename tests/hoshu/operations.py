"""Every operation of the public API: who may call it, and with what a test calls it.

The table stands for REST and gRPC alike; a test fails when the platform has an operation that is
not in it.
"""

import json
from dataclasses import dataclass
from typing import Callable

VIEWER, OPERATOR, ADMIN = ROLES = ("VIEWER", "OPERATOR", "ADMIN")

# Text fields that hold JSON: REST shows them inline.
JSON_TEXT = {"document", "params"}


@dataclass(frozen=True)
class Operation:
    role: str
    # From a Scene to the request's fields, named as in REST.
    request: Callable
    # What a foreign token gets: 404 where the request names an object, else only its own things.
    names_object: bool
    # The field that is the whole REST body.
    whole: str = ""


def _product(scene):
    return {"productKey": scene.product.product_key}


def _device(scene):
    return {**_product(scene), "deviceName": scene.device.device_name}


OPERATIONS = {
    "GetAccount": Operation(VIEWER, lambda scene: {}, False),
    "ListUsers": Operation(VIEWER, lambda scene: {}, False),
    "CreateUser": Operation(ADMIN, lambda scene: {"name": scene.fresh_name(), "role": "VIEWER"}, False),
    "GetUser": Operation(VIEWER, lambda scene: {"id": scene.user_id}, True),
    "UpdateUser": Operation(ADMIN, lambda scene: {"id": scene.user_id, "name": scene.fresh_name()}, True),
    "DeleteUser": Operation(ADMIN, lambda scene: {"id": scene.user_id}, True),
    "ListTokens": Operation(VIEWER, lambda scene: {}, False),
    "CreateToken": Operation(ADMIN, lambda scene: {"name": scene.fresh_name(), "role": "VIEWER"}, False),
    "DeleteToken": Operation(ADMIN, lambda scene: {"id": scene.token_id}, True),
    "ListAudit": Operation(VIEWER, lambda scene: {}, False),
    "CreateProduct": Operation(
        OPERATOR,
        lambda scene: {
            "name": scene.fresh_name(), "nodeType": "DEVICE", "dataFormat": "ALINK_JSON", "edition": "PRO",
        },
        False,
    ),
    "ListProducts": Operation(VIEWER, lambda scene: {}, False),
    "GetProduct": Operation(VIEWER, _product, True),
    "UpdateProduct": Operation(OPERATOR, lambda scene: {**_product(scene), "name": "Renamed"}, True),
    "DeleteProduct": Operation(OPERATOR, lambda scene: {"productKey": scene.empty.product_key}, True),
    "CreateDevice": Operation(OPERATOR, _product, True),
    "CreateDevices": Operation(OPERATOR, lambda scene: {**_product(scene), "count": 2}, True),
    "ListDevices": Operation(VIEWER, _product, True),
    "GetDevice": Operation(VIEWER, _device, True),
    "DeleteDevice": Operation(OPERATOR, _device, True),
    "DisableDevice": Operation(OPERATOR, _device, True),
    "EnableDevice": Operation(OPERATOR, _device, True),
    "ResetDeviceSecret": Operation(OPERATOR, _device, True),
    "GetThingModel": Operation(VIEWER, _product, True),
    "PutThingModel": Operation(
        OPERATOR, lambda scene: {**_product(scene), "document": scene.model}, True, whole="document"
    ),
    "PublishThingModel": Operation(OPERATOR, _product, True),
    "ListThingModelVersions": Operation(VIEWER, _product, True),
    "GetThingModelVersion": Operation(VIEWER, lambda scene: {**_product(scene), "version": 1}, True),
    "CheckMessage": Operation(
        VIEWER, lambda scene: {**_product(scene), "method": "thing.event.property.post", "params": {}}, True
    ),
    "ListProperties": Operation(VIEWER, _device, True),
    "ListEvents": Operation(VIEWER, _device, True),
    "SetProperties": Operation(OPERATOR, lambda scene: {**_device(scene), "params": {"mode": 1}, "waitSeconds": 0}, True),
    "CallService": Operation(
        OPERATOR,
        lambda scene: {**_device(scene), "identifier": "Purge", "params": {"seconds": 5}, "waitSeconds": 0},
        True,
    ),
    "ListLogs": Operation(VIEWER, _product, True),
}


def as_rest(method, template, operation, fields):
    """The path, body and query of a request by its route."""
    rest = dict(fields)
    path = template
    for name, value in fields.items():
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", str(rest.pop(name)))
    assert "{" not in path, f"the table names nothing for {path}"
    if operation.whole:
        return path, {"body": rest[operation.whole]}
    if method in ("GET", "DELETE"):
        return path, {"query": rest}
    return path, {"body": rest}


def as_grpc(fields):
    """The fields of a gRPC request: what REST shows inline is text here."""
    return {name: json.dumps(value) if name in JSON_TEXT else value for name, value in fields.items()}
