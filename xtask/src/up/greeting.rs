//! What `up` says once everything runs.

use std::path::Path;

use crate::environment;

/// Prints the URL, the administrator's credentials and a call that works when pasted.
pub(crate) fn print(port: u16, logs: &Path) {
    let url = format!("http://127.0.0.1:{port}");
    let password = environment::text("TECHSUPPORT_ADMIN_PASSWORD");
    let shown = password
        .as_deref()
        .map_or("admin123", |_| "the value of TECHSUPPORT_ADMIN_PASSWORD at the first start");
    // An example that takes the password from the environment, so that a real one is not shown.
    let quoted = if password.is_some() { "'\"$TECHSUPPORT_ADMIN_PASSWORD\"'" } else { "admin123" };
    eprintln!(
        "
TechSupport Pro is running.

  URL            {url}
  administrator  admin@techsupport.pro
  password       {shown}
  logs           {}

The tickets that are due next:

  TOKEN=$(curl -s {url}/api/auth/login -H 'Content-Type: application/json' \\
    -d '{{\"email\":\"admin@techsupport.pro\",\"password\":\"{quoted}\"}}' | sed 's/.*\"accessToken\":\"\\([^\"]*\\)\".*/\\1/')
  curl -s '{url}/api/tickets?sort=dueAt&pageSize=3' -H \"Authorization: Bearer $TOKEN\"

Below: what sla-worker does, and warnings of the API. Ctrl-C stops everything; the data stays.
",
        logs.display()
    );
}
