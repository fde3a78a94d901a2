"""MQTT packets byte by byte, for devices that no client library plays."""

import socket
import ssl
import time
from collections import namedtuple

(CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE) = range(1, 9)
(SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH) = range(9, 16)

# What the flags of a fixed header must be.
FLAGS = {PUBREL: 2, SUBSCRIBE: 2, UNSUBSCRIBE: 2}

PING = b"\xc0\x00"
GOODBYE = b"\xe0\x00"

# Of a PUBLISH's fixed header, and of a will in CONNECT.
RETAIN, QOS_1, QOS_2, DUP = 1, 2, 4, 8
WILL_QOS_1, WILL_QOS_2, WILL_RETAIN = 0x08, 0x10, 0x20


def variable(number):
    """A remaining length: seven bits a byte."""
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (128 if number else 0))
        if not number:
            return bytes(out)


def field(value):
    """A text or binary field with its length."""
    value = value.encode() if isinstance(value, str) else value
    return len(value).to_bytes(2, "big") + value


def packet(kind, body=b"", flags=None):
    flags = FLAGS.get(kind, 0) if flags is None else flags
    return bytes([kind << 4 | flags]) + variable(len(body)) + body


def properties(level, content=b""):
    return variable(len(content)) + content if level == 5 else b""


def connect(shown, level=4, clean=True, keep_alive=60, will=None, will_flags=WILL_QOS_1, will_extra=b"", extra=b""):
    """`extra` and `will_extra` are properties (MQTT 5)."""
    flags = 0xC0 | (2 if clean else 0) | (4 | will_flags if will else 0)
    body = field("MQTT") + bytes([level, flags]) + keep_alive.to_bytes(2, "big") + properties(level, extra)
    body += field(shown.client_id)
    if will:
        topic, payload = will
        body += properties(level, will_extra) + field(topic) + field(payload)
    return packet(CONNECT, body + field(shown.username) + field(shown.password))


def publish(topic, payload=b"", packet_id=None, level=4, extra=b"", flags=0):
    """QoS 1 with a packet id, else QoS 0; `flags` are others."""
    identified = b"" if packet_id is None else packet_id.to_bytes(2, "big")
    body = field(topic) + identified + properties(level, extra) + payload
    return packet(PUBLISH, body, flags=flags | (0 if packet_id is None else QOS_1))


def puback(packet_id):
    return packet(PUBACK, packet_id.to_bytes(2, "big"))


def subscribe(packet_id, filters, level=4, options=1):
    body = packet_id.to_bytes(2, "big") + properties(level)
    return packet(SUBSCRIBE, body + b"".join(field(one) + bytes([options]) for one in filters))


def unsubscribe(packet_id, filters, level=4):
    return packet(UNSUBSCRIBE, packet_id.to_bytes(2, "big") + properties(level) + b"".join(map(field, filters)))


Message = namedtuple("Message", ["topic", "payload", "packet_id", "flags", "properties"])


def message(taken, level=4):
    """What a PUBLISH says, as `Stream.receive` gives it."""
    first, body = taken
    assert first >> 4 == PUBLISH, f"not a PUBLISH, but {taken}"
    end = 2 + int.from_bytes(body[:2], "big")
    topic, rest = body[2:end].decode(), body[end:]
    packet_id = None
    if first & (QOS_1 | QOS_2):
        packet_id, rest = int.from_bytes(rest[:2], "big"), rest[2:]
    found = b""
    if level == 5:
        # Ours are shorter than 128 bytes.
        found, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
    return Message(topic, rest, packet_id, first & 0x0F, found)


class Refused(Exception):
    """The platform answered CONNECT with this code."""

    def __init__(self, code):
        super().__init__(f"CONNECT refused with {code:#x}")
        self.code = code


class Stream:
    """One connection, as bytes. `source` is the address that it comes from: all of 127.0.0.0/8 is this machine."""

    def __init__(self, port, source="127.0.0.1", receive_buffer=None, ca_file=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(30)
        self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        if ca_file:
            context = ssl.create_default_context(cafile=ca_file)
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self._input = bytearray()

    def send(self, data):
        """Whether it could be sent: the other side may have closed."""
        try:
            self.socket.sendall(data)
            return True
        except (ConnectionError, ssl.SSLError):
            return False

    def receive(self, within=30):
        """The next packet, its first byte and its body; nothing when the connection is closed."""
        end = time.monotonic() + within
        while True:
            taken = self._take()
            if taken:
                return taken
            left = end - time.monotonic()
            assert left > 0, f"neither a packet nor the end within {within} s"
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(1 << 16)
            except TimeoutError:
                continue
            except (ConnectionError, ssl.SSLError):
                return None
            if not data:
                return None
            self._input += data

    def _take(self):
        length, shift, at = 0, 0, 1
        while True:
            if at >= len(self._input):
                return None
            byte = self._input[at]
            length |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                assert byte or at == 2, "a length has no more bytes than it must"
                break
        if len(self._input) < at + length:
            return None
        taken = self._input[0], bytes(self._input[at : at + length])
        del self._input[: at + length]
        return taken

    def until_closed(self, within=30):
        """All packets until the platform closes the connection."""
        end = time.monotonic() + within
        packets = []
        while taken := self.receive(max(0.01, end - time.monotonic())):
            packets.append(taken)
        return packets

    def expect(self, kind, within=30):
        """The body of the next packet, which is of this kind."""
        taken = self.receive(within)
        assert taken and taken[0] >> 4 == kind, f"not a packet of kind {kind}, but {taken}"
        return taken[1]

    def is_alive(self):
        """Asks; whatever came before the answer is passed over."""
        if not self.send(PING):
            return False
        while taken := self.receive():
            if taken[0] >> 4 == PINGRESP:
                return True
        return False

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def enter(port, shown, level=4, source="127.0.0.1", receive_buffer=None, ca_file=None, **options):
    """A device that was let in."""
    stream = Stream(port, source, receive_buffer, ca_file)
    stream.send(connect(shown, level, **options))
    code = stream.expect(CONNACK)[1]
    if code:
        stream.close()
        raise Refused(code)
    return stream
