//! Who asks.

use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Request, Status};

const ACCOUNT: &str = "hoshu-account";
const ACTOR: &str = "hoshu-actor-bin";

/// The account in whose name a service asks another, and who of it acts.
/// The api takes them from the token; everyone behind it trusts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub account_id: String,
    /// For the audit trail: `user/token`, or a service's own name.
    pub actor: String,
}

impl Caller {
    /// Reads the caller of a request.
    ///
    /// # Errors
    /// UNAUTHENTICATED when no account is named: the api always names one.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        Self::read(request.metadata())
            .ok_or_else(|| Status::unauthenticated("the request names no account"))
    }

    /// A request in this caller's name.
    pub fn ask<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        self.write(request.metadata_mut());
        request
    }

    /// Puts the caller into a request's metadata.
    pub fn write(&self, metadata: &mut MetadataMap) {
        if let Ok(account) = self.account_id.parse() {
            metadata.insert(ACCOUNT, account);
        }
        metadata.insert_bin(ACTOR, MetadataValue::from_bytes(self.actor.as_bytes()));
    }

    fn read(metadata: &MetadataMap) -> Option<Self> {
        let account = metadata.get(ACCOUNT)?.to_str().ok()?;
        let actor = metadata.get_bin(ACTOR)?.to_bytes().ok()?;
        Some(Self {
            account_id: account.to_owned(),
            actor: String::from_utf8(actor.to_vec()).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_survives_the_way_whatever_its_name() {
        let caller = Caller {
            account_id: "acc-1".into(),
            actor: "保守 / console".into(),
        };
        assert_eq!(Caller::of(&caller.ask(())).unwrap(), caller);
    }
}
