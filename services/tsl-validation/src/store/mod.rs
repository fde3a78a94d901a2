//! The SQL of schema `thing`, a file per noun.

pub(crate) mod command;
pub(crate) mod event;
pub(crate) mod latest;
pub(crate) mod model;
pub(crate) mod unlogged;
