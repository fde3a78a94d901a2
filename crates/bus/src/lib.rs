//! NATS: typed subjects and messages, batching publisher, consumer loops, outbox, trace propagation.
