//! Rotation: a token works once, and whoever presents it again ends the login.

use techsupport_application::{
    AppError, Unauthenticated,
    accounts::{RefreshToken, Refreshed, SignedIn, log_out, refresh},
};
use techsupport_domain::Role;

use super::{WEEK, desk_with, signed_in};
use crate::fakes::Desk;

fn turn(desk: &Desk, token: &RefreshToken) -> Result<SignedIn, AppError> {
    present(desk, token.reveal())
}

/// Whoever presents a spent token is told the same as with any other that cannot be used.
fn present(desk: &Desk, token: &str) -> Result<SignedIn, AppError> {
    match refresh(desk.ctx(), token, WEEK)? {
        Refreshed::Pair(who) => Ok(who),
        Refreshed::Reused(session) => {
            assert_eq!(desk.store().sessions[&session].revoked.as_deref(), Some("REUSE"));
            Err(AppError::Unauthenticated(Unauthenticated::UnusableRefreshToken))
        }
    }
}

fn assert_unusable(result: Result<SignedIn, AppError>) {
    let Err(error) = result else { panic!("was let in") };
    assert!(matches!(error, AppError::Unauthenticated(Unauthenticated::UnusableRefreshToken)), "{error:?}");
}

#[test]
fn a_chain_of_tokens_stays_in_one_session() {
    let desk = desk_with(true);
    let first = signed_in(&desk);
    let second = turn(&desk, &first.refresh_token).unwrap();
    let third = turn(&desk, &second.refresh_token).unwrap();
    assert_eq!(first.session, third.session);
    assert_ne!(second.refresh_token, third.refresh_token);
    assert_eq!(desk.store().tokens.values().filter(|token| !token.spent).count(), 1);
}

#[test]
fn a_spent_token_ends_everything_that_descends_from_the_login() {
    let desk = desk_with(true);
    let (first, elsewhere) = (signed_in(&desk), signed_in(&desk));
    let second = turn(&desk, &first.refresh_token).unwrap();
    assert_unusable(turn(&desk, &first.refresh_token));
    assert_eq!(desk.store().sessions[&first.session].revoked.as_deref(), Some("REUSE"));
    assert_unusable(turn(&desk, &second.refresh_token));
    turn(&desk, &elsewhere.refresh_token).unwrap();
}

#[test]
fn the_revocation_survives_a_repeated_transaction() {
    let desk = desk_with(true);
    desk.rehearse();
    let first = signed_in(&desk);
    turn(&desk, &first.refresh_token).unwrap();
    assert_unusable(turn(&desk, &first.refresh_token));
    assert_eq!(desk.store().sessions[&first.session].revoked.as_deref(), Some("REUSE"));
}

/// Who knows the half that finds the row, from a copy of the table, can neither enter nor end a login.
#[test]
fn half_a_token_opens_and_closes_nothing() {
    let desk = desk_with(true);
    let who = signed_in(&desk);
    let forged = format!("{}{}", who.refresh_token.lookup(), "0".repeat(32));
    assert_unusable(present(&desk, &forged));
    log_out(desk.ctx(), &forged).unwrap();
    let next = turn(&desk, &who.refresh_token).unwrap();
    let forged = format!("{}{}", who.refresh_token.lookup(), "0".repeat(32));
    assert_unusable(present(&desk, &forged));
    turn(&desk, &next.refresh_token).unwrap();
}

#[test]
fn what_is_no_token_is_unusable_like_any_other() {
    let desk = desk_with(true);
    for wrong in ["", "x", &"F".repeat(64), &"0".repeat(64)] {
        assert_unusable(present(&desk, wrong));
        log_out(desk.ctx(), wrong).unwrap();
    }
}

#[test]
fn a_refresh_sees_the_present_role_and_refuses_an_inactive_user() {
    let desk = desk_with(true);
    let first = signed_in(&desk);
    desk.store().users[0].user.role = Role::Agent;
    let second = turn(&desk, &first.refresh_token).unwrap();
    assert_eq!(second.user.role, Role::Agent);
    desk.store().users[0].user.active = false;
    assert_unusable(turn(&desk, &second.refresh_token));
}

#[test]
fn logging_out_ends_the_login_and_may_be_done_twice() {
    let desk = desk_with(true);
    let who = signed_in(&desk);
    for _ in 0..2 {
        log_out(desk.ctx(), who.refresh_token.reveal()).unwrap();
    }
    assert_eq!(desk.store().sessions[&who.session].revoked.as_deref(), Some("LOGOUT"));
    assert_unusable(turn(&desk, &who.refresh_token));
}
