//! Tokens of an account's users. A token's role is at most its user's.

use chassis::page::Page;
use chassis::{Fault, Refusal};
use proto::hoshu::account::v1::*;

use super::{Accounts, id, wire};
use crate::auth::Identity;
use crate::domain::Secret;
use crate::store::token::NewToken;
use crate::store::{self, Cursor};
use crate::tell::{Change, tell};

pub(super) async fn list(
    accounts: &Accounts,
    asker: &Identity,
    ask: ListTokensRequest,
) -> Result<ListTokensResponse, Refusal> {
    let page = Page::parse(ask.page_size, &ask.page_token)?;
    let mut rows = store::token::page(
        &accounts.pool,
        asker.account_id,
        Cursor::of(&page)?,
        page.limit(),
    )
    .await?;
    let next_page_token = page.cut(&mut rows, |row| row.cursor().to_bytes());
    Ok(ListTokensResponse {
        items: rows.into_iter().map(|row| wire::token(row, None)).collect(),
        next_page_token,
    })
}

pub(super) async fn create(
    accounts: &Accounts,
    asker: &Identity,
    ask: CreateTokenRequest,
) -> Result<Token, Refusal> {
    let now = accounts.clock.now();
    let user = match &ask.user_id {
        Some(user) => id(user, "user")?,
        None => asker.user_id,
    };
    let mut tx = accounts.pool.begin().await?;
    // A user who is demoted meanwhile waits for us, and we for them.
    store::account::lock(&mut tx, asker.account_id).await?;
    let owner = store::user::find(&mut tx, asker.account_id, user).await?;
    let owner = owner.ok_or_else(|| Refusal::not_found(format_args!("user {user}")))?;

    let mut faults = Vec::new();
    let (name, role) = (
        wire::name(&ask.name, &mut faults),
        wire::role(ask.role, &mut faults),
    );
    let expires_at = wire::time("/expiresAt", ask.expires_at)?;
    if expires_at.is_some_and(|end| end <= now) {
        faults.push(Fault::new("/expiresAt", "must be in the future"));
    }
    if role.is_some_and(|role| role > owner.role()) {
        let most = owner.role().name();
        faults.push(Fault::new(
            "/role",
            format!("cannot reach further than its user, whose role is {most}"),
        ));
    }
    let (Some(name), Some(role), true) = (name, role, faults.is_empty()) else {
        return Err(Refusal::faults(faults));
    };

    let secret = Secret::random();
    let new = NewToken {
        account_id: asker.account_id,
        user_id: user,
        name: name.as_str(),
        role,
        hash: secret.hash(),
        expires_at,
    };
    let row = store::token::insert(&mut tx, &new, now).await?;
    let row =
        row.ok_or_else(|| Refusal::internal(anyhow::anyhow!("two random tokens were the same")))?;
    let (subject, after) = (format!("token/{}", row.id), Some(wire::token_state(&row)));
    tell(
        &mut tx,
        Change {
            asker,
            now,
            action: "token.created",
            subject,
            before: None,
            after,
        },
    )
    .await?;
    tx.commit().await?;
    Ok(wire::token(row, Some(secret.into_text())))
}

pub(super) async fn delete(
    accounts: &Accounts,
    asker: &Identity,
    ask: DeleteTokenRequest,
) -> Result<DeleteTokenResponse, Refusal> {
    let now = accounts.clock.now();
    let mut tx = accounts.pool.begin().await?;
    let row = store::token::delete(&mut tx, asker.account_id, id(&ask.id, "token")?).await?;
    let row = row.ok_or_else(|| Refusal::not_found(format_args!("token {}", ask.id)))?;
    let (subject, before) = (format!("token/{}", row.id), Some(wire::token_state(&row)));
    tell(
        &mut tx,
        Change {
            asker,
            now,
            action: "token.deleted",
            subject,
            before,
            after: None,
        },
    )
    .await?;
    tx.commit().await?;
    accounts.auth.forget();
    Ok(DeleteTokenResponse {})
}
