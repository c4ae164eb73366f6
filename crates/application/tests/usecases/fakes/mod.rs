//! The ports in memory. A unit of work runs on a copy of the store, which takes the original's place when
//! the work succeeds: so nothing of a failed one stays, as in a database.

mod accounts;
mod audit;
mod channel;
mod dead_letters;
mod deliveries;
mod directory;
mod feed;
mod imports;
mod passwords;
mod reader;
mod repeats;
mod reports;
mod store;
mod tickets;

use std::{
    cell::Cell,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use techsupport_application::{
    Actor, AppError, Budget, Call, Ctx, Ports, TraceContext,
    ports::{Scope, Tx, UnitOfWork},
};
use techsupport_domain::UserId;
use uuid::Uuid;

pub use channel::{FakeChannel, channels};
pub use passwords::FakePasswords;
pub use store::{Session, Store, Token};
pub use tickets::{HOUR, START};

/// A desk in memory.
pub struct Desk {
    ports: Ports,
    call: Call,
    memory: Arc<Memory>,
    pub passwords: Arc<FakePasswords>,
}

#[derive(Default)]
pub struct Memory {
    store: Mutex<Store>,
    rehearsals: Mutex<u32>,
}

impl Desk {
    /// A desk on whose behalf a signed-in user calls.
    pub fn new() -> Self {
        let memory = Arc::new(Memory::default());
        let passwords = Arc::new(FakePasswords::default());
        let ports = Ports {
            work: Arc::<Memory>::clone(&memory),
            reader: Arc::<Memory>::clone(&memory),
            reports: Arc::<Memory>::clone(&memory),
            passwords: Arc::<FakePasswords>::clone(&passwords),
            new_id,
            random,
        };
        let call = Call {
            actor: Actor::User(user_id()),
            origin: None,
            trace: TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap(),
            budget: Arc::new(Budget::lasting(Duration::from_mins(1))),
        };
        Self { ports, call, memory, passwords }
    }

    pub fn ctx(&self) -> Ctx<'_> {
        Ctx::new(&self.ports, &self.call)
    }

    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.memory.store.lock().unwrap()
    }

    /// From now on every unit of work is run twice, as after a deadlock; only the second run counts.
    pub fn rehearse(&self) {
        *self.memory.rehearsals.lock().unwrap() = 1;
    }
}

/// The caller of every [`Desk`].
pub fn user_id() -> UserId {
    UserId::new(Uuid::from_u128(0x0199_0000_0000_7000_8000_00a0_0000_0001))
}

/// A part of a unit of work runs on a copy, too.
impl Scope for Store {
    fn attempt(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), AppError>) -> Result<(), AppError> {
        let mut copy = self.clone();
        work(&mut copy)?;
        *self = copy;
        Ok(())
    }
}

impl UnitOfWork for Memory {
    fn run(
        &self,
        _: &Budget,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), AppError>,
    ) -> Result<(), AppError> {
        let before = self.store.lock().unwrap().clone();
        for _ in 0..*self.rehearsals.lock().unwrap() {
            // Whatever came of it is rolled back.
            drop(work(&mut before.clone()));
        }
        let mut copy = before;
        work(&mut copy)?;
        *self.store.lock().unwrap() = copy;
        Ok(())
    }
}

thread_local! {
    static NEXT: Cell<u128> = const { Cell::new(1) };
}

/// Identifiers in the shape of UUID version 7 that count from 1 in each test.
pub fn new_id() -> Uuid {
    Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + NEXT.replace(NEXT.get() + 1))
}

fn random(bytes: &mut [u8; 32]) {
    let first = u8::try_from(NEXT.replace(NEXT.get() + 1) % 251).unwrap();
    for (byte, offset) in bytes.iter_mut().zip(0_u8..) {
        *byte = first.wrapping_add(offset);
    }
}
