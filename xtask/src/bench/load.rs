//! Drives the API over many connections at once.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::ChaCha12Rng;
use serde_json::Value;

use super::client::{Client, request};
use super::operation::{Operation, State, Stock};
use super::round::Round;
use crate::error::{Error, Result};

/// The connections, as far as they remember anything.
#[derive(Debug)]
pub(super) struct Load<'a> {
    port: u16,
    stock: &'a Stock,
    states: Vec<State>,
}

impl<'a> Load<'a> {
    pub(super) fn new(port: u16, stock: &'a Stock, connections: u32) -> Self {
        let states = (0..connections).map(|connection| State {
            chance: ChaCha12Rng::seed_from_u64(connection.into()),
            movable: stock.share(usize::try_from(connection).unwrap_or(usize::MAX), connections),
            next: 0,
        });
        Self { port, stock, states: states.collect() }
    }

    /// One round: every connection sends its next request as soon as it has the last answer.
    pub(super) fn round(&mut self, operation: Operation, length: Duration) -> Result<Round> {
        let token = sign_in(self.port)?;
        let (stock, port) = (self.stock, self.port);
        let barrier = Barrier::new(self.states.len());
        let (barrier, token) = (&barrier, token.as_str());
        let rounds: Vec<Result<Round>> = thread::scope(|scope| {
            let threads: Vec<_> = self
                .states
                .iter_mut()
                .map(|state| {
                    scope.spawn(move || drive(port, stock, operation, token, state, barrier, length))
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| {
                    thread.join().unwrap_or_else(|_| Err(Error::Refused("a thread panicked".into())))
                })
                .collect()
        });
        let mut whole = Round::default();
        for round in rounds {
            let round = round?;
            whole.latencies_ms.extend(round.latencies_ms);
            whole.seconds = whole.seconds.max(round.seconds);
            whole.failures += round.failures;
            whole.example = whole.example.or(round.example);
        }
        Ok(whole)
    }
}

fn drive(
    port: u16,
    stock: &Stock,
    operation: Operation,
    token: &str,
    state: &mut State,
    barrier: &Barrier,
    length: Duration,
) -> Result<Round> {
    let connected = Client::connect(port);
    // Whoever could not connect must not keep the others waiting.
    barrier.wait();
    let mut client = connected?;
    let mut round = Round::default();
    let begin = Instant::now();
    while begin.elapsed() < length {
        let request = stock.request(operation, token, state);
        let sent = Instant::now();
        let outcome = client.call(&request);
        let took = sent.elapsed();
        let failure = match outcome {
            Ok(answer) if answer.is_good() => None,
            Ok(answer) => {
                Some((format!("{} {}", answer.status, String::from_utf8_lossy(answer.body)), false))
            }
            Err(error) => Some((error.to_string(), true)),
        };
        match failure {
            None => {
                round.latencies_ms.push(took.as_secs_f64() * 1e3);
                state.advance(operation);
            }
            Some((text, is_lost)) => {
                round.failures += 1;
                round.example.get_or_insert(text);
                if is_lost {
                    client.reconnect()?;
                }
            }
        }
    }
    round.seconds = begin.elapsed().as_secs_f64();
    Ok(round)
}

/// An access token of the administrator of the local profile.
fn sign_in(port: u16) -> Result<String> {
    let body = r#"{"email":"admin@techsupport.pro","password":"admin123"}"#;
    let mut client = Client::connect(port)?;
    let answer = client.call(&request("POST", "/api/auth/login", None, body))?;
    let read: Value =
        serde_json::from_slice(answer.body).map_err(Error::malformed("the answer to the login"))?;
    let token = read["accessToken"].as_str().map(str::to_owned);
    token.ok_or_else(|| Error::malformed("the answer to the login")(format!("status {}", answer.status)))
}
