//! Finds installed server programs where distributions put them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::environment;

/// The programs of RabbitMQ.
#[derive(Debug, Clone)]
pub(crate) struct RabbitPrograms {
    /// The start script itself, not a distribution's wrapper, which insists on an account of its own.
    pub(crate) server: PathBuf,
    /// Erlang's port mapper.
    pub(crate) epmd: PathBuf,
}

/// The newest folder that holds `initdb` and `postgres`.
pub(crate) fn postgres() -> Option<PathBuf> {
    let debian = versions("/usr/lib/postgresql", "");
    let redhat = versions("/usr", "pgsql-");
    let brew = ["/opt/homebrew/opt", "/usr/local/opt"].map(|base| versions(base, "postgresql@")).concat();
    let versioned = [debian, redhat, brew].concat().into_iter().map(|folder| folder.join("bin"));
    let app = PathBuf::from("/Applications/Postgres.app/Contents/Versions/latest/bin");
    versioned
        .chain(environment::search_path())
        .chain([app])
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// A client program of PostgreSQL, such as `psql`: of the newest installed server, else on `PATH`.
pub(crate) fn client(name: &str) -> Option<PathBuf> {
    let beside = postgres().map(|folder| folder.join(name)).filter(|program| program.is_file());
    beside.or_else(|| environment::on_path(name))
}

/// RabbitMQ's start script and epmd.
pub(crate) fn rabbitmq() -> Option<RabbitPrograms> {
    let known = ["/usr/lib/rabbitmq/bin", "/opt/homebrew/opt/rabbitmq/sbin", "/usr/local/opt/rabbitmq/sbin"];
    let opt = versions("/opt", "rabbitmq_server-").into_iter().map(|folder| folder.join("sbin"));
    let server = known
        .map(PathBuf::from)
        .into_iter()
        .chain(opt)
        .chain(environment::search_path())
        .map(|folder| folder.join("rabbitmq-server"))
        .find(|script| script.is_file())?;
    let epmd = environment::on_path("epmd").or_else(|| {
        ["/usr/lib/erlang/bin/epmd", "/usr/lib64/erlang/bin/epmd", "/usr/local/lib/erlang/bin/epmd"]
            .map(PathBuf::from)
            .into_iter()
            .find(|file| file.is_file())
    })?;
    Some(RabbitPrograms { server, epmd })
}

/// The folders `base/<prefix><version>`, newest first.
fn versions(base: &str, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(base)).into_iter().flatten().flatten();
    let mut found: Vec<(Vec<u32>, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().to_str()?.to_owned();
            let numbers: Vec<u32> =
                name.strip_prefix(prefix)?.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
            Some((numbers, entry.path()))
        })
        .collect();
    found.sort_by(|a, b| b.0.cmp(&a.0));
    found.into_iter().map(|(_, folder)| folder).collect()
}
