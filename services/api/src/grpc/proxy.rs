//! One gRPC request: who asks, whether they may, and its bytes to the service and back.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use chassis::Refusal;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use http::HeaderMap;
use prost_reflect::{DynamicMessage, Value};
use tokio::time::Instant;
use tonic::server::Grpc;
use tonic::{Code, Request, Response, Status};
use tower::service_fn;
use tracing::Instrument;

use crate::auth::{Auth, Identity};
use crate::contract::Operation;
use crate::forward::{self, Peers, RawCodec};
use crate::metrics::Metrics;

pub(super) struct Proxy {
    /// By `/package.Service/Method`.
    pub(super) operations: HashMap<String, Arc<Operation>>,
    pub(super) auth: Arc<Auth>,
    pub(super) peers: Peers,
    pub(super) message_limit: usize,
    pub(super) metrics: Metrics,
}

impl Proxy {
    pub(super) async fn serve(
        self: Arc<Self>,
        request: http::Request<Body>,
    ) -> http::Response<tonic::body::Body> {
        let Some(operation) = self.operations.get(request.uri().path()).cloned() else {
            return Status::unimplemented("there is no such operation").into_http();
        };
        let span = tracing::info_span!("grpc", rpc.method = operation.rpc);
        let parent = request
            .headers()
            .get(chassis::trace::HEADER)
            .and_then(|value| value.to_str().ok());
        if let Some(parent) = parent {
            chassis::trace::adopt(&span, parent);
        }
        let began = Instant::now();
        let response = self
            .clone()
            .carry(operation.clone(), request)
            .instrument(span)
            .await;
        // An answer that goes well has its status behind its messages.
        let status = Status::from_header_map(response.headers());
        let code = status.map_or(Code::Ok, |status| status.code());
        let code = i64::from(i32::from(code));
        self.metrics.count(&operation, code, began.elapsed());
        response
    }

    async fn carry(
        self: Arc<Self>,
        operation: Arc<Operation>,
        request: http::Request<Body>,
    ) -> http::Response<tonic::body::Body> {
        let mut grpc = Grpc::new(RawCodec).max_decoding_message_size(self.message_limit);
        if operation.method.is_server_streaming() {
            let service = service_fn(move |request: Request<Bytes>| {
                let (proxy, operation) = (self.clone(), operation.clone());
                async move { proxy.stream(operation, request).await }
            });
            grpc.server_streaming(service, request).await
        } else {
            let service = service_fn(move |request: Request<Bytes>| {
                let (proxy, operation) = (self.clone(), operation.clone());
                async move { proxy.unary(&operation, request).await }
            });
            grpc.unary(service, request).await
        }
    }

    async fn unary(
        &self,
        operation: &Operation,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Status> {
        let (asker, message) = self.admit(operation, request).await?;
        self.peers
            .unary(operation, &asker, message)
            .await
            .map(Response::new)
    }

    async fn stream(
        &self,
        operation: Arc<Operation>,
        request: Request<Bytes>,
    ) -> Result<Response<BoxStream<'static, Result<Bytes, Status>>>, Status> {
        let (asker, message) = self.admit(&operation, request).await?;
        let stream = self.peers.stream(&operation, &asker, message).await?;
        Ok(Response::new(
            stream
                .map_err(move |status| forward::shown(status, &operation))
                .boxed(),
        ))
    }

    async fn admit(
        &self,
        operation: &Operation,
        request: Request<Bytes>,
    ) -> Result<(Arc<Identity>, Bytes), Status> {
        let (metadata, _, message) = request.into_parts();
        let headers: HeaderMap = metadata.into_headers();
        let asker = self.auth.identify(&headers).await?;
        asker.may(operation.access)?;
        check(operation, &message)?;
        Ok((asker, message))
    }
}

/// What a service could not decode it would call its own fault; and no store takes U+0000 in a text.
/// Looked for here, once for all of them. The bytes go on as they came.
fn check(operation: &Operation, message: &Bytes) -> Result<(), Refusal> {
    let read = DynamicMessage::decode(operation.method.input(), message.clone());
    let read = read.map_err(|_| {
        let name = operation.method.input().full_name().to_owned();
        Refusal::new(Code::InvalidArgument, format!("the message is no {name}"))
    })?;
    if holds_nul(&read) {
        return Err(Refusal::new(
            Code::InvalidArgument,
            "a text must not hold U+0000",
        ));
    }
    Ok(())
}

fn holds_nul(message: &DynamicMessage) -> bool {
    message.fields().any(|(_, value)| value_holds_nul(value))
}

fn value_holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Message(message) => holds_nul(message),
        Value::List(items) => items.iter().any(value_holds_nul),
        _ => false,
    }
}
