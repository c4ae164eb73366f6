//! Kills are counted, shared out, and always followed by a start.

#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use super::*;

/// Remembers what was done to it; ends by itself after some starts.
struct Dummy<'a> {
    running: bool,
    starts: u32,
    dies_after: Option<u32>,
    deeds: &'a Mutex<Vec<&'static str>>,
}

impl Target for Dummy<'_> {
    fn kill(&mut self) -> Result<()> {
        self.running = false;
        self.deeds.lock().unwrap().push("kill");
        Ok(())
    }

    fn start(&mut self) -> Result<()> {
        self.starts += 1;
        self.running = self.dies_after != Some(self.starts);
        self.deeds.lock().unwrap().push("start");
        Ok(())
    }

    fn is_running(&mut self) -> bool {
        self.running
    }
}

fn dummy<'a>(deeds: &'a Mutex<Vec<&'static str>>) -> Dummy<'a> {
    Dummy { running: true, starts: 0, dies_after: None, deeds }
}

#[test]
fn every_victim_is_killed_and_what_is_not_hunted_is_only_kept_alive() {
    let (api, worker, broker) = (Mutex::default(), Mutex::default(), Mutex::default());
    let mut fragile = dummy(&broker);
    fragile.running = false;
    let targets: Vec<(Victim, Box<dyn Target + '_>)> = vec![
        (Victim::Api, Box::new(dummy(&api))),
        (Victim::Worker, Box::new(dummy(&worker))),
        (Victim::Broker, Box::new(fragile)),
    ];
    let orders = Orders {
        kills: 3,
        victims: &[Victim::Api, Victim::Worker],
        until: Instant::now(),
        seed: 1,
        is_mostly_done: &|| true,
    };
    let (tally, done) = rage(targets, &orders, &ProgressBar::hidden(), || Ok(42)).unwrap();
    assert_eq!(done, 42);
    assert!(tally.kills.values().sum::<u32>() >= 3, "{tally:?}");
    assert!(tally.kills["api"] >= 1 && tally.kills["worker"] >= 1, "{tally:?}");
    assert_eq!((tally.kills["broker"], tally.ended["broker"]), (0, 1));
    for deeds in [api, worker] {
        let deeds = deeds.into_inner().unwrap();
        assert!(deeds.chunks(2).all(|pair| pair == ["kill", "start"]), "{deeds:?}");
    }
}
