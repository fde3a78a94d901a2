//! The API browser, a page of our own that needs nothing from elsewhere, and the document it reads.

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header;
use serde_json::Value;

const PAGE: &str = include_str!("docs/page.html");
const SCRIPT: &str = include_str!("docs/page.js");
const STYLE: &str = include_str!("docs/page.css");

/// Only what we serve ourselves, and only shown by ourselves.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `/` leads to the browser.
pub(crate) fn routes(document: Value) -> Router {
    let document = Bytes::from(document.to_string());
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/api/docs") }))
        .route(
            "/api/openapi.json",
            get(move || async move { file("application/json", document) }),
        )
        .route(
            "/api/docs",
            get(|| async { file("text/html; charset=utf-8", PAGE) }),
        )
        .route(
            "/api/docs/page.js",
            get(|| async { file("text/javascript; charset=utf-8", SCRIPT) }),
        )
        .route(
            "/api/docs/page.css",
            get(|| async { file("text/css; charset=utf-8", STYLE) }),
        )
}

fn file(kind: &'static str, content: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-cache"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, content).into_response()
}
