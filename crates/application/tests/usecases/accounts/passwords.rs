//! Who gets an account, and with which password.

use techsupport_application::{
    AppError, Conflict, Entity,
    accounts::{FirstAdmin, Register, Secret, check_password, ensure_first_admin, register, who_is},
};
use techsupport_domain::{Role, UserId, text::Email};

use super::{PASSWORD, desk_with, signed_in};
use crate::fakes::{Desk, new_id};

fn complaint(password: &str) -> Option<String> {
    match check_password(Desk::new().ctx(), &Secret::new(password), "/newPassword") {
        Ok(()) => None,
        Err(AppError::Invalid(errors)) => {
            assert_eq!(errors[0].pointer, "/newPassword");
            Some(errors[0].detail.clone())
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn what_a_password_may_be() {
    let said = |text: &str| Some(text.to_owned());
    assert_eq!(complaint("ñandúes8"), None);
    assert_eq!(complaint(&"🐧".repeat(128)), None);
    assert_eq!(complaint("seven77"), said("must have 8 to 128 characters"));
    assert_eq!(complaint(&"🐧".repeat(129)), said("must have 8 to 128 characters"));
    assert_eq!(complaint("        \u{2003}"), said("must not be blank"));
    assert_eq!(complaint("eight\0888"), said("must not contain the NUL character"));
    assert_eq!(complaint("password1"), said("is among the most common passwords"));
}

fn command(email: &str, password: &str) -> Register {
    Register {
        email: Email::parse(email).unwrap(),
        password: Secret::new(password),
        role: Role::Agent,
        active: true,
    }
}

#[test]
fn a_registered_user_is_who_one_asks_for() {
    let desk = Desk::new();
    let user = register(desk.ctx(), &command("luis@example.org", PASSWORD)).unwrap();
    assert_eq!(who_is(desk.ctx(), user.id).unwrap(), user);
    assert_eq!(desk.store().users[0].password_hash, format!("hash of {PASSWORD}"));
    let missing = who_is(desk.ctx(), UserId::new(new_id()));
    assert!(matches!(missing, Err(AppError::NotFound(Entity::User))));
}

#[test]
fn an_address_is_taken_whatever_its_letter_case() {
    let desk = desk_with(true);
    let taken = register(desk.ctx(), &command("ANA@EXAMPLE.ORG", PASSWORD));
    assert!(matches!(taken, Err(AppError::Conflict(Conflict::EmailTaken(Entity::User)))));
}

#[test]
fn a_bad_password_registers_nobody() {
    let desk = Desk::new();
    assert!(matches!(register(desk.ctx(), &command("a@b.c", "password1")), Err(AppError::Invalid(_))));
    assert!(desk.store().users.is_empty());
}

#[test]
fn the_first_administrator_is_made_once() {
    let desk = Desk::new();
    let email = Email::parse("admin@techsupport.pro").unwrap();
    let ensure = |password| ensure_first_admin(desk.ctx(), &email, &Secret::new(password)).unwrap();
    assert_eq!(ensure("one-password"), FirstAdmin::Created);
    assert_eq!(ensure("another-password"), FirstAdmin::Existed);
    assert_eq!(desk.store().users.len(), 1);
    assert_eq!(desk.store().users[0].password_hash, "hash of one-password");
}

#[test]
fn debug_output_shows_no_secret() {
    let desk = desk_with(true);
    let who = signed_in(&desk);
    let shown = format!("{:?} {who:?}", command("a@b.c", PASSWORD));
    assert!(!shown.contains("horse"), "{shown}");
    assert!(!shown.contains(who.refresh_token.lookup()), "{shown}");
    assert!(!shown.contains(who.refresh_token.secret()), "{shown}");
    assert!(!shown.contains("a@b.c"), "{shown}");
}
