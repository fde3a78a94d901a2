//! Which devices are connected here, and the box in which each session finds its mail.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context, Waker},
};

use ahash::AHashMap;
use proto::hoshu::bus::v1::down_outcome::Kind;
use tokio::sync::Notify;

use crate::{
    answers::{Ticket, outcome},
    domain::ending::End,
};

const SHARDS: usize = 64;
/// Messages that may wait for one session to look at them.
const MAIL: usize = 256;

/// A message for a device, and where its outcome is told.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) message_id: bytes::Bytes,
    pub(crate) publish: proto::hoshu::bus::v1::Publish,
    pub(crate) ticket: Ticket,
}

#[derive(Debug, Default)]
struct Mailbox {
    deliveries: VecDeque<Delivery>,
    end: Option<End>,
    tick: bool,
    over: bool,
    waker: Option<Waker>,
}

/// What was in the mailbox.
#[derive(Debug)]
pub(crate) struct Mail {
    pub(crate) deliveries: VecDeque<Delivery>,
    pub(crate) end: Option<End>,
    pub(crate) tick: bool,
}

/// One connected device, as others reach it.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) device_id: i64,
    pub(crate) session: u64,
    /// Its state is kept when the connection ends.
    pub(crate) is_kept: bool,
    mailbox: Mutex<Mailbox>,
    /// When the session wants to be woken, in UTC milliseconds.
    deadline: AtomicI64,
    gone: Notify,
}

impl Handle {
    pub(crate) fn new(device_id: i64, session: u64, is_kept: bool) -> Self {
        Self {
            device_id,
            session,
            is_kept,
            mailbox: Mutex::default(),
            deadline: AtomicI64::new(i64::MAX),
            gone: Notify::new(),
        }
    }

    /// When the box is full, the delivery's outcome stays that of a slow device.
    pub(crate) fn deliver(&self, delivery: Delivery) {
        let mut mailbox = self.lock();
        if mailbox.over {
            drop(mailbox);
            return delivery.ticket.settle(outcome(Kind::NotConnected));
        }
        if mailbox.deliveries.len() < MAIL {
            mailbox.deliveries.push_back(delivery);
            wake(mailbox);
        }
    }

    /// Ends the session; the first cause counts.
    pub(crate) fn end(&self, end: End) {
        let mut mailbox = self.lock();
        mailbox.end.get_or_insert(end);
        wake(mailbox);
    }

    /// Takes all mail, and has the task woken by the next.
    pub(crate) fn take(&self, context: &Context<'_>) -> Mail {
        let mut mailbox = self.lock();
        match &mut mailbox.waker {
            Some(waker) => waker.clone_from(context.waker()),
            empty => *empty = Some(context.waker().clone()),
        }
        let end = mailbox.end.take();
        Mail {
            // After an end nobody looks at them: [`Handle::shut`] has them answered.
            deliveries: match end {
                None => std::mem::take(&mut mailbox.deliveries),
                Some(_) => VecDeque::new(),
            },
            end,
            tick: std::mem::take(&mut mailbox.tick),
        }
    }

    /// The session is over: takes no more mail. Returns what is left.
    pub(crate) fn shut(&self) -> VecDeque<Delivery> {
        let mut mailbox = self.lock();
        mailbox.over = true;
        std::mem::take(&mut mailbox.deliveries)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.lock().over
    }

    pub(crate) fn wake_at(&self, deadline_ms: i64) {
        self.deadline.store(deadline_ms, Ordering::Relaxed);
    }

    pub(crate) fn wake_before(&self, deadline_ms: i64) {
        self.deadline.fetch_min(deadline_ms, Ordering::Relaxed);
    }

    /// Everything of the session is stored and told.
    pub(crate) fn is_gone(&self) {
        self.gone.notify_one();
    }

    pub(crate) async fn until_gone(&self) {
        self.gone.notified().await;
        self.gone.notify_one();
    }

    fn tick(&self) {
        let mut mailbox = self.lock();
        mailbox.tick = true;
        wake(mailbox);
    }

    fn lock(&self) -> MutexGuard<'_, Mailbox> {
        self.mailbox.lock().expect("not poisoned")
    }
}

