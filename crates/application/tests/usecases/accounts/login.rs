//! Signing in.

use techsupport_application::{AppError, Unauthenticated, accounts::login};

use super::{PASSWORD, WEEK, command, desk_with, signed_in};

#[test]
fn the_address_is_compared_without_letter_case() {
    let desk = desk_with(true);
    let who = login(desk.ctx(), &command("ANA@example.ORG", PASSWORD), WEEK).unwrap();
    assert_eq!(who.user.email.as_str(), "Ana@Example.org");
    let store = desk.store();
    assert_eq!(store.sessions[&who.session].user, who.user.id);
    let kept = &store.tokens[who.refresh_token.lookup()];
    assert_eq!(kept.session, who.session);
    assert!(!kept.secret_hash.contains(who.refresh_token.lookup()));
}

/// One error for all, and the slow comparison in every case, so that the time tells nothing either.
#[test]
fn whatever_is_wrong_the_answer_is_the_same() {
    for (active, email, password) in [
        (true, "ana@example.org", "wrong"),
        (true, "nobody@example.org", PASSWORD),
        (true, "not an address", PASSWORD),
        (true, "", ""),
        (false, "ana@example.org", PASSWORD),
    ] {
        let desk = desk_with(active);
        let refused = login(desk.ctx(), &command(email, password), WEEK).unwrap_err();
        assert!(matches!(refused, AppError::Unauthenticated(Unauthenticated::BadCredentials)), "{email}");
        assert_eq!(desk.passwords.compared.lock().unwrap().len(), 1, "{email}");
        assert!(desk.store().sessions.is_empty());
    }
}

#[test]
fn every_login_is_a_session_of_its_own() {
    let desk = desk_with(true);
    let (one, other) = (signed_in(&desk), signed_in(&desk));
    assert_ne!(one.session, other.session);
    assert_ne!(one.refresh_token, other.refresh_token);
    assert_eq!(desk.store().sessions.len(), 2);
}

#[test]
fn an_endless_user_agent_is_cut() {
    let desk = desk_with(true);
    let mut long = command("ana@example.org", PASSWORD);
    long.user_agent = Some("ñ".repeat(10_000));
    let who = login(desk.ctx(), &long, WEEK).unwrap();
    assert_eq!(desk.store().sessions[&who.session].user_agent, Some("ñ".repeat(400)));
}

#[test]
fn work_that_runs_twice_opens_one_session() {
    let desk = desk_with(true);
    desk.rehearse();
    signed_in(&desk);
    let store = desk.store();
    assert_eq!((store.sessions.len(), store.tokens.len()), (1, 1));
}
