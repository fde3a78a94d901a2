//! For tests alone: a database and a NATS prefix per test, a proxy that cuts links, a clock that is moved.
