//! A listening socket with a backlog for bursts, and the loop that accepts.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    time::Duration,
};

use anyhow::Context;
use chassis::Damper;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::opening::Place;
use crate::gateway::Gateway;

/// How long accepting rests when the process is out of descriptors.
const REST: Duration = Duration::from_millis(50);

/// # Errors
/// Names the variable to change, when the address is taken or no address.
pub(super) fn listen(address: &str, variable: &str, backlog: i32) -> anyhow::Result<TcpListener> {
    let resolved = address
        .to_socket_addrs()
        .ok()
        .and_then(|mut all| all.next())
        .with_context(|| format!("{variable}: {address} is no address as 0.0.0.0:1883"))?;
    bind(resolved, backlog).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow::anyhow!("{variable}: {address} is taken by another program; stop it or set {variable} to another port")
        }
        _ => anyhow::anyhow!("{variable}: cannot listen on {address}: {error}"),
    })
}

fn bind(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    TcpListener::from_std(socket.into())
}

/// Accepts until `stop`; each connection has a place until it is let in.
pub(super) async fn accept<F>(
    listener: &TcpListener,
    stop: &CancellationToken,
    gateway: &Gateway,
    mut serve: F,
) where
    F: FnMut(TcpStream, SocketAddr, Place),
{
    let (crowded, failed) = (Damper::default(), Damper::default());
    loop {
        let next = async {
            let permit = gateway.opening.permit().await;
            (permit, listener.accept().await)
        };
        let Some((permit, accepted)) = stop.run_until_cancelled(next).await else {
            return;
        };
        let now = gateway.clock.now_ms();
        match accepted {
            Ok((stream, peer)) => {
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                let Some(place) = gateway.opening.give(permit, peer.ip().into()) else {
                    gateway.metrics.connect_failed("too many from one address");
                    if let Some(times) = crowded.admit(now) {
                        tracing::warn!(
                            address = %peer.ip(),
                            times,
                            "connections closed: their address holds too many that are not let in yet"
                        );
                    }
                    continue;
                };
                let _ = stream.set_nodelay(true);
                serve(stream, peer, place);
            }
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                if let Some(times) = failed.admit(now) {
                    tracing::warn!(%error, times, "cannot accept connections");
                }
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// The peer gave up before it was accepted.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}
