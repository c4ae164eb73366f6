//! Parts of a transaction that fail on their own, and use cases inside of somebody else's transaction.

use std::time::Duration;

use techsupport_application::{
    AppError, Budget, Conflict, Ctx, Entity, Joined,
    directory::{EnterClient, enter_client},
    ports::UnitOfWorkExt,
};
use techsupport_domain::{
    ClientTier,
    text::{Company, Email, PersonName},
};
use techsupport_tests::{Desk, system_call};

use super::new_client;

fn is_taken(error: &AppError) -> bool {
    matches!(error, AppError::Conflict(Conflict::EmailTaken(Entity::Client)))
}

fn minute() -> Budget {
    Budget::lasting(Duration::from_mins(1))
}

fn emails(desk: &Desk) -> Vec<String> {
    let rows = desk.database().connect().query("SELECT email FROM clients ORDER BY email", &[]).unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
fn a_part_that_fails_is_undone_and_the_rest_is_kept() {
    let desk = Desk::with().without_sweep().start();
    desk.ports()
        .work
        .run_for(&minute(), |tx| {
            tx.insert_client(&new_client("before@example.org"))?;
            let part = tx.attempt_for(|tx| {
                tx.insert_client(&new_client("inside@example.org"))?;
                tx.insert_client(&new_client("BEFORE@example.org"))
            });
            assert!(part.is_err_and(|error| is_taken(&error)));
            let refused = tx.attempt_for(|tx| {
                tx.insert_client(&new_client("refused@example.org"))?;
                Err::<(), _>(AppError::NotFound(Entity::Ticket))
            });
            assert!(matches!(refused, Err(AppError::NotFound(Entity::Ticket))));
            tx.attempt_for(|tx| tx.insert_client(&new_client("kept@example.org")))?;
            tx.insert_client(&new_client("after@example.org"))
        })
        .unwrap();
    assert_eq!(emails(&desk), ["after@example.org", "before@example.org", "kept@example.org"]);
}

#[test]
fn a_part_that_swallows_an_error_is_undone_too() {
    let desk = Desk::with().without_sweep().start();
    let outcome = desk.ports().work.run_for(&minute(), |tx| {
        tx.insert_client(&new_client("one@example.org"))?;
        let part = tx.attempt_for(|tx| {
            tx.insert_client(&new_client("two@example.org"))?;
            assert!(tx.insert_client(&new_client("ONE@example.org")).is_err());
            Ok(())
        });
        assert!(matches!(part, Err(AppError::Internal(_))), "{part:?}");
        Ok(())
    });
    outcome.unwrap();
    assert_eq!(emails(&desk), ["one@example.org"]);
}

#[test]
fn parts_lie_within_parts() {
    let desk = Desk::with().without_sweep().start();
    desk.ports()
        .work
        .run_for(&minute(), |tx| {
            tx.attempt_for(|tx| {
                tx.insert_client(&new_client("outer@example.org"))?;
                let inner = tx.attempt_for(|tx| {
                    tx.insert_client(&new_client("inner@example.org"))?;
                    tx.insert_client(&new_client("outer@example.org"))
                });
                assert!(inner.is_err_and(|error| is_taken(&error)));
                Ok(())
            })
        })
        .unwrap();
    assert_eq!(emails(&desk), ["outer@example.org"]);
}

#[test]
fn a_lost_connection_in_a_part_repeats_the_whole() {
    let desk = Desk::with().without_sweep().cuttable_database().start();
    let mut runs = 0;
    let outcome = desk.ports().work.run_for(&minute(), |tx| {
        runs += 1;
        tx.insert_client(&new_client("whole@example.org"))?;
        let part = tx.attempt_for(|tx| {
            if runs == 1 {
                desk.database_way().cut();
                desk.database_way().heal();
            }
            tx.insert_client(&new_client("part@example.org"))
        });
        // Whatever the work makes of it.
        drop(part);
        Ok(())
    });
    outcome.unwrap();
    assert_eq!(
        (runs, emails(&desk)),
        (2, vec!["part@example.org".to_owned(), "whole@example.org".to_owned()])
    );
}

#[test]
fn a_use_case_that_joins_a_transaction_is_kept_only_with_it() {
    let desk = Desk::with().without_sweep().start();
    let (ports, call) = (desk.ports(), system_call());
    let enter = |ctx: Ctx<'_>, email: &str| {
        enter_client(
            ctx,
            &EnterClient {
                name: PersonName::parse("Ana").unwrap(),
                email: Email::parse(email).unwrap(),
                tier: ClientTier::Vip,
                company: Company::parse("Acme").unwrap(),
            },
        )
    };
    let ctx = Ctx::new(&ports, &call);
    let outcome = ctx.work.run_for(&minute(), |tx| {
        let joined = Joined::new(tx);
        enter(ctx.joining(&joined), "lost@example.org")?;
        Err::<(), _>(AppError::NotFound(Entity::Ticket))
    });
    assert!(outcome.is_err());
    ctx.work
        .run_for(&minute(), |tx| {
            let joined = Joined::new(tx);
            enter(ctx.joining(&joined), "kept@example.org")?;
            let again = enter(ctx.joining(&joined), "KEPT@example.org");
            assert!(again.is_err_and(|error| is_taken(&error)));
            enter(ctx.joining(&joined), "too@example.org").map(drop)
        })
        .unwrap();
    assert_eq!(emails(&desk), ["kept@example.org", "too@example.org"]);
}
