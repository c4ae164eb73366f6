//! Bodies made to cost more than they are worth: whatever a stranger sends within the limit of 1 MiB, the
//! answer is small, and so is the work.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Desk, client::Answer};

const MIB: usize = 1 << 20;
/// A small answer, in bytes, to a request of any size.
const SMALL: usize = 16 * 1_024;

fn login(desk: &Desk, body: &str) -> Answer {
    assert!(body.len() <= MIB, "{}", body.len());
    let answer =
        desk.call("POST", "/api/auth/login", &[("content-type", "application/json")], body.as_bytes());
    assert!(answer.body.len() <= SMALL, "{} bytes", answer.body.len());
    answer
}

fn errors(answer: &Answer) -> Vec<(String, String)> {
    let problem = answer.problem(400, "invalid-input");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    problem["errors"].as_array().unwrap().iter().map(|e| (text(&e["pointer"]), text(&e["detail"]))).collect()
}

#[test]
fn a_long_name_above_many_values_is_not_copied_for_each() {
    let desk = Desk::start();
    let name = "a".repeat(500_000);
    let twice = r#"{"a":1,"a":1},"#.repeat(35_000);
    login(&desk, &format!(r#"{{"{name}":[{twice}0]}}"#)).problem(400, "malformed-body");
    let zeros = "0,".repeat(250_000);
    login(&desk, &format!(r#"{{"{name}":[{zeros}0]}}"#)).problem(400, "malformed-body");
    let empty = r#"{"":0},"#.repeat(149_000);
    login(&desk, &format!("[{empty}0]")).problem(400, "malformed-body");

    // The same within the number of values a body may hold.
    let twice = r#"{"a":1,"a":1},"#.repeat(3_000);
    let answer = login(&desk, &format!(r#"{{"{name}":[{twice}0]}}"#));
    let errors = errors(&answer);
    assert_eq!(errors.len(), 20);
    let short = "a".repeat(100) + "\u{2026}";
    assert_eq!(errors[0], (format!("/{short}/0/a"), "must not appear more than once".to_owned()));
    assert_eq!(errors[19].0, format!("/{short}/19/a"));
}

#[test]
fn many_unknown_members_are_named_only_so_far() {
    let desk = Desk::start();
    let members = |count: usize| (0..count).map(|n| format!(r#""{n:06}":0,"#)).collect::<Vec<_>>().concat();
    login(&desk, &format!("{{{}\"x\":0}}", members(90_000))).problem(400, "malformed-body");
    let answer = login(&desk, &format!("{{{}\"x\":0}}", members(9_000)));
    let errors = errors(&answer);
    assert_eq!(errors.len(), 20);
    assert!(errors.iter().all(|(_, detail)| detail == "is not known here"), "{errors:?}");
    assert_eq!(errors[19].0, "/000019");
}

#[test]
fn duplicates_and_unknown_members_are_counted_together() {
    let desk = Desk::start();
    let twice = r#""x":0,"#.repeat(16);
    let unknown = (0..10).map(|n| format!(r#""u{n}":0,"#)).collect::<Vec<_>>().concat();
    let errors = errors(&login(&desk, &format!("{{{twice}{unknown}\"z\":0}}")));
    let duplicates = errors.iter().filter(|(_, detail)| detail == "must not appear more than once").count();
    assert_eq!((errors.len(), duplicates), (20, 15));
}

#[test]
fn long_names_are_shortened_in_pointer_and_detail() {
    let desk = Desk::start();
    for (letter, shown) in
        [("a", "a"), ("/", "~1"), ("~", "~0"), ("\u{1f525}", "\u{1f525}"), ("\\u0001", "\u{1}")]
    {
        let name = letter.repeat(MIB / letter.len() - 100);
        let body = format!(r#"{{"{name}":0,"email":"a@b.c","password":"x"}}"#);
        let answer = login(&desk, &body);
        let pointer = format!("/{}\u{2026}", shown.repeat(100));
        assert_eq!(errors(&answer), [(pointer.clone(), "is not known here".to_owned())]);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.chars().count() < 300, "{detail}");
    }
    let query = desk.get(&format!("/api/tickets?{}=1", "q".repeat(5_000)));
    assert_eq!(query.problem(400, "invalid-input")["errors"][0]["parameter"].as_str().unwrap().len(), 103);
    let errors_of = |query: &str| {
        let answer = desk.get(&format!("/api/tickets?{query}"));
        answer.problem(400, "invalid-input")["errors"].as_array().unwrap().len()
    };
    let different = (0..1_000).map(|n| format!("x{n}")).collect::<Vec<_>>().join("&");
    assert_eq!((errors_of(&different), errors_of(&"x&".repeat(5_000))), (20, 1));
}

#[test]
fn deep_nesting_with_long_names_ends_at_a_parent() {
    let desk = Desk::start();
    let deep = "[".repeat(MIB / 2) + &"]".repeat(MIB / 2);
    login(&desk, &deep).problem(400, "malformed-body");
    let step = format!(r#"{{"{}":"#, "n".repeat(9_000));
    let body = step.repeat(110) + r#"{"a":0,"a":0,"a":0}"# + &"}".repeat(110);
    let twice = |(_, detail): &(String, String)| detail == "must not appear more than once";
    let errors: Vec<_> = errors(&login(&desk, &body)).into_iter().filter(twice).collect();
    assert_eq!(errors.len(), 2);
    for (pointer, _) in errors {
        assert!(pointer.starts_with("/nnn") && pointer.len() < 400, "{pointer}");
    }
}
