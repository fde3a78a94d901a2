//! Rows and rules to protobuf and back.

use chassis::{Fault, Refusal};
use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use proto::hoshu::account::v1::{Token, User};
use serde_json::{Value, json};

use crate::domain::{Name, Role};
use crate::store::token::TokenRow;
use crate::store::user::UserRow;

pub(super) fn timestamp(time: DateTime<Utc>) -> Timestamp {
    // Under a second's nanoseconds, so it always fits.
    Timestamp {
        seconds: time.timestamp(),
        nanos: time.timestamp_subsec_nanos() as i32,
    }
}

/// Programs that speak gRPC may bring a time that is none.
pub(super) fn time(
    pointer: &str,
    stamp: Option<Timestamp>,
) -> Result<Option<DateTime<Utc>>, Refusal> {
    let Some(stamp) = stamp else { return Ok(None) };
    let nanos = u32::try_from(stamp.nanos).ok();
    // Up to 9999; PostgreSQL's own years end before chrono's do.
    let known = (-62_135_596_800..=253_402_300_799).contains(&stamp.seconds);
    let time = nanos
        .filter(|_| known)
        .and_then(|nanos| DateTime::from_timestamp(stamp.seconds, nanos));
    time.map(Some)
        .ok_or_else(|| Refusal::invalid(pointer, "is no time"))
}

pub(super) fn name(text: &str, faults: &mut Vec<Fault>) -> Option<Name> {
    text.parse()
        .map_err(|_| faults.push(Fault::new("/name", Name::RULE)))
        .ok()
}

pub(super) fn role(number: i32, faults: &mut Vec<Fault>) -> Option<Role> {
    let role = Role::from_number(number);
    if role.is_none() {
        faults.push(Fault::new(
            "/role",
            "must be one of VIEWER, OPERATOR, ADMIN",
        ));
    }
    role
}

pub(super) fn user(row: UserRow) -> User {
    User {
        id: row.id.to_string(),
        role: row.role().number(),
        name: row.name,
        created_at: Some(timestamp(row.created_at)),
    }
}

pub(super) fn token(row: TokenRow, secret: Option<String>) -> Token {
    Token {
        id: row.id.to_string(),
        role: row.role().number(),
        name: row.name,
        created_at: Some(timestamp(row.created_at)),
        expires_at: row.expires_at.map(timestamp),
        last_used_at: row.last_used_at.map(timestamp),
        token: secret,
        user_id: row.user_id.to_string(),
    }
}

/// As the audit trail shows it.
pub(super) fn user_state(row: &UserRow) -> Value {
    json!({ "name": row.name, "role": row.role().name() })
}

/// As the audit trail shows it.
pub(super) fn token_state(row: &TokenRow) -> Value {
    json!({
        "name": row.name,
        "role": row.role().name(),
        "userId": row.user_id,
        "expiresAt": row.expires_at.map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)),
    })
}
