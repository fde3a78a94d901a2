//! The end of a connection: the device is told, what it left is kept, and the registry learns why.

use std::{future::poll_fn, time::Duration};

use chassis::Phase;
use proto::hoshu::{bus::v1::down_outcome::Kind, registry::internal::v1::Release};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    connection::Connection,
    state::{Body, Persistence, Session},
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

    /// Keeps what the device has not acknowledged, if its session outlives the connection, and tells who
    /// waits for it.
    async fn suspend(&mut self, end: End, now: i64) {
        let mut messages: Vec<Kept> = Vec::new();
        let (mut written, mut unwritten) = (Vec::new(), Vec::new());
        for (id, mut unacknowledged) in self.inflight.take_all() {
            if let Some(mut kept) = unacknowledged.kept.take() {
                kept.was_sent = true;
                kept.packet_id = Some(id);
                messages.push(*kept);
            }
            written.extend(unacknowledged.ticket);
        }
        for waiting in std::mem::take(&mut self.backlog) {
            messages.push(*waiting.kept);
            unwritten.extend(waiting.ticket);
        }
        let is_kept = self.keep(messages, end, now).await;
        for ticket in written {
            match (is_kept, end.found_dead()) {
                (true, _) => ticket.settle_as(Kind::Queued),
                (false, true) => ticket.settle_as(Kind::HalfOpen),
                // What was written stands.
                (false, false) => drop(ticket),
            }
        }
        for ticket in unwritten {
            match is_kept {
                true => ticket.settle_as(Kind::Queued),
                false => ticket.settle(outcome(Kind::NotConnected)),
            }
        }
    }

    /// Whether the messages are stored for the device's return.
    async fn keep(&mut self, messages: Vec<Kept>, end: End, now: i64) -> bool {
        let store = &self.gateway.store;
        let (device_id, session) = (self.facts.device_id, self.facts.session);
        let Persistence {
            expiry,
            is_kept,
            is_stored,
        } = self.persistence;
        if !is_kept || expiry == 0 || end == End::Deleted {
            if is_stored {
                store.forget_session(device_id, session);
            }
            return false;
        }
        let suspended = Suspended {
            device_id,
            session,
            expires_at: now + self.gateway.session_ms(expiry),
            messages,
        };
        let stored = store.suspend(&suspended).await;
        if let Err(error) = &stored {
            tracing::error!(
                error = format!("{error:#}"),
                messages = suspended.messages.len(),
                "messages for a device that went away could not be kept"
            );
        }
        stored.is_ok()
    }

    /// Waits for a device that asked for patience with its will; whether it has come back here.
    async fn comes_back(&mut self, delay_seconds: u32) -> bool {
        let (gateway, device_id) = (self.gateway.clone(), self.facts.device_id);
        let is_here = || gateway.sessions.get(device_id).is_some();
        if delay_seconds == 0 {
            return false;
        }
        if is_here() {
            return true;
        }
        let back = gateway.wills.wait(device_id);
        let stop = gateway.chassis.stopping(Phase::Door);
        let delay = Duration::from_secs(delay_seconds.into());
        let waited = stop.run_until_cancelled(gateway.clock.sleep(delay));
        if back.run_until_cancelled(waited).await.is_none() {
            return true;
        }
        gateway.wills.end(device_id);
        is_here()
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
