//! What the audit log keeps of accounts, and what it never does.

use techsupport_application::{
    AppError,
    accounts::{ChangeUser, change_user, log_out, login, login_throttled, refresh},
    ports::{AuditAction, AuditActor, AuditEntry, AuditOutcome, AuditTarget},
};
use techsupport_domain::{Role, UserId};

use super::{PASSWORD, WEEK, command, desk_with, signed_in};
use crate::fakes::{Desk, user_id};

fn ana(desk: &Desk) -> UserId {
    desk.store().users[0].user.id
}

fn only(desk: &Desk) -> AuditEntry {
    let store = desk.store();
    let [entry] = &store.audit[..] else { panic!("{:?}", store.audit) };
    entry.clone()
}

#[test]
fn a_login_names_the_user_who_signed_in_and_the_session() {
    let desk = desk_with(true);
    let who = signed_in(&desk);
    let entry = only(&desk);
    assert_eq!((entry.action, entry.outcome), (AuditAction::Login, AuditOutcome::Success));
    assert_eq!(entry.actor, AuditActor::User(who.user.id));
    assert_eq!(entry.target, Some(AuditTarget::User(who.user.id)));
    assert_eq!(entry.detail["sessionId"], who.session.to_string());
}

/// One entry in every case: the time that it takes tells nothing. The address that was typed is in none.
#[test]
fn a_failed_login_names_the_user_it_was_about_and_nothing_that_was_typed() {
    for (active, email, password, reason) in [
        (true, "ana@example.org", "wrong", "WRONG_PASSWORD"),
        (false, "ana@example.org", PASSWORD, "INACTIVE"),
        (true, "nobody@example.org", PASSWORD, "UNKNOWN_ADDRESS"),
        (true, PASSWORD, PASSWORD, "UNKNOWN_ADDRESS"),
    ] {
        let desk = desk_with(active);
        login(desk.ctx(), &command(email, password), WEEK).unwrap_err();
        let entry = only(&desk);
        assert_eq!((entry.action, entry.outcome), (AuditAction::Login, AuditOutcome::Failure));
        assert_eq!(entry.actor, AuditActor::Anonymous);
        let known = (reason != "UNKNOWN_ADDRESS").then(|| AuditTarget::User(ana(&desk)));
        assert_eq!(entry.target, known, "{reason}");
        assert_eq!(entry.detail["reason"], reason);
        let shown = format!("{entry:?}");
        assert!(!shown.contains(email) && !shown.contains(password), "{shown}");
    }
}

#[test]
fn a_throttled_login_is_told_without_a_comparison() {
    let desk = desk_with(true);
    login_throttled(desk.ctx(), "ANA@example.org").unwrap();
    let entry = only(&desk);
    assert_eq!((entry.action, entry.outcome), (AuditAction::LoginThrottled, AuditOutcome::Failure));
    assert_eq!(entry.target, Some(AuditTarget::User(ana(&desk))));
    assert!(desk.passwords.compared.lock().unwrap().is_empty());
    login_throttled(desk.ctx(), "no address").unwrap();
    assert_eq!(desk.store().audit[1].target, None);
}

#[test]
fn the_reuse_of_a_token_is_told_once_and_by_nobody_known() {
    let desk = desk_with(true);
    let who = signed_in(&desk);
    refresh(desk.ctx(), who.refresh_token.reveal(), WEEK).unwrap();
    refresh(desk.ctx(), who.refresh_token.reveal(), WEEK).unwrap();
    refresh(desk.ctx(), who.refresh_token.reveal(), WEEK).unwrap_err();
    let store = desk.store();
    let told: Vec<_> = store.audit.iter().map(|entry| (entry.action, entry.outcome, entry.actor)).collect();
    let reuse = (AuditAction::RefreshReuse, AuditOutcome::Failure, AuditActor::Anonymous);
    assert_eq!(told[1..], [reuse]);
    assert_eq!(store.audit[1].detail["sessionId"], who.session.to_string());
}

#[test]
fn a_logout_is_told_once() {
    let desk = desk_with(true);
    let who = signed_in(&desk);
    for _ in 0..2 {
        assert_eq!(log_out(desk.ctx(), who.refresh_token.reveal()).unwrap(), Some(who.session));
    }
    let store = desk.store();
    let told: Vec<_> = store.audit.iter().map(|entry| (entry.action, entry.actor)).collect();
    assert_eq!(told[1..], [(AuditAction::Logout, AuditActor::User(who.user.id))]);
}

#[test]
fn a_change_of_a_user_names_who_did_it_and_what_was_before() {
    let desk = desk_with(true);
    let id = ana(&desk);
    let both = ChangeUser { id, role: Some(Role::Agent), active: Some(false) };
    change_user(desk.ctx(), &both).unwrap();
    let store = desk.store();
    let told: Vec<_> = store.audit.iter().map(|entry| entry.action).collect();
    assert_eq!(told, [AuditAction::RoleChanged, AuditAction::UserDeactivated]);
    for entry in &store.audit {
        assert_eq!(entry.actor, AuditActor::User(user_id()));
        assert_eq!(entry.target, Some(AuditTarget::User(id)));
    }
    assert_eq!(store.audit[0].detail["before"]["role"], "SUPERVISOR");
    assert_eq!(store.audit[0].detail["after"]["role"], "AGENT");
}

#[test]
fn what_is_rolled_back_is_not_told() {
    let desk = desk_with(true);
    let id = ana(&desk);
    desk.store().users[0].user.role = Role::Admin;
    let refused = change_user(desk.ctx(), &ChangeUser { id, role: None, active: Some(false) });
    assert!(matches!(refused, Err(AppError::Conflict(_))));
    assert!(desk.store().audit.is_empty());
}

#[test]
fn names_are_read_as_they_are_written() {
    for action in AuditAction::ALL {
        assert_eq!(AuditAction::parse(action.name()), Ok(*action));
    }
    assert!(AuditAction::parse("login").is_err());
}
