//! A use case as a part of somebody else's transaction.

use std::cell::RefCell;

use crate::{
    AppError, Budget,
    ports::{Tx, UnitOfWork},
};

/// A unit of work inside a transaction that is open already.
///
/// What runs through it is one part of that transaction: undone on its own when it fails, kept when, and only
/// when, the whole commits. The budget of the transaction counts, not the one given to the part.
pub struct Joined<'t> {
    tx: RefCell<&'t mut dyn Tx>,
}

impl<'t> Joined<'t> {
    /// Joins a transaction.
    pub fn new(tx: &'t mut dyn Tx) -> Self {
        Self { tx: RefCell::new(tx) }
    }
}

impl UnitOfWork for Joined<'_> {
    fn run(
        &self,
        _: &Budget,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), AppError>,
    ) -> Result<(), AppError> {
        match self.tx.try_borrow_mut() {
            Ok(mut tx) => tx.attempt(work),
            Err(_) => Err(AppError::internal("a unit of work was begun inside of itself")),
        }
    }
}
