//! What a caller wants to be provisioned.

/// Which servers, for how long, under which name.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches, set by name through the methods below"
)]
pub struct Plan {
    pub(crate) name: String,
    pub(crate) keep: bool,
    pub(crate) durable: bool,
    pub(crate) database: bool,
    pub(crate) broker: bool,
    pub(crate) environment: bool,
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) quiet: bool,
}

impl Plan {
    /// Servers whose data stays in `target/xtask/<name>` and is found again next time. One process at a time may hold them.
    pub fn kept(name: &str) -> Self {
        Self { keep: true, durable: true, ..Self::fresh(name) }
    }

    /// Empty servers that are removed at the end, with all their data. When `name` is in use, `name-2`, `name-3`, … is taken.
    /// The database does not wait for the disk (`fsync = off`): it survives `kill -9`, but not a power cut.
    pub fn fresh(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            keep: false,
            durable: false,
            database: true,
            broker: true,
            environment: true,
            settings: Vec::new(),
            quiet: false,
        }
    }

    /// Ignores `DATABASE_URL` and `AMQP_URL`: for a caller that is going to kill its servers.
    #[must_use]
    pub fn private(self) -> Self {
        Self { environment: false, ..self }
    }

    /// PostgreSQL alone.
    #[must_use]
    pub fn without_broker(self) -> Self {
        Self { broker: false, ..self }
    }

    /// RabbitMQ alone.
    #[must_use]
    pub fn without_database(self) -> Self {
        Self { database: false, ..self }
    }

    /// The database waits for the disk, as in production: for measurements.
    #[must_use]
    pub fn durable(self) -> Self {
        Self { durable: true, ..self }
    }

    /// Says nothing about what is being started.
    #[must_use]
    pub fn quiet(self) -> Self {
        Self { quiet: true, ..self }
    }

    /// A setting of PostgreSQL, as in `postgresql.conf`.
    #[must_use]
    pub fn postgres_setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}
