"""`/metrics`, and the page that explains it."""

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from hoshu.background import in_background
from hoshu.credentials import credentials
from hoshu.documents import page, rows
from hoshu.model import REPORT
from hoshu.mqtt import Connection, Refused, connect
from hoshu.wait import PATIENCE_SECONDS, until

# The exporter adds it to every metric of ours: explained once, above the tables.
COMMON = {"otel_scope_name"}


def families(platform):
    return list(text_string_to_metric_families(requests.get(f"{platform.ops_url}/metrics", timeout=10).text))


def value(platform, name, **labels):
    """The samples of this name with these labels, added up."""
    samples = [sample for family in families(platform) for sample in family.samples]
    return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


def documented():
    """Each metric of the page, with its type and labels."""
    return {
        name.strip("`"): (kind, {label.strip(" `") for label in labels.split(",")} - {""})
        for name, kind, labels, *_ in rows(page("metrics.md"))
    }


def shown(platform):
    """Each metric that the platform shows now, with its type and labels."""
    found = {}
    for family in families(platform):
        # The parser takes a counter's ending off.
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - COMMON
        found[name] = (family.type, labels - {"le"} if family.type == "histogram" else labels)
    return found


def test_every_metric_is_explained_and_every_explanation_has_its_metric(platform, rest, boiler, door):
    with pytest.raises(Refused):
        Connection(platform.mqtt_port, credentials(boiler, secret="another"))
    with connect(platform, boiler) as connection:
        connection.ask(boiler.topic("thing/event/property/post"), REPORT)
        connection.publish("/not/its/own", {})
        asked = in_background(rest.post, f"{boiler.path}/properties", {"params": {"setpoint": 7.5}})
        topic, request = connection.receive()
        connection.publish(f"{topic}_reply", {"id": request["id"], "code": 200, "data": {}})
        assert asked.result(PATIENCE_SECONDS)["answered"]
    door.call("/hoshu.account.v1.AccountService/GetAccount", {}, rest.token)

    def differences():
        promised, have = documented(), shown(platform)
        names = promised.keys() | have.keys()
        return {name: (promised.get(name), have.get(name)) for name in names if promised.get(name) != have.get(name)}

    # Some are looked at every ten seconds.
    until(lambda: not differences(), lambda: f"each as on the page (promised, shown): {differences()}")


def test_a_report_is_counted_at_every_step_of_its_way(platform, online):
    steps = [
        ("hoshu_gateway_publishes_total", {"capability": "thing"}),
        ("hoshu_gateway_puback_duration_seconds_count", {}),
        ("hoshu_thing_messages_total", {"code": "200"}),
        ("hoshu_gateway_reply_duration_seconds_count", {}),
        ("hoshu_gateway_deliveries_total", {"outcome": "WRITTEN"}),
        ("hoshu_devicelog_rows_total", {"outcome": "new"}),
    ]
    before = {name: value(platform, name, **labels) for name, labels in steps}
    device, connection = online
    connection.ask(device.topic("thing/event/property/post"), REPORT)
    for name, labels in steps:
        until(lambda name=name, labels=labels: value(platform, name, **labels) > before[name], f"{name} counts a report")


def test_a_requests_time_is_known_by_operation_and_outcome(platform, rest, door):
    at_rest = {"operation": "GetAccount", "status": "200"}
    at_grpc = {"operation": "GetAccount", "status": "0"}
    between_services = {"method": "hoshu.account.v1.AccountService/GetAccount", "status": "0"}
    times = [
        ("hoshu_api_request_duration_seconds", at_rest),
        ("hoshu_api_call_duration_seconds", at_grpc),
        ("hoshu_rpc_duration_seconds", between_services),
    ]
    before = [value(platform, f"{name}_count", **labels) for name, labels in times]
    rest.get("/account")
    door.call("/hoshu.account.v1.AccountService/GetAccount", {}, rest.token)
    after = [value(platform, f"{name}_count", **labels) for name, labels in times]
    assert all(now > then for now, then in zip(after, before)), (before, after)
    assert all(value(platform, f"{name}_sum", **labels) > 0 for name, labels in times)
