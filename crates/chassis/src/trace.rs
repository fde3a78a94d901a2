//! W3C trace context: taken from and put into what goes between services.

use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header that carries it, in HTTP, gRPC and NATS.
pub const HEADER: &str = "traceparent";

/// The current span as a `traceparent`; none outside of a recorded span.
pub fn parent() -> Option<String> {
    let mut carrier = Carrier(None);
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carrier);
    carrier.0
}

/// Makes `span` a child of the sender's.
pub fn adopt(span: &Span, traceparent: &str) {
    let context = TraceContextPropagator::new().extract(&Carrier(Some(traceparent.to_owned())));
    // A span that is filtered out has no context to set: then there is nothing to do.
    let _ = span.set_parent(context);
}

/// The current trace's id, which a user can quote; zeros outside of a recorded span.
pub fn id() -> String {
    Span::current()
        .context()
        .span()
        .span_context()
        .trace_id()
        .to_string()
}

struct Carrier(Option<String>);

impl Injector for Carrier {
    fn set(&mut self, key: &str, value: String) {
        if key == HEADER {
            self.0 = Some(value);
        }
    }
}

impl Extractor for Carrier {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.as_deref().filter(|_| key == HEADER)
    }

    fn keys(&self) -> Vec<&str> {
        vec![HEADER]
    }
}
