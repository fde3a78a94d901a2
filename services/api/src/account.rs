//! `hoshu.account.v1`, the api's own service. Reached like every other one, but only from here:
//! the doors put the asker's identity beside the message.

mod audit;
mod tokens;
mod users;
mod wire;

use std::sync::Arc;

use chassis::{Clock, Refusal};
use proto::hoshu::account::v1::account_service_server::{AccountService, AccountServiceServer};
use proto::hoshu::account::v1::*;
use sqlx::PgPool;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::auth::{Auth, Identity};
use crate::store;

pub(crate) fn routes(pool: PgPool, auth: Arc<Auth>, clock: Clock) -> Routes {
    Routes::new(AccountServiceServer::new(Accounts { pool, auth, clock }))
}

struct Accounts {
    pool: PgPool,
    auth: Arc<Auth>,
    clock: Clock,
}

fn asker<T>(request: &Request<T>) -> Result<Arc<Identity>, Status> {
    let identity = request.extensions().get::<Arc<Identity>>().cloned();
    identity.ok_or_else(|| {
        Refusal::internal(anyhow::anyhow!("an account request came without its asker")).into()
    })
}

/// An id of ours; any other text names nothing.
fn id(text: &str, what: &str) -> Result<Uuid, Refusal> {
    text.parse()
        .map_err(|_| Refusal::not_found(format_args!("{what} {text}")))
}

/// Each RPC: who asks, the operation, its answer.
macro_rules! operations {
    ($($rpc:ident($request:ty) -> $answer:ty = $run:path;)*) => {
        #[tonic::async_trait]
        impl AccountService for Accounts {
            $(async fn $rpc(&self, request: Request<$request>) -> Result<Response<$answer>, Status> {
                let asker = asker(&request)?;
                Ok(Response::new($run(self, &asker, request.into_inner()).await?))
            })*
        }
    };
}

operations! {
    get_account(GetAccountRequest) -> Account = get_account;
    list_users(ListUsersRequest) -> ListUsersResponse = users::list;
    create_user(CreateUserRequest) -> User = users::create;
    get_user(GetUserRequest) -> User = users::get;
    update_user(UpdateUserRequest) -> User = users::update;
    delete_user(DeleteUserRequest) -> DeleteUserResponse = users::delete;
    list_tokens(ListTokensRequest) -> ListTokensResponse = tokens::list;
    create_token(CreateTokenRequest) -> Token = tokens::create;
    delete_token(DeleteTokenRequest) -> DeleteTokenResponse = tokens::delete;
    list_audit(ListAuditRequest) -> ListAuditResponse = audit::list;
}

async fn get_account(
    accounts: &Accounts,
    asker: &Identity,
    _: GetAccountRequest,
) -> Result<Account, Refusal> {
    let row = store::account::find(&accounts.pool, asker.account_id).await?;
    let row = row.ok_or_else(|| Refusal::not_found("such account"))?;
    Ok(Account {
        id: row.id.to_string(),
        name: row.name,
        created_at: Some(wire::timestamp(row.created_at)),
    })
}
