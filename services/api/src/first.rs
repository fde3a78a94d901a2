//! An account's first user and token, made from the command line: nobody has a token yet.

use anyhow::{Context, anyhow, bail, ensure};
use bytes::Bytes;
use chassis::Noun;
use chrono::{DateTime, Utc};
use proto::hoshu::bus::v1::Event;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::domain::{Name, Role, Secret};
use crate::store;
use crate::store::token::NewToken;

/// The account that `hoshu up` makes.
const DEFAULT: &str = "default";
/// Its user, and that of every account made by `hoshu account create`.
const ADMIN: &str = "admin";
/// Name of the token that an account begins with.
const FIRST: &str = "first";
/// Name of the token that comes from the environment.
const SET: &str = "HOSHU_ADMIN_TOKEN";

/// Makes an account with an ADMIN user; answers with that user's token, which nobody can be shown again.
///
/// # Errors
/// When the name is not one, or is taken.
pub async fn create_account(
    pool: &PgPool,
    name: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let secret = Secret::random();
    let mut tx = pool.begin().await?;
    make(&mut tx, name, FIRST, &secret, now).await?;
    tx.commit().await?;
    Ok(secret.into_text())
}

/// Makes the account `default` if it is not there, and lets `token` in as its administrator.
/// Another token that was given before is let in no longer.
/// Answers with a token that was made here: the account is new, and none was given.
///
/// # Errors
/// When the token is not one, or belongs to somebody else.
pub async fn ensure_default_account(
    pool: &PgPool,
    token: Option<&str>,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<String>> {
    let given = match token {
        None => None,
        Some(text) => Some(
            Secret::given(text)
                .map_err(|_| anyhow!("the administrator's token {}", Secret::RULE))?,
        ),
    };
    let mut tx = pool.begin().await?;
    let made = match (store::account::lock_by_name(&mut tx, DEFAULT).await?, given) {
        (None, None) => {
            let secret = Secret::random();
            make(&mut tx, DEFAULT, FIRST, &secret, now).await?;
            Some(secret.into_text())
        }
        (None, Some(secret)) => {
            make(&mut tx, DEFAULT, SET, &secret, now).await?;
            None
        }
        (Some(_), None) => None,
        (Some(account), Some(secret)) => {
            let admin = store::user::first_admin(&mut tx, account).await?;
            let admin = admin.context("the account default has no ADMIN user")?;
            store::token::delete_others_named(&mut tx, admin.id, SET, &secret.hash()).await?;
            let new = new_token(account, admin.id, SET, &secret);
            if store::token::insert(&mut tx, &new, now).await?.is_none() {
                let holder = store::token::holder(&mut *tx, &secret.hash()).await?;
                let is_ours = holder.is_some_and(|holder| {
                    holder.account_id == account && holder.role() == Role::Admin
                });
                ensure!(is_ours, "the administrator's token is somebody else's");
            }
            None
        }
    };
    tx.commit().await?;
    Ok(made)
}

async fn make(
    tx: &mut PgConnection,
    name: &str,
    token: &str,
    secret: &Secret,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let name: Name = name
        .parse()
        .map_err(|_| anyhow!("an account's name {}", Name::RULE))?;
    let Some(account) = store::account::insert(tx, name.as_str(), now).await? else {
        bail!("an account named {} is there already", name.as_str());
    };
    let user = store::user::insert(tx, account, ADMIN, Role::Admin, now).await?;
    let user = user.context("a new account has a user already")?;
    let made = store::token::insert(tx, &new_token(account, user.id, token, secret), now).await?;
    ensure!(made.is_some(), "the token belongs to another account");
    let event = Event {
        id: Bytes::new(),
        account_id: account.to_string(),
        actor: "hoshu".to_owned(),
        at: now.timestamp_millis(),
        action: "account.created".to_owned(),
        subject: format!("account/{account}"),
        before: String::new(),
        after: serde_json::json!({ "name": name.as_str() }).to_string(),
    };
    bus::outbox::tell(tx, Noun::Api, event).await?;
    Ok(())
}

fn new_token<'a>(account_id: Uuid, user_id: Uuid, name: &'a str, secret: &Secret) -> NewToken<'a> {
    NewToken {
        account_id,
        user_id,
        name,
        role: Role::Admin,
        hash: secret.hash(),
        expires_at: None,
    }
}
