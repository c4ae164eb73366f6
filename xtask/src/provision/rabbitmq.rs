//! A private RabbitMQ with a private epmd.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use super::installed::RabbitPrograms;
use super::local::{Home, SharedInstance, Started, await_ready, lock};
use super::server::Server;
use crate::error::{Error, Result};
use crate::process::{Managed, Signal};
use crate::workspace;

const NODE: &str = "techsupport@localhost";
const LOG: &str = "console.log";
const START_LIMIT: Duration = Duration::from_secs(90);
const STOP_GRACE: Duration = Duration::from_secs(30);
/// The first version in which quorum queues know message TTLs, on which the retry path stands.
const OLDEST: (u32, u32) = (3, 10);

/// A small disk must not block publishers (the default limit is 50 MB, which a nearly full disk of a developer may not have),
/// and test queues do not need half a gigabyte of write-ahead log.
const CONFIGURATION: &str = "\
disk_free_limit.absolute = 10MB
raft.wal_max_size_bytes = 67108864
log.file.level = info
";

/// The ports of a broker: AMQP, Erlang distribution, epmd.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) amqp: u16,
    pub(crate) distribution: u16,
    pub(crate) epmd: u16,
}

/// A RabbitMQ that we started.
pub(crate) struct RabbitMq {
    programs: RabbitPrograms,
    home: Home,
    ports: Ports,
    url: String,
    keep: bool,
    instance: SharedInstance,
    epmd: Option<Managed>,
    process: Option<Managed>,
}

impl RabbitMq {
    /// Starts a broker in `home`, with the data that is already there.
    pub(crate) fn start(
        programs: RabbitPrograms,
        home: Home,
        ports: Ports,
        keep: bool,
        instance: SharedInstance,
    ) -> Result<Self> {
        let write = |name: &str, text: &str| {
            let path = home.folder.join(name);
            fs::write(&path, text).map_err(Error::io(format!("writing {}", path.display())))
        };
        write("rabbitmq.conf", CONFIGURATION)?;
        write("rabbitmq-env.conf", "")?;
        write("enabled_plugins", "[].\n")?;
        let url = format!("amqp://guest:guest@127.0.0.1:{}/%2f", ports.amqp);
        let mut server = Self { programs, home, ports, url, keep, instance, epmd: None, process: None };
        server.restart()?;
        Ok(server)
    }

