//! One device's connection, from its CONNECT to its release.
//!
//! [`open`] lets it in, [`connection`] moves bytes, [`state`] holds what is between packets; what a
//! packet does is in `publish`, `subscribe` and `deliver`; [`close`] leaves nothing behind.

use std::{net::SocketAddr, sync::Arc};

use alink::connect::Transport;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use crate::{doors::opening::Place, gateway::Gateway};

pub(crate) use open::{Greeting, greet};

mod close;
mod connection;
mod deliver;
mod lanes;
mod lines;
mod open;
mod publish;
mod restore;
mod state;
mod subscribe;

/// Serves a connection to its end. The place is held until the device is let in; its CONNECT must be
/// there by `until`.
pub(crate) async fn serve<S>(
    gateway: Arc<Gateway>,
    stream: S,
    peer: SocketAddr,
    transport: Transport,
    place: Place,
    until: Instant,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // Boxed, so that an idle connection does not carry what only its opening and closing need.
    let Some(mut connection) = Box::pin(open::open(&gateway, stream, peer, transport, until)).await
    else {
        return;
    };
    drop(place);
    drop(gateway);
    let end = connection.run().await;
    Box::pin(connection.close(end)).await;
}
