//! The end of a connection: the device is told, what it left is kept, and the registry learns why.

use std::{future::poll_fn, time::Duration};

use chassis::Phase;
use proto::hoshu::{bus::v1::down_outcome::Kind, registry::internal::v1::Release};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    connection::Connection,
    state::{Body, Session},
};
use crate::{
    answers::outcome,
    domain::ending::End,
    store::{queue::Kept, session::Suspended},
};

/// How long a last word to the device may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// How long messages that wait for a full stream are held after their connection.
const PATIENCE: Duration = Duration::from_secs(5);

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) async fn close(mut self, end: End) {
        for delivery in self.session.handle.shut() {
            delivery.ticket.settle(outcome(Kind::NotConnected));
        }
        if let Some(code) = end.disconnect_code() {
            self.session
                .wire
                .disconnect(&mut self.output, code, end.release().1);
        }
        let goodbye = poll_fn(|context| self.poll_flush_all(context));
        // A device that does not listen any more misses it.
        let _ = tokio::time::timeout(GOODBYE, goodbye).await;
        let Self { io, session, .. } = self;
        drop(io);
        session.finish(end).await;
    }
}

impl Session {
    async fn finish(mut self, end: End) {
        let now = self.now();
        let will = self.will.take().filter(|_| end.publishes_will());
        self.tell_refusals(None);
        self.suspend(end, now).await;
        self.gateway.sessions.leave(&self.handle);
        self.handle.is_gone();
        // Last, so that who is told that the device is away can have messages kept behind these.
        self.release(end, now);
        self.gateway.metrics.disconnected(end.as_str());
        if let Some(will) = will {
            if self
                .comes_back(will.delay.min(self.persistence.expiry))
                .await
            {
                return;
            }
            let now = self.now();
            self.publish_will(*will, now);
        }
        if tokio::time::timeout(PATIENCE, self.flush()).await.is_err() {
            tracing::warn!(
                product.key = self.facts.device.product_key.as_str(),
                device.name = self.facts.device.device_name.as_str(),
                messages = self.stalled.len(),
                "a closed connection's last messages are dropped: the stream is full"
            );
        }
    }

    fn release(&self, end: End, now: i64) {
        let (reason, detail) = end.release();
        self.gateway.releases.push(Release {
            device_id: self.facts.device_id,
            session: self.facts.session,
            reason: reason.into(),
            detail: detail.into(),
            at: now,
        });
    }

    /// Keeps what the device has not acknowledged, if its session outlives the connection.
    async fn suspend(&mut self, end: End, now: i64) {
        let outlives = self.persistence.is_kept && self.persistence.expiry > 0;
        let mut sent: Vec<Kept> = Vec::new();
        for mut unacknowledged in self.inflight.take_all() {
            if let Some(mut kept) = unacknowledged.kept.take() {
                kept.was_sent = true;
                sent.push(*kept);
            }
            if let Some(ticket) = unacknowledged.ticket {
                match (outlives, end.found_dead()) {
                    (true, _) => ticket.settle_as(Kind::Queued),
                    (false, true) => ticket.settle_as(Kind::HalfOpen),
                    // What was written stands.
                    (false, false) => drop(ticket),
                }
            }
        }
        for waiting in std::mem::take(&mut self.backlog) {
            if let Some(ticket) = waiting.ticket.filter(|_| !outlives) {
                ticket.settle(outcome(Kind::NotConnected));
            }
            sent.push(*waiting.kept);
        }
        if !self.persistence.is_kept {
            return;
        }
        let store = &self.gateway.store;
        let (device_id, session) = (self.facts.device_id, self.facts.session);
        if !outlives || matches!(end, End::Deleted) {
            return store.forget_session(device_id, session);
        }
        let expires_at = now + self.gateway.session_ms(self.persistence.expiry);
        let suspended = Suspended {
            device_id,
            session,
            expires_at,
            messages: sent,
        };
        if let Err(error) = store.suspend(&suspended).await {
            tracing::error!(
                error = format!("{error:#}"),
                messages = suspended.messages.len(),
                "messages for a device that went away could not be kept"
            );
        }
    }

    /// Waits for a device that asked for patience with its will; whether it has come back here.
    async fn comes_back(&mut self, delay_seconds: u32) -> bool {
        if delay_seconds > 0 {
            let stop = self.gateway.chassis.stopping(Phase::Door);
            let sleep = self
                .gateway
                .clock
                .sleep(Duration::from_secs(delay_seconds.into()));
            stop.run_until_cancelled(sleep).await;
            return self.gateway.sessions.get(self.facts.device_id).is_some();
        }
        false
    }

    async fn flush(&mut self) {
        while let Some(outbound) = self.stalled.front() {
            let partition = self.facts.partition;
            match &outbound.body {
                Body::Up(up) => {
                    let lane = bus::Lane::up(up.to, partition);
                    self.gateway.up.publish(lane, &self.facts.message(up)).await;
                }
                Body::Log(entry) | Body::Refusal(entry, ..) => {
                    self.gateway
                        .log
                        .publish(bus::Lane::log(partition), entry)
                        .await;
                }
            }
            self.stalled.pop_front();
        }
    }
}
