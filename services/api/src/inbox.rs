//! What the api is told.

mod audit;

use bus::Bus;
use sqlx::PgPool;

pub(crate) fn start(bus: &Bus, pool: PgPool) {
    bus.consume(bus::inbox::API_AUDIT, move |events| {
        let pool = pool.clone();
        async move { audit::on_events(&pool, events).await }
    });
}
