//! Signing in and out.

mod audit;
mod login;
mod passwords;
mod refresh;
mod users;

use std::time::Duration;

use techsupport_application::{
    accounts::{Login, Secret, SignedIn, login},
    ports::Credentials,
};
use techsupport_domain::{Role, User, UserId, text::Email};

use crate::fakes::{Desk, new_id};

const WEEK: Duration = Duration::from_hours(7 * 24);
const PASSWORD: &str = "correct horse battery staple";

/// A desk with this one user.
fn desk_with(active: bool) -> Desk {
    let desk = Desk::new();
    let user = User {
        id: UserId::new(new_id()),
        email: Email::parse("Ana@Example.org").unwrap(),
        role: Role::Supervisor,
        active,
    };
    let password_hash = format!("hash of {PASSWORD}");
    desk.store().users.push(Credentials { user, password_hash });
    desk
}

fn command(email: &str, password: &str) -> Login {
    Login { email: email.to_owned(), password: Secret::new(password), user_agent: Some("curl/8".to_owned()) }
}

fn signed_in(desk: &Desk) -> SignedIn {
    login(desk.ctx(), &command("ana@example.org", PASSWORD), WEEK).unwrap()
}
