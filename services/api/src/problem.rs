//! The one way from a refusal to what REST answers (RFC 9457, `application/problem+json`).

use std::collections::BTreeMap;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use chassis::Refusal;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tonic::{Code, Status};
use tonic_types::StatusExt;

pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// Reason of `google.rpc.ErrorInfo` by which a service wants a second factor.
const SECOND_FACTOR: &str = "SECOND_FACTOR";

pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    refusal: Refusal,
    /// Methods that the path takes, for 405.
    allow: Option<HeaderValue>,
}

impl Problem {
    /// One that no service had to do with: a path that is none, a body that is too large.
    pub(crate) fn of_http(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            refusal: Refusal::new(Code::Unknown, detail),
            allow: None,
        }
    }

    pub(crate) fn method_not_allowed(allow: &str) -> Self {
        let problem = Self::of_http(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("this path takes {allow}"),
        );
        Self {
            allow: HeaderValue::from_str(allow).ok(),
            ..problem
        }
    }

    pub(crate) fn into_response(self, trace_id: &str) -> Response {
        let refusal = self.refusal;
        let kind = match refusal.code {
            Some(code) => format!("urn:hoshu:code:{code}"),
            None => "about:blank".to_owned(),
        };
        let errors = refusal.errors.iter();
        let body = Body {
            kind: &kind,
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &refusal.detail,
            trace_id,
            code: refusal.code,
            errors: errors
                .map(|fault| Error {
                    pointer: &fault.pointer,
                    code: fault.code,
                    message: &fault.message,
                })
                .collect(),
            extra: refusal
                .extra
                .iter()
                .filter(|(name, _)| !OWN.contains(&name.as_str()))
                .collect(),
        };
        // Texts and numbers alone: it cannot fail.
        let text = serde_json::to_vec(&body).unwrap_or_default();
        let mut response =
            (self.status, [(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response();
        let headers = response.headers_mut();
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, allow);
        }
        if let Some(after) = refusal.retry_after.or_else(|| retry_default(self.status)) {
            headers.insert(header::RETRY_AFTER, whole_seconds(after).into());
        }
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"hoshu\""),
                );
            }
            StatusCode::FORBIDDEN => {
                let value = HeaderValue::from_static(
                    "Bearer realm=\"hoshu\", error=\"insufficient_scope\"",
                );
                headers.insert(header::WWW_AUTHENTICATE, value);
            }
            _ => {}
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self {
            status: http_status(refusal.kind),
            refusal,
            allow: None,
        }
    }
}

impl From<Status> for Problem {
    fn from(status: Status) -> Self {
        let wants_factor = status
            .get_details_error_info()
            .is_some_and(|info| info.reason == SECOND_FACTOR);
        let problem = Self::from(Refusal::from(&status));
        if wants_factor {
            Self {
                status: StatusCode::PRECONDITION_REQUIRED,
                ..problem
            }
        } else {
            problem
        }
    }
}

/// The contract's table.
fn http_status(kind: Code) -> StatusCode {
    match kind {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::FailedPrecondition | Code::AlreadyExists => StatusCode::CONFLICT,
        Code::Aborted => StatusCode::PRECONDITION_FAILED,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable | Code::Cancelled => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Internal | Code::Unknown | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// These two statuses always say when to come again.
fn retry_default(status: StatusCode) -> Option<Duration> {
    match status {
        StatusCode::TOO_MANY_REQUESTS => Some(Duration::from_secs(1)),
        StatusCode::SERVICE_UNAVAILABLE => Some(Duration::from_secs(2)),
        _ => None,
    }
}

/// Rounded up, so that nobody comes too early.
fn whole_seconds(after: Duration) -> u64 {
    (after.as_secs() + u64::from(after.subsec_nanos() > 0)).max(1)
}

/// Members that a service's extra ones cannot take.
const OWN: [&str; 7] = [
    "type", "title", "status", "detail", "traceId", "code", "errors",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    trace_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Error<'a>>,
    #[serde(flatten)]
    extra: BTreeMap<&'a String, &'a String>,
}

#[derive(Serialize)]
struct Error<'a> {
    pointer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u32>,
    message: &'a str,
}

#[cfg(test)]
mod tests {
    use chassis::Fault;
    use serde_json::{Value, json};

    use super::*;

    async fn shown(problem: Problem) -> (http::response::Parts, Value) {
        let (parts, body) = problem.into_response("0af7").into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (parts, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_refusal_is_shown_whole() {
        let refusal = Refusal::new(Code::InvalidArgument, "/params/a: 7 is over 5")
            .with_code(6306)
            .with_errors(vec![
                Fault::new("/params/a", "7 is over 5").with_code(6306),
                Fault::new("/x", "is unknown"),
            ])
            .with_extra("rrpcCode", "TIMEOUT")
            .with_extra("status", "never");
        let (parts, body) = shown(Problem::from(Status::from(refusal))).await;
        assert_eq!(parts.status, 400);
        assert_eq!(parts.headers["content-type"], MEDIA_TYPE);
        let expected = json!({
            "type": "urn:hoshu:code:6306", "title": "Bad Request", "status": 400,
            "detail": "/params/a: 7 is over 5", "traceId": "0af7", "code": 6306, "rrpcCode": "TIMEOUT",
            "errors": [
                {"pointer": "/params/a", "code": 6306, "message": "7 is over 5"},
                {"pointer": "/x", "message": "is unknown"},
            ],
        });
        assert_eq!(body, expected);
    }

    #[tokio::test]
    async fn every_kind_has_the_contracts_status() {
        for (kind, status) in [
            (Code::InvalidArgument, 400),
            (Code::Unauthenticated, 401),
            (Code::PermissionDenied, 403),
            (Code::NotFound, 404),
            (Code::FailedPrecondition, 409),
            (Code::AlreadyExists, 409),
            (Code::Aborted, 412),
            (Code::ResourceExhausted, 429),
            (Code::Unavailable, 503),
            (Code::DeadlineExceeded, 504),
            (Code::Internal, 500),
        ] {
            let (parts, body) = shown(Problem::from(Refusal::new(kind, "why"))).await;
            assert_eq!(parts.status, status, "{kind:?}");
            assert_eq!(body["status"], status);
            assert_eq!(
                parts.headers.contains_key("retry-after"),
                [429, 503].contains(&status),
                "{kind:?}"
            );
            assert_eq!(
                parts.headers.contains_key("www-authenticate"),
                [401, 403].contains(&status),
                "{kind:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_wanted_second_factor_is_428() {
        let info = tonic_types::ErrorDetails::with_error_info(
            SECOND_FACTOR,
            "hoshu",
            std::collections::HashMap::<String, String>::new(),
        );
        let status =
            Status::with_error_details(Code::FailedPrecondition, "a second factor is wanted", info);
        assert_eq!(shown(Problem::from(status)).await.0.status, 428);
    }

    #[tokio::test]
    async fn one_is_never_told_to_come_again_too_early() {
        let refusal = Refusal::new(Code::ResourceExhausted, "slow down")
            .with_retry_after(Duration::from_millis(2100));
        assert_eq!(shown(refusal.into()).await.0.headers["retry-after"], "3");
    }
}
