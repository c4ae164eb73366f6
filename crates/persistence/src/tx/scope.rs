//! Parts of a transaction that can fail on their own: savepoints.

use techsupport_application::{
    AppError,
    ports::{Scope, Tx},
};

use super::PgTx;
use crate::failure::Failure;

impl Scope for PgTx<'_> {
    fn attempt(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), AppError>) -> Result<(), AppError> {
        self.on_link(crate::link::Link::save)?;
        let worked = work(self);
        if worked.is_ok() && self.failure.is_none() {
            return self.on_link(crate::link::Link::release);
        }
        // Undone in any case, so that the nesting is right for whoever ends the transaction.
        if let Err(failure) = self.link.undo() {
            self.failure.get_or_insert(failure);
            return worked.and_then(|()| Err(AppError::internal("a savepoint could not be returned to")));
        }
        if self.failure.as_ref().is_some_and(is_only_of_the_part) {
            self.failure = None;
        }
        match worked {
            Err(error) => Err(error),
            Ok(()) => Err(AppError::internal("a part of a transaction swallowed the failure of a statement")),
        }
    }
}

/// Whether the rest of the transaction can go on after the statement that failed was undone.
fn is_only_of_the_part(failure: &Failure) -> bool {
    match failure {
        Failure::LockTimeout | Failure::Unique(_) | Failure::ForeignKey(_) | Failure::Other(_) => true,
        // After a deadlock the victim has to let go of all its locks; the rest of the time is over for all.
        Failure::Clash(_) | Failure::Lost(_) | Failure::Cancelled => false,
    }
}
