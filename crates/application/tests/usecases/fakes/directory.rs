//! Agents inside a transaction.

use techsupport_application::{
    AppError,
    ports::{DirectoryTx, NewAgent, NewClient},
};
use techsupport_domain::{
    Agent, AgentId, AgentLevel, Client, ClientId,
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

    fn lock_client(&mut self, id: ClientId) -> Result<Option<Client>, AppError> {
        Ok(self.clients.get(&id).cloned())
    }

    fn update_client(&mut self, client: &Client) -> Result<(), AppError> {
        self.clients.insert(client.id, client.clone());
        Ok(())
    }

    fn lock_agent(&mut self, id: AgentId) -> Result<Option<Agent>, AppError> {
        Ok(self.agents.get(&id).cloned())
    }

    fn update_agent(&mut self, agent: &Agent) -> Result<(), AppError> {
        self.agents.insert(agent.id, agent.clone());
        Ok(())
    }

    fn agent(&mut self, id: AgentId) -> Result<Option<Agent>, AppError> {
        Ok(self.agents.get(&id).cloned())
    }
}
