"""TCP links between the parts of a house, for tests that cut them."""

import asyncio
import multiprocessing
from collections import deque


class Links:
    """Every link of a house, carried by a process of its own: a busy test must not slow the house down."""

    def __init__(self):
        process = multiprocessing.get_context("spawn")
        self._pipe, theirs = process.Pipe()
        self._process = process.Process(target=_carry_links, args=(theirs,), daemon=True)
        self._process.start()

    def between(self, source, targets):
        """The port where `source` reaches one of the `targets` (name to port): another with each connection,
        as a balancer does it."""
        return self._ask("between", source, targets)

    def cut(self, name):
        """Ends every connection from and to it, and lets no new one through."""
        self._ask("cut", name)

    def mend(self, name):
        self._ask("mend", name)

    def close(self):
        self._process.kill()
        self._process.join()

    def _ask(self, *question):
        self._pipe.send(question)
        return self._pipe.recv()


def _carry_links(pipe):
    asyncio.run(_Carrier().serve(pipe))


class _Carrier:
    def __init__(self):
        self._cut = set()
        # Whom a connection joins, by its two ends.
        self._connections = {}

    async def serve(self, pipe):
        while True:
            what, *about = await asyncio.to_thread(pipe.recv)
            pipe.send(await getattr(self, what)(*about))

    async def between(self, source, targets):
        turns = deque(targets.items())

        async def connect(near_reader, near):
            for _ in range(len(turns)):
                turns.rotate()
                name, port = turns[0]
                if self._cut & {source, name}:
                    continue
                try:
                    far_reader, far = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    continue
                await self._carry((source, name), near_reader, near, far_reader, far)
                return
            near.transport.abort()

        server = await asyncio.start_server(connect, "127.0.0.1", backlog=1024)
        return server.sockets[0].getsockname()[1]

    async def cut(self, name):
        self._cut.add(name)
        for ends, names in list(self._connections.items()):
            if name in names:
                for end in ends:
                    end.transport.abort()

    async def mend(self, name):
        self._cut.discard(name)

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
