//! Who waits in this process for the answer to which command.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use uuid::Uuid;

#[derive(Default)]
pub(crate) struct Waiters(Mutex<HashMap<Uuid, Arc<Notify>>>);

/// Waits until it is dropped.
pub(crate) struct Waiter {
    waiters: Arc<Waiters>,
    message_id: Uuid,
    woken: Arc<Notify>,
}

impl Waiters {
    pub(crate) fn wait(self: &Arc<Self>, message_id: Uuid) -> Waiter {
        let woken = Arc::new(Notify::new());
        let mut waiters = self.0.lock().expect("not poisoned");
        waiters.insert(message_id, woken.clone());
        Waiter {
            waiters: self.clone(),
            message_id,
            woken,
        }
    }

    /// An answer was told. What it says is read from the database.
    pub(crate) fn wake(&self, message_id: &[u8]) {
        let Ok(message_id) = Uuid::from_slice(message_id) else {
            return;
        };
        let waiters = self.0.lock().expect("not poisoned");
        if let Some(woken) = waiters.get(&message_id) {
            woken.notify_one();
        }
    }
}

impl Waiter {
    pub(crate) async fn woken(&self) {
        self.woken.notified().await;
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiters = self.waiters.0.lock().expect("not poisoned");
        waiters.remove(&self.message_id);
    }
}
