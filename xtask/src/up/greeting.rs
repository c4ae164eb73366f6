//! What `up` says once everything runs.

use std::path::Path;

use super::watch::Watched;
use crate::environment;

/// Prints the URL, the administrator's credentials, a call that works when pasted, and what to watch.
pub(crate) fn print(port: u16, logs: &Path, watched: Option<&Watched>) {
    let url = format!("http://127.0.0.1:{port}");
    let password = environment::text("TECHSUPPORT_ADMIN_PASSWORD");
    let shown = password
        .as_deref()
        .map_or("admin123", |_| "the value of TECHSUPPORT_ADMIN_PASSWORD at the first start");
    // An example that takes the password from the environment, so that a real one is not shown.
    let quoted = if password.is_some() { "'\"$TECHSUPPORT_ADMIN_PASSWORD\"'" } else { "admin123" };
    let (example, path) = match watched {
        Some(watched) => ("The ticket to watch", format!("tickets/{}", watched.id)),
        None => ("The newest tickets", "tickets?pageSize=3".to_owned()),
    };
    eprintln!(
        "
TechSupport Pro is running.

  URL            {url}
  administrator  admin@techsupport.pro
  password       {shown}
  logs           {}

{example}:

  TOKEN=$(curl -s {url}/api/auth/login -H 'Content-Type: application/json' \\
    -d '{{\"email\":\"admin@techsupport.pro\",\"password\":\"{quoted}\"}}' | sed 's/.*\"accessToken\":\"\\([^\"]*\\)\".*/\\1/')
  curl -s '{url}/api/{path}' -H \"Authorization: Bearer $TOKEN\"
",
        logs.display()
    );
    if let Some(Watched { number, breaches_at, .. }) = watched {
        eprintln!(
            "Watch {number}, a VIP's: its first response is due at {breaches_at} UTC, in 30 seconds. Nobody will give it, so it\n\
             escalates, and sla-worker says so in exactly one line of type SLA_ESCALATED, whatever you kill meanwhile.\n"
        );
    }
    eprintln!(
        "Below: what sla-worker does, and warnings of the API. Ctrl-C stops everything; the data stays.\n"
    );
}
