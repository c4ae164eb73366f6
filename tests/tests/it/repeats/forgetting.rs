//! Keys are good for a day.

use std::thread;

use techsupport_application::{Ctx, repeats::forget_answers};
use techsupport_tests::{Desk, eventually, system_call};

use super::{assert_replays, is_replay, ticket_body, with_key};

const EXPIRE: &str = "UPDATE idempotency_keys SET expires_at = clock_timestamp() - interval '1 second'";

#[test]
fn after_its_time_a_key_is_good_for_another_request() {
    let desk = Desk::with().without_sweep().set("IDEMPOTENCY__ENABLED", false).start();
    let admin = desk.admin();
    let caller = with_key(&admin, "k");
    let body = ticket_body(desk.client_of(&admin, "VIP"));
    let first = caller.post("/api/tickets", &body).expect(201);
    let kept: f64 = desk
        .database()
        .one("SELECT extract(epoch FROM expires_at - created_at)::float8 FROM idempotency_keys", &[]);
    assert!((kept - 86_400.0).abs() < 1.0, "{kept}");
    assert_eq!(desk.database().execute(EXPIRE, &[]), 1);
    let mut other = body.clone();
    other["priority"] = 1.into();
    let second = caller.post("/api/tickets", &other).expect(201);
    assert!(!is_replay(&second));
    assert_ne!(first.id(), second.id());
    assert_replays(&second, &caller.post("/api/tickets", &other));
    assert_eq!(desk.database().count("idempotency_keys"), 1);
}

#[test]
fn the_program_forgets_by_itself_and_only_what_is_over() {
    let desk = Desk::with().without_sweep().set("IDEMPOTENCY__POLL_MS", 20).start();
    let admin = desk.admin();
    let body = ticket_body(desk.client_of(&admin, "VIP"));
    for key in ["a", "b", "c"] {
        with_key(&admin, key).post("/api/tickets", &body).expect(201);
    }
    let expire = format!("{EXPIRE} WHERE id IN (SELECT id FROM idempotency_keys ORDER BY id LIMIT 2)");
    assert_eq!(desk.database().execute(&expire, &[]), 2);
    eventually("two are forgotten", || desk.database().count("idempotency_keys") == 1);
    let metrics = desk.anonymous().get("/metrics").expect(200).body;
    assert!(metrics.contains("idempotency_answers_forgotten_total"), "{metrics}");
    assert_eq!(desk.database().count("idempotency_keys WHERE expires_at > now()"), 1);
}

#[test]
fn any_number_of_passes_forget_each_answer_once() {
    let desk = Desk::with().without_sweep().set("IDEMPOTENCY__ENABLED", false).start();
    desk.database().execute(
        "INSERT INTO idempotency_keys (id, fingerprint, status, headers, body, expires_at) \
         SELECT sha256(n::text::bytea), sha256('x'), 201, '[]', 'body', now() - n * interval '1 second' \
         FROM generate_series(1, 1000) n",
        &[],
    );
    let ports = desk.ports();
    let forgotten: u32 = thread::scope(|scope| {
        let pass = || {
            let call = system_call();
            let mut sum = 0;
            loop {
                match forget_answers(Ctx::new(&ports, &call), 50).unwrap() {
                    0 => return sum,
                    some => {
                        assert!(some <= 50);
                        sum += some;
                    }
                }
            }
        };
        let passes: Vec<_> = (0..4).map(|_| scope.spawn(pass)).collect();
        passes.into_iter().map(|pass| pass.join().unwrap()).sum()
    });
    assert_eq!(forgotten, 1_000);
    assert_eq!(desk.database().count("idempotency_keys"), 0);
}
