//! `hoshu database init`: a login and a schema per service.

use anyhow::Context;
use chassis::{Noun, Secret, Settings};
use postgres_protocol::password::scram_sha_256;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use url::Url;

/// Any number: the advisory lock under which logins are made.
const INIT: i64 = 0x686f_7368_7501;

/// Makes what is missing, with the administrator's URL and the password that settings give.
pub(crate) async fn init_from(settings: &Settings) -> anyhow::Result<()> {
    let password = &settings.database_password;
    anyhow::ensure!(
        !password.is_empty(),
        "HOSHU_DATABASE_PASSWORD is not set: the services' logins get it"
    );
    init(&settings.database_url, password).await?;
    println!("Each service has its login (hoshu_<noun>) and its schema.");
    Ok(())
}

/// Makes what is missing, and gives every service's login the password. Safe to do again.
pub(crate) async fn init(administrator: &Secret, password: &Secret) -> anyhow::Result<()> {
    anyhow::ensure!(!administrator.is_empty(), "HOSHU_DATABASE_URL is not set");
    let mut connection = PgConnection::connect(administrator.expose())
        .await
        .context("HOSHU_DATABASE_URL")?;
    let mut tx = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(INIT)
        .execute(&mut *tx)
        .await?;
    for noun in Noun::ALL {
        let login = login(noun);
        let known: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
                .bind(&login)
                .fetch_one(&mut *tx)
                .await?;
        if !known {
            run(
                &mut tx,
                "SELECT format('CREATE ROLE %I LOGIN', $1)",
                &[&login],
            )
            .await?;
        }
        // Only its proof: the statement may be logged, here and by the server.
        let proof = scram_sha_256(password.expose().as_bytes());
        run(
            &mut tx,
            "SELECT format('ALTER ROLE %I PASSWORD %L', $1, $2)",
            &[&login, &proof],
        )
        .await?;
        // Only a member of a role may make what that role owns.
        run(
            &mut tx,
            "SELECT format('GRANT %I TO CURRENT_USER', $1)",
            &[&login],
        )
        .await?;
        run(
            &mut tx,
            "SELECT format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', $1, $2)",
            &[noun.word(), &login],
        )
        .await?;
    }
    tx.commit().await.context("making logins and schemas")
}

/// The URL of a service's own login.
pub(crate) fn url_of(
    administrator: &Secret,
    noun: Noun,
    password: &Secret,
) -> anyhow::Result<Secret> {
    let mut url = Url::parse(administrator.expose())
        .ok()
        .context("HOSHU_DATABASE_URL is not a URL")?;
    let set = url
        .set_username(&login(noun))
        .and_then(|()| url.set_password(Some(password.expose())));
    set.ok().context("HOSHU_DATABASE_URL names no host")?;
    Ok(Secret::new(url.as_str()))
}

fn login(noun: Noun) -> String {
    format!("hoshu_{}", noun.word())
}

/// Runs the statement that the server itself has quoted.
async fn run(
    connection: &mut PgConnection,
    format: &'static str,
    values: &[&str],
) -> anyhow::Result<()> {
    let mut query = sqlx::query_scalar::<_, String>(format);
    for value in values {
        query = query.bind(*value);
    }
    let statement = query.fetch_one(&mut *connection).await?;
    sqlx::query(AssertSqlSafe(statement))
        .execute(connection)
        .await?;
    Ok(())
}
