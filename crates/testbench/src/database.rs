//! A database per test, copied from a template that was migrated once.

use std::hash::{DefaultHasher, Hash, Hasher};

use chassis::Noun;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

/// Any number: the advisory lock under which templates are made.
const TEMPLATES: i64 = 0x0068_6f73_6875;

/// Makes a database with every schema, and the tables of those that are named. Returns its name.
pub(crate) async fn create(admin_url: &str, migrated: &[(Noun, &'static Migrator)]) -> String {
    let mut admin = PgConnection::connect(admin_url)
        .await
        .expect("HOSHU_TEST_DATABASE_URL: the server is there");
    let template = template(&mut admin, admin_url, migrated).await;
    let name = format!("hoshu_test_{}", Uuid::new_v4().simple());
    run(
        &mut admin,
        &format!("CREATE DATABASE {name} TEMPLATE {template}"),
    )
    .await;
    name
}

pub(crate) async fn drop(admin_url: &str, name: &str) {
    if let Ok(mut admin) = PgConnection::connect(admin_url).await {
        run(
            &mut admin,
            &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        )
        .await;
    }
}

/// The same server, another database.
pub(crate) fn url(admin_url: &str, name: &str) -> String {
    let (server, query) = admin_url.split_once('?').unwrap_or((admin_url, ""));
    let server = server.rsplit_once('/').map_or(server, |(server, _)| server);
    let query = if query.is_empty() {
        String::new()
    } else {
        format!("?{query}")
    };
    format!("{server}/{name}{query}")
}

async fn template(
    admin: &mut PgConnection,
    admin_url: &str,
    migrated: &[(Noun, &'static Migrator)],
) -> String {
    let mut hasher = DefaultHasher::new();
    for (noun, migrator) in migrated {
        noun.hash(&mut hasher);
        migrator
            .iter()
            .for_each(|migration| migration.checksum.hash(&mut hasher));
    }
    let name = format!("hoshu_template_{:016x}", hasher.finish());
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(TEMPLATES)
        .execute(&mut *admin)
        .await
        .expect("the lock");
    let made: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(&name)
            .fetch_one(&mut *admin)
            .await
            .expect("the catalogue can be read");
    if !made {
        // Under another name until it is whole.
        let unfinished = format!("{name}_making");
        run(
            admin,
            &format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"),
        )
        .await;
        run(admin, &format!("CREATE DATABASE {unfinished}")).await;
        fill(&url(admin_url, &unfinished), migrated).await;
        run(
            admin,
            &format!("ALTER DATABASE {unfinished} RENAME TO {name}"),
        )
        .await;
    }
    sqlx::query("SELECT pg_advisory_unlock($1)")
        .bind(TEMPLATES)
        .execute(admin)
        .await
        .expect("the lock");
    name
}

async fn fill(url: &str, migrated: &[(Noun, &'static Migrator)]) {
    let mut connection = PgConnection::connect(url).await.expect("the new database");
    for noun in Noun::ALL {
        run(&mut connection, &format!("CREATE SCHEMA {}", noun.word())).await;
    }
    for (noun, migrator) in migrated {
        run(
            &mut connection,
            &format!("SET search_path = {}", noun.word()),
        )
        .await;
        migrator
            .run_direct(None, &mut connection, false)
            .await
            .expect("the migrations run");
    }
    connection.close().await.expect("closed");
}

async fn run(connection: &mut PgConnection, statement: &str) {
    let done = sqlx::query(AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}
