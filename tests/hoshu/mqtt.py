"""A device without an SDK: Eclipse Paho's Python client, which shows every packet to the test."""

import itertools
import json
import queue
import socket
import ssl
import struct
import threading

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from hoshu.credentials import credentials
from hoshu.wait import PATIENCE_SECONDS, until

V3, V5 = paho.MQTTv311, paho.MQTTv5


class Refused(Exception):
    """The platform answered CONNECT with this code."""

    def __init__(self, code):
        super().__init__(f"CONNECT refused with {code:#x}")
        self.code = code


class Connection:
    """One connection. It never comes back by itself: a test that wants another makes it."""

    _ids = itertools.count(1)

    def __init__(self, port, shown, version=V3, clean=True, keep_alive=60, ca_file=None, will=None, session_seconds=0, on_message=None):
        """`on_message` is given this connection and each message, instead of the inbox, and must not wait."""
        self.inbox = queue.Queue()
        self.connack = None
        self.session_present = False
        self.properties = None
        self.closed = threading.Event()
        self.close_reason = None
        self._opened = threading.Event()
        # Set when its PUBACK came, or cannot come any more.
        self._acknowledged = {}
        self._pubacked = set()
        self._granted = {}
        options = {"clean_session": clean} if version == V3 else {}
        self.client = client = paho.Client(shown.client_id, protocol=version, reconnect_on_failure=False, **options)
        client.username_pw_set(shown.username, shown.password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        take = on_message or (lambda _, message: self.inbox.put(message))
        client.on_message = lambda _client, _data, message: take(self, message)
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        if will is not None:
            topic, payload = will
            client.will_set(topic, payload, qos=1)
        if ca_file is not None:
            client.tls_set_context(ssl.create_default_context(cafile=ca_file))
        options = {}
        if version == V5:
            options["clean_start"] = clean
            options["properties"] = properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = session_seconds
        client.connect("localhost" if ca_file else "127.0.0.1", port, keepalive=keep_alive, **options)
        client.loop_start()
        assert self._opened.wait(PATIENCE_SECONDS), "no CONNACK"
        if self.connack is None:
            raise ConnectionError("closed before CONNACK")
        if self.connack != 0:
            raise Refused(self.connack)

    def _on_connect(self, _client, _data, flags, code, properties=None):
        self.connack = getattr(code, "value", code)
        self.session_present = bool(flags.get("session present"))
        self.properties = properties
        self._opened.set()

    def _on_disconnect(self, _client, _data, code, _properties=None):
        self.close_reason = getattr(code, "value", code)
        self._opened.set()
        self.closed.set()
        for waiting in list(self._acknowledged.values()):
            waiting.set()

    def _on_publish(self, _client, _data, mid):
        self._pubacked.add(mid)
        self._acknowledged.setdefault(mid, threading.Event()).set()

    def _on_subscribe(self, _client, _data, mid, granted, _properties=None):
        self._granted[mid] = [getattr(one, "value", one) for one in granted]

    def publish(self, topic, payload, qos=1, retain=False, within=PATIENCE_SECONDS):
        """Sends, and with QoS 1 waits for the PUBACK; answers with the packet's id."""
        if isinstance(payload, (dict, list)):
            payload = json.dumps(payload)
        sent = self.client.publish(topic, payload, qos, retain)
        assert sent.rc == paho.MQTT_ERR_SUCCESS, paho.error_string(sent.rc)
        if qos:
            done = self._acknowledged.setdefault(sent.mid, threading.Event())
            if self.closed.is_set():
                done.set()
            assert done.wait(within), f"no PUBACK of {topic} within {within} s"
            assert sent.mid in self._pubacked, f"closed before the PUBACK of {topic}"
        return sent.mid

    def subscribe(self, *filters, qos=1):
        """Answers with what SUBACK grants."""
        _, mid = self.client.subscribe([(one, qos) for one in filters])
        return until(lambda: self._granted.get(mid), f"a SUBACK of {filters}")

    def receive(self, within=PATIENCE_SECONDS):
        """The next message: its topic and its payload, read as JSON."""
        try:
            message = self.inbox.get(timeout=within)
        except queue.Empty:
            raise AssertionError(f"no message within {within} s") from None
        return message.topic, json.loads(message.payload)

    def next_id(self):
        return str(next(self._ids))

    def ask(self, topic, params, method=None, request_id=None, qos=1):
        """Sends a thing-model request and answers with its reply; both are whole envelopes."""
        request_id = request_id or self.next_id()
        envelope = {"id": request_id, "version": "1.0", "params": params}
        if method is not None:
            envelope["method"] = method
        self.publish(topic, envelope, qos)
        reply_topic, reply = self.receive()
        assert reply_topic == f"{topic}_reply", (reply_topic, reply)
        assert reply["id"] == request_id, reply
        return reply

    def disconnect(self):
        """Says goodbye."""
        self.client.disconnect()
        assert self.closed.wait(PATIENCE_SECONDS)

    def reset(self):
        """Ends the connection as a device does that loses its power: with a TCP reset."""
        self.client.loop_stop()
        connection = self.client.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        self.closed.set()

    def leave(self):
        """Goes, whether or not the connection still is."""
        self.client.disconnect()
        self.client.loop_stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.closed.is_set():
            self.disconnect()


def connect(platform, device, tls=False, parameters=None, **options):
    """A device's connection; `parameters` go into its client id, `options` are Connection's."""
    parameters = {"securemode": 2 if tls else 3, **(parameters or {})}
    port = platform.mqtts_port if tls else platform.mqtt_port
    ca_file = platform.ca_file if tls else None
    return Connection(port, credentials(device, **parameters), ca_file=ca_file, **options)
