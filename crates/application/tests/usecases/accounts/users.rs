//! Changing users, own logins and passwords.

use techsupport_application::{
    AppError, Conflict, Entity, Unauthenticated,
    accounts::{
        ChangePassword, ChangeUser, ChangedUser, Secret, SignedIn, change_password, change_user, end_session,
        login,
    },
    ports::{AuditAction, AuditOutcome, Credentials},
};
use techsupport_domain::{Role, SessionId, User, UserId, text::Email};

use super::{PASSWORD, WEEK, command, desk_with, signed_in};
use crate::fakes::{Desk, new_id};

const NEW: &str = "another horse, another battery";

fn end_of(desk: &Desk, session: SessionId) -> Option<String> {
    desk.store().sessions[&session].revoked.clone()
}

fn change(desk: &Desk, role: Option<Role>, active: Option<bool>) -> Result<ChangedUser, AppError> {
    let id = desk.store().users[0].user.id;
    change_user(desk.ctx(), &ChangeUser { id, role, active })
}

fn another_admin(desk: &Desk, active: bool) {
    let email = Email::parse("luis@example.org").unwrap();
    let user = User { id: UserId::new(new_id()), email, role: Role::Admin, active };
    desk.store().users.push(Credentials { user, password_hash: String::new() });
}

#[test]
fn another_role_or_none_ends_every_login() {
    for (role, active, why) in [
        (Some(Role::Agent), None, "ROLE_CHANGED"),
        (Some(Role::Admin), Some(true), "ROLE_CHANGED"),
        (None, Some(false), "DEACTIVATED"),
        (Some(Role::Agent), Some(false), "DEACTIVATED"),
    ] {
        let desk = desk_with(true);
        let sessions = [signed_in(&desk).session, signed_in(&desk).session];
        let changed = change(&desk, role, active).unwrap();
        assert_eq!(changed.ended, sessions);
        assert_eq!(changed.user, desk.store().users[0].user);
        for session in sessions {
            assert_eq!(end_of(&desk, session).as_deref(), Some(why));
        }
    }
}

#[test]
fn what_is_already_so_changes_and_ends_nothing() {
    let desk = desk_with(true);
    let session = signed_in(&desk).session;
    let told = desk.store().audit.len();
    for (role, active) in [(None, None), (Some(Role::Supervisor), Some(true)), (None, Some(true))] {
        assert!(change(&desk, role, active).unwrap().ended.is_empty());
    }
    assert_eq!(end_of(&desk, session), None);
    assert_eq!(desk.store().audit.len(), told);
}

#[test]
fn nobody_else_is_signed_out() {
    let desk = desk_with(true);
    another_admin(&desk, true);
    let session = signed_in(&desk).session;
    let other = desk.store().users[1].user.id;
    change_user(desk.ctx(), &ChangeUser { id: other, role: None, active: Some(false) }).unwrap_err();
    change(&desk, Some(Role::Admin), None).unwrap();
    assert_eq!(end_of(&desk, session).as_deref(), Some("ROLE_CHANGED"));
    let session = signed_in(&desk).session;
    change_user(desk.ctx(), &ChangeUser { id: other, role: None, active: Some(false) }).unwrap();
    assert_eq!(end_of(&desk, session), None);
}

/// An inactive administrator does not count: nobody could sign in.
#[test]
fn the_last_active_administrator_stays_one() {
    let desk = desk_with(true);
    desk.store().users[0].user.role = Role::Admin;
    another_admin(&desk, false);
    for (role, active) in [(Some(Role::Agent), None), (None, Some(false)), (Some(Role::Agent), Some(false))] {
        let refused = change(&desk, role, active);
        assert!(matches!(refused, Err(AppError::Conflict(Conflict::LastAdmin))), "{refused:?}");
    }
    change(&desk, Some(Role::Admin), Some(true)).unwrap();
    desk.store().users[1].user.active = true;
    change(&desk, Some(Role::Agent), None).unwrap();
}

