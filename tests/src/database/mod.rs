//! A database of one's own.

mod template;

use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Client, NoTls, types::FromSqlOwned, types::ToSql};
use techsupport_bootstrap::settings::{Sources, load_from};
use techsupport_persistence::DatabaseSettings;

use crate::{environment, eventually};

/// A migrated database that nobody else uses. Dropping it drops it.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: String,
}

static NEXT: AtomicU32 = AtomicU32::new(1);

impl TestDatabase {
    /// A copy of the migrated template.
    pub fn migrated() -> Self {
        let this = Self::named_by_us();
        template::copy_to(&this.name);
        this
    }

    /// A database with nothing in it.
    pub fn empty() -> Self {
        let this = Self::named_by_us();
        admin().batch_execute(&format!("CREATE DATABASE {}", this.name)).unwrap();
        this
    }

    fn named_by_us() -> Self {
        let name = format!("{}_{}", template::run_name(), NEXT.fetch_add(1, Ordering::Relaxed));
        let url = url_of(&name);
        Self { name, url }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection beside those of the program.
    pub fn connect(&self) -> Client {
        connect(&self.url)
    }

    /// Whether new connections are accepted. Those that are open stay.
    pub fn let_in(&self, newcomers: bool) {
        let sql = format!("ALTER DATABASE {} ALLOW_CONNECTIONS {newcomers}", self.name);
        admin().batch_execute(&sql).unwrap();
    }

    /// The program's settings for it.
    pub fn settings(&self) -> DatabaseSettings {
        settings_of(&self.url)
    }

    /// The single value that a query comes to.
    pub fn one<T: FromSqlOwned>(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> T {
        self.connect().query_one(sql, parameters).unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
    }

    /// A query's first column.
    pub fn all<T: FromSqlOwned>(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Vec<T> {
        let rows = self.connect().query(sql, parameters).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// How many rows a table has.
    pub fn count(&self, table_and_condition: &str) -> i64 {
        self.one(&format!("SELECT count(*) FROM {table_and_condition}"), &[])
    }

    /// Runs a statement and says how many rows it touched.
    pub fn execute(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> u64 {
        self.connect().execute(sql, parameters).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let dropped = admin().batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        if let Err(error) = dropped
            && !std::thread::panicking()
        {
            panic!("{} stays behind: {error}", self.name);
        }
    }
}

/// Waits until nobody else is connected to the database of this connection. What the others have done is counted in its
/// statistics at the latest when they end.
pub fn await_end_of_others(connection: &mut Client) {
    let others = "SELECT count(*) FROM pg_stat_activity \
                  WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
    eventually("the other connections end", || {
        connection.query_one(others, &[]).unwrap().get::<_, i64>(0) == 0
    });
}

/// A connection to the database the server was given to us with.
fn admin() -> Client {
    connect(&environment::database_url())
}

fn connect(url: &str) -> Client {
    Client::connect(url, NoTls).unwrap_or_else(|error| panic!("no connection to PostgreSQL: {error:?}"))
}

fn settings_of(url: &str) -> DatabaseSettings {
    let variables = vec![("DATABASE_URL".to_owned(), url.to_owned())];
    let sources = Sources { folder: None, variables };
    load_from::<techsupport_api::MigrateSettings>(&sources).unwrap().database
}

/// The same server, another database.
fn url_of(name: &str) -> String {
    let given = environment::database_url();
    let (base, query) = match given.split_once('?') {
        Some((base, query)) => (base, format!("?{query}")),
        None => (given.as_str(), String::new()),
    };
    let server = match base.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.split('/').next().unwrap_or(rest)),
        None => panic!("DATABASE_URL is no URL"),
    };
    format!("{server}/{name}{query}")
}
