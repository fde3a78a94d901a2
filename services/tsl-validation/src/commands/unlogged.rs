//! The commands that this process has in hand, until their lines are on their stream.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bus::Receipt;
use chrono::{DateTime, Utc};
use uuid::Uuid;

#[derive(Default)]
pub(crate) struct Unlogged(Mutex<HashMap<Uuid, Held>>);

struct Held {
    /// From then on another pod takes it for nobody's.
    due_at: DateTime<Utc>,
    /// Of all its lines, when the last was told.
    receipts: Option<Vec<Receipt>>,
}

/// A command in hand. Dropped without a word of its lines, it is nobody's.
pub(crate) struct InHand {
    all: Arc<Unlogged>,
    message_id: Uuid,
}

impl Unlogged {
    pub(crate) fn begin(self: &Arc<Self>, message_id: Uuid, due_at: DateTime<Utc>) -> InHand {
        let held = Held {
            due_at,
            receipts: None,
        };
        self.0
            .lock()
            .expect("not poisoned")
            .insert(message_id, held);
        InHand {
            all: self.clone(),
            message_id,
        }
    }

    /// Those whose lines are all on their stream.
    pub(crate) fn logged(&self) -> Vec<Uuid> {
        let all = self.0.lock().expect("not poisoned");
        let is_logged = |held: &Held| {
            let receipts = held.receipts.as_ref();
            receipts.is_some_and(|receipts| receipts.iter().all(Receipt::is_durable))
        };
        let logged = all.iter().filter(|(_, held)| is_logged(held));
        logged.map(|(id, _)| *id).collect()
    }

    pub(crate) fn forget(&self, message_ids: &[Uuid]) {
        let mut all = self.0.lock().expect("not poisoned");
        for id in message_ids {
            all.remove(id);
        }
    }

    /// Those that another pod would take before `soon`.
    pub(crate) fn due_before(&self, soon: DateTime<Utc>) -> Vec<Uuid> {
        let all = self.0.lock().expect("not poisoned");
        let due = all.iter().filter(|(_, held)| held.due_at < soon);
        due.map(|(id, _)| *id).collect()
    }

    pub(crate) fn held(&self, message_ids: &[Uuid], due_at: DateTime<Utc>) {
        let mut all = self.0.lock().expect("not poisoned");
        for id in message_ids {
            if let Some(held) = all.get_mut(id) {
                held.due_at = due_at;
            }
        }
    }
}

impl InHand {
    /// All its lines are told.
    pub(super) fn told(self, receipts: Vec<Receipt>) {
        let mut all = self.all.0.lock().expect("not poisoned");
        if let Some(held) = all.get_mut(&self.message_id) {
            held.receipts = Some(receipts);
        }
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().expect("not poisoned");
        if all
            .get(&self.message_id)
            .is_some_and(|held| held.receipts.is_none())
        {
            all.remove(&self.message_id);
        }
    }
}
