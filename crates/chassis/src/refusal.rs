//! The one way out for errors.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::database_is_away;

/// Domain of every `google.rpc.ErrorInfo` of ours.
const DOMAIN: &str = "hoshu";
/// Metadata key of the numeric code.
const CODE: &str = "code";
/// Metadata key of the faults' codes, in the order of the field violations; 0: none.
const FAULT_CODES: &str = "faultCodes";

/// Why something was not done, in words that let the asker mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub kind: Code,
    /// The number of `docs/codes.md`, where it has one.
    pub code: Option<u32>,
    pub detail: String,
    /// What is wrong with the input, place by place.
    pub errors: Vec<Fault>,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// Further members of the answer, as `rrpcCode`.
    pub extra: BTreeMap<String, String>,
}

/// One thing wrong with the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer into the request, in its JSON names.
    pub pointer: String,
    pub code: Option<u32>,
    pub message: String,
}

impl Fault {
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code: None,
            message: message.into(),
        }
    }

    #[must_use]
    pub fn with_code(mut self, code: u32) -> Self {
        self.code = Some(code);
        self
    }
}

impl Refusal {
    pub fn new(kind: Code, detail: impl Into<String>) -> Self {
        Self {
            kind,
            code: None,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            extra: BTreeMap::new(),
        }
    }

    /// One field is wrong.
    pub fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::faults(vec![Fault::new(pointer, message)])
    }

    /// Several fields may be wrong; the detail is the first's text.
    pub fn faults(errors: Vec<Fault>) -> Self {
        let detail = match errors.as_slice() {
            [] => "the request is not valid".to_owned(),
            [one] => format!("{}: {}", one.pointer, one.message),
            [first, rest @ ..] => format!(
                "{}: {} (and {} more)",
                first.pointer,
                first.message,
                rest.len()
            ),
        };
        Self::new(Code::InvalidArgument, detail).with_errors(errors)
    }

    /// `what` names the thing: "product a1B2c3D4e5F".
    pub fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("there is no {what}"))
    }

    /// The state forbids it.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, detail)
    }

    /// Our own fault: logged here, once; the asker sees no inner text.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        let cause = cause.into();
        let trace = crate::trace::id();
        tracing::error!(
            error = format!("{cause:#}"),
            trace.id = trace,
            "request failed"
        );
        Self::new(
            Code::Internal,
            "an internal fault; tell the operator, quoting the trace id",
        )
    }

    /// A store or a service that is needed is away.
    pub fn unavailable(what: &str) -> Self {
        Self::new(
            Code::Unavailable,
            format!("{what} is not reachable just now"),
        )
        .with_retry_after(Duration::from_secs(2))
    }

    #[must_use]
    pub fn with_code(mut self, code: u32) -> Self {
        self.code = Some(code);
        self
    }

    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Fault>) -> Self {
        self.errors = errors;
        self
    }

    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    #[must_use]
    pub fn with_extra(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Refusal {}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        if database_is_away(&error) {
            tracing::warn!(error = format!("{error:#}"), "the database is away");
            return Self::unavailable("the database");
        }
        Self::internal(error)
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let mut metadata: HashMap<String, String> = refusal.extra.into_iter().collect();
        if let Some(code) = refusal.code {
            metadata.insert(CODE.into(), code.to_string());
        }
        if refusal.errors.iter().any(|fault| fault.code.is_some()) {
            let codes: Vec<_> = refusal
                .errors
                .iter()
                .map(|fault| fault.code.unwrap_or(0).to_string())
                .collect();
            metadata.insert(FAULT_CODES.into(), codes.join(","));
        }
        let mut details = ErrorDetails::with_error_info(reason(refusal.kind), DOMAIN, metadata);
        if !refusal.errors.is_empty() {
            let violations: Vec<_> = refusal
                .errors
                .into_iter()
                .map(|fault| FieldViolation::new(fault.pointer, fault.message))
                .collect();
            details.set_bad_request(violations);
        }
        if refusal.retry_after.is_some() {
            details.set_retry_info(refusal.retry_after);
        }
        Status::with_error_details(refusal.kind, refusal.detail, details)
    }
}

impl From<&Status> for Refusal {
    fn from(status: &Status) -> Self {
        let details = status.get_error_details();
        let mut refusal = Self::new(status.code(), status.message());
        if let Some(info) = details.error_info() {
            refusal.extra = info.metadata.clone().into_iter().collect();
        }
        refusal.code = refusal
            .extra
            .remove(CODE)
            .and_then(|code| code.parse().ok());
        let codes = refusal.extra.remove(FAULT_CODES).unwrap_or_default();
        let mut codes = codes
            .split(',')
            .map(|code| code.parse().ok().filter(|code| *code != 0));
        if let Some(bad) = details.bad_request() {
            refusal.errors = bad
                .field_violations
                .iter()
                .map(|violation| Fault {
                    pointer: violation.field.clone(),
                    code: codes.next().flatten(),
                    message: violation.description.clone(),
                })
                .collect();
        }
        refusal.retry_after = details.retry_info().and_then(|retry| retry.retry_delay);
        refusal
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self::from(&status)
    }
}

/// `ErrorInfo.reason`: UPPER_SNAKE, as its definition asks.
fn reason(kind: Code) -> &'static str {
    match kind {
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::Unauthenticated => "UNAUTHENTICATED",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::Unavailable => "UNAVAILABLE",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::Unimplemented => "UNIMPLEMENTED",
        _ => "INTERNAL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_reaches_the_other_side_whole() {
        let refusal = Refusal::faults(vec![
            Fault::new("/params/pressure", "17 is over the maximum of 16").with_code(6307),
            Fault::new("/params/x", "not in the model"),
        ])
        .with_code(6307)
        .with_retry_after(Duration::from_secs(3))
        .with_extra("rrpcCode", "TIMEOUT");
        assert_eq!(Refusal::from(Status::from(refusal.clone())), refusal);
    }
}
