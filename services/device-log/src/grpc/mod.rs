//! The asked door: `hoshu.devicelog.v1`.

mod answer;
mod question;

use chassis::page::{self, Page};
use chassis::{Caller, Refusal};
use proto::hoshu::devicelog::v1::device_log_service_server::DeviceLogService;
use proto::hoshu::devicelog::v1::{ListLogsRequest, ListLogsResponse};
use sqlx::PgPool;
use tokio::sync::Semaphore;
use tonic::{Code, Request, Response, Status};

use crate::domain::{Filter, Found, Gathering, Position};
use crate::products::Products;
use crate::store;

pub(crate) struct Door {
    pool: PgPool,
    products: Products,
    /// Searches may be long: they leave half of the connections to what comes in.
    searches: Semaphore,
}

impl Door {
    pub(crate) fn new(pool: PgPool, products: Products) -> Self {
        let connections = pool.options().get_max_connections() as usize;
        Self {
            pool,
            products,
            searches: Semaphore::new((connections / 2).max(1)),
        }
    }

    async fn list(
        &self,
        caller: Caller,
        request: ListLogsRequest,
    ) -> Result<ListLogsResponse, Refusal> {
        let product = self
            .products
            .of_caller(&caller, &request.product_key)
            .await?;
        tracing::Span::current().record("product.key", product.as_str());
        let page = Page::parse(request.page_size, &request.page_token)?;
        let after = question::position(page.after.as_deref())?;
        let filter = question::filter(product, &request)?;
        let _turn = self.searches.acquire().await.map_err(Refusal::internal)?;
        let (found, next) = self.page(&filter, after, &page).await?;
        Ok(ListLogsResponse {
            items: found.into_iter().map(answer::line).collect(),
            next_page_token: next.map(|position| page::token(&position.to_bytes())),
        })
    }

    /// Reads until the page is full or the log at its end. One read is nearly always enough:
    /// every row has a line of the wanted type and status, in the wanted days.
    async fn page(
        &self,
        filter: &Filter,
        after: Option<Position>,
        page: &Page,
    ) -> Result<(Vec<Found>, Option<Position>), Refusal> {
        let limit = page.limit();
        let mut gathering = Gathering::new(filter, after, page.size as usize);
        let mut before = after;
        loop {
            let (entries, heavy) = store::older(&self.pool, filter, before, limit)
                .await
                .map_err(store_refusal)?;
            let (more, oldest) = (
                heavy || entries.len() as i64 == limit,
                entries.last().map(Position::first_of),
            );
            entries.into_iter().for_each(|entry| gathering.add(entry));
            if gathering.is_full() || !more {
                return Ok(gathering.finish());
            }
            if heavy {
                return Ok(gathering.finish_early(oldest));
            }
            before = oldest;
        }
    }
}

/// What the asker can mend and a database that is away are said to be so; bytes that cannot be read are our own fault.
fn store_refusal(error: anyhow::Error) -> Refusal {
    match error.downcast::<sqlx::Error>() {
        Ok(error) if store::took_too_long(&error) => Refusal::new(
            Code::DeadlineExceeded,
            "too many lines lie between those that are asked for: name a device, a message id or a shorter time",
        ),
        Ok(error) => Refusal::from(error),
        Err(error) => Refusal::internal(error),
    }
}

#[tonic::async_trait]
impl DeviceLogService for Door {
    #[tracing::instrument(name = "devicelog.list_logs", skip_all, fields(product.key))]
    async fn list_logs(
        &self,
        request: Request<ListLogsRequest>,
    ) -> Result<Response<ListLogsResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(
            self.list(caller, request.into_inner()).await?,
        ))
    }
}
