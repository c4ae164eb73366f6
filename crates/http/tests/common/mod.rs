//! A server on a free port with stub ports behind it, and a client that sees every byte.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod client;
#[path = "../../../../tests/src/conformance.rs"]
mod conformance;
mod recorder;
pub mod stubs;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU64, atomic::Ordering},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use techsupport_application::Ports;
use techsupport_http::{
    AuthSettings, CorsSettings, EventBell, HttpDeps, HttpServer, HttpSettings, RateLimitSettings,
    RevocationSettings, Revocations, ThrottleSettings, UploadSettings, WaitSettings,
};
use time::OffsetDateTime;
use tokio::sync::oneshot;
use uuid::Uuid;

use client::{Answer, send};
use stubs::{Broker, StubPasswords, StubReader, StubReports, StubWork};

pub const KEY: &str = "a-key-for-tests-with-more-than-32-bytes-0001";
pub const OLD_KEY: &str = "a-key-for-tests-with-more-than-32-bytes-0000";

/// A running server. Stops when dropped.
pub struct Desk {
    pub address: SocketAddr,
    pub broker: Arc<Broker>,
    pub events: EventBell,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What a test may change before the server starts.
pub struct Plan {
    pub http: HttpSettings,
    pub auth: AuthSettings,
    pub reader: StubReader,
    pub work: StubWork,
    pub pool_size: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            http: http_settings(),
            auth: auth_settings(),
            reader: StubReader::default(),
            work: StubWork::default(),
            pool_size: 5,
        }
    }
}

/// No time limit here ends anything before a client loses its patience: a machine that stalls must not fail a test.
/// Whoever looks at what a limit does sets it.
pub fn http_settings() -> HttpSettings {
    HttpSettings {
        bind: [127, 0, 0, 1].into(),
        port: 0,
        workers: 1,
        backlog: 128,
        max_connections_per_worker: 1_000,
        request_timeout_ms: 60_000,
        header_timeout_ms: 30_000,
        body_timeout_ms: 30_000,
        write_timeout_ms: 30_000,
        max_body_bytes: 1 << 20,
        max_in_flight: 0,
        max_waiting: 16,
        bcrypt_parallelism: 2,
        retry_after_s: 7,
        keep_alive_s: 30,
        leave_ms: 0,
        shutdown_timeout_s: 60,
        disconnect_grace_ms: 100,
        readiness_timeout_ms: 30_000,
        backlog_refresh_ms: 100,
        trusted_proxies: Vec::new(),
        rate_limit: RateLimitSettings { enabled: true, requests: 100_000, window_s: 60, max_tracked: 1_000 },
        uploads: UploadSettings {
            max_file_bytes: 1_048_576,
            part_bytes: 65_536,
            timeout_ms: 30_000,
            max_at_once: 2,
            max_unfinished: 100,
        },
        feed: WaitSettings { max_waiting: 2, look_again_ms: 60_000 },
        cors: CorsSettings { allowed_origins: vec!["https://desk.example.org".to_owned()], max_age_s: 60 },
    }
}

pub fn auth_settings() -> AuthSettings {
    let keys = [("new".to_owned(), KEY.into()), ("old".to_owned(), OLD_KEY.into())];
    AuthSettings {
        keys: BTreeMap::from(keys),
        current_key: "new".to_owned(),
        issuer: "iss".to_owned(),
        audience: "aud".to_owned(),
        access_lifetime_s: 900,
        refresh_lifetime_s: 604_800,
        leeway_s: 5,
        throttle: ThrottleSettings {
            address_burst: 20,
            address_per_minute: 1,
            account_burst: 3,
            account_per_minute: 1,
            anywhere_burst: 1_000,
            anywhere_per_hour: 1_000,
            max_tracked: 1_000,
            audited_per_minute: 1_000,
        },
        revocations: RevocationSettings { poll_ms: 500, overlap_s: 60, max_age_ms: 3_600_000 },
    }
}

#[expect(clippy::disallowed_methods)]
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

pub fn new_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u64_pair(7, NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Desk {
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Plan)) -> Self {
        Self::with_early(change, |_| {}).0
    }

    /// Lets somebody connect and write before the server runs. What has been written then is there as soon as the
    /// server looks, so that it is in time for any limit, however long the test is kept from going on.
    pub fn with_early<T>(change: impl FnOnce(&mut Plan), early: impl FnOnce(SocketAddr) -> T) -> (Self, T) {
        let mut plan = Plan::default();
        change(&mut plan);
        let (broker, events) = (Arc::new(Broker::default()), EventBell::default());
        let deps = HttpDeps {
            ports: Arc::new(Ports {
                work: Arc::new(plan.work),
                reader: Arc::new(plan.reader),
                reports: Arc::new(StubReports),
                passwords: Arc::new(StubPasswords),
                new_id,
                random: |bytes| bytes.fill(7),
            }),
            auth: plan.auth.clone(),
            idempotency_lifetime: Duration::from_hours(24),
            revocations: Arc::new(Revocations::new(&plan.auth, &plan.http)),
            events: events.clone(),
            broker: Arc::clone(&broker) as _,
            queues: Arc::clone(&broker) as _,
            replay_all_max: 1_000,
            metrics: recorder::text,
            now,
            pool_size: plan.pool_size,
        };
        recorder::install();
        let server = HttpServer::bind(deps, &plan.http).expect("bind");
        let address = server.address();
        let early = early(address);
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(server.run(async { drop(stopped.await) })).expect("run");
        });
        (Self { address, broker, events, stop: Some(stop), thread: Some(thread) }, early)
    }

    /// Asks the server to stop and waits until it has.
    pub fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server thread");
        }
    }

    pub fn raw(&self, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        client::exchange(self.address, bytes.as_ref())
    }

    pub fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        send(self.address, method, path, headers, body)
    }

    /// A call with a token of this role and, when there is one, a JSON body.
    pub fn as_role(&self, role: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let bearer = format!("Bearer {}", token(role));
        let mut headers = vec![("authorization", bearer.as_str())];
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        self.call(method, path, &headers, body.as_bytes())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.as_role("AGENT", "GET", path, None)
    }

    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.as_role("ADMIN", "POST", path, Some(body))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A failed server has failed its test already.
            drop(thread.join());
        }
    }
}

/// A good token.
pub fn token(role: &str) -> String {
    sign(&claims(role), "new", KEY)
}

pub fn claims(role: &str) -> Value {
    let now = now().unix_timestamp();
    json!({
        "sub": Uuid::from_u128(9), "role": role, "email": "someone@example.org", "iss": "iss", "aud": "aud",
        "iat": now, "exp": now + 900, "jti": Uuid::from_u128(10), "sid": Uuid::from_u128(11),
    })
}

pub fn sign(claims: &Value, kid: &str, key: &str) -> String {
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::HS256) };
    encode(&header, claims, &EncodingKey::from_secret(key.as_bytes())).unwrap()
}

/// Waits for something that has to happen. Generous: a slow machine must not fail a test.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        dawdle(Duration::from_millis(10));
    }
}

/// Takes its time, as slow callers and slow databases do.
pub fn dawdle(time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
    }
}
