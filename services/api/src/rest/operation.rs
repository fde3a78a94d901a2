//! One REST request: who asks, what it asks, the service's answer.

use std::error::Error as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chassis::Refusal;
use http::{Method, StatusCode, header, request};
use http_body_util::LengthLimitError;
use prost::Message;
use tokio::time::{Instant, timeout};

use super::{Door, Endpoint, trace_id};
use crate::contract::{Input, Operation, Rest};
use crate::problem::Problem;
use crate::transcode::{self, Parts};

pub(super) async fn serve(door: &Door, endpoint: &Endpoint, request: Request) -> Response {
    let began = Instant::now();
    let Some((operation, rest)) = find(endpoint, request.method()) else {
        return Problem::method_not_allowed(&allowed(endpoint)).into_response(&trace_id());
    };
    let answer = answer(door, operation, rest, request).await;
    let response = answer.unwrap_or_else(|problem| problem.into_response(&trace_id()));
    let status = response.status().as_u16().into();
    door.metrics.count(operation, status, began.elapsed());
    response
}

async fn answer(
    door: &Door,
    operation: &Operation,
    rest: &Rest,
    request: Request,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let asker = door.auth.identify(&parts.headers).await?;
    asker.may(operation.access)?;
    let path = path(&mut parts).await?;
    let body = match rest.input {
        Input::Query => Bytes::new(),
        Input::Members | Input::Whole(_) => read(door, body).await?,
    };
    let given = Parts {
        path: &path,
        query: parts.uri.query().unwrap_or_default(),
        body: &body,
    };
    let message = transcode::request(operation, rest, &given)?;
    let encoded = door
        .peers
        .unary(operation, &asker, message.encode_to_vec().into())
        .await?;
    if rest.status == StatusCode::NO_CONTENT {
        return Ok(rest.status.into_response());
    }
    let json = transcode::answer(operation, rest, encoded).map_err(Refusal::internal)?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((rest.status, headers, json).into_response())
}

/// HEAD is a GET whose body the connection leaves out.
fn find<'a>(endpoint: &'a Endpoint, method: &Method) -> Option<&'a (Arc<Operation>, Arc<Rest>)> {
    let method = if method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    endpoint.iter().find(|(_, rest)| rest.verb == method)
}

fn allowed(endpoint: &Endpoint) -> String {
    let mut methods: Vec<&str> = endpoint
        .iter()
        .map(|(_, rest)| rest.verb.as_str())
        .collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    methods.join(", ")
}

async fn path(parts: &mut request::Parts) -> Result<Vec<(String, String)>, Problem> {
    let params = RawPathParams::from_request_parts(parts, &()).await;
    let params =
        params.map_err(|_| Problem::of_http(StatusCode::BAD_REQUEST, "the path is not UTF-8"))?;
    Ok(params
        .iter()
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect())
}

async fn read(door: &Door, body: Body) -> Result<Bytes, Problem> {
    let read = timeout(
        door.body_within,
        axum::body::to_bytes(body, door.body_limit),
    )
    .await;
    match read {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error))
            if error
                .source()
                .is_some_and(|cause| cause.is::<LengthLimitError>()) =>
        {
            let detail = format!("the body is over {} bytes", door.body_limit);
            Err(Problem::of_http(StatusCode::PAYLOAD_TOO_LARGE, detail))
        }
        Ok(Err(_)) => Err(Problem::of_http(
            StatusCode::BAD_REQUEST,
            "the body broke off",
        )),
        Err(_) => {
            let detail = format!(
                "the body did not come within {} s",
                door.body_within.as_secs()
            );
            Err(Problem::of_http(StatusCode::REQUEST_TIMEOUT, detail))
        }
    }
}
