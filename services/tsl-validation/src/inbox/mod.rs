//! What is told to this service.

pub(crate) mod up;
