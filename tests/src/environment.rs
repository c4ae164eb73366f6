//! The one place of the tests that reads the environment.

use std::path::PathBuf;

fn required(name: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "the one place of the tests that reads the environment")]
    let value = std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    value.unwrap_or_else(|| {
        panic!(
            "{name} is not set. These tests need PostgreSQL and RabbitMQ: run them with `cargo xtask test`"
        )
    })
}

/// The server whose databases the tests make their own beside of.
pub(crate) fn database_url() -> String {
    required("DATABASE_URL")
}

/// The broker in which the tests make queues with names of their own.
pub(crate) fn amqp_url() -> String {
    required("AMQP_URL")
}

/// A binary of ours. `cargo xtask test` builds them first and says where they are; otherwise they are looked
/// for where cargo puts them.
pub fn program(name: &str) -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "the one place of the tests that reads the environment")]
    let folder = std::env::var_os("XTASK_BIN_DIR").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| {
        // target/<profile>/deps/it-<hash>
        let this = std::env::current_exe().expect("the path of the test binary");
        this.ancestors().nth(2).expect("target/<profile>").to_owned()
    });
    let program = folder.join(name);
    assert!(program.is_file(), "{} is missing: run `cargo xtask test`", program.display());
    program
}