fn wake(mut mailbox: MutexGuard<'_, Mailbox>) {
    let waker = mailbox.waker.take();
    drop(mailbox);
    if let Some(waker) = waker {
        waker.wake();
    }
}

type Shard = AHashMap<i64, Arc<Handle>>;

/// All sessions of this node by device.
#[derive(Debug)]
pub(crate) struct Directory {
    shards: Box<[Mutex<Shard>]>,
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }
}

impl Directory {
    pub(crate) fn get(&self, device_id: i64) -> Option<Arc<Handle>> {
        self.shard(device_id).get(&device_id).cloned()
    }

    /// Puts a session in place; returns the one that the device had here, or the newer one that has
    /// come before this.
    pub(crate) fn enter(&self, handle: &Arc<Handle>) -> Result<Option<Arc<Handle>>, Arc<Handle>> {
        let mut shard = self.shard(handle.device_id);
        match shard.get(&handle.device_id) {
            Some(newer) if newer.session > handle.session => Err(newer.clone()),
            _ => Ok(shard.insert(handle.device_id, handle.clone())),
        }
    }

    pub(crate) fn leave(&self, handle: &Handle) {
        let mut shard = self.shard(handle.device_id);
        if shard
            .get(&handle.device_id)
            .is_some_and(|held| held.session == handle.session)
        {
            shard.remove(&handle.device_id);
        }
    }

    pub(crate) fn end_all(&self, end: End) {
        self.each(|handle| handle.end(end));
    }

    /// Wakes those whose time has come.
    pub(crate) fn tick(&self, now_ms: i64) {
        self.each(|handle| {
            if handle.deadline.load(Ordering::Relaxed) <= now_ms {
                handle.wake_at(i64::MAX);
                handle.tick();
            }
        });
    }

    /// Devices whose sessions are kept.
    pub(crate) fn kept(&self) -> Vec<i64> {
        let mut kept = Vec::new();
        self.each(|handle| {
            if handle.is_kept {
                kept.push(handle.device_id);
            }
        });
        kept
    }

    fn each(&self, mut visit: impl FnMut(&Handle)) {
        for shard in &self.shards {
            for handle in shard.lock().expect("not poisoned").values() {
                visit(handle);
            }
        }
    }

    fn shard(&self, device_id: i64) -> MutexGuard<'_, Shard> {
        let index = device_id.unsigned_abs() as usize % SHARDS;
        self.shards[index].lock().expect("not poisoned")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_session_of_a_device_stays() {
        let directory = Directory::default();
        let (old, new) = (
            Arc::new(Handle::new(7, 1, false)),
            Arc::new(Handle::new(7, 2, true)),
        );
        assert!(directory.enter(&old).unwrap().is_none());
        assert_eq!(directory.enter(&new).unwrap().unwrap().session, 1);
        assert_eq!(
            directory.enter(&old).unwrap_err().session,
            2,
            "a late one does not displace it"
        );
        directory.leave(&old);
        assert_eq!(directory.get(7).unwrap().session, 2);
        assert_eq!(directory.kept(), [7]);
        directory.leave(&new);
        assert!(directory.get(7).is_none());
    }

    #[test]
    fn only_sessions_whose_time_has_come_are_woken() {
        let directory = Directory::default();
        let handle = Arc::new(Handle::new(7, 1, false));
        directory.enter(&handle).unwrap();
        handle.wake_at(1_000);
        let context = Context::from_waker(Waker::noop());
        directory.tick(999);
        assert!(!handle.take(&context).tick);
        directory.tick(1_000);
        assert!(handle.take(&context).tick);
        directory.tick(2_000);
        assert!(!handle.take(&context).tick, "once for each deadline");
    }

    #[test]
    fn mail_that_comes_with_the_end_is_left_for_who_closes() {
        let handle = Handle::new(7, 1, false);
        let answers = crate::answers::Answers::new(1);
        handle.deliver(Delivery {
            message_id: bytes::Bytes::new(),
            publish: proto::hoshu::bus::v1::Publish::default(),
            ticket: answers.ticket(0),
        });
        handle.end(End::Kicked);
        let mail = handle.take(&Context::from_waker(Waker::noop()));
        assert_eq!((mail.end, mail.deliveries.len()), (Some(End::Kicked), 0));
        assert_eq!(handle.shut().len(), 1, "to be answered: not here any more");
    }
}
