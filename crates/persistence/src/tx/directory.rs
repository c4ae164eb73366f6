//! Clients and agents.

use diesel::prelude::*;
use techsupport_application::{
    AppError, Conflict, Entity,
    ports::{DirectoryTx, NewAgent, NewClient},
};
use techsupport_domain::{Agent, AgentId, Client, ClientId};

use super::PgTx;
use crate::{
    failure::Failure,
    rows::{AgentRow, ClientRow},
    schema::{agents, clients},
};

impl DirectoryTx for PgTx<'_> {
    fn insert_client(&mut self, client: &NewClient) -> Result<Client, AppError> {
        let row: ClientRow = self.exec_or(
            |conn| {
                diesel::insert_into(clients::table)
                    .values((
                        clients::id.eq(client.id.uuid()),
                        clients::name.eq(client.name.as_str()),
                        clients::email.eq(client.email.as_str()),
                        clients::email_folded.eq(client.email.folded()),
                        clients::tier.eq(client.tier.name()),
                        clients::company.eq(client.company.as_str()),
                    ))
                    .returning(ClientRow::as_returning())
                    .get_result(conn)
            },
            client_taken,
        )?;
        row.into_client().map_err(AppError::internal)
    }

    fn insert_agent(&mut self, agent: &NewAgent) -> Result<Agent, AppError> {
        let row: AgentRow = self.exec_or(
            |conn| {
                diesel::insert_into(agents::table)
                    .values((
                        agents::id.eq(agent.id.uuid()),
                        agents::name.eq(agent.name.as_str()),
                        agents::email.eq(agent.email.as_str()),
                        agents::email_folded.eq(agent.email.folded()),
                        agents::level.eq(i16::from(agent.level.get())),
                        agents::active.eq(agent.active),
                        agents::user_id.eq(agent.user.map(techsupport_domain::UserId::uuid)),
                    ))
                    .returning(AgentRow::as_returning())
                    .get_result(conn)
            },
            agent_refused,
        )?;
        row.into_agent().map_err(AppError::internal)
    }

    fn lock_client(&mut self, id: ClientId) -> Result<Option<Client>, AppError> {
        let row: Option<ClientRow> = self.exec(|conn| {
            clients::table.find(id.uuid()).select(ClientRow::as_select()).for_update().first(conn).optional()
        })?;
        row.map(ClientRow::into_client).transpose().map_err(AppError::internal)
    }

    fn update_client(&mut self, client: &Client) -> Result<(), AppError> {
        self.exec_or(
            |conn| {
                diesel::update(clients::table.find(client.id.uuid()))
                    .set((
                        clients::name.eq(client.name.as_str()),
                        clients::email.eq(client.email.as_str()),
                        clients::email_folded.eq(client.email.folded()),
                        clients::tier.eq(client.tier.name()),
                        clients::company.eq(client.company.as_str()),
                    ))
                    .execute(conn)
            },
            client_taken,
        )
        .map(drop)
    }

    fn lock_agent(&mut self, id: AgentId) -> Result<Option<Agent>, AppError> {
        let row: Option<AgentRow> = self.exec(|conn| {
            agents::table.find(id.uuid()).select(AgentRow::as_select()).for_update().first(conn).optional()
        })?;
        row.map(AgentRow::into_agent).transpose().map_err(AppError::internal)
    }

    fn update_agent(&mut self, agent: &Agent) -> Result<(), AppError> {
        self.exec_or(
            |conn| {
                diesel::update(agents::table.find(agent.id.uuid()))
                    .set((
                        agents::name.eq(agent.name.as_str()),
                        agents::email.eq(agent.email.as_str()),
                        agents::email_folded.eq(agent.email.folded()),
                        agents::level.eq(i16::from(agent.level.get())),
                        agents::active.eq(agent.active),
                        agents::user_id.eq(agent.user.map(techsupport_domain::UserId::uuid)),
                    ))
                    .execute(conn)
            },
            agent_refused,
        )
        .map(drop)
    }

    fn agent(&mut self, id: AgentId) -> Result<Option<Agent>, AppError> {
        let row: Option<AgentRow> = self.exec(|conn| {
            agents::table.find(id.uuid()).select(AgentRow::as_select()).for_share().first(conn).optional()
        })?;
        row.map(AgentRow::into_agent).transpose().map_err(AppError::internal)
    }
}

fn client_taken(failure: &Failure) -> Option<AppError> {
    match failure.constraint() {
        Some("clients_email_taken") => Some(AppError::Conflict(Conflict::EmailTaken(Entity::Client))),
        Some(_) | None => None,
    }
}

fn agent_refused(failure: &Failure) -> Option<AppError> {
    match failure.constraint() {
        Some("agents_email_taken") => Some(AppError::Conflict(Conflict::EmailTaken(Entity::Agent))),
        Some("agents_user_taken") => {
            Some(AppError::unprocessable("/userId", "the user belongs to another agent"))
        }
        Some("agents_user_exists") => Some(AppError::unprocessable("/userId", "there is no such user")),
        Some(_) | None => None,
    }
}
