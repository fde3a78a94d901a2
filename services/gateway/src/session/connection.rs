//! Bytes in, bytes out: one task, one poll, and no buffers while nothing moves.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::state::Session;
use crate::domain::ending::End;

/// Bytes taken from a socket at once. They stand on the stack, so that an idle connection has none.
const CHUNK: usize = 16 * 1024;
/// Packets that one turn looks at; then the other connections have theirs. A chunk holds 8,192 PINGREQs.
const PACKETS_A_TURN: usize = 256;

pub(super) struct Connection<S> {
    pub(super) io: S,
    pub(super) input: BytesMut,
    pub(super) output: BytesMut,
    pub(super) session: Session,
    /// Since when the device has taken nothing, in UTC milliseconds.
    pub(super) blocked_since: Option<i64>,
}

/// Why no more packets were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    NeedsBytes,
    Held,
    TurnIsOver,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) async fn run(&mut self) -> End {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        match self.step(context) {
            Poll::Ready(Err(end)) => Poll::Ready(end),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    }

    /// Everything that can be done now.
    fn step(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        let mut left = PACKETS_A_TURN;
        loop {
            let now = self.session.now();
            self.take_mail(context, now)?;
            self.poll_work(context)?;
            let stopped = self.read_packets(now, &mut left)?;
            // Behind the packets: the first of a lane makes its tally.
            self.session.lanes.register(context.waker());
            self.session.release_acks(&mut self.output);
            self.poll_write(context, now)?;
            match stopped {
                Stopped::NeedsBytes => {
                    self.give_back();
                    let came = ready!(self.poll_fill(context))?;
                    self.session.heard.bytes(came, self.session.now());
                }
                // Work that was begun must be polled once; answers may have made room.
                Stopped::Held if self.is_begun(context)? => {}
                Stopped::Held => return Poll::Pending,
                Stopped::TurnIsOver => {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        }
    }

    fn take_mail(&mut self, context: &Context<'_>, now: i64) -> Result<(), End> {
        let mail = self.session.handle.take(context);
        if let Some(end) = mail.end {
            return Err(end);
        }
        for delivery in mail.deliveries {
            self.session.on_delivery(delivery, now, &mut self.output);
        }
        if mail.tick {
            self.on_tick(now)?;
        }
        Ok(())
    }

    fn on_tick(&mut self, now: i64) -> Result<(), End> {
        let too_slow_at = self.blocked_since.map(|since| since + self.patience_ms());
        if too_slow_at.is_some_and(|at| now >= at) {
            return Err(End::SlowReader);
        }
        let held = !self.session.may_read(self.output.len());
        self.session.on_tick(now, held)?;
        if let Some(at) = too_slow_at {
            self.session.handle.wake_before(at);
        }
        Ok(())
    }

    /// How long a device may take nothing.
    fn patience_ms(&self) -> i64 {
        i64::from(self.session.gateway.config.slow_seconds) * 1000
    }

    /// Ends work that is done; says by `Ok` that none of it failed.
    fn poll_work(&mut self, context: &mut Context<'_>) -> Result<(), End> {
        while let Some(work) = &mut self.session.work {
            let Poll::Ready(done) = work.as_mut().poll(context) else {
                break;
            };
            self.session.work = None;
            self.session.on_done(done, &mut self.output)?;
        }
        Ok(())
    }

    fn read_packets(&mut self, now: i64, left: &mut usize) -> Result<Stopped, End> {
        loop {
            if !self.session.may_read(self.output.len()) {
                return Ok(Stopped::Held);
            }
            if *left == 0 {
                return Ok(Stopped::TurnIsOver);
            }
            *left -= 1;
            match self.session.wire.read(&mut self.input) {
                Ok(Some(packet)) => {
                    self.session.heard.packet(now);
                    self.session.on_packet(packet, now, &mut self.output)?;
                }
                Ok(None) => return Ok(Stopped::NeedsBytes),
                Err(violation) => return Err(End::Violation(violation)),
            }
        }
    }

    /// Whether something changed since reading stopped, so that another turn is worth it.
    fn is_begun(&mut self, context: &mut Context<'_>) -> Result<bool, End> {
        let had_work = self.session.work.is_some();
        self.poll_work(context)?;
        Ok((had_work && self.session.work.is_none()) || self.session.may_read(self.output.len()))
    }

    /// How many bytes came.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<Result<usize, End>> {
        let mut space = [MaybeUninit::<u8>::uninit(); CHUNK];
        let mut chunk = ReadBuf::uninit(&mut space);
        match ready!(Pin::new(&mut self.io).poll_read(context, &mut chunk)) {
            Ok(()) if chunk.filled().is_empty() => Poll::Ready(Err(End::Reset)),
            Ok(()) => {
                self.input.extend_from_slice(chunk.filled());
                Poll::Ready(Ok(chunk.filled().len()))
            }
            Err(_) => Poll::Ready(Err(End::Reset)),
        }
    }

    /// One write for all answers; what the socket does not take waits for it.
    fn poll_write(&mut self, context: &mut Context<'_>, now: i64) -> Result<(), End> {
        while !self.output.is_empty() {
            match Pin::new(&mut self.io).poll_write(context, &self.output) {
                Poll::Pending => {
                    if self.blocked_since.is_none() {
                        self.blocked_since = Some(now);
                        let too_slow_at = now + self.patience_ms();
                        self.session.handle.wake_before(too_slow_at);
                    }
                    return Ok(());
                }
                Poll::Ready(Ok(0) | Err(_)) => return Err(End::Reset),
                Poll::Ready(Ok(written)) => {
                    self.blocked_since = None;
                    self.output.advance(written);
                }
            }
        }
        match Pin::new(&mut self.io).poll_flush(context) {
            Poll::Ready(Err(_)) => Err(End::Reset),
            _ => Ok(()),
        }
    }

    fn give_back(&mut self) {
        if self.input.is_empty() && self.input.capacity() > 0 {
            self.input = BytesMut::new();
        }
        if self.output.is_empty() && self.output.capacity() > 0 {
            self.output = BytesMut::new();
        }
    }

    pub(super) fn poll_flush_all(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(context, &self.output))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.output.advance(written);
        }
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    /// What a connection holds for itself, without its names and subscriptions.
    #[test]
    fn an_idle_connection_is_small() {
        let connection = size_of::<Connection<TcpStream>>();
        assert!(connection <= 768, "{connection} bytes");
    }
}
