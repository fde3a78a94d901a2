//! Who asks: from a bearer token to an identity.
//!
//! What a token stands for is remembered for [`REMEMBERED`]: a token that another pod revokes
//! works here that much longer. On the pod that revokes it, it is refused at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chassis::{Caller, Clock, Refusal};
use chrono::{DateTime, Utc};
use http::{HeaderMap, header};
use sqlx::PgPool;
use tonic::Code;
use uuid::Uuid;

use crate::domain::{Hash, Role, Secret};
use crate::store;

const REMEMBERED: Duration = Duration::from_secs(5);
const MOST_REMEMBERED: u64 = 20_000;

/// Whose token was shown.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) account_id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) role: Role,
    /// `user/token`, for the audit trail.
    pub(crate) actor: String,
    expires_at: Option<DateTime<Utc>>,
}

impl Identity {
    pub(crate) fn caller(&self) -> Caller {
        Caller {
            account_id: self.account_id.to_string(),
            actor: self.actor.clone(),
        }
    }

    pub(crate) fn may(&self, access: Role) -> Result<(), Refusal> {
        if self.role >= access {
            return Ok(());
        }
        let detail = format!(
            "the token's role is {}; this wants {}",
            self.role.name(),
            access.name()
        );
        Err(Refusal::new(Code::PermissionDenied, detail))
    }
}

pub(crate) struct Auth {
    pool: PgPool,
    clock: Clock,
    remembered: moka::sync::Cache<Hash, Remembered>,
    /// Grows when a token or user changes here; what was read before is then not believed.
    generation: AtomicU64,
}

#[derive(Clone)]
struct Remembered {
    generation: u64,
    /// Absent: there is no such token.
    identity: Option<Arc<Identity>>,
}

impl Auth {
    pub(crate) fn new(pool: PgPool, clock: Clock) -> Self {
        let remembered = moka::sync::Cache::builder()
            .max_capacity(MOST_REMEMBERED)
            .time_to_live(REMEMBERED)
            .build();
        Self {
            pool,
            clock,
            remembered,
            generation: AtomicU64::new(0),
        }
    }

    /// Forgets all tokens; called when a change of one has been committed.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) async fn identify(&self, headers: &HeaderMap) -> Result<Arc<Identity>, Refusal> {
        let shown = bearer(headers)
            .ok_or_else(|| unauthenticated("a token is wanted: Authorization: Bearer <token>"))?;
        let secret = Secret::given(shown).map_err(|_| unknown())?;
        let identity = self.look_up(secret.hash()).await?.ok_or_else(unknown)?;
        if identity
            .expires_at
            .is_some_and(|end| end <= self.clock.now())
        {
            return Err(unauthenticated("the token has expired"));
        }
        Ok(identity)
    }

    async fn look_up(&self, hash: Hash) -> Result<Option<Arc<Identity>>, Refusal> {
        let generation = self.generation.load(Ordering::Acquire);
        if let Some(known) = self
            .remembered
            .get(&hash)
            .filter(|known| known.generation == generation)
        {
            return Ok(known.identity);
        }
        let identity = match store::token::holder(&self.pool, &hash).await? {
            None => None,
            Some(holder) => {
                store::token::note_use(
                    &self.pool,
                    holder.token_id,
                    holder.last_used_at,
                    self.clock.now(),
                )
                .await?;
                Some(Arc::new(Identity {
                    account_id: holder.account_id,
                    user_id: holder.user_id,
                    role: holder.role(),
                    actor: format!("{}/{}", holder.user_name, holder.token_name),
                    expires_at: holder.expires_at,
                }))
            }
        };
        self.remembered.insert(
            hash,
            Remembered {
                generation,
                identity: identity.clone(),
            },
        );
        Ok(identity)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn unauthenticated(detail: &str) -> Refusal {
    Refusal::new(Code::Unauthenticated, detail)
}

fn unknown() -> Refusal {
    unauthenticated("the token is not known")
}
