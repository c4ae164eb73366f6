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
    ports::UnitOfWorkExt,
};
use techsupport_bootstrap::ids;
use techsupport_domain::text::Email;

use crate::settings::{ApiSettings, ms};

/// Creates the administrator when there is none. A password that is made up here is shown on standard error:
/// the log is kept and shipped, a terminal is not.
pub(crate) fn ensure(ports: &Ports, settings: &ApiSettings) -> Result<(), AppError> {
    let email = Email::parse(settings.admin.email.as_str())
        .map_err(|error| AppError::internal(format!("admin.email {error}")))?;
    let call = Call {
        actor: Actor::System,
        origin: None,
        trace: TraceContext::start(ids::new_id(), ids::new_id()),
        budget: Arc::new(Budget::lasting(ms(settings.process.database_wait_ms))),
    };
    if ports.work.run_for(&call.budget, |tx| tx.any_admin())? {
        return Ok(());
    }
    let create = |password: &str| ensure_first_admin(Ctx::new(ports, &call), &email, &Secret::new(password));
    let created = match settings.admin.password.expose_secret() {
        "" => create_with_a_random_password(&email, create, &mut io::stderr())?,
        configured => create(configured)?,
    };
    match created {
        FirstAdmin::Created => tracing::info!("created the first administrator"),
        FirstAdmin::Existed => tracing::info!("another process has created the first administrator"),
    }
    Ok(())
}

/// Shows the password first: shown after the commit, it would be lost with a process that dies in between,
/// and nobody could ever sign in. So one that came to nothing may have been shown, and the text says how
/// to tell.
fn create_with_a_random_password(
    email: &Email,
    create: impl FnOnce(&str) -> Result<FirstAdmin, AppError>,
    out: &mut impl Write,
) -> Result<FirstAdmin, AppError> {
    let password = random_password();
    writeln!(
        out,
        "Creating the first administrator, {}, with the password {password}\n\
         It is not shown again. It counts, unless this start says that it does not or a later one shows another.",
        email.as_str()
    )
    .map_err(AppError::internal)?;
    let created = create(&password)?;
    let outcome = match created {
        FirstAdmin::Created => "The first administrator was created: this password counts.",
        FirstAdmin::Existed => {
            "Another process was faster: the password shown by this start does not count, the other one's does."
        }
    };
    writeln!(out, "{outcome}").map_err(AppError::internal)?;
    Ok(created)
}

fn random_password() -> String {
    let mut bytes = [0; 32];
    ids::random(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{cell::RefCell, rc::Rc};

    use super::*;

    /// What a terminal shows, also while something else goes on.
    #[derive(Clone, Default)]
    struct Terminal(Rc<RefCell<Vec<u8>>>);

    impl Write for Terminal {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown_after(outcome: FirstAdmin) -> String {
        let terminal = Terminal::default();
        let email = Email::parse("admin@techsupport.pro").unwrap();
        let seen = || String::from_utf8(terminal.0.borrow().clone()).unwrap();
        let create = |password: &str| {
            assert!(seen().contains(password), "whoever dies now must have shown it");
            Ok(outcome)
        };
        assert_eq!(create_with_a_random_password(&email, create, &mut terminal.clone()).unwrap(), outcome);
        seen()
    }

    #[test]
    fn a_random_password_is_shown_before_it_counts_and_then_whether_it_does() {
        assert!(shown_after(FirstAdmin::Created).ends_with("this password counts.\n"));
        assert!(shown_after(FirstAdmin::Existed).contains("does not count, the other one's does"));
    }
}