    /// The node's name is part of its data directory and must not change with the port; epmd is its own, so names do not clash.
    fn command(&self) -> Command {
        let folder = &self.home.folder;
        let mut command = self.home.command(&self.programs.server);
        command
            .env("RABBITMQ_NODENAME", NODE)
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", self.ports.amqp.to_string())
            .env("RABBITMQ_DIST_PORT", self.ports.distribution.to_string())
            .env("RABBITMQ_MNESIA_BASE", folder.join("data"))
            .env("RABBITMQ_LOG_BASE", folder.join("logs"))
            .env("RABBITMQ_PID_FILE", folder.join("broker.pid"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("enabled_plugins"))
            .env("RABBITMQ_CONF_ENV_FILE", folder.join("rabbitmq-env.conf"))
            .env("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq.conf"))
            .env("ERL_EPMD_PORT", self.ports.epmd.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("ERL_CRASH_DUMP_SECONDS", "0")
            .env(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none",
            )
            // Makes the start script replace itself with the Erlang machine: our child is then the broker itself.
            .env("RUNNING_UNDER_SYSTEMD", "true");
        command
    }

    fn start_epmd(&mut self) -> Result<()> {
        if self.epmd.as_mut().is_some_and(|epmd| epmd.ended().is_none()) {
            return Ok(());
        }
        let mut command = self.home.command(&self.programs.epmd);
        command.args(["-port", &self.ports.epmd.to_string(), "-address", "127.0.0.1"]);
        let epmd = self.home.spawn(&mut command, "epmd.log", "epmd")?;
        let mark = epmd.mark().clone();
        lock(&self.instance).record("epmd", mark)?;
        let port = self.ports.epmd;
        let limit = Duration::from_secs(10);
        match await_ready(epmd, "epmd", limit, || Ok(connect(port).is_some()))? {
            Started::Ready(epmd) => {
                self.epmd = Some(epmd);
                Ok(())
            }
            Started::Ended => Err(Error::NotReady {
                what: format!("epmd did not start on port {port}"),
                log: self.home.log_tail("epmd.log"),
            }),
        }
    }
}

impl Server for RabbitMq {
    fn name(&self) -> &'static str {
        "RabbitMQ"
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| process.ended().is_none())
    }

    fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        if self.is_running() {
            return Ok(());
        }
        self.start_epmd()?;
        let process = self.home.spawn(&mut self.command(), LOG, "rabbitmq-server")?;
        let mark = process.mark().clone();
        lock(&self.instance).record("rabbitmq", mark)?;
        let mut version = None;
        let started = await_ready(process, "RabbitMQ", START_LIMIT, || {
            version = handshake(self.ports.amqp);
            Ok(version.is_some())
        })?;
        let Started::Ready(process) = started else {
            let what = format!("RabbitMQ did not start on port {}", self.ports.amqp);
            return Err(Error::NotReady { what, log: self.home.log_tail(LOG) });
        };
        self.process = Some(process);
        let version = version.unwrap_or_default();
        if is_too_old(&version) {
            return Err(Error::Refused(format!(
                "the installed RabbitMQ is {version}; {}.{} or newer is needed. Install a newer one, or set AMQP_URL",
                OLDEST.0, OLDEST.1
            )));
        }
        Ok(())
    }

    fn rabbitmqctl(&self, arguments: &[&str]) -> Result<String> {
        let mut command = self.home.command(&self.programs.server.with_file_name("rabbitmqctl"));
        command
            .env("RABBITMQ_NODENAME", NODE)
            .env("RABBITMQ_CONF_ENV_FILE", self.home.folder.join("rabbitmq-env.conf"))
            .env("ERL_EPMD_PORT", self.ports.epmd.to_string())
            .arg("--quiet")
            .args(arguments);
        workspace::output(&mut command, "rabbitmqctl")
    }

    fn stop(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            if self.keep {
                process.stop(Signal::TERM, STOP_GRACE);
            } else {
                process.kill();
            }
        }
        if let Some(mut epmd) = self.epmd.take() {
            epmd.kill();
        }
        Ok(())
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        // Stopping reports nothing; see above.
        self.stop().ok();
    }
}

fn connect(port: u16) -> Option<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()
}

/// Begins an AMQP connection and reads the broker's version out of its first answer: a broker that gives one has booted.
pub(crate) fn handshake(port: u16) -> Option<String> {
    let mut stream = connect(port)?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(b"AMQP\x00\x00\x09\x01").ok()?;
    // Frame header: type, channel (2), size (4); then Connection.Start with the server's properties as a table.
    let mut header = [0; 7];
    stream.read_exact(&mut header).ok()?;
    let size = u32::from_be_bytes([header[3], header[4], header[5], header[6]]);
    let mut body = vec![0; usize::try_from(size.min(65_536)).ok()?];
    stream.read_exact(&mut body).ok()?;
    version_in(&body)
}

/// The table's entry `version`: its name with a length byte, `S`, four bytes of length, the text.
fn version_in(table: &[u8]) -> Option<String> {
    const KEY: &[u8] = b"\x07versionS";
    let at = table.windows(KEY.len()).position(|window| window == KEY)? + KEY.len();
    let length: [u8; 4] = table.get(at..at + 4)?.try_into().ok()?;
    let end = at + 4 + usize::try_from(u32::from_be_bytes(length)).ok()?;
    table.get(at + 4..end).map(|text| String::from_utf8_lossy(text).into_owned())
}

/// False for versions that cannot be read: those are not old ones.
fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|number| number.parse().ok());
    matches!((numbers.next(), numbers.next()), (Some(major), Some(minor)) if (major, minor) < OLDEST)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_version_is_read_from_the_first_answer() {
        let table = b"\x09cluster_name..\x07versionS\x00\x00\x00\x063.10.8\x09copyright";
        assert_eq!(version_in(table).as_deref(), Some("3.10.8"));
        assert_eq!(version_in(b"\x07versionS\x00\x00\x00\xff3"), None);
    }

    #[test]
    fn brokers_without_quorum_queue_ttl_are_refused() {
        assert!(is_too_old("3.9.13"));
        assert!(!is_too_old("3.10.8"));
        assert!(!is_too_old("4.1.0"));
        assert!(!is_too_old(""));
    }
}
