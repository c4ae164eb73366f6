//! Hashing that is quick and remembers what it was asked.

use std::sync::Mutex;

use techsupport_application::{AppError, ports::Passwords};

#[derive(Default)]
pub struct FakePasswords {
    /// For each comparison, whether there was a hash to compare with.
    pub compared: Mutex<Vec<bool>>,
}

impl Passwords for FakePasswords {
    fn hash(&self, secret: &str) -> Result<String, AppError> {
        Ok(format!("hash of {secret}"))
    }

    fn verify(&self, secret: &str, hash: Option<&str>) -> Result<bool, AppError> {
        self.compared.lock().unwrap().push(hash.is_some());
        Ok(hash == Some(self.hash(secret)?.as_str()))
    }

    fn is_common(&self, password: &str) -> bool {
        password == "password1"
    }
}
