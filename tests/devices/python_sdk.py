"""Alibaba's Python SDK as an application uses it: the package unmodified, each callback a queue."""

import queue
import threading

from linkkit import linkkit
from paho.mqtt.client import Client

from hoshu.wait import PATIENCE_SECONDS


def one_at_a_time(method):
    """The SDK answers from a thread of its own while paho 1.6.1 reads and acknowledges in another. An OpenSSL
    connection must not be used by two threads at once: now and then it ends with BAD_LENGTH. The socket
    does not block, so neither thread waits long."""

    def locked(self, *arguments):
        with self.__dict__.setdefault("_tests_lock", threading.Lock()):
            return method(self, *arguments)

    return locked


Client._sock_recv = one_at_a_time(Client._sock_recv)
Client._sock_send = one_at_a_time(Client._sock_send)


class PythonSdk:
    def __init__(self, platform, device, tls, model_file, host="localhost"):
        self.device = device
        self.connects = queue.Queue()
        self.enabled = queue.Queue()
        self.disconnects = queue.Queue()
        self.post_replies = queue.Queue()
        self.event_replies = queue.Queue()
        self.sets = queue.Queue()
        self.calls = queue.Queue()
        self.messages = queue.Queue()
        self.kit = kit = linkkit.LinkKit(
            host_name="127.0.0.1",
            product_key=device.product_key,
            device_name=device.device_name,
            device_secret=device.device_secret,
        )
        if tls:
            certificate = platform.ca_file.read_text()
            kit.config_mqtt(
                endpoint=host, port=platform.mqtts_port, secure="TLS", cadata=certificate, check_hostname=True
            )
        else:
            kit.config_mqtt(endpoint="127.0.0.1", port=platform.mqtt_port, secure="")
        assert kit.thing_setup(str(model_file)) == 0
        kit.on_connect = lambda _session, code, _data: self.connects.put(code)
        kit.on_disconnect = lambda code, _data: self.disconnects.put(code)
        kit.on_thing_prop_post = lambda *reply: self.post_replies.put(reply[:4])
        kit.on_thing_event_post = lambda *reply: self.event_replies.put(reply[:5])
        kit.on_thing_prop_changed = lambda params, _data: self.sets.put(params)
        kit.on_thing_call_service = lambda *call: self.calls.put(call[:3])
        kit.on_topic_message = lambda topic, payload, qos, _data: self.messages.put((topic, payload, qos))
        kit.on_subscribe_topic = lambda *_: None
        kit.on_thing_enable = lambda _data: self.enabled.put(True)
        kit.on_thing_disable = lambda _data: None

    def connect(self):
        self.kit.connect_async()
        assert self.connects.get(timeout=PATIENCE_SECONDS) == 0
        # Only from then on it sends.
        self.enabled.get(timeout=PATIENCE_SECONDS)
        return self

    def post(self, values):
        """Posts and answers with the reply's request id, code, data and message."""
        code, request_id = self.kit.thing_post_property(values)
        assert code == 0
        reply = self.post_replies.get(timeout=PATIENCE_SECONDS)
        assert reply[0] == request_id
        return reply

    def raise_event(self, identifier, outputs):
        code, request_id = self.kit.thing_trigger_event((identifier, outputs))
        assert code == 0
        reply = self.event_replies.get(timeout=PATIENCE_SECONDS)
        assert reply[:2] == (identifier, request_id)
        return reply

    def close(self):
        self.kit.destruct()
