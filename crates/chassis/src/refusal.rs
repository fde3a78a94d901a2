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

/// Bytes of what is not found: its kind and its name. A token has 70 bytes alone.
const LONGEST_NAME: usize = 64;

/// A refusal travels in headers, in base64, and gRPC's clients take 8 KiB of them in all: so many bytes of its faults, and
/// of its text.
const FAULTS_BYTES: usize = 3584;
const DETAIL_BYTES: usize = 512;
/// What a fault takes beside its texts: lengths, and its code.
const FAULT_OVERHEAD: usize = 12;

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

    /// `what` names the thing: "product a1B2c3D4e5F". A longer name than any that we give is not repeated: it may
    /// be a token in a wrong place, and larger than what a refusal can carry.
    pub fn not_found(what: impl std::fmt::Display) -> Self {
        let what = what.to_string();
        let what = if what.len() > LONGEST_NAME {
            "such thing"
        } else {
            &what
        };
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

    /// As much of it as can be carried.
    fn fitting(mut self) -> Self {
        let mut bytes = 0;
        let fit = self.errors.iter().take_while(|fault| {
            bytes += fault.pointer.len() + fault.message.len() + FAULT_OVERHEAD;
            bytes <= FAULTS_BYTES
        });
        let fit = fit.count();
        if fit < self.errors.len() {
            self.errors.truncate(fit);
            self.errors.push(Fault::new("", "there are more faults"));
        }
        if self.detail.len() > DETAIL_BYTES {
            self.detail
                .truncate(self.detail.floor_char_boundary(DETAIL_BYTES));
            self.detail.push('…');
        }
        self
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
        let refusal = refusal.fitting();
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
    fn what_is_no_name_of_ours_is_not_repeated() {
        let named = |name: &str| Refusal::not_found(format_args!("token {name}")).detail;
        let id = "01a21ca4-3cc9-755d-a30d-236a0a7437cb";
        assert_eq!(named(id), format!("there is no token {id}"));
        let token = format!("hoshu_{}", "5f".repeat(32));
        assert_eq!(named(&token), "there is no such thing");
    }

    #[test]
    fn a_refusal_of_any_size_fits_the_headers_that_a_client_takes() {
        let long = "„ä“".repeat(20_000);
        let faults = |count: usize, text: &str| {
            (0..count)
                .map(|at| Fault::new(format!("/params/{at}"), text).with_code(6320))
                .collect::<Vec<_>>()
        };
        for errors in [
            faults(0, ""),
            faults(1, &long),
            faults(10_000, ""),
            faults(10_000, "is not in the model"),
        ] {
            let many = errors.len() > 1;
            let refusal = Refusal::new(Code::InvalidArgument, long.clone()).with_errors(errors);
            let mut headers = http::HeaderMap::new();
            let status = Status::from(refusal);
            status.add_header(&mut headers).unwrap();
            let bytes: usize = headers
                .iter()
                .map(|(name, value)| name.as_str().len() + value.len() + 32)
                .sum();
            assert!(bytes <= 8192, "{bytes}");
            let told = Refusal::from(status);
            assert!(told.detail.starts_with("„ä“"));
            if many {
                assert!(told.errors.len() > 50, "{}", told.errors.len());
                assert_eq!(told.errors.last().unwrap().message, "there are more faults");
            }
        }
    }

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
