//! The thing model (TSL) document, compiled into a one-pass validator.
