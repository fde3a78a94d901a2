//! Where devices come in: MQTT over TCP and over TLS.

pub(crate) mod certificates;
mod listener;
pub(crate) mod opening;
pub(crate) mod tcp;
pub(crate) mod tls;
