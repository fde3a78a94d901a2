//! Carries an operation's encoded message to the service that owns it, and its answer back.

mod codec;
mod sanitize;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use chassis::{Chassis, Noun, Peer};
use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::{Request, Status, Streaming};

pub(crate) use codec::RawCodec;

use crate::auth::Identity;
use crate::config::Config;
use crate::contract::{Contract, Operation};

/// Largest answer of a service, in bytes: a page of 500 log lines with their contents.
const ANSWER_LIMIT: usize = 64 * 1024 * 1024;

/// The services that the contract's operations belong to.
#[derive(Clone)]
pub(crate) struct Peers(Arc<HashMap<String, Peer>>);

impl Peers {
    pub(crate) fn of(
        contract: &Contract,
        chassis: &Chassis,
        config: &Config,
    ) -> anyhow::Result<Self> {
        let deadline = Duration::from_secs(config.answer_seconds);
        let mut peers = HashMap::new();
        for operation in &contract.operations {
            if !peers.contains_key(&operation.noun) {
                let noun = owner(&operation.noun)
                    .with_context(|| format!("nobody serves {}", operation.rpc))?;
                peers.insert(
                    operation.noun.clone(),
                    chassis.peer(noun)?.with_deadline(deadline),
                );
            }
        }
        Ok(Self(Arc::new(peers)))
    }

    pub(crate) async fn unary(
        &self,
        operation: &Operation,
        asker: &Arc<Identity>,
        message: Bytes,
    ) -> Result<Bytes, Status> {
        let mut peer = self.peer(operation)?;
        let answer = peer
            .unary(ask(asker, message), path(operation)?, RawCodec)
            .await;
        answer
            .map(tonic::Response::into_inner)
            .map_err(|status| sanitize::shown(status, operation))
    }

    pub(crate) async fn stream(
        &self,
        operation: &Operation,
        asker: &Arc<Identity>,
        message: Bytes,
    ) -> Result<Streaming<Bytes>, Status> {
        let mut peer = self.peer(operation)?;
        let answer = peer
            .server_streaming(ask(asker, message), path(operation)?, RawCodec)
            .await;
        answer
            .map(tonic::Response::into_inner)
            .map_err(|status| sanitize::shown(status, operation))
    }

    fn peer(&self, operation: &Operation) -> Result<Grpc<Peer>, Status> {
        let peer = self.0.get(&operation.noun).cloned();
        let peer = peer.ok_or_else(|| Status::unimplemented("no service answers this"))?;
        Ok(Grpc::new(peer).max_decoding_message_size(ANSWER_LIMIT))
    }
}

/// What a stream ends with, fit to be shown.
pub(crate) fn shown(status: Status, operation: &Operation) -> Status {
    sanitize::shown(status, operation)
}

/// The account's package has another name than its service.
fn owner(noun: &str) -> Option<Noun> {
    match noun {
        "account" => Some(Noun::Api),
        other => Noun::ALL.into_iter().find(|noun| noun.word() == other),
    }
}

/// The identity itself stays in this process: only the api's own service looks at it.
fn ask(asker: &Arc<Identity>, message: Bytes) -> Request<Bytes> {
    let mut request = asker.caller().ask(message);
    request.extensions_mut().insert(asker.clone());
    request
}

fn path(operation: &Operation) -> Result<PathAndQuery, Status> {
    operation
        .rpc
        .parse()
        .map_err(|_| Status::internal("an operation without a path"))
}
