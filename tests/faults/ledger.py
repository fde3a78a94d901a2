"""What must be true of a fleet's posts and commands once all is well again."""

from collections import Counter, defaultdict

from faults.fleet import POST, SET
from hoshu.logs import REPORT_UP, TO_DEVICE, Logs, reported, sent, shape
from hoshu.wait import until

# Until what waited in the streams is stored: a message that was taken and not given back comes again after 10 s.
SETTLED_SECONDS = 120
OFFLINE = 9201
UNKNOWN = 6205


class Ledger:
    """Of a fleet that has stopped."""

    def __init__(self, fleet):
        self._logs = Logs(fleet.product)
        self._fleet = fleet
        self._acknowledged = [own_id for poster in fleet.posters for own_id in poster.acknowledged]
        assert len(set(self._acknowledged)) == len(self._acknowledged)

    def settle(self):
        """Waits until all is as it must be."""
        until(lambda: not self.wrong(), lambda: "\n".join(map(str, self.wrong()[:10])), SETTLED_SECONDS)

    def wrong(self):
        messages = defaultdict(list)
        for line in self._logs.lines(type=["UPSTREAM", "DOWNSTREAM", "TSL"]):
            messages[line["messageId"]].append(line)
        # Messages by what they are about: a post by the device's own id, a command by its label.
        posts, commands = defaultdict(list), defaultdict(list)
        for lines in messages.values():
            for line in lines:
                detail = line["detail"]
                if detail.get("method") == POST:
                    posts[detail["id"]].append(lines)
                elif detail.get("method") == SET and "label" in (detail.get("params") or {}):
                    commands[detail["params"]["label"]].append(lines)
        return [
            *self._wrong_posts(posts),
            *self._wrong_values(posts),
            *self._wrong_commands(commands),
            *self._wrong_sessions(),
        ]

    def _wrong_posts(self, posts):
        for own_id in self._acknowledged:
            if own_id not in posts:
                yield f"{own_id} was acknowledged and is lost"
        for own_id, messages in posts.items():
            if len(messages) != 1:
                yield f"{own_id} has {len(messages)} verdicts"
            for lines in messages:
                kinds = Counter(line["type"] for line in lines)
                # Its reply has a line if there was one; a killed gateway may have taken it along.
                if not (kinds["UPSTREAM"] == kinds["TSL"] == 1 and kinds["DOWNSTREAM"] <= 1):
                    yield f"{own_id} has the lines {lines}"

    def _wrong_values(self, posts):
        last = Counter()
        for own_id in posts:
            name, number = own_id.split()
            last[name] = max(last[name], int(number))
        for poster in self._fleet.posters:
            device = poster.device
            value = device.properties().get("cycles")
            if value != last[device.device_name]:
                yield f"{device.device_name} said {last[device.device_name]} last, and is known with {value}"

    def _wrong_sessions(self):
        lines = Counter((line["deviceName"], line["content"]) for line in self._logs.lines(type="ACTIVITY"))
        for poster in self._fleet.posters:
            name = poster.device.device_name
            came, went = lines[name, "online"], lines[name, "offline"]
            # A connection that was lost before its CONNACK arrived has lines too.
            if came != went or came < poster.connections:
                yield f"{name} connected {poster.connections} times, and is said to have come {came} times and gone {went} times"

    def _wrong_commands(self, commands):
        for command in self._fleet.commands:
            logged = [Counter(map(shape, lines)) for lines in commands[command.label]]
            if not is_true(command, logged):
                yield f"{command}, obeyed {command.obeyed} times, logged as {logged}"


def is_true(command, logged):
    """Whether what was answered to a command agrees with what the device did, and with the log."""
    told = Counter([TO_DEVICE, sent()])
    answered = told + Counter([REPORT_UP, reported(200)])
    if command.obeyed > 1 or len(logged) > 1:
        return False
    lines = logged[0] if logged else Counter()
    if command.status == 200 and command.answer["answered"]:
        return command.answer["code"] == 200 and command.obeyed == 1 and lines == answered
    if command.status == 200:
        # A device that is cut off while it answers may have done it all the same.
        return lines == told or (command.obeyed == 1 and lines == answered)
    if command.status == 409:
        return command.answer["code"] == OFFLINE and command.obeyed == 0
    # What became of it is not known, and that was said; what is logged is still true, and what was sent is logged.
    downstream = sum(lines[one] for one in lines if one[0] == "DOWNSTREAM")
    is_logged = downstream == lines[sent()] + lines[sent(UNKNOWN)] == 1
    is_obeyed = command.obeyed == 1
    return command.status in (None, 503, 504) and (is_logged if is_obeyed else reported(200) not in lines)
