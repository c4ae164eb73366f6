#![allow(clippy::unwrap_used)]

use std::{io::Write, net::TcpStream as Socket, sync::atomic::AtomicBool, sync::atomic::Ordering};

use super::*;

const LONG: Duration = Duration::from_secs(30);

fn settings() -> MonitorSettings {
    MonitorSettings {
        enabled: true,
        bind: [127, 0, 0, 1].into(),
        port: 0,
        timeout_ms: 60_000,
        max_connections: 1,
    }
}

/// A monitor that runs until the test ends, and what it says is missing.
async fn running() -> (SocketAddr, Arc<AtomicBool>) {
    let monitor = Monitor::bind(&settings()).await.unwrap().unwrap();
    let (address, lacking) = (monitor.address(), Arc::new(AtomicBool::new(false)));
    let missing: Missing = {
        let lacking = Arc::clone(&lacking);
        Arc::new(move || lacking.load(Ordering::SeqCst).then_some("the broker"))
    };
    tokio::spawn(monitor.run(missing, CancellationToken::new()));
    (address, lacking)
}

async fn asked(address: SocketAddr, path: &'static str) -> (u16, String) {
    spawn_blocking(move || ask(address, path, LONG)).await.unwrap().unwrap()
}

#[tokio::test]
async fn it_says_how_the_process_is_and_what_it_measured() {
    let (address, lacking) = running().await;
    metrics::counter!("monitor_tests_total", "kind" => "one").increment(3);
    let (status, text) = asked(address, "/metrics").await;
    assert!(status == 200 && text.contains("monitor_tests_total{kind=\"one\"} 3"), "{text}");
    assert_eq!(asked(address, "/health/ready").await.0, 200);
    lacking.store(true, Ordering::SeqCst);
    assert_eq!(asked(address, "/health/ready?verbose").await, (503, "the broker is missing\n".to_owned()));
    assert_eq!(asked(address, "/health/live").await.0, 200);
    assert_eq!(asked(address, "/etc/passwd").await.0, 404);
}

fn sent(address: SocketAddr, bytes: &[u8]) -> String {
    let mut socket = Socket::connect(address).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    socket.write_all(bytes).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut socket, &mut text).unwrap();
    text
}

#[tokio::test]
async fn other_methods_and_other_protocols_are_refused() {
    let (address, _) = running().await;
    let answers = spawn_blocking(move || {
        [&b"POST /metrics HTTP/1.1\r\n\r\n"[..], b"\xff\xfe\r\n\r\n"].map(|bytes| sent(address, bytes))
    });
    let [method, noise] = answers.await.unwrap();
    assert!(method.starts_with("HTTP/1.1 405 ") && noise.starts_with("HTTP/1.1 400 "), "{method}{noise}");
}

#[tokio::test]
async fn whoever_says_nothing_takes_one_place_and_no_more_than_one() {
    let (address, _) = running().await;
    let silent = spawn_blocking(move || Socket::connect(address).unwrap()).await.unwrap();
    // The only place is taken, so the connection is closed without a word.
    let turned_away = spawn_blocking(move || sent(address, b"")).await.unwrap();
    assert_eq!(turned_away, "");
    drop(silent);
}

#[tokio::test]
async fn without_one_nothing_listens() {
    let none = MonitorSettings { enabled: false, ..settings() };
    assert!(Monitor::bind(&none).await.unwrap().is_none());
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silence = spawn_blocking(move || ask(free, "/health/live", LONG)).await.unwrap().unwrap_err();
    assert!(matches!(silence, AskError::Silent { .. }), "{silence}");
}