#[test]
fn who_is_not_there_cannot_be_changed() {
    let desk = desk_with(true);
    let missing = ChangeUser { id: UserId::new(new_id()), role: None, active: Some(false) };
    let refused = change_user(desk.ctx(), &missing);
    assert!(matches!(refused, Err(AppError::NotFound(Entity::User))));
}

#[test]
fn a_user_ends_only_own_logins() {
    let desk = desk_with(true);
    let (one, other) = (signed_in(&desk), signed_in(&desk));
    let gone = |user, session| {
        matches!(end_session(desk.ctx(), user, session), Err(AppError::NotFound(Entity::Session)))
    };
    assert!(gone(UserId::new(new_id()), one.session), "somebody else's");
    assert!(gone(one.user.id, SessionId::new(new_id())), "one that never was");
    end_session(desk.ctx(), one.user.id, one.session).unwrap();
    assert!(gone(one.user.id, one.session), "one that is ended");
    assert_eq!(end_of(&desk, one.session).as_deref(), Some("REVOKED"));
    assert_eq!(end_of(&desk, other.session), None);
}

fn new_password(desk: &Desk, who: &SignedIn, current: &str, new: &str) -> Result<Vec<SessionId>, AppError> {
    let (user, session) = (who.user.id, who.session);
    let command = ChangePassword { user, session, current: Secret::new(current), new: Secret::new(new) };
    change_password(desk.ctx(), &command)
}

#[test]
fn another_password_ends_every_other_login() {
    let desk = desk_with(true);
    let (here, there) = (signed_in(&desk), signed_in(&desk));
    assert_eq!(new_password(&desk, &here, PASSWORD, NEW).unwrap(), [there.session]);
    assert_eq!(end_of(&desk, here.session), None);
    assert_eq!(end_of(&desk, there.session).as_deref(), Some("PASSWORD_CHANGED"));
    login(desk.ctx(), &command("ana@example.org", PASSWORD), WEEK).unwrap_err();
    login(desk.ctx(), &command("ana@example.org", NEW), WEEK).unwrap();
}

#[test]
fn a_wrong_current_password_is_told_and_changes_nothing() {
    let desk = desk_with(true);
    let who = signed_in(&desk);
    let Err(AppError::Unprocessable(errors)) = new_password(&desk, &who, "wrong", NEW) else { panic!() };
    assert_eq!(errors[0].pointer, "/currentPassword");
    assert_eq!(desk.store().users[0].password_hash, format!("hash of {PASSWORD}"));
    let last = desk.store().audit.last().cloned().unwrap();
    assert_eq!((last.action, last.outcome), (AuditAction::PasswordChanged, AuditOutcome::Failure));
    let Err(AppError::Invalid(errors)) = new_password(&desk, &who, PASSWORD, "password1") else { panic!() };
    assert_eq!(errors[0].pointer, "/newPassword");
}

/// The slow comparison is over when somebody else changes the user: what counts is what holds under the lock.
#[test]
fn a_change_between_comparison_and_lock_is_seen() {
    let deactivated: fn(&mut Credentials) = |found| found.user.active = false;
    let given_another_password: fn(&mut Credentials) =
        |found| found.password_hash = "hash of this".to_owned();
    for meanwhile in [deactivated, given_another_password] {
        let desk = desk_with(true);
        let who = signed_in(&desk);
        desk.store().meanwhile = Some((who.user.id, meanwhile));
        let refused = login(desk.ctx(), &command("ana@example.org", PASSWORD), WEEK);
        assert!(matches!(refused, Err(AppError::Unauthenticated(Unauthenticated::BadCredentials))));
        assert_eq!(desk.store().sessions.len(), 1);
    }
    let desk = desk_with(true);
    let who = signed_in(&desk);
    desk.store().meanwhile = Some((who.user.id, given_another_password));
    assert!(matches!(new_password(&desk, &who, PASSWORD, NEW), Err(AppError::Unprocessable(_))));
    let desk = desk_with(true);
    let who = signed_in(&desk);
    desk.store().meanwhile = Some((who.user.id, deactivated));
    let refused = new_password(&desk, &who, PASSWORD, NEW);
    assert!(matches!(refused, Err(AppError::Unauthenticated(Unauthenticated::SessionEnded))));
}
