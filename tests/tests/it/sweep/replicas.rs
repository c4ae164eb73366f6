//! Any number of sweeps at once: every step runs once.

use std::{sync::Barrier, thread};

use techsupport_tests::{Desk, eventually};

use super::{assert_each_breached_once, let_two_hours_pass, sweep, tickets};

#[test]
fn sweeps_that_race_run_every_step_once() {
    let desk = Desk::with().without_sweep().without_relay().start();
    tickets(&desk, &desk.admin(), "VIP", 120);
    let_two_hours_pass(&desk);
    let barrier = Barrier::new(4);
    let ran: usize = thread::scope(|scope| {
        let sweepers: Vec<_> = (0..4)
            .map(|_| {
                let (ports, barrier) = (desk.ports(), &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let mut ran = 0;
                    loop {
                        let report = sweep(&ports, 7).unwrap();
                        assert_eq!(report.set_aside, []);
                        ran += report.lags.len();
                        if report.claimed == 0 {
                            return ran;
                        }
                    }
                })
            })
            .collect();
        sweepers.into_iter().map(|sweeper| sweeper.join().unwrap()).sum()
    });
    // Whoever passes over what others hold may stop early, but somebody holds it.
    assert_eq!(ran, 120);
    assert_each_breached_once(&desk, 120);
}

#[test]
fn replicas_of_the_program_run_every_step_once() {
    let desk = Desk::with().replicas(3).set("SWEEP__BATCH", 5).start();
    tickets(&desk, &desk.admin(), "VIP", 60);
    let_two_hours_pass(&desk);
    eventually("all have breached", || desk.database().count("sla_steps") == 60);
    assert_each_breached_once(&desk, 60);
}

#[test]
fn a_second_pass_finds_nothing() {
    let desk = Desk::with().without_sweep().without_relay().start();
    tickets(&desk, &desk.admin(), "VIP", 3);
    let ports = desk.ports();
    assert_eq!(sweep(&ports, 10).unwrap().claimed, 0, "nothing is due yet");
    let_two_hours_pass(&desk);
    let report = sweep(&ports, 10).unwrap();
    assert_eq!((report.claimed, report.lags.len(), report.more), (3, 3, false));
    assert!(report.lags.iter().all(|lag| (1..60).contains(&lag.as_secs())), "{:?}", report.lags);
    assert_eq!(sweep(&ports, 10).unwrap().claimed, 0);
    assert_each_breached_once(&desk, 3);
}

#[test]
fn what_somebody_holds_is_passed_over_and_comes_next() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let held = tickets(&desk, &desk.admin(), "VIP", 3)[0];
    let_two_hours_pass(&desk);
    let ports = desk.ports();
    let mut other = desk.database().connect();
    let mut holding = other.transaction().unwrap();
    holding.execute("SELECT 1 FROM tickets WHERE id = $1 FOR UPDATE", &[&held]).unwrap();
    assert_eq!(sweep(&ports, 10).unwrap().claimed, 2);
    assert_eq!(sweep(&ports, 10).unwrap().claimed, 0);
    holding.rollback().unwrap();
    assert_eq!(sweep(&ports, 10).unwrap().claimed, 1);
    assert_each_breached_once(&desk, 3);
}
