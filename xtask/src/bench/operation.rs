//! What is compared: four routes, and for each the statements that it makes.

use rand::RngExt;
use rand::rngs::ChaCha12Rng;
use serde::Deserialize;

use super::client::request;
use crate::error::{Error, Result};
use crate::psql::Psql;

const TITLE: &str = "Payment gateway rejects every card";
const DESCRIPTION: &str =
    "Since this morning every card is refused, whatever the bank. Reported by the shop on the corner.";

/// A route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// `PATCH /api/tickets/{id}/status`
    Status,
    /// `GET /api/tickets/{id}`
    Show,
    /// `GET /api/tickets`
    List,
    /// `POST /api/tickets`
    Create,
}

impl Operation {
    pub(super) const ALL: [Operation; 4] =
        [Operation::Status, Operation::Show, Operation::List, Operation::Create];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Status => "PATCH /api/tickets/{id}/status",
            Self::Show => "GET /api/tickets/{id}",
            Self::List => "GET /api/tickets",
            Self::Create => "POST /api/tickets",
        }
    }

    /// The script for pgbench.
    pub(super) fn script(self, stock: &Stock, connections: u32) -> String {
        let template = match self {
            Self::Status => include_str!("sql/status.sql"),
            Self::Show => include_str!("sql/show.sql"),
            Self::List => include_str!("sql/list.sql"),
            Self::Create => include_str!("sql/create.sql"),
        };
        template
            .replace("{tickets}", &stock.tickets.len().to_string())
            .replace("{clients}", &stock.clients.len().to_string())
            .replace("{span}", &stock.span(connections).to_string())
            .replace("{actor}", &stock.actor)
            .replace("{title}", TITLE)
            .replace("{description}", DESCRIPTION)
    }
}

/// What there is to work on. The first half of the movable tickets belongs to pgbench.
#[derive(Debug)]
pub(super) struct Stock {
    tickets: Vec<String>,
    clients: Vec<String>,
    movable: Vec<Movable>,
    /// The administrator's id.
    actor: String,
}

/// A ticket that goes to and fro.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Movable {
    id: String,
    status: String,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

impl Stock {
    /// Takes stock of a seeded database.
    pub(super) fn take(psql: &Psql) -> Result<Self> {
        psql.run(include_str!("sql/setup.sql"))?;
        let ids = |query: &str| -> Result<Vec<String>> {
            Ok(psql.rows::<Id>(query)?.into_iter().map(|row| row.id).collect())
        };
        let stock = Self {
            tickets: ids("SELECT id FROM bench.tickets ORDER BY n")?,
            clients: ids("SELECT id FROM bench.clients ORDER BY n")?,
            movable: psql.rows("SELECT id, status FROM bench.movable ORDER BY n")?,
            actor: psql.run("SELECT id FROM users WHERE role = 'ADMIN' ORDER BY created_at LIMIT 1")?,
        };
        if stock.tickets.is_empty() || stock.clients.is_empty() {
            return Err(Error::Refused("there are no tickets to work on: give --tickets a number".into()));
        }
        Ok(stock)
    }

    /// How many movable tickets each connection of either side has for itself.
    pub(super) fn span(&self, connections: u32) -> usize {
        self.movable.len() / 2 / usize::try_from(connections).unwrap_or(usize::MAX).max(1)
    }

    /// The movable tickets of one connection of ours.
    pub(super) fn share(&self, connection: usize, connections: u32) -> Vec<Movable> {
        let span = self.span(connections);
        let begin = self.movable.len() / 2 + connection * span;
        self.movable.get(begin..begin + span).unwrap_or_default().to_vec()
    }

    /// The next request of a connection.
    pub(super) fn request(&self, operation: Operation, token: &str, state: &mut State) -> Vec<u8> {
        let any = |ids: &[String], chance: &mut ChaCha12Rng| {
            ids.get(chance.random_range(0..ids.len())).cloned().unwrap_or_default()
        };
        match operation {
            Operation::Status => {
                let ticket = state.movable();
                let path = format!("/api/tickets/{}/status", ticket.id);
                request("PATCH", &path, Some(token), &format!(r#"{{"status":"{}"}}"#, ticket.other()))
            }
            Operation::Show => {
                let path = format!("/api/tickets/{}", any(&self.tickets, &mut state.chance));
                request("GET", &path, Some(token), "")
            }
            Operation::List => request("GET", "/api/tickets", Some(token), ""),
            Operation::Create => {
                let client = any(&self.clients, &mut state.chance);
                let priority = state.chance.random_range(1..=4);
                let body = format!(
                    r#"{{"title":"{TITLE}","description":"{DESCRIPTION}","clientId":"{client}","priority":{priority}}}"#
                );
                request("POST", "/api/tickets", Some(token), &body)
            }
        }
    }
}

impl Movable {
    fn other(&self) -> &'static str {
        if self.status == "WAITING" { "IN_PROGRESS" } else { "WAITING" }
    }
}

/// What a connection remembers from request to request, and from round to round.
#[derive(Debug)]
pub(super) struct State {
    pub(super) chance: ChaCha12Rng,
    pub(super) movable: Vec<Movable>,
    pub(super) next: usize,
}

impl State {
    fn movable(&self) -> Movable {
        let count = self.movable.len().max(1);
        let nothing = || Movable { id: String::new(), status: String::new() };
        self.movable.get(self.next % count).cloned().unwrap_or_else(nothing)
    }

    /// The last request succeeded.
    pub(super) fn advance(&mut self, operation: Operation) {
        if operation == Operation::Status {
            let count = self.movable.len().max(1);
            if let Some(ticket) = self.movable.get_mut(self.next % count) {
                ticket.status = ticket.other().to_owned();
            }
            self.next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rand::SeedableRng;

    use super::*;

    fn stock() -> Stock {
        let movable = (0..8).map(|n| Movable { id: format!("m{n}"), status: "WAITING".into() }).collect();
        Stock { tickets: vec!["t".into()], clients: vec!["c".into()], movable, actor: "a".into() }
    }

    #[test]
    fn connections_share_no_ticket_with_each_other_nor_with_pgbench() {
        let stock = stock();
        let ids = |connection| stock.share(connection, 2).into_iter().map(|m| m.id).collect::<Vec<_>>();
        assert_eq!(
            (ids(0), ids(1)),
            (vec!["m4".to_owned(), "m5".into()], vec!["m6".to_owned(), "m7".into()])
        );
    }

    #[test]
    fn a_ticket_goes_to_and_fro_and_only_when_it_went() {
        let mut state =
            State { chance: ChaCha12Rng::seed_from_u64(1), movable: stock().share(0, 4), next: 0 };
        let asks = |state: &mut State| {
            let sent = String::from_utf8(stock().request(Operation::Status, "t", state)).unwrap();
            if sent.contains("IN_PROGRESS") { "IN_PROGRESS" } else { "WAITING" }
        };
        assert_eq!((asks(&mut state), asks(&mut state)), ("IN_PROGRESS", "IN_PROGRESS"));
        state.advance(Operation::Status);
        assert_eq!(asks(&mut state), "WAITING");
    }

    #[test]
    fn scripts_have_no_holes() {
        for operation in Operation::ALL {
            let script = operation.script(&stock(), 2);
            assert!(
                !["{span", "{tick", "{act", "{cli", "{ti", "{desc"].iter().any(|hole| script.contains(hole))
            );
        }
    }
}
