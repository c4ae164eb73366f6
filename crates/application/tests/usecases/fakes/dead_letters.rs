//! Dead letters.

use std::time::Duration;

use techsupport_application::{
    AppError, Budget, Page, Paged,
    ports::{
        DeadLetterFilter, DeadLetterReader, DeadLetterRow, DeadLetterState, DeadLetterTx, FoundDeadLetter,
        LockedDeadLetter, QueueFigures, QueuedDeadLetters,
    },
};
use techsupport_domain::{EventId, UserId};
use uuid::Uuid;

use super::{Memory, Store, reader::absent};

impl DeadLetterReader for Memory {
    fn dead_letters(
        &self,
        _: &Budget,
        _: &DeadLetterFilter,
        _: Page,
    ) -> Result<Paged<DeadLetterRow>, AppError> {
        absent()
    }

    fn queue_figures(&self, _: &Budget) -> Result<QueueFigures, AppError> {
        absent()
    }
}

impl DeadLetterTx for Store {
    fn keep_dead_letter(
        &mut self,
        _: Uuid,
        _: Option<EventId>,
        _: &FoundDeadLetter,
    ) -> Result<bool, AppError> {
        absent()
    }

    fn dead_letter_state(&mut self, _: Uuid) -> Result<Option<DeadLetterState>, AppError> {
        absent()
    }

    fn lock_dead_letter(&mut self, _: Uuid, _: bool) -> Result<Option<LockedDeadLetter>, AppError> {
        absent()
    }

    fn queue_dead_letter(&mut self, _: Uuid, _: Option<UserId>) -> Result<(), AppError> {
        absent()
    }

    fn queue_dead_letters(&mut self, _: u32, _: Option<UserId>) -> Result<QueuedDeadLetters, AppError> {
        absent()
    }

    fn discard_dead_letter(&mut self, _: Uuid, _: Option<UserId>) -> Result<(), AppError> {
        absent()
    }

    fn forget_dead_letters(&mut self, _: Duration, _: u32) -> Result<u32, AppError> {
        absent()
    }
}
