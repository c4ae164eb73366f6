//! Who makes the requests: a user of each role, registered through the API.

use std::time::Duration;

use serde_json::{Value, json};

use crate::error::{Error, Result};

/// Of the first administrator of this run.
pub(super) const ADMIN_PASSWORD: &str = "schemathesis is not a secret";
const ADMIN: &str = "admin@techsupport.pro";
const PASSWORD: &str = "correct horse battery staple";
const PATIENCE: Duration = Duration::from_secs(30);

/// A role of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Role {
    Admin,
    Supervisor,
    Agent,
}

impl Role {
    pub(super) const ALL: [Role; 3] = [Role::Admin, Role::Supervisor, Role::Agent];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Role::Admin => "ADMIN",
            Role::Supervisor => "SUPERVISOR",
            Role::Agent => "AGENT",
        }
    }
}

/// Somebody who can sign in.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) role: Role,
    pub(super) id: String,
    pub(super) email: String,
    pub(super) password: &'static str,
}

impl Person {
    /// A new user. The administrator of the first boot is nobody's in particular: some operations need one that may go.
    pub(super) fn register(port: u16, role: Role) -> Result<Self> {
        let login = json!({"email": ADMIN, "password": ADMIN_PASSWORD});
        let signed_in = post(port, "/api/auth/login", None, &login)?;
        let email = format!("schemathesis-{}@example.org", role.name().to_lowercase());
        let user = json!({"email": email, "password": PASSWORD, "role": role.name()});
        let made = post(port, "/api/auth/register", signed_in["accessToken"].as_str(), &user)?;
        let id = made["id"].as_str().unwrap_or_default().to_owned();
        Ok(Self { role, id, email, password: PASSWORD })
    }
}

fn post(port: u16, path: &str, token: Option<&str>, body: &Value) -> Result<Value> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
    let request =
        agent.post(format!("http://127.0.0.1:{port}{path}")).header("content-type", "application/json");
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    let refused = |why: ureq::Error| Error::Refused(format!("POST {path}: {why}"));
    let text =
        request.send(body.to_string()).map_err(refused)?.body_mut().read_to_string().map_err(refused)?;
    serde_json::from_str(&text).map_err(Error::malformed(path))
}
