//! `hoshu account create`.

use anyhow::Context;
use chassis::{Clock, Settings};
use sqlx::PgPool;

/// Makes an account and prints its first token, this once.
pub(crate) async fn create(settings: &Settings, name: &str) -> anyhow::Result<()> {
    let url = settings.database_url.expose();
    anyhow::ensure!(
        !url.is_empty(),
        "no house is up on this data folder: start `hoshu up` first, or set HOSHU_DATABASE_URL to the api's login"
    );
    let pool = PgPool::connect(url).await.context("HOSHU_DATABASE_URL")?;
    let token = api::create_account(&pool, name, Clock::default().now()).await?;
    println!(
        "Account  {name}\nUser     admin\nToken    {token}\n\nKeep the token: it is shown this once."
    );
    Ok(())
}
