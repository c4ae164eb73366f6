//! Who appears in the demo data.

use techsupport_domain::{
    Agent, AgentLevel, Client, ClientTier,
    text::{Company, Email, PersonName},
};

use crate::{
    AppError, Ctx,
    directory::{EnterAgent, EnterClient, enter_agent, enter_client},
};

const FIRST: [&str; 16] = [
    "Ana", "Luis", "Marta", "Jorge", "Lucía", "Diego", "Elena", "Pablo", "Irene", "Tomás", "Noor", "Kenji",
    "Amara", "Olga", "Samuel", "Wei",
];
const LAST: [&str; 16] = [
    "Pérez", "García", "Okafor", "Nowak", "Silva", "Tanaka", "Müller", "Rossi", "Haddad", "Kowalski",
    "Ibáñez", "Larsen", "Mendoza", "Novák", "Quispe", "Zhou",
];
const COMPANY: [&str; 12] = [
    "Andes Logistics",
    "Banco Sur",
    "Café Aurora",
    "Delta Freight",
    "Estudio Norte",
    "Farmacia Central",
    "Grupo Lima",
    "Hotel Mirador",
    "Imprenta Rojas",
    "Joyería Sol",
    "Kappa Systems",
    "Librería Luna",
];

/// A source of random numbers, so that the same seed makes the same data.
pub struct Chance<'a> {
    next: &'a mut dyn FnMut() -> u64,
}

impl<'a> Chance<'a> {
    /// Draws from `next`, which yields uniformly distributed numbers.
    pub fn new(next: &'a mut dyn FnMut() -> u64) -> Self {
        Self { next }
    }

    /// A number below `end`; 0 when `end` is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        (self.next)().checked_rem(end).unwrap_or(0)
    }

    /// One of these.
    pub(super) fn pick<'t, T>(&mut self, from: &'t [T]) -> Option<&'t T> {
        let index = self.below(u64::try_from(from.len()).unwrap_or(0));
        from.get(usize::try_from(index).unwrap_or(0))
    }

    fn person(&mut self) -> String {
        let first = self.pick(&FIRST).copied().unwrap_or_default();
        format!("{first} {}", self.pick(&LAST).copied().unwrap_or_default())
    }

    /// Part of every address of one run, so that two seeds do not get in each other's way.
    fn tag(&mut self) -> String {
        format!("{:06x}", self.below(1 << 24))
    }
}

/// A quarter of the clients are VIPs; the first one always is.
pub(super) fn enter_clients(
    ctx: Ctx<'_>,
    chance: &mut Chance<'_>,
    count: u32,
) -> Result<Vec<Client>, AppError> {
    let tag = chance.tag();
    (0..count)
        .map(|index| {
            let tier = if index % 4 == 0 { ClientTier::Vip } else { ClientTier::Normal };
            let company = chance.pick(&COMPANY).copied().unwrap_or_default();
            enter_client(
                ctx,
                &EnterClient {
                    name: PersonName::parse(chance.person()).map_err(AppError::internal)?,
                    email: Email::parse(format!("client{index}.{tag}@example.com"))
                        .map_err(AppError::internal)?,
                    tier,
                    company: Company::parse(company).map_err(AppError::internal)?,
                },
            )
        })
        .collect()
}

/// Levels 1, 2, 3 in turn; every tenth agent is not active.
pub(super) fn enter_agents(
    ctx: Ctx<'_>,
    chance: &mut Chance<'_>,
    count: u32,
) -> Result<Vec<Agent>, AppError> {
    let tag = chance.tag();
    (0..count)
        .map(|index| {
            enter_agent(
                ctx,
                &EnterAgent {
                    name: PersonName::parse(chance.person()).map_err(AppError::internal)?,
                    email: Email::parse(format!("agent{index}.{tag}@example.com"))
                        .map_err(AppError::internal)?,
                    level: AgentLevel::parse(i64::from(index % 3) + 1).map_err(AppError::internal)?,
                    active: index % 10 != 9,
                    user: None,
                },
            )
        })
        .collect()
}
