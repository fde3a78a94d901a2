//! The gRPC door: the same operations, their messages carried through as they are; health and
//! reflection, which ask for no token.

mod proxy;
mod reflection;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::routing::any;
use chassis::Chassis;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tower_http::catch_panic::CatchPanicLayer;

use crate::auth::Auth;
use crate::config::Config;
use crate::contract::Contract;
use crate::forward::Peers;
use crate::metrics::Metrics;
use crate::serve;

pub(crate) async fn open(
    chassis: &Chassis,
    contract: &Contract,
    auth: &Arc<Auth>,
    peers: &Peers,
    config: &Config,
) -> anyhow::Result<SocketAddr> {
    let listener = serve::listen(&chassis.settings().grpc_addr, "HOSHU_GRPC_ADDR").await?;
    let by_path = contract
        .operations
        .iter()
        .map(|operation| (operation.rpc.clone(), operation.clone()));
    let proxy = Arc::new(proxy::Proxy {
        operations: by_path.collect::<HashMap<_, _>>(),
        auth: auth.clone(),
        peers: peers.clone(),
        message_limit: config.message_limit,
        metrics: Metrics::of_grpc(&chassis.meter()),
    });

    let (health, health_service) = tonic_health::server::health_reporter();
    for service in contract.services() {
        health
            .set_service_status(service, ServingStatus::Serving)
            .await;
    }
    let forward = move |request| {
        let proxy = proxy.clone();
        async move { proxy.serve(request).await }
    };
    let router = Routes::new(health_service)
        .add_service(reflection::v1()?)
        .add_service(reflection::v1alpha()?)
        .into_axum_router()
        .route("/{service}/{method}", any(forward))
        .layer(CatchPanicLayer::custom(|_| {
            tonic::Status::internal("an internal fault; tell the operator")
                .into_http::<axum::body::Body>()
        }));

    serve::http(chassis, listener, router, config.connections)
}
