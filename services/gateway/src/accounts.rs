//! The accounts whose devices are connected here, each with its shared rate.

use std::sync::{Arc, Mutex, Weak};

use ahash::AHashMap;

use crate::domain::rate::SharedMeter;

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: Box<str>,
    pub(crate) published: SharedMeter,
}

impl Account {
    pub(crate) fn new(id: &str) -> Self {
        Self {
            id: id.into(),
            published: SharedMeter::default(),
        }
    }
}

/// One entry for each account with a device here; those without are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Accounts(Mutex<AHashMap<Box<str>, Weak<Account>>>);

impl Accounts {
    pub(crate) fn get(&self, id: &str) -> Arc<Account> {
        let mut accounts = self.0.lock().expect("not poisoned");
        if let Some(account) = accounts.get(id).and_then(Weak::upgrade) {
            return account;
        }
        accounts.retain(|_, account| account.strong_count() > 0);
        let account = Arc::new(Account::new(id));
        accounts.insert(id.into(), Arc::downgrade(&account));
        account
    }
}
