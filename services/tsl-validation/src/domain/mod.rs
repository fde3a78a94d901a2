//! The rules, without I/O: what a message means ([`judge`]), which value is the latest
//! ([`latest`]), whose answer it is ([`answer`]), what may be sent ([`command`]).

pub(crate) mod answer;
pub(crate) mod command;
pub(crate) mod judge;
pub(crate) mod latest;
