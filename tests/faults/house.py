"""The platform as processes that can all be killed, stopped and cut off, its servers among them."""

import time

from faults.size import AWAY_SECONDS
from hoshu.links import Links
from hoshu.process import BINARY
from hoshu.roles import Roles, Servers
from hoshu.servers import Nats, Postgres

# How long nobody hears of a process that is stopped, and how long one is cut off. The first is longer than a lease.
STOPPED_SECONDS = 30
CUT_OFF_SECONDS = 8


class House:
    def __init__(self, folder, pods=1, nats=None, postgres=None, program=(BINARY,), **settings):
        self.links = Links()
        self.nats, self.postgres = nats or Nats(folder), postgres or Postgres(folder)
        self._started = []
        try:
            for server in (self.nats, self.postgres):
                self._started.append(server.start())
            servers = Servers(self.nats.url, self.postgres.url)
            self.roles = Roles(folder, servers, self.links, pods, program, **settings)
            self._started.append(self.roles)
            self.roles.start()
        except BaseException:
            self.stop()
            raise
        self.parts = {**self.roles.roles, "nats": self.nats, "postgres": self.postgres}

    def stop(self):
        for started in reversed(self._started):
            started.stop()
        self.links.close()

    def killed(self, name):
        self.parts[name].kill()
        self.parts[name].start()

    def stopped(self, name):
        self.parts[name].process.freeze()
        time.sleep(STOPPED_SECONDS)  # the fault itself
        self.parts[name].process.thaw()

    def cut_off(self, name):
        self.links.cut(name)
        time.sleep(CUT_OFF_SECONDS)  # the fault itself
        self.links.mend(name)

    def away(self, name):
        self.parts[name].kill()
        time.sleep(AWAY_SECONDS)  # the fault itself
        self.parts[name].start()

    def wait_until_ready(self):
        for role in self.roles.roles.values():
            role.wait_until_ready()
