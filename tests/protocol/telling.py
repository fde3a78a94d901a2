"""What makes the platform send a PUBLISH: a property is set, the time is asked for."""

import json

from hoshu.wire import message, publish

SET = "thing/service/property/set"


def setting(**params):
    return {"params": params, "waitSeconds": 0}


def set_point(device, value):
    """Sets what is 1 to 12; answers when the device has acknowledged it, or a second later."""
    device.rest.post(f"{device.path}/properties", setting(setpoint=value))


def refused_as_unsubscribed(device):
    """Nothing is sent that the device does not listen for."""
    device.rest.refused("POST", f"{device.path}/properties", 409, 6205, body=setting(setpoint=12))


def value_of(taken, level=4):
    """The value in a PUBLISH that sets it."""
    return json.loads(message(taken, level).payload)["params"]["setpoint"]


def time_topic(device, what):
    return f"/ext/ntp/{device.product_key}/{device.device_name}/{what}"


def ask_time(device, level=4):
    """A PUBLISH that is answered with one of QoS 0."""
    return publish(time_topic(device, "request"), b'{"deviceSendTime": "1700000000000"}', level=level)
