//! What every service stands on: configuration, telemetry, health, clock, tasks, PostgreSQL, refusals, shutdown.
