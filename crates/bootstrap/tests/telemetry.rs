//! The subscriber and the panic hook belong to the whole process: this is one test, alone in its own, since
//! whatever another one logged, or panicked with, would be among its lines.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{panic, thread};

use techsupport_bootstrap::telemetry::{LogSettings, capture, init};

#[test]
fn an_event_is_one_line_with_the_fields_of_its_spans() {
    let settings = LogSettings { level: "warn".to_owned(), filter: "chatty=debug".to_owned() };
    let captured = capture("bootstrap-test", &settings).unwrap();
    init("second-call-does-not-count", &settings).unwrap();

    tracing::info_span!("request", requestId = "r-1", status = tracing::field::Empty).in_scope(|| {
        tracing::Span::current().record("status", 200);
        tracing::info_span!("inner", ticketId = "t-1").in_scope(|| tracing::warn!(answer = 42, "look here"));
        tracing::info!("below the level");
    });
    tracing::debug!(target: "chatty", "{}", "long ".repeat(10_000));
    let panicked = thread::spawn(|| panic::panic_any("told to")).join();
    assert!(panicked.is_err());

    let lines = captured.lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    for part in [
        r#""name":"bootstrap-test""#,
        r#""v":0"#,
        &format!(r#""pid":{}"#, std::process::id()),
        r#""level":40"#,
        r#"look here""#,
        r#""answer":42"#,
        r#""requestId":"r-1""#,
        r#""status":200"#,
        r#""ticketId":"t-1""#,
    ] {
        assert!(
            lines.iter().any(|line| line.contains(part) && line.contains("look here")),
            "{part}: {lines:?}"
        );
    }
    assert!(lines.iter().all(|line| !line.contains(r#""hostname":"""#)), "bunyan requires it: {lines:?}");
    assert!(lines.iter().any(|line| line.len() > 50_000 && line.ends_with('}')));
    assert!(lines.iter().any(|line| line.contains(r#""panic":"told to""#)), "{lines:?}");
}
