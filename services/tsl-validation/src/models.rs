//! Published models, compiled once and shared.
//!
//! A publication reaches every pod by its event, and by a look at the database twice a second
//! in case the event was lost. Products without a model are remembered for a moment only.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::{DateTime, Utc};
use moka::sync::Cache;
use proto::hoshu::bus::v1::Event;
use sqlx::PgPool;
use thing_model::{Document, Model};

use crate::domain::judge::ProductModel;
use crate::store;

/// How long a product without a model is remembered as such.
const NONE_KEPT: Duration = Duration::from_secs(2);
/// How long an unused model stays in memory.
const IDLE: Duration = Duration::from_secs(3600);
/// A compiled model's memory, by its document's bytes (measured roughly).
const BYTES_PER_BYTE: usize = 3;

type Known = Option<Arc<ProductModel>>;

#[derive(Clone)]
pub(crate) struct Models {
    pool: PgPool,
    known: Cache<String, Known>,
}

impl Models {
    pub(crate) fn new(pool: PgPool, bytes: u64) -> Self {
        let known = Cache::builder()
            .max_capacity(bytes)
            .weigher(|key: &String, model: &Known| weight(key, model.as_deref()))
            .time_to_idle(IDLE)
            .expire_after(Forgetting)
            .build();
        Self { pool, known }
    }

    /// The model by which a product's messages are judged.
    pub(crate) async fn get(&self, product_key: &str) -> anyhow::Result<Known> {
        if let Some(known) = self.known.get(product_key) {
            return Ok(known);
        }
        let published = store::model::published(&self.pool, product_key).await?;
        let model = published.map(compile).transpose()?.map(Arc::new);
        self.known.insert(product_key.to_owned(), model.clone());
        Ok(model)
    }

    /// A publication was told.
    pub(crate) fn heard(&self, event: &Event) {
        if let Some(product_key) = event.subject.strip_prefix("product/") {
            self.forget(product_key);
        }
    }

    pub(crate) fn forget(&self, product_key: &str) {
        self.known.invalidate(product_key);
    }

    /// Forgets what was published since `since`, and says from when to ask next.
    pub(crate) async fn refresh(
        &self,
        since: Option<DateTime<Utc>>,
    ) -> anyhow::Result<DateTime<Utc>> {
        let mut connection = self.pool.acquire().await?;
        let changes = store::model::changes(&mut connection, since).await?;
        for (product_key, version) in changes.products {
            let known = self.known.get(&product_key);
            let stale = known.is_some_and(|known| {
                known.is_none_or(|model| i64::from(model.version) != i64::from(version))
            });
            if stale {
                self.forget(&product_key);
            }
        }
        Ok(changes.until)
    }
}

fn compile(published: store::model::Published) -> anyhow::Result<ProductModel> {
    let document = Document::parse_stored(published.document.as_bytes())
        .with_context(|| format!("model {} of {}", published.version, published.product_key))?;
    Ok(ProductModel {
        version: u32::try_from(published.version)?,
        model: Arc::new(Model::compile(&document)),
        document: published.document.into(),
    })
}

fn weight(key: &str, model: Option<&ProductModel>) -> u32 {
    let bytes = key.len() + 256 + model.map_or(0, |model| model.document.len() * BYTES_PER_BYTE);
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Lets what is not there be asked for again soon.
struct Forgetting;

impl moka::Expiry<String, Known> for Forgetting {
    fn expire_after_create(&self, _: &String, model: &Known, _: Instant) -> Option<Duration> {
        model.is_none().then_some(NONE_KEPT)
    }
}
