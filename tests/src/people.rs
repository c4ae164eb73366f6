//! Users, clients, agents and tickets, made through the API.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use uuid::Uuid;

use crate::{Client, Desk};

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery staple";

static NEXT: AtomicU32 = AtomicU32::new(1);

fn fresh_email(kind: &str) -> String {
    format!("{kind}{}@example.org", NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Desk {
    /// The first administrator, signed in.
    pub fn admin(&self) -> Client {
        self.signed_in("admin@techsupport.pro", crate::desk::ADMIN_PASSWORD)
    }

    /// A new supervisor, signed in.
    pub fn supervisor(&self) -> Client {
        self.user("SUPERVISOR")
    }

    /// A new agent's user, signed in.
    pub fn agent(&self) -> Client {
        self.user("AGENT")
    }

    /// A new user, signed in.
    pub fn user(&self, role: &str) -> Client {
        let email = self.register(role);
        self.signed_in(&email, PASSWORD)
    }

    /// A new user's address.
    pub fn register(&self, role: &str) -> String {
        let email = fresh_email("user");
        let body = json!({"email": email, "password": PASSWORD, "role": role});
        self.admin().post("/api/auth/register", &body).expect(201);
        email
    }

    /// Somebody who has just signed in.
    pub fn signed_in(&self, email: &str, password: &str) -> Client {
        let answer = self.login(email, password).expect(200);
        self.anonymous().with_token(answer.json()["accessToken"].as_str().unwrap())
    }

    /// The answer to a login.
    pub fn login(&self, email: &str, password: &str) -> crate::Answer {
        self.anonymous().post("/api/auth/login", &json!({"email": email, "password": password}))
    }

    /// A new client of this tier.
    pub fn client_of(&self, caller: &Client, tier: &str) -> Uuid {
        let body =
            json!({"name": "Ana Pérez", "email": fresh_email("client"), "type": tier, "company": "Forja SL"});
        caller.post("/api/clients", &body).expect(201).id()
    }

    /// A new agent of this level, active.
    pub fn agent_of(&self, caller: &Client, level: u8) -> Uuid {
        let body = json!({"name": "Luis", "email": fresh_email("agent"), "level": level});
        caller.post("/api/agents", &body).expect(201).id()
    }

    /// A new ticket of a new client.
    pub fn ticket(&self, caller: &Client, tier: &str) -> Uuid {
        let client = self.client_of(caller, tier);
        self.ticket_for(caller, client)
    }

    /// A new ticket of this client.
    pub fn ticket_for(&self, caller: &Client, client: Uuid) -> Uuid {
        let body = json!({"title": "The printer is on fire", "description": "Smoke since nine.", "clientId": client});
        caller.post("/api/tickets", &body).expect(201).id()
    }

    /// Moves a ticket into the past by so many minutes: as if time had passed without anything happening.
    pub fn age(&self, ticket: Uuid, minutes: i32) {
        let mut database = self.database().connect();
        let mut transaction = database.transaction().unwrap();
        let by = f64::from(minutes) * 60.0;
        let moved = "UPDATE tickets SET created_at = created_at - make_interval(secs => $2), \
                     updated_at = updated_at - make_interval(secs => $2), \
                     due_at = due_at - make_interval(secs => $2) WHERE id = $1";
        assert_eq!(transaction.execute(moved, &[&ticket, &by]).unwrap(), 1);
        let clocks = "UPDATE sla_clocks SET started_at = started_at - make_interval(secs => $2), \
                      running_since = running_since - make_interval(secs => $2), \
                      paused_at = paused_at - make_interval(secs => $2), \
                      due_at = due_at - make_interval(secs => $2), \
                      next_step_at = next_step_at - make_interval(secs => $2) WHERE ticket_id = $1";
        transaction.execute(clocks, &[&ticket, &by]).unwrap();
        transaction.commit().unwrap();
    }
}
