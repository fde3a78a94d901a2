"""The gRPC door: reflection, health, rich errors, the same operations as REST."""

import json

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from hoshu.grpc_door import error_info
from hoshu.model import REPORT, boiler as boiler_model
from hoshu.things import make_product

REGISTRY = "/hoshu.registry.v1.RegistryService"
THING = "/hoshu.thing.v1.ThingService"
LOGS = "/hoshu.devicelog.v1.DeviceLogService"
PUBLIC = {
    "hoshu.account.v1.AccountService",
    "hoshu.registry.v1.RegistryService",
    "hoshu.thing.v1.ThingService",
    "hoshu.devicelog.v1.DeviceLogService",
}


def test_reflection_shows_the_public_services(door):
    assert PUBLIC <= set(door.services())


def test_health_is_told_without_a_token(door):
    stub = health_pb2_grpc.HealthStub(door.channel)
    for service in ["", *PUBLIC]:
        answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=30)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING, service


def test_an_error_carries_its_number(door, rest, boiler):
    fields = {"productKey": boiler.product_key, "deviceName": boiler.device_name, "params": "{}"}
    with pytest.raises(grpc.RpcError) as refused:
        door.call(f"{THING}/SetProperties", fields, rest.token)
    assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    info = error_info(refused.value)
    assert info.metadata["code"] == "9200" and info.domain and info.reason


def test_bad_input_is_an_invalid_argument(door, rest):
    with pytest.raises(grpc.RpcError) as refused:
        door.call(f"{REGISTRY}/CreateProduct", {"name": ""}, rest.token)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.RpcError) as refused:
        door.call(f"{REGISTRY}/GetProduct", {"productKey": "nothing"}, rest.token)
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
    assert error_info(refused.value).domain


def test_the_whole_way_by_grpc_is_seen_by_rest_and_back(door, rest, tokens):
    token = tokens["OPERATOR"]
    fields = {"name": "By gRPC", "nodeType": "DEVICE", "dataFormat": "ALINK_JSON", "edition": "PRO"}
    product = door.call(f"{REGISTRY}/CreateProduct", fields, token)
    key = product.product_key
    assert rest.get(f"/products/{key}")["name"] == "By gRPC"
    document = json.dumps(boiler_model())
    put = door.call(f"{THING}/PutThingModel", {"productKey": key, "document": document}, token)
    assert json.loads(put.document) == rest.get(f"/products/{key}/tsl")
    version = door.call(f"{THING}/PublishThingModel", {"productKey": key}, token)
    assert (version.version, version.current) == (1, True)
    device = door.call(f"{REGISTRY}/CreateDevice", {"productKey": key, "deviceName": "by-grpc"}, token)
    assert len(device.device_secret) == 32
    assert rest.get(f"/products/{key}/devices/by-grpc")["iotId"] == device.iot_id
    verdict = door.call(
        f"{THING}/CheckMessage",
        {"productKey": key, "method": "thing.event.property.post", "params": json.dumps(REPORT)},
        token,
    )
    assert (verdict.valid, verdict.code) == (True, 200)
    assert list(door.call(f"{LOGS}/ListLogs", {"productKey": key}, token).items) == []


def test_pages_go_on_by_their_token(door, rest):
    product = make_product(rest)
    product.devices(7)
    seen, page_token = [], ""
    while True:
        fields = {"productKey": product.product_key, "pageSize": 3, "pageToken": page_token}
        page = door.call(f"{REGISTRY}/ListDevices", fields, rest.token)
        seen += [device.device_name for device in page.items]
        page_token = page.next_page_token
        if not page_token:
            break
    assert len(seen) == len(set(seen)) == 7


def test_a_message_that_is_too_large_is_refused(door, rest, boilers):
    call = door.channel.unary_unary(f"{REGISTRY}/GetProduct")
    with pytest.raises(grpc.RpcError) as refused:
        call(b"\x0a\xff\xff\xff\x7f" + b"x" * 8_000_000, metadata=[("authorization", f"Bearer {rest.token}")], timeout=30)
    assert refused.value.code() in (grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT)
    door.call(f"{REGISTRY}/GetProduct", {"productKey": boilers.product_key}, rest.token)
