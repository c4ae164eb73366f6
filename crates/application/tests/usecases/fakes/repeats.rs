//! Kept answers.

use std::time::Duration;

use techsupport_application::{
    AppError,
    ports::{Earlier, Fingerprint, KeptAnswer, RepeatKey, RepeatTx},
};
use time::OffsetDateTime;

use super::Store;

#[derive(Clone)]
pub struct Kept {
    pub fingerprint: Fingerprint,
    pub answer: KeptAnswer,
    pub until: OffsetDateTime,
}

impl RepeatTx for Store {
    fn claim_repeat(&mut self, key: &RepeatKey) -> Result<Earlier, AppError> {
        Ok(match self.kept.get(key).filter(|kept| kept.until > self.now) {
            Some(kept) => Earlier::Answered(kept.fingerprint, kept.answer.clone()),
            None if self.held.contains(key) => Earlier::InFlight,
            None => Earlier::Nothing,
        })
    }

    fn keep_answer(
        &mut self,
        key: &RepeatKey,
        fingerprint: &Fingerprint,
        answer: &KeptAnswer,
        keep_for: Duration,
    ) -> Result<(), AppError> {
        let kept = Kept { fingerprint: *fingerprint, answer: answer.clone(), until: self.now + keep_for };
        self.kept.insert(*key, kept);
        Ok(())
    }

    fn forget_answers(&mut self, limit: u32) -> Result<u32, AppError> {
        let over: Vec<RepeatKey> =
            self.kept.iter().filter(|(_, kept)| kept.until <= self.now).map(|(key, _)| *key).collect();
        let over = &over[..over.len().min(limit as usize)];
        for key in over {
            self.kept.remove(key);
        }
        Ok(u32::try_from(over.len()).unwrap())
    }
}
