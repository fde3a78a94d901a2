//! Users of an account. Its last ADMIN stays one, or nobody could let anyone in again.

use chassis::Refusal;
use chassis::page::Page;
use proto::hoshu::account::v1::*;
use tonic::Code;

use super::{Accounts, id, wire};
use crate::auth::Identity;
use crate::domain::Role;
use crate::store::{self, Cursor};
use crate::tell::{Change, tell};

pub(super) async fn list(
    accounts: &Accounts,
    asker: &Identity,
    ask: ListUsersRequest,
) -> Result<ListUsersResponse, Refusal> {
    let page = Page::parse(ask.page_size, &ask.page_token)?;
    let mut rows = store::user::page(
        &accounts.pool,
        asker.account_id,
        Cursor::of(&page)?,
        page.limit(),
    )
    .await?;
    let next_page_token = page.cut(&mut rows, |row| row.cursor().to_bytes());
    Ok(ListUsersResponse {
        items: rows.into_iter().map(wire::user).collect(),
        next_page_token,
    })
}

pub(super) async fn get(
    accounts: &Accounts,
    asker: &Identity,
    ask: GetUserRequest,
) -> Result<User, Refusal> {
    let mut connection = accounts.pool.acquire().await?;
    let row = store::user::find(&mut connection, asker.account_id, id(&ask.id, "user")?).await?;
    row.map(wire::user).ok_or_else(|| missing(&ask.id))
}

pub(super) async fn create(
    accounts: &Accounts,
    asker: &Identity,
    ask: CreateUserRequest,
) -> Result<User, Refusal> {
    let mut faults = Vec::new();
    let (name, role) = (
        wire::name(&ask.name, &mut faults),
        wire::role(ask.role, &mut faults),
    );
    let (Some(name), Some(role)) = (name, role) else {
        return Err(Refusal::faults(faults));
    };
    let now = accounts.clock.now();
    let mut tx = accounts.pool.begin().await?;
    let row = store::user::insert(&mut tx, asker.account_id, name.as_str(), role, now).await?;
    let row = row.ok_or_else(|| taken(name.as_str()))?;
    let after = Some(wire::user_state(&row));
    tell(
        &mut tx,
        Change {
            asker,
            now,
            action: "user.created",
            subject: subject(&row),
            before: None,
            after,
        },
    )
    .await?;
    tx.commit().await?;
    Ok(wire::user(row))
}

pub(super) async fn update(
    accounts: &Accounts,
    asker: &Identity,
    ask: UpdateUserRequest,
) -> Result<User, Refusal> {
    let mut faults = Vec::new();
    let name = ask.name.map(|name| wire::name(&name, &mut faults));
    let role = ask.role.map(|role| wire::role(role, &mut faults));
    let user = id(&ask.id, "user")?;
    let now = accounts.clock.now();
    let mut tx = accounts.pool.begin().await?;
    store::account::lock(&mut tx, asker.account_id).await?;
    let old = store::user::find(&mut tx, asker.account_id, user)
        .await?
        .ok_or_else(|| missing(&ask.id))?;
    if !faults.is_empty() {
        return Err(Refusal::faults(faults));
    }
    let name = name
        .flatten()
        .map_or_else(|| old.name.clone(), |name| name.as_str().to_owned());
    let role = role.flatten().unwrap_or(old.role());
    if old.role() == Role::Admin && role != Role::Admin {
        keep_an_admin(&mut tx, asker, user).await?;
    }
    if store::user::is_name_taken(&mut tx, asker.account_id, user, &name).await? {
        return Err(taken(&name));
    }
    let row = store::user::update(&mut tx, user, &name, role).await?;
    let (before, after) = (Some(wire::user_state(&old)), Some(wire::user_state(&row)));
    if before != after {
        tell(
            &mut tx,
            Change {
                asker,
                now,
                action: "user.updated",
                subject: subject(&row),
                before,
                after,
            },
        )
        .await?;
    }
    tx.commit().await?;
    accounts.auth.forget();
    Ok(wire::user(row))
}

pub(super) async fn delete(
    accounts: &Accounts,
    asker: &Identity,
    ask: DeleteUserRequest,
) -> Result<DeleteUserResponse, Refusal> {
    let user = id(&ask.id, "user")?;
    let now = accounts.clock.now();
    let mut tx = accounts.pool.begin().await?;
    store::account::lock(&mut tx, asker.account_id).await?;
    let row = store::user::find(&mut tx, asker.account_id, user)
        .await?
        .ok_or_else(|| missing(&ask.id))?;
    if row.role() == Role::Admin {
        keep_an_admin(&mut tx, asker, user).await?;
    }
    store::user::delete(&mut tx, user).await?;
    let before = Some(wire::user_state(&row));
    tell(
        &mut tx,
        Change {
            asker,
            now,
            action: "user.deleted",
            subject: subject(&row),
            before,
            after: None,
        },
    )
    .await?;
    tx.commit().await?;
    accounts.auth.forget();
    Ok(DeleteUserResponse {})
}

/// The account is locked, so nobody else takes away the other ADMIN meanwhile.
async fn keep_an_admin(
    tx: &mut sqlx::PgConnection,
    asker: &Identity,
    user: uuid::Uuid,
) -> Result<(), Refusal> {
    match store::user::other_admins(tx, asker.account_id, user).await? {
        0 => Err(Refusal::conflict(
            "the account's last ADMIN user must stay one: make another first",
        )),
        _ => Ok(()),
    }
}

fn subject(row: &store::user::UserRow) -> String {
    format!("user/{}", row.id)
}

fn missing(id: &str) -> Refusal {
    Refusal::not_found(format_args!("user {id}"))
}

fn taken(name: &str) -> Refusal {
    Refusal::new(
        Code::AlreadyExists,
        format!("a user named {name} is there already"),
    )
}
