//! The feed of events, which the fakes do not have.

use techsupport_application::{
    AppError, Budget,
    ports::{FeedEvent, FeedQuery, FeedReader},
};

use super::{Memory, reader::absent};

impl FeedReader for Memory {
    fn feed(&self, _: &Budget, _: &FeedQuery) -> Result<Option<Vec<FeedEvent>>, AppError> {
        absent()
    }
}
