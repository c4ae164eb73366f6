//! What a use case's failure becomes: the one map, without a wildcard.

use techsupport_application::{AppError, Conflict, Entity, FieldError, Unauthenticated};
use techsupport_domain::ticket::Refusal;

use super::{InputError, Kind, Place, Problem, RefusedTransition};

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        match error {
            AppError::NotFound(entity) => {
                Problem::new(Kind::NotFound, format!("there is no such {}", name_of(entity)))
            }
            AppError::Refused(refusal) => refused(refusal),
            AppError::Invalid(fields) => Problem::invalid(input_errors(fields)),
            AppError::Unprocessable(fields) => unusable(input_errors(fields)),
            AppError::Conflict(Conflict::EmailTaken(entity)) => Problem::new(
                Kind::EmailTaken,
                format!("another {} has this e-mail address, whatever its letter case", name_of(entity)),
            ),
            AppError::Conflict(Conflict::LastAdmin) => Problem::new(
                Kind::LastAdmin,
                "this is the last active administrator; make somebody else one first",
            ),
            AppError::Conflict(Conflict::RepeatInFlight) => Problem::new(
                Kind::RepeatInFlight,
                "another request with this idempotency key is under way; ask again for its answer",
            ),
            AppError::Stale => Problem::new(
                Kind::PreconditionFailed,
                "it has changed since the version that If-Match names; nothing was changed",
            ),
            AppError::RepeatDiffers => Problem::new(
                Kind::RepeatDiffers,
                "this idempotency key was used before with another body; nothing was changed",
            ),
            AppError::Unauthenticated(Unauthenticated::BadCredentials) => {
                Problem::new(Kind::BadCredentials, "the e-mail address or the password is wrong")
            }
            AppError::Unauthenticated(Unauthenticated::UnusableRefreshToken) => {
                Problem::new(Kind::UnusableRefreshToken, "the refresh token cannot be used")
            }
            AppError::Unauthenticated(Unauthenticated::SessionEnded) => Problem::session_ended(),
            AppError::TimedOut => Problem::timed_out(),
            AppError::Unavailable { reason, retry_after } => {
                tracing::warn!(reason, "something this needs is unavailable");
                Problem::unavailable(retry_after)
            }
            AppError::Contention { reason } => {
                tracing::warn!(reason, "others kept getting in the way");
                Problem::contention()
            }
            AppError::Corrupt { ticket, reason } => {
                tracing::error!(ticketId = %ticket, reason, "a stored ticket cannot be understood");
                // Of many tickets the caller has to know which one to leave out.
                Problem::new(
                    Kind::Internal,
                    format!("ticket {ticket} cannot be read; the request id helps to find out why"),
                )
            }
            AppError::Internal(source) => {
                tracing::error!(error = %Chain(source.as_ref()), "internal error");
                Problem::internal()
            }
        }
    }
}

fn refused(refusal: Refusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        Refusal::IllegalTransition { from, to, allowed } => Problem {
            transition: Some(Box::new(RefusedTransition { from, to, allowed })),
            ..Problem::new(Kind::IllegalTransition, detail)
        },
        Refusal::NotAssignable { .. } => Problem::new(Kind::NotAssignable, detail),
        Refusal::AgentInactive(_) => {
            unusable(vec![InputError { place: Place::Pointer("/agentId".to_owned()), detail }])
        }
        Refusal::AgentLevelTooLow { .. } => Problem::new(Kind::AgentLevelTooLow, detail),
    }
}

fn unusable(errors: Vec<InputError>) -> Problem {
    let detail = match errors.as_slice() {
        [only] => only.detail.clone(),
        _ => "the request refers to what does not exist or may not be used; see errors".to_owned(),
    };
    Problem { errors, ..Problem::new(Kind::UnusableReference, detail) }
}

fn input_errors(fields: Vec<FieldError>) -> Vec<InputError> {
    fields
        .into_iter()
        .map(|field| InputError { place: Place::Pointer(field.pointer), detail: field.detail })
        .collect()
}

const fn name_of(entity: Entity) -> &'static str {
    match entity {
        Entity::Ticket => "ticket",
        Entity::Client => "client",
        Entity::Agent => "agent",
        Entity::User => "user",
        Entity::Session => "session",
        Entity::Import => "import",
        Entity::DeadLetter => "dead letter",
    }
}

/// An error with its causes, for the log.
struct Chain<'a>(&'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}
