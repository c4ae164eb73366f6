//! The administrator of a new installation.

use std::{
    io::{self, Write},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::ExposeSecret;
use techsupport_application::{
    Actor, AppError, Budget, Call, Ctx, Ports, TraceContext,
    accounts::{FirstAdmin, Secret, ensure_first_admin},
};
use techsupport_bootstrap::ids;
use techsupport_domain::text::Email;

use crate::settings::{ApiSettings, ms};

/// Creates the administrator when there is none. A password that was made up here is shown once, on
/// standard error: the log is kept and shipped, a terminal is not.
pub(crate) fn ensure(ports: &Ports, settings: &ApiSettings) -> Result<(), AppError> {
    let email = Email::parse(settings.admin.email.as_str())
        .map_err(|error| AppError::internal(format!("admin.email {error}")))?;
    let configured = settings.admin.password.expose_secret();
    let made_up = configured.is_empty().then(random_password);
    let password = Secret::new(made_up.as_deref().unwrap_or(configured));
    let call = Call {
        actor: Actor::System,
        trace: TraceContext::start(ids::new_id(), ids::new_id()),
        budget: Arc::new(Budget::lasting(ms(settings.process.database_wait_ms))),
    };
    match ensure_first_admin(Ctx { ports, call: &call }, &email, &password)? {
        FirstAdmin::Existed => Ok(()),
        FirstAdmin::Created => {
            tracing::info!("created the first administrator");
            match made_up {
                Some(password) => show(&email, &password).map_err(AppError::internal),
                None => Ok(()),
            }
        }
    }
}

fn random_password() -> String {
    let mut bytes = [0; 32];
    ids::random(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn show(email: &Email, password: &str) -> io::Result<()> {
    writeln!(
        io::stderr(),
        "The first administrator is {} with the password {password}\nIt is not shown again.",
        email.as_str()
    )
}
