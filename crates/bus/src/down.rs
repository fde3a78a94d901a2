//! To devices: what a gateway node is asked to deliver.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::{Message, Request};
use chassis::{Phase, trace};
use futures::StreamExt;
use prost::Message as _;
use proto::hoshu::bus::v1::down_outcome::Kind;
use proto::hoshu::bus::v1::{Down, DownBatch, DownOutcome, DownOutcomes, down};

use crate::Bus;
use crate::connection::headers;

/// The gateway waits at most 1 s for a PUBACK; the rest is the way.
const PATIENCE: Duration = Duration::from_secs(4);
/// Bytes of one request: well under NATS's limit of 1 MiB a message.
const REQUEST_BYTES: usize = 512 * 1024;
/// The queue group of all gateway nodes.
const GATEWAYS: &str = "gateways";

/// Why the outcome of a delivery is not known.
#[derive(Debug, PartialEq, Eq)]
pub enum DownError {
    /// No such gateway node is there: nothing was delivered.
    Nobody,
    /// The node did not answer in time: it may have been delivered.
    Silent,
}

impl std::fmt::Display for DownError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            DownError::Nobody => "the gateway node is not there",
            DownError::Silent => "the gateway node did not answer in time",
        })
    }
}

impl std::error::Error for DownError {}

/// Whom a request to deliver is addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressee {
    /// This gateway node, which is believed to hold the devices.
    Node,
    /// Any node: nobody is known to hold them, and what may be kept is kept.
    Any,
}

impl Bus {
    /// Asks the gateway `node` to deliver, or any node (`None`): that keeps messages for devices that are
    /// not connected. The outcomes are in the order of the items.
    ///
    /// # Errors
    /// [`DownError`] when the outcome is not known.
    pub async fn down(
        &self,
        node: Option<&str>,
        batch: DownBatch,
    ) -> Result<DownOutcomes, DownError> {
        let subject = match node {
            Some(node) => self.subject(format_args!("gateway.{node}.down")),
            None => self.subject("gateway.down"),
        };
        let mut outcomes = Vec::with_capacity(batch.items.len());
        for part in parts(batch.items) {
            let items = part.len();
            match self.ask_down(&subject, part).await {
                Ok(told) => outcomes.extend(told),
                // What was delivered before is told; the rest was not, or may have been.
                Err(error) if !outcomes.is_empty() => {
                    let kind = match error {
                        DownError::Nobody => Kind::NotConnected,
                        DownError::Silent => Kind::Unspecified,
                    };
                    let unknown = DownOutcome {
                        kind: kind.into(),
                        ..DownOutcome::default()
                    };
                    outcomes.extend(std::iter::repeat_n(unknown, items));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(DownOutcomes { outcomes })
    }

    async fn ask_down(
        &self,
        subject: &str,
        items: Vec<Down>,
    ) -> Result<Vec<DownOutcome>, DownError> {
        let request = Request::new()
            .payload(DownBatch { items }.encode_to_vec().into())
            .headers(headers(None, trace::parent().as_deref()))
            .timeout(Some(PATIENCE));
        let answer = match self
            .client()
            .send_request(subject.to_owned(), request)
            .await
        {
            Ok(answer) => answer,
            Err(error) if error.kind() == RequestErrorKind::NoResponders => {
                return Err(DownError::Nobody);
            }
            Err(_) => return Err(DownError::Silent),
        };
        let answer = DownOutcomes::decode(answer.payload).map_err(|_| DownError::Silent)?;
        Ok(answer.outcomes)
    }

    /// Answers what this gateway node is asked to deliver, and what any may. Requests are handled side by side.
    ///
    /// # Errors
    /// When NATS refuses the subscription.
    pub async fn serve_down<F, Fut>(&self, handle: F) -> anyhow::Result<()>
    where
        F: Fn(Addressee, DownBatch) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = DownOutcomes> + Send + 'static,
    {
        let own = self
            .client()
            .subscribe(self.subject(format_args!("gateway.{}.down", self.chassis().node())))
            .await?;
        let any = self
            .client()
            .queue_subscribe(self.subject("gateway.down"), GATEWAYS.into())
            .await?;
        // So that whoever is told of this node afterwards finds it.
        self.client().flush().await?;
        let handle = Arc::new(handle);
        let bus = self.clone();
        let stop = self.chassis().stopping(Phase::Inbox);
        let mut requests = futures::stream::select(
            own.map(|request| (Addressee::Node, request)),
            any.map(|request| (Addressee::Any, request)),
        );
        self.chassis().track(Phase::Inbox, async move {
            while let Some(Some((to, request))) = stop.run_until_cancelled(requests.next()).await {
                let (bus, handle) = (bus.clone(), handle.clone());
                let chassis = bus.chassis().clone();
                chassis.track(Phase::Inbox, async move {
                    bus.answer_down(to, request, &*handle).await
                });
            }
        });
        Ok(())
    }

    async fn answer_down<F, Fut>(&self, to: Addressee, request: Message, handle: &F)
    where
        F: Fn(Addressee, DownBatch) -> Fut,
        Fut: Future<Output = DownOutcomes>,
    {
        let batch = match DownBatch::decode(request.payload) {
            Ok(batch) => batch,
            Err(error) => return tracing::error!(%error, "an unreadable request to deliver"),
        };
        let outcomes = handle(to, batch).await;
        let Some(reply) = request.reply else { return };
        if let Err(error) = self
            .client()
            .publish(reply, outcomes.encode_to_vec().into())
            .await
        {
            tracing::warn!(%error, "the outcome of a delivery could not be told");
        }
    }
}

/// Cuts items into requests that NATS takes.
fn parts(items: Vec<Down>) -> Vec<Vec<Down>> {
    let mut parts: Vec<Vec<Down>> = Vec::new();
    let mut bytes = usize::MAX;
    for item in items {
        let len = 256
            + match &item.action {
                Some(down::Action::Publish(publish)) => publish.payload.len(),
                _ => 0,
            };
        if bytes.saturating_add(len) > REQUEST_BYTES {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += len;
        if let Some(part) = parts.last_mut() {
            part.push(item);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use proto::hoshu::bus::v1::Publish;

    use super::*;

    #[test]
    fn large_deliveries_are_cut_in_order() {
        let item = |n: u64| Down {
            session: n,
            action: Some(down::Action::Publish(Publish {
                payload: vec![0; 200 * 1024].into(),
                ..Publish::default()
            })),
            ..Down::default()
        };
        let parts = parts((0..5).map(item).collect());
        let sessions: Vec<Vec<_>> = parts
            .iter()
            .map(|part| part.iter().map(|item| item.session).collect())
            .collect();
        assert_eq!(sessions, [vec![0, 1], vec![2, 3], vec![4]]);
    }
}
