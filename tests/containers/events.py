"""What the engine did with a project's containers, and when."""

import json
import subprocess
import time


class Events:
    """Listens all the time: the engine itself remembers only its latest events."""

    def __init__(self, project, file):
        self.file = file
        with file.open("wb") as output:
            self._listener = subprocess.Popen(
                ["docker", "events", "--since", str(int(time.time())), "--format", "{{json .}}"]
                + ["--filter", f"label=com.docker.compose.project={project}"],
                stdin=subprocess.DEVNULL,
                stdout=output,
            )

    def close(self):
        self._listener.terminate()
        self._listener.wait()

    def times(self, service, action):
        """When this happened, in nanoseconds."""
        events = map(json.loads, self.file.read_text().splitlines())
        return [
            event["timeNano"]
            for event in events
            if event["Action"] == action and event["Actor"]["Attributes"]["com.docker.compose.service"] == service
        ]
