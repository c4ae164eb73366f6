//! The unit of work on a real server: what is repeated, what is given up, and what is never committed.

mod failures;
mod limits;
mod outages;
mod plans;
mod scopes;

use techsupport_application::ports::NewClient;
use techsupport_domain::{
    ClientId, ClientTier,
    text::{Company, Email, PersonName},
};

/// A client that only the tests of this module enter.
fn new_client(email: &str) -> NewClient {
    NewClient {
        id: ClientId::new(techsupport_bootstrap::ids::new_id()),
        name: PersonName::parse("Ana").unwrap(),
        email: Email::parse(email).unwrap(),
        tier: ClientTier::Normal,
        company: Company::parse("Forja SL").unwrap(),
    }
}
