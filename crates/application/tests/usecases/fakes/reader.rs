//! Reads. Only what a use case under test asks for is there.

use std::time::Duration;

use techsupport_application::{
    AppError, Budget, Page, Paged,
    ports::{
        AgentFilter, Backlog, ClientFilter, Credentials, Reader, Readiness, StoredRefreshToken, TicketFilter,
        TimelineRow,
    },
};
use techsupport_domain::{Agent, AgentId, Client, ClientId, TicketId, User, UserId, ticket::Ticket};

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

    fn timeline(&self, _: &Budget, _: TicketId, _: Page) -> Result<Option<Paged<TimelineRow>>, AppError> {
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

    fn user(&self, _: &Budget, id: UserId) -> Result<Option<User>, AppError> {
        let store = self.store.lock().unwrap();
        Ok(store.users.iter().map(|found| &found.user).find(|user| user.id == id).cloned())
    }

    fn credentials(&self, _: &Budget, email: &str) -> Result<Option<Credentials>, AppError> {
        let store = self.store.lock().unwrap();
        Ok(store.users.iter().find(|found| found.user.email.folded() == email).cloned())
    }

    fn refresh_token(&self, _: &Budget, lookup: &str) -> Result<Option<StoredRefreshToken>, AppError> {
        Ok(self.store.lock().unwrap().find_token(lookup))
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
