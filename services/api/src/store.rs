//! SQL of schema `api`.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod token;
pub(crate) mod user;

use chassis::Refusal;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::Role;

/// Where a page of a list that is ordered by time and id, newest first, has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) at: DateTime<Utc>,
    pub(crate) id: Uuid,
}

impl Cursor {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        [
            &self.at.timestamp_micros().to_be_bytes()[..],
            self.id.as_bytes(),
        ]
        .concat()
    }

    /// The cursor of a page; `None` for the first one.
    pub(crate) fn of(page: &chassis::page::Page) -> Result<Option<Self>, Refusal> {
        let Some(bytes) = &page.after else {
            return Ok(None);
        };
        let cursor = bytes.split_first_chunk::<8>().and_then(|(micros, id)| {
            let at = DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))?;
            // PostgreSQL's own years end before chrono's do.
            let known = (0..=253_402_300_799).contains(&at.timestamp());
            known.then_some(Self {
                at,
                id: Uuid::from_slice(id).ok()?,
            })
        });
        let refused =
            || Refusal::invalid("/pageToken", "not a token that this list has answered with");
        cursor.map(Some).ok_or_else(refused)
    }
}

/// The number that a role has in the store; the table's own check keeps it one of ours.
fn role(number: i32) -> Role {
    Role::from_number(number).unwrap_or(Role::Viewer)
}
