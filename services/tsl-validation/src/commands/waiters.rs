//! Who waits in this process for the answer to which command.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use proto::hoshu::bus::v1::Answered as Told;
use tokio::sync::watch;
use uuid::Uuid;

use crate::store::command::Answered;

#[derive(Default)]
pub(crate) struct Waiters(Mutex<HashMap<Uuid, watch::Sender<Option<Answered>>>>);

/// Waits until it is dropped.
pub(crate) struct Waiter {
    waiters: Arc<Waiters>,
    message_id: Uuid,
    answer: watch::Receiver<Option<Answered>>,
}

impl Waiters {
    pub(crate) fn wait(self: &Arc<Self>, message_id: Uuid) -> Waiter {
        let (told, answer) = watch::channel(None);
        let mut waiters = self.0.lock().expect("not poisoned");
        waiters.insert(message_id, told);
        Waiter {
            waiters: self.clone(),
            message_id,
            answer,
        }
    }

    /// An answer was told, after it was stored.
    pub(crate) fn tell(&self, told: Told) {
        let Ok(message_id) = Uuid::from_slice(&told.message_id) else {
            return;
        };
        let waiters = self.0.lock().expect("not poisoned");
        if let Some(waiter) = waiters.get(&message_id) {
            waiter.send_replace(Some(Answered {
                code: told.code,
                message: told.message,
                data: told.data,
            }));
        }
    }
}

impl Waiter {
    /// The answer, when it is told.
    pub(crate) async fn answer(&self) -> Answered {
        let mut answer = self.answer.clone();
        loop {
            if let Some(answer) = answer.borrow_and_update().clone() {
                return answer;
            }
            // The sender is in the map for as long as this waits.
            if answer.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiters = self.waiters.0.lock().expect("not poisoned");
        waiters.remove(&self.message_id);
    }
}
