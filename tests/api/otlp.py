"""A collector of OpenTelemetry that keeps what it is sent, as it came."""

from concurrent.futures import ThreadPoolExecutor

import grpc

EXPORTS = {
    "opentelemetry.proto.collector.trace.v1.TraceService": "traces",
    "opentelemetry.proto.collector.metrics.v1.MetricsService": "metrics",
}


class Collector:
    def __init__(self):
        self.received = {kind: [] for kind in EXPORTS.values()}
        self._server = grpc.server(ThreadPoolExecutor(2))
        for service, kind in EXPORTS.items():
            export = grpc.unary_unary_rpc_method_handler(self._keeper(kind))
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": export}),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    def _keeper(self, kind):
        def keep(request, _context):
            self.received[kind].append(request)
            return b""

        return keep

    @property
    def settings(self):
        """What makes a process export to here, soon."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
        }

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_):
        self._server.stop(1).wait()
