//! Who changed what, in all services. What was changed a moment ago may not be here yet: the
//! trail is told of it by the stream of events.

use chassis::Refusal;
use chassis::page::Page;
use proto::hoshu::account::v1::*;

use super::{Accounts, wire};
use crate::auth::Identity;
use crate::store::audit::{AuditRow, Filter};
use crate::store::{self, Cursor};

pub(super) async fn list(
    accounts: &Accounts,
    asker: &Identity,
    ask: ListAuditRequest,
) -> Result<ListAuditResponse, Refusal> {
    let page = Page::parse(ask.page_size, &ask.page_token)?;
    let filter = Filter {
        account_id: asker.account_id.to_string(),
        subject: ask.subject,
        actor: ask.actor,
        from: wire::time("/from", ask.from)?,
        to: wire::time("/to", ask.to)?,
    };
    let mut rows =
        store::audit::page(&accounts.pool, &filter, Cursor::of(&page)?, page.limit()).await?;
    let next_page_token = page.cut(&mut rows, |row| row.cursor().to_bytes());
    Ok(ListAuditResponse {
        items: rows.into_iter().map(entry).collect(),
        next_page_token,
    })
}

fn entry(row: AuditRow) -> AuditEntry {
    AuditEntry {
        id: row.id.to_string(),
        time: Some(wire::timestamp(row.at)),
        actor: row.actor,
        action: row.action,
        subject: row.subject,
        before: row.before,
        after: row.after,
    }
}
