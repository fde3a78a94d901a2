"""The subjects and streams of a house, by a NATS client that is not its own."""

import asyncio
from contextlib import asynccontextmanager

import nats


class Bus:
    def __init__(self, url, prefix):
        self.url = url
        self.prefix = prefix

    @staticmethod
    def of(role):
        settings = role.process.settings
        return Bus(settings["HOSHU_NATS_URL"], settings["HOSHU_NATS_PREFIX"])

    def publish(self, subject, payload):
        """Answers when the subject's stream has it."""

        async def publish():
            async with self._jetstream() as jetstream:
                await jetstream.publish(f"{self.prefix}.{subject}", payload)

        asyncio.run(publish())

    def leader(self, stream):
        """The name of the server that leads a stream of a cluster."""

        async def leader():
            async with self._jetstream() as jetstream:
                info = await jetstream.stream_info(f"{self.prefix}_{stream}".upper())
                return info.cluster.leader

        return asyncio.run(leader())

    @asynccontextmanager
    async def _jetstream(self):
        client = await nats.connect(self.url)
        try:
            yield client.jetstream()
        finally:
            await client.close()
