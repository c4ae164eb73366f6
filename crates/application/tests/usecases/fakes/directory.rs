//! Agents inside a transaction.

use techsupport_application::{
    AppError,
    ports::{DirectoryTx, NewAgent, NewClient},
};
use techsupport_domain::{
    Agent, AgentId, AgentLevel, Client,
    text::{Email, PersonName},
};

use super::{Desk, Store, new_id};

impl Desk {
    pub fn agent(&self, level: i64, active: bool) -> AgentId {
        let id = AgentId::new(new_id());
        let agent = Agent {
            id,
            name: PersonName::parse("Luis").unwrap(),
            email: Email::parse(format!("{id}@example.org")).unwrap(),
            level: AgentLevel::parse(level).unwrap(),
            active,
            user: None,
        };
        self.store().agents.insert(id, agent);
        id
    }
}

impl DirectoryTx for Store {
    fn insert_client(&mut self, _: &NewClient) -> Result<Client, AppError> {
        Err(AppError::internal("no test enters a client here"))
    }

    fn insert_agent(&mut self, _: &NewAgent) -> Result<Agent, AppError> {
        Err(AppError::internal("no test enters an agent here"))
    }

    fn agent(&mut self, id: AgentId) -> Result<Option<Agent>, AppError> {
        Ok(self.agents.get(&id).cloned())
    }
}
