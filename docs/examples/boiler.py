"""A boiler, built with Alibaba's own Python SDK: reports its pressure, takes a set point, can be purged.

usage: boiler.py HOST:PORT PRODUCT_KEY DEVICE_NAME DEVICE_SECRET TSL_FILE
"""

import queue
import sys

from linkkit import linkkit

address, product_key, device_name, device_secret, tsl_file = sys.argv[1:]
host, port = address.split(":")
to_do = queue.Queue()  # the SDK's callbacks run in its own thread: they only note what came
REPORT_EVERY_SECONDS = 5


def say(*words):
    print(*words, flush=True)


boiler = linkkit.LinkKit(
    host_name=host, product_key=product_key, device_name=device_name, device_secret=device_secret
)
boiler.config_mqtt(endpoint=host, port=int(port), secure="")
boiler.thing_setup(tsl_file)
boiler.on_connect = lambda _session, code, _data: to_do.put(("connected", code))
boiler.on_disconnect = lambda code, _data: say("disconnected:", code)
boiler.on_thing_enable = lambda _data: None
boiler.on_thing_prop_changed = lambda params, _data: to_do.put(("set", params))
boiler.on_thing_prop_post = lambda _id, code, data, message, _user: say("the report was answered:", code, message, data)
boiler.on_thing_call_service = lambda name, request, params, _data: to_do.put(("call", (name, request, params)))
boiler.on_thing_event_post = lambda event, _id, code, _answer, message, _user: say(event, "was answered:", code, message)
boiler.connect_async()

state = {"pressure": 6.2, "setpoint": 7.0, "running": 1}
while True:
    try:
        what, detail = to_do.get(timeout=REPORT_EVERY_SECONDS)
    except queue.Empty:
        what, detail = "time", None
    if what == "connected":
        say("connected:", detail)
    elif what == "set":
        say("set to", detail)
        state.update(detail)
    elif what == "call":
        name, request, params = detail
        say("called:", name, params)
        boiler.thing_answer_service(name, request, 200, {"done": 1})
        boiler.thing_trigger_event(("OverPressure", {"peak": 12.5}))
    boiler.thing_post_property(state)
