//! Bounds that the protocol names. Those that users may change are fields of their service's
//! configuration; these are what a device, or its SDK, takes for granted.
//!
//! Sources: "doc" are the vendor's pages, "seed" the product's own specification.

/// Characters of a ProductKey, at most (doc: 11 in practice).
pub const PRODUCT_KEY_CHARS: usize = 32;
/// Characters of a DeviceName (doc, "Device names").
pub const DEVICE_NAME_CHARS: std::ops::RangeInclusive<usize> = 4..=32;
/// Characters of an IotId, at most (doc: opaque, at most 64).
pub const IOT_ID_CHARS: usize = 64;

/// Characters of the part of an MQTT client id before its first bar (doc, "Establish MQTT connections").
pub const CLIENT_ID_CHARS: usize = 64;
/// Bytes of a whole MQTT client id: ours, several times what any SDK sends, so that refusing stays cheap.
pub const CLIENT_ID_BYTES: usize = 2048;
/// Seconds: shorter keep-alives are refused (doc, "Establish MQTT connections").
pub const KEEP_ALIVE_MIN_SECONDS: u16 = 30;
/// Seconds: longer keep-alives are taken as this (C Link SDK 4).
pub const KEEP_ALIVE_MAX_SECONDS: u16 = 1200;
/// Seconds after which a connection made to register is closed.
pub const REGISTRATION_SECONDS: u64 = 60;

/// Bytes of a topic (doc, "Topics"; the Python SDK refuses longer ones by itself).
pub const TOPIC_BYTES: usize = 128;
/// Slashes of a custom topic (doc, "Topics"; some system topics have eight).
pub const TOPIC_SLASHES: usize = 7;
/// Digits of an RRPC message id (doc, "RRPC").
pub const RRPC_ID_DIGITS: usize = 19;
/// Subscriptions of one device (doc, "Limits").
pub const SUBSCRIPTIONS_PER_DEVICE: usize = 100;
/// Filters in one SUBSCRIBE (doc, "Limits").
pub const FILTERS_PER_SUBSCRIBE: usize = 8;
/// Topic aliases of an MQTT 5 connection (doc, "MQTT 5.0").
pub const TOPIC_ALIAS_MAXIMUM: u16 = 20;
/// Days that undelivered QoS 1 messages and a persistent session are kept (doc).
pub const SESSION_DAYS: u64 = 7;
/// Downstream QoS 1 messages that a device may leave unacknowledged (seed).
pub const UNACKNOWLEDGED: usize = 50;

/// Bytes of an MQTT payload (doc, "Limits").
pub const MQTT_PAYLOAD_BYTES: usize = 256 * 1024;
/// Bytes of an HTTP body (doc, "Limits").
pub const HTTP_PAYLOAD_BYTES: usize = 128 * 1024;
/// Bytes of a CoAP payload (doc, "Limits").
pub const COAP_PAYLOAD_BYTES: usize = 1024;
/// Bytes of a broadcast (doc, "Broadcast").
pub const BROADCAST_BYTES: usize = 64 * 1024;

/// Bytes of a request's id as it stands in JSON; it is kept and echoed, never read.
pub const REQUEST_ID_BYTES: usize = 256;
/// Properties in one report (seed).
pub const PROPERTIES_PER_REPORT: usize = 200;
/// Events in one pack report (doc, "Device properties, events, and services").
pub const EVENTS_PER_PACK: usize = 20;
/// Sub-devices in one pack report (doc, "Device properties, events, and services").
pub const SUB_DEVICES_PER_PACK: usize = 20;
/// Names in one request about desired values (doc).
pub const DESIRED_NAMES: usize = 200;
/// Hours that a reported time may lie ahead (doc).
pub const REPORT_AHEAD_HOURS: i64 = 24;
/// Tags in one request, and of one device (doc, "Device tags").
pub const TAGS_PER_REQUEST: usize = 200;
/// Tags of one device (doc, "Device tags").
pub const TAGS_PER_DEVICE: usize = 100;
/// Bytes of a tag's key (doc, "Device tags").
pub const TAG_KEY_BYTES: usize = 100;
/// Seconds that a synchronous call may wait for the device (doc, "RRPC").
pub const RRPC_TIMEOUT_SECONDS: std::ops::RangeInclusive<u32> = 1..=8;

/// Sub-devices in one registration (doc).
pub const SUB_DEVICES_PER_REGISTRATION: usize = 30;
/// Sub-devices in one batch login or logout (doc).
pub const SUB_DEVICES_PER_LOGIN: usize = 50;
