//! Reads. Only what a use case under test asks for is there.

use std::time::Duration;

use techsupport_application::{
    AppError, Budget, Page, Paged,
    ports::{AgentFilter, Backlog, ClientFilter, CommentRow, Reader, Readiness, TicketFilter, TimelineRow},
};
use techsupport_domain::{Agent, AgentId, Client, ClientId, TicketId, ticket::Ticket};

use super::Memory;

pub(super) fn absent<T>() -> Result<T, AppError> {
    Err(AppError::internal("this fake has no such read"))
}

impl Reader for Memory {
    fn ticket(&self, _: &Budget, id: TicketId) -> Result<Option<Ticket>, AppError> {
        Ok(self.store.lock().unwrap().tickets.get(&id).cloned())
    }

    fn tickets(&self, _: &Budget, _: &TicketFilter, _: Page) -> Result<Paged<Ticket>, AppError> {
        absent()
    }

    fn comments(&self, _: &Budget, _: TicketId, _: Page) -> Result<Option<Paged<CommentRow>>, AppError> {
        absent()
    }

    fn timeline(&self, _: &Budget, _: TicketId, _: Page) -> Result<Option<Paged<TimelineRow>>, AppError> {
        absent()
    }

    fn history(
        &self,
        _: &Budget,
        _: TicketId,
        _: u32,
    ) -> Result<Option<(Ticket, Vec<TimelineRow>)>, AppError> {
        absent()
    }

    fn client(&self, _: &Budget, id: ClientId) -> Result<Option<Client>, AppError> {
        Ok(self.store.lock().unwrap().clients.get(&id).cloned())
    }

    fn clients(&self, _: &Budget, _: &ClientFilter, _: Page) -> Result<Paged<Client>, AppError> {
        absent()
    }

    fn agent(&self, _: &Budget, id: AgentId) -> Result<Option<Agent>, AppError> {
        Ok(self.store.lock().unwrap().agents.get(&id).cloned())
    }

    fn agents(&self, _: &Budget, _: &AgentFilter, _: Page) -> Result<Paged<Agent>, AppError> {
        absent()
    }

    fn until_next_step(&self, _: &Budget) -> Result<Option<Duration>, AppError> {
        absent()
    }

    fn backlog(&self, _: &Budget) -> Result<Backlog, AppError> {
        absent()
    }

    fn readiness(&self, _: &Budget) -> Result<Readiness, AppError> {
        absent()
    }
}
