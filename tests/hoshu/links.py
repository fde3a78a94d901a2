"""TCP links between the parts of a house, for tests that cut them."""

import asyncio
import threading
from collections import deque


class Links:
    """Every link of a house, carried by one thread."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._cut = set()
        # Whom a connection joins, and its two ends.
        self._connections = {}

    def between(self, source, targets):
        """The port where `source` reaches one of the `targets` (name to port): another with each connection,
        as a balancer does it."""
        turns = deque(targets.items())

        async def connect(near_reader, near):
            for _ in range(len(turns)):
                turns.rotate()
                name, target_port = turns[0]
                if self._cut & {source, name}:
                    continue
                try:
                    far_reader, far = await asyncio.open_connection("127.0.0.1", target_port)
                except OSError:
                    continue
                await self._carry((source, name), near_reader, near, far_reader, far)
                return
            near.transport.abort()

        server = self._run(asyncio.start_server(connect, "127.0.0.1", backlog=1024))
        return server.sockets[0].getsockname()[1]

    def cut(self, name):
        """Ends every connection from and to it, and lets no new one through."""

        async def cut():
            self._cut.add(name)
            for ends, names in list(self._connections.items()):
                if name in names:
                    for end in ends:
                        end.transport.abort()

        self._run(cut())

    def mend(self, name):
        self._cut.discard(name)

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _carry(self, names, near_reader, near, far_reader, far):
        async def pump(reader, writer):
            try:
                while part := await reader.read(65536):
                    writer.write(part)
                    await writer.drain()
            except OSError:
                pass
            # Half a connection is of no use to anyone here.
            near.transport.abort()
            far.transport.abort()

        self._connections[near, far] = names
        try:
            await asyncio.gather(pump(near_reader, far), pump(far_reader, near))
        finally:
            del self._connections[near, far]

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)
