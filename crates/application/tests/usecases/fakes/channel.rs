//! A channel that answers as it is told and remembers what it was given.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use techsupport_application::ports::{Channel, ChannelError, ChannelName, Notification, Parcel};

/// What an attempt comes to.
type Answer = Result<(), ChannelError>;

#[derive(Clone)]
pub struct FakeChannel {
    name: &'static str,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    sent: Arc<Mutex<Vec<(Parcel, u32)>>>,
    wants_warnings: bool,
}

impl FakeChannel {
    /// Gives these answers in turn, and then only `Ok`.
    pub fn new(name: &'static str, answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers = Arc::new(Mutex::new(answers.into_iter().collect()));
        Self { name, answers, sent: Arc::default(), wants_warnings: true }
    }

    pub fn without_warnings(self) -> Self {
        Self { wants_warnings: false, ..self }
    }

    /// Which attempts were made.
    pub fn attempts(&self) -> Vec<u32> {
        self.sent.lock().unwrap().iter().map(|(_, attempt)| *attempt).collect()
    }

    pub fn parcels(&self) -> Vec<Parcel> {
        self.sent.lock().unwrap().iter().map(|(parcel, _)| parcel.clone()).collect()
    }
}

/// As the use case takes them.
pub fn channels(channels: &[&FakeChannel]) -> Vec<Box<dyn Channel>> {
    channels.iter().map(|channel| Box::new((*channel).clone()) as Box<dyn Channel>).collect()
}

impl Channel for FakeChannel {
    fn name(&self) -> ChannelName {
        ChannelName(self.name)
    }

    fn wants(&self, notification: &Notification) -> bool {
        match notification {
            Notification::Warning(_) => self.wants_warnings,
            Notification::Breach(_) => true,
        }
    }

    fn send_timeout(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn send(&self, parcel: &Parcel, attempt: u32) -> Answer {
        self.sent.lock().unwrap().push((parcel.clone(), attempt));
        self.answers.lock().unwrap().pop_front().unwrap_or(Ok(()))
    }
}
