//! A way to the database that shares no code with the services: `psql`.

use std::path::PathBuf;
use std::process::Command;

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::{provision, workspace};

/// The database, seen through `psql`.
#[derive(Debug, Clone)]
pub(crate) struct Psql {
    program: PathBuf,
    url: String,
}

impl Psql {
    /// Finds the program; nothing is connected yet.
    pub(crate) fn new(url: &str) -> Result<Self> {
        let program = provision::postgres_client("psql").ok_or_else(|| {
            Error::Refused("psql is needed; install PostgreSQL's client programs (postgresql-client)".into())
        })?;
        Ok(Self { program, url: url.to_owned() })
    }

    /// Runs statements, each in a transaction of its own, and gives what they wrote.
    pub(crate) fn run(&self, sql: &str) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]);
        command.arg("--dbname").arg(&self.url).arg("--command").arg(sql);
        let answer = workspace::output(&mut command, "psql")?;
        Ok(answer.trim_end_matches('\n').to_owned())
    }

    /// The rows of a query, each as one object; its columns are the members.
    pub(crate) fn rows<T: DeserializeOwned>(&self, query: &str) -> Result<Vec<T>> {
        let answer = self.run(&format!("SELECT to_json(found) FROM ({query}) AS found"))?;
        let parse = |line: &str| serde_json::from_str(line).map_err(Error::malformed("an answer of psql"));
        answer.lines().map(parse).collect()
    }

    /// The only row of a query.
    pub(crate) fn row<T: DeserializeOwned>(&self, query: &str) -> Result<T> {
        let mut rows = self.rows(query)?;
        match (rows.pop(), rows.is_empty()) {
            (Some(row), true) => Ok(row),
            (_, _) => Err(Error::malformed("an answer of psql")("not one row")),
        }
    }
}
