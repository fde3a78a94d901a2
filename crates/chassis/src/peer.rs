//! Another role, whichever way it is reached.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderValue, Request, Response};
use tokio::sync::watch;
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};
use tower::{Service, ServiceExt};

use crate::{Secret, trace};

/// The header in which services show each other that they belong to one house.
pub(crate) const TOKEN_HEADER: &str = "hoshu-internal-token";

const DEADLINE: Duration = Duration::from_secs(10);
/// How often a peer's connection is tried, and how long that may take: then another connection is made, which
/// may lead to another pod, before a lease that is renewed on it runs out.
const TRIED_EVERY: Duration = Duration::from_secs(3);
const TRIAL: Duration = Duration::from_secs(3);

/// A role's gRPC door: in this process its routes are called directly, without HTTP/2;
/// elsewhere over a channel. For the generated clients it is the same.
#[derive(Clone)]
pub struct Peer {
    way: Way,
    token: HeaderValue,
    deadline: Duration,
}

#[derive(Clone)]
enum Way {
    /// Filled when that role has started.
    Here(watch::Receiver<Option<Routes>>),
    There(Channel),
}

impl Peer {
    pub(crate) fn here(routes: watch::Receiver<Option<Routes>>, token: &Secret) -> Self {
        Self::new(Way::Here(routes), token)
    }

    pub(crate) fn there(address: &str, token: &Secret) -> anyhow::Result<Self> {
        let endpoint = Endpoint::from_shared(address.to_owned())?
            .connect_timeout(Duration::from_secs(3))
            .http2_keep_alive_interval(TRIED_EVERY)
            .keep_alive_timeout(TRIAL)
            .keep_alive_while_idle(true)
            .tcp_nodelay(true);
        Ok(Self::new(Way::There(endpoint.connect_lazy()), token))
    }

    fn new(way: Way, token: &Secret) -> Self {
        let mut token =
            HeaderValue::from_str(token.expose()).unwrap_or(HeaderValue::from_static(""));
        token.set_sensitive(true);
        Self {
            way,
            token,
            deadline: DEADLINE,
        }
    }

    /// How long an answer may take; 10 s unless set.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

impl Service<Request<Body>> for Peer {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let headers = request.headers_mut();
        headers.insert(TOKEN_HEADER, self.token.clone());
        if let Some(parent) = trace::parent().and_then(|parent| HeaderValue::from_str(&parent).ok())
        {
            headers.insert(trace::HEADER, parent);
        }
        let way = self.way.clone();
        let deadline = self.deadline;
        Box::pin(async move {
            match tokio::time::timeout(deadline, way.call(request)).await {
                Ok(answer) => answer,
                Err(_) => Err(Status::deadline_exceeded(format!(
                    "no answer within {} s",
                    deadline.as_secs()
                ))),
            }
        })
    }
}

impl Way {
    async fn call(self, request: Request<Body>) -> Result<Response<Body>, Status> {
        match self {
            Way::Here(mut routes) => {
                let started = routes.wait_for(Option::is_some).await;
                let routes = started.ok().and_then(|routes| routes.clone());
                let routes =
                    routes.ok_or_else(|| Status::unavailable("the service has stopped"))?;
                let answer: Result<_, Infallible> = routes.oneshot(request).await;
                let Ok(answer) = answer;
                Ok(answer)
            }
            // What the service itself has to say comes as an answer: here the way to it failed.
            Way::There(channel) => channel
                .oneshot(request)
                .await
                .map_err(|error| Status::unavailable(format!("no connection: {error:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;
    use tonic::Code;

    use super::*;

    #[tokio::test]
    async fn a_peer_that_dies_while_it_is_asked_is_unavailable() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let dying = async {
            let (mut asked, _) = listener.accept().await.unwrap();
            asked.read_u8().await.unwrap();
        };
        let mut peer = Peer::there(&address, &Secret::new("token")).unwrap();
        let (answer, ()) = tokio::join!(peer.call(Request::new(Body::empty())), dying);
        assert_eq!(answer.unwrap_err().code(), Code::Unavailable);
    }
}
