"""Log lines, and which of them a message makes (codes.md, "Which lines a message makes")."""

from collections import Counter

from hoshu.wait import until

REPORT_UP = ("UPSTREAM", "Device publish message to topic", "SUCCESS")
REFUSED_UP = ("UPSTREAM", "Device publish message to topic", "FAILURE")
TO_DEVICE = ("DOWNSTREAM", "Publish message to device", "SUCCESS")
RRPC = ("DOWNSTREAM", "Publish RRPC message to device", "SUCCESS")
RRPC_UNANSWERED = ("DOWNSTREAM", "Publish RRPC message to device", "FAILURE")
RRPC_FINISHED = ("DOWNSTREAM", "Rrpc finished", "SUCCESS")
RRPC_FAILED = ("DOWNSTREAM", "Rrpc finished", "FAILURE")

HEADS = [
    "Device publish message to topic",
    "Publish message to device",
    "Publish message to topic",
    "Publish RRPC message to device",
    "Rrpc finished",
    "Data Reported by Devices",
    "Downstream Cloud Data",
]


def reported(code):
    """The TSL line of what a device said."""
    return ("TSL", "Data Reported by Devices", "SUCCESS" if code == 200 else "FAILURE", code)


def sent(code=200):
    """The TSL line of what a device was told, or would have been."""
    return ("TSL", "Downstream Cloud Data", "SUCCESS" if code == 200 else "FAILURE", code)


def shape(line):
    """What tells lines apart; TSL lines also by their code."""
    head = next((head for head in HEADS if line["content"].startswith(head)), line["content"])
    shown = (line["type"], head, line["status"])
    return (*shown, line["code"]) if line["type"] == "TSL" else shown


class Logs:
    def __init__(self, product):
        self.rest = product.rest
        self.path = f"/products/{product.product_key}/logs"

    def lines(self, **query):
        return list(self.rest.items(self.path, **query))

    def of(self, message_id):
        return self.lines(messageId=message_id)

    def tsl_line(self, device, own_id, method=None):
        """The TSL line of the message to which the device gave this id."""

        def find():
            for line in self.lines(type="TSL", deviceName=device.device_name):
                detail = line["detail"]
                if detail["id"] == own_id and method in (None, detail["method"]):
                    return line
            return None

        return until(find, f"a TSL line of {device.device_name}'s message {own_id}")

    def expect(self, message_id, *shapes):
        """A message has exactly these lines; answers with them."""
        expected = Counter(shapes)
        lines = until(
            lambda: self._exactly(message_id, expected),
            lambda: self._difference(message_id, expected),
        )
        assert all(line["messageId"] == message_id for line in lines)
        assert len({line["id"] for line in lines}) == len(lines), "a line is there twice"
        return lines

    def expect_of(self, device, own_id, *shapes, method=None):
        """As `expect`, of the message to which the device gave this id."""
        return self.expect(self.tsl_line(device, own_id, method)["messageId"], *shapes)

    def _exactly(self, message_id, expected):
        lines = self.of(message_id)
        return lines if Counter(map(shape, lines)) == expected else None

    def _difference(self, message_id, expected):
        have = Counter(map(shape, self.of(message_id)))
        return f"message {message_id}: missing {dict(expected - have)}, too many {dict(have - expected)}"

    def offline_reason(self, device, count=1):
        """The reason of the device's latest offline, when there are `count` of them."""

        def find():
            lines = self.lines(type="ACTIVITY", deviceName=device.device_name)
            lines = [line for line in lines if line["content"] == "offline"]
            return lines if len(lines) >= count else None

        return until(find, f"{count} offline lines of {device.device_name}")[0]
