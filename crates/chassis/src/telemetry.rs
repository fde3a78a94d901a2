//! Logs, traces and metrics of a process.
//!
//! Logs go to standard error. Traces and metrics go out by OTLP when its own standard
//! variables are set (`OTEL_EXPORTER_OTLP_ENDPOINT`, …); metrics can always be read at `/metrics`.

use std::sync::LazyLock;

use anyhow::Context;
use opentelemetry::global;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{MetricExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{
    Aggregation, Instrument, InstrumentKind, SdkMeterProvider, Stream,
};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::Settings;
use crate::settings::LogFormat;

/// With what the system knows of the process: CPU, memory, files.
static REGISTRY: LazyLock<prometheus::Registry> = LazyLock::new(|| {
    let registry = prometheus::Registry::new();
    #[cfg(target_os = "linux")]
    registry
        .register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))
        .expect("nothing is registered yet");
    registry
});

/// What `/metrics` shows.
pub(crate) fn registry() -> &'static prometheus::Registry {
    &REGISTRY
}

/// Flushes what was not exported yet when the process ends.
pub struct Telemetry {
    tracer: SdkTracerProvider,
    meter: SdkMeterProvider,
}

/// Sets up the process, once; `service` names it in traces.
///
/// # Errors
/// When `HOSHU_LOG` cannot be read, or an exporter's variables are wrong.
pub fn init(settings: &Settings, service: &'static str) -> anyhow::Result<Telemetry> {
    let resource = Resource::builder().with_service_name(service).build();
    let exports = [
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    ]
    .iter()
    .any(|name| std::env::var_os(name).is_some());

    let mut tracer = SdkTracerProvider::builder().with_resource(resource.clone());
    let prometheus = opentelemetry_prometheus::exporter()
        .with_namespace("hoshu")
        .with_registry(registry().clone())
        .build()?;
    let mut meter = SdkMeterProvider::builder()
        .with_resource(resource)
        .with_reader(prometheus)
        .with_view(seconds);
    if exports {
        tracer = tracer.with_batch_exporter(SpanExporter::builder().with_tonic().build()?);
        meter = meter.with_periodic_exporter(MetricExporter::builder().with_tonic().build()?);
    }
    let (tracer, meter) = (tracer.build(), meter.build());
    global::set_meter_provider(meter.clone());

    let filter = EnvFilter::try_new(&settings.log).context("HOSHU_LOG cannot be read")?;
    let lines = match settings.log_format {
        LogFormat::Logfmt => tracing_logfmt::builder()
            .layer()
            .with_writer(std::io::stderr)
            .boxed(),
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .with_writer(std::io::stderr)
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(
            tracing_opentelemetry::layer()
                .with_tracer(tracer.tracer("hoshu"))
                .with_filter(EnvFilter::new("info")),
        )
        .with(lines.with_filter(filter))
        .try_init()
        .context("telemetry is already set up")?;
    Ok(Telemetry { tracer, meter })
}

/// Durations are measured in seconds, from half a millisecond to half a minute.
fn seconds(instrument: &Instrument) -> Option<Stream> {
    if instrument.kind() != InstrumentKind::Histogram || instrument.unit() != "s" {
        return None;
    }
    let boundaries = vec![
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    ];
    let buckets = Aggregation::ExplicitBucketHistogram {
        boundaries,
        record_min_max: true,
    };
    Stream::builder().with_aggregation(buckets).build().ok()
}

impl Telemetry {
    /// Sends what waits; a collector that is away is told on standard error.
    pub fn flush(&self) {
        if let Err(error) = self.tracer.shutdown() {
            tracing::debug!(%error, "traces were not all sent");
        }
        if let Err(error) = self.meter.shutdown() {
            tracing::debug!(%error, "metrics were not all sent");
        }
    }
}
