//! The rules of accounts: roles, names, tokens. Pure.

mod name;
mod role;
mod token;

pub(crate) use name::Name;
pub(crate) use role::Role;
pub(crate) use token::{Hash, Secret};
