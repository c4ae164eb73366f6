//! `cargo xtask seed`: demo data.

use rand::rngs::ChaCha12Rng;
use rand::{Rng, SeedableRng};
use techsupport_application::AppError;
use techsupport_application::demo::{Chance, DemoReport, DemoSize, seed_demo};

use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::{progress, target_database};

/// How many tickets a newcomer sees.
pub(crate) const TICKETS: u32 = 200;
/// The seed that is used when none is chosen.
pub(crate) const SEED: u64 = 1;

/// Options of `seed`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many tickets; there is a client for every twenty of them and an agent for every hundred, five at least.
    #[arg(long, default_value_t = TICKETS)]
    tickets: u32,
    /// The same seed makes the same names, texts, states and ages.
    #[arg(long, default_value_t = SEED)]
    seed: u64,
}

/// Makes demo data in `DATABASE_URL`, else in the `up` instance, running or not.
pub(crate) fn run(options: &Options) -> Result<()> {
    target_database::with(|url| plant(&Desk::open(url)?, options.tickets, options.seed))
}

/// Makes demo data with a progress bar, and says what was made.
pub(crate) fn plant(desk: &Desk, tickets: u32, seed: u64) -> Result<()> {
    let bar = progress::bar("demo data", tickets);
    let mut source = ChaCha12Rng::seed_from_u64(seed);
    let mut next = || source.next_u64();
    let made = seed_demo(desk.ctx(), DemoSize { tickets }, &mut Chance::new(&mut next), &mut |made| {
        bar.set_position(made.into());
    });
    bar.finish_and_clear();
    let DemoReport { clients, agents, tickets } = made.map_err(|error| explain(error, seed))?;
    eprintln!("xtask: made {clients} clients, {agents} agents and {tickets} tickets (seed {seed})");
    Ok(())
}

/// The addresses of one seed are always the same, and each can be entered once.
fn explain(error: AppError, seed: u64) -> Error {
    if let AppError::Conflict(_) = error {
        return Error::Refused(format!(
            "the seed {seed} has been used in this database, nothing was added; another one adds more: --seed {}",
            seed.wrapping_add(1)
        ));
    }
    Error::desk("making demo data")(error)
}

#[cfg(test)]
mod tests {
    use techsupport_application::{Conflict, Entity};

    use super::*;

    #[test]
    fn a_used_seed_is_named_together_with_one_that_works() {
        let said = explain(AppError::Conflict(Conflict::EmailTaken(Entity::Client)), 7).to_string();
        assert!(said.contains("the seed 7 has been used") && said.contains("--seed 8"), "{said}");
    }
}
