//! Servers in containers, for machines with neither installed servers nor apt.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::local::{SharedInstance, lock};
use super::server::Server;
use crate::environment;
use crate::error::{Error, Result};
use crate::workspace;

const COMPOSE_FILE: &str = include_str!("servers.compose.yaml");

/// Whether an engine answers and has the compose plugin.
pub(crate) fn is_possible() -> bool {
    let works = |arguments: &[&str]| {
        let mut command = Command::new("docker");
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    environment::on_path("docker").is_some() && works(&["info"]) && works(&["compose", "version"])
}

/// One service of the compose file.
pub(crate) struct Container {
    name: &'static str,
    service: &'static str,
    variable: &'static str,
    port: u16,
    url: String,
    project: String,
    file: PathBuf,
    running: bool,
}

impl Container {
    /// The compose file's `postgres`.
    pub(crate) fn postgres(port: u16, instance: &SharedInstance) -> Result<Self> {
        let url = format!("postgres://techsupport@127.0.0.1:{port}/techsupport?sslmode=disable");
        Self::start("PostgreSQL", "postgres", "POSTGRES_PORT", port, url, instance)
    }

    /// The compose file's `rabbitmq`.
    pub(crate) fn rabbitmq(port: u16, instance: &SharedInstance) -> Result<Self> {
        let url = format!("amqp://guest:guest@127.0.0.1:{port}/%2f");
        Self::start("RabbitMQ", "rabbitmq", "RABBITMQ_PORT", port, url, instance)
    }

    fn start(
        name: &'static str,
        service: &'static str,
        variable: &'static str,
        port: u16,
        url: String,
        instance: &SharedInstance,
    ) -> Result<Self> {
        let folder = lock(instance).folder().to_path_buf();
        let file = folder.join("servers.compose.yaml");
        fs::write(&file, COMPOSE_FILE).map_err(Error::io(format!("writing {}", file.display())))?;
        let project = project_of(&folder);
        lock(instance).write(|ledger| ledger.compose_project = Some(project.clone()))?;
        let mut container = Self { name, service, variable, port, url, project, file, running: false };
        container.restart()?;
        Ok(container)
    }

    fn compose(&self, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new("docker");
        command.args(["compose", "--project-name", &self.project, "--file"]).arg(&self.file);
        command.args(arguments).arg(self.service).env(self.variable, self.port.to_string());
        workspace::output(&mut command, &format!("docker compose {}", arguments.join(" "))).map(drop)
    }
}

impl Server for Container {
    fn name(&self) -> &'static str {
        self.name
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn is_running(&mut self) -> bool {
        self.running
    }

    fn kill(&mut self) -> Result<()> {
        self.running = false;
        self.compose(&["kill", "--signal", "SIGKILL"])
    }

    fn restart(&mut self) -> Result<()> {
        if !self.running {
            self.compose(&["up", "--detach", "--wait"])?;
            self.running = true;
        }
        Ok(())
    }

    fn rabbitmqctl(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("docker");
        command.args(["compose", "--project-name", &self.project, "--file"]).arg(&self.file);
        command.args(["exec", "-T", self.service, "rabbitmqctl", "--quiet"]).args(arguments);
        workspace::output(command.env(self.variable, self.port.to_string()), "rabbitmqctl")
    }

    fn stop(&mut self) -> Result<()> {
        if self.running {
            self.running = false;
            self.compose(&["stop"])?;
        }
        Ok(())
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("xtask: {error}");
        }
    }
}

/// Stops what a project still runs; without `keep` its containers and volumes are removed as well.
pub(crate) fn stop_project(project: &str, keep: bool) {
    let action: &[&str] = if keep { &["stop"] } else { &["down", "--volumes"] };
    let mut command = Command::new("docker");
    command.args(["compose", "--project-name", project]).args(action);
    if let Err(error) = workspace::output(&mut command, "docker compose") {
        eprintln!("xtask: {error}");
    }
}

/// Compose project names are lower case; the path makes that of another clone another one.
fn project_of(folder: &Path) -> String {
    let path = folder.display().to_string().to_lowercase();
    let name: String = path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("techsupport{name}")
}
