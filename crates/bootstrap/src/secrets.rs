//! Which secrets are too weak for production.
//!
//! A secret is refused when it is short, when it repeats itself, when it looks like a placeholder, or when
//! it is one of those that the local profile documents, wherever it came from.

use std::{collections::HashSet, fmt};

use crate::settings;

/// A secret as it was configured.
#[derive(Clone, Copy)]
pub struct Secret<'a> {
    /// The settings key, for the message.
    pub key: &'a str,
    /// The secret itself.
    pub value: &'a str,
    /// The least number of bytes it must have.
    pub min_length: usize,
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.key)
    }
}

/// Why a secret was refused. Never contains the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret {key} {problem}")]
pub struct WeakSecret {
    /// The settings key.
    pub key: String,
    /// Completes a sentence that begins with the key.
    pub problem: String,
}

/// Parts of what people write where a secret should be.
const PLACEHOLDERS: [&str; 9] = [
    "change-me",
    "changeme",
    "change_me",
    "replace",
    "example",
    "default",
    "insecure",
    "password",
    "not-secret",
];

/// Fewer different bytes than this are a pattern, not a secret.
const LEAST_VARIETY: usize = 8;

/// Refuses the first secret that does not deserve the name.
pub fn refuse_weak(secrets: &[Secret<'_>]) -> Result<(), WeakSecret> {
    let documented: HashSet<String> = settings::local_values().into_iter().collect();
    secrets.iter().try_for_each(|secret| match weakness(secret, &documented) {
        Some(problem) => Err(WeakSecret { key: secret.key.to_owned(), problem }),
        None => Ok(()),
    })
}

fn weakness(secret: &Secret<'_>, documented: &HashSet<String>) -> Option<String> {
    let value = secret.value;
    let folded = value.to_lowercase();
    if value.is_empty() {
        Some("is not set".to_owned())
    } else if documented.contains(value) {
        Some("is the documented one of the local profile".to_owned())
    } else if value.len() < secret.min_length {
        Some(format!("has fewer than {} bytes", secret.min_length))
    } else if value.bytes().collect::<HashSet<u8>>().len() < LEAST_VARIETY {
        Some(format!("has fewer than {LEAST_VARIETY} different characters"))
    } else if PLACEHOLDERS.iter().any(|placeholder| folded.contains(placeholder)) {
        Some("looks like a placeholder".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn problem_of(value: &str) -> Option<String> {
        refuse_weak(&[Secret { key: "auth.key", value, min_length: 32 }]).err().map(|weak| weak.problem)
    }

    #[test]
    fn random_text_is_fine() {
        assert_eq!(problem_of("kq0c3P0mC1xZk7cY0d2wq8Jr5V6uT9sA"), None);
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        assert_eq!(problem_of("").unwrap(), "is not set");
        assert_eq!(problem_of("kq0c3P0mC1xZk7cY0d2wq8Jr5V6uT9s").unwrap(), "has fewer than 32 bytes");
        assert_eq!(problem_of(&"ab".repeat(32)).unwrap(), "has fewer than 8 different characters");
        assert_eq!(
            problem_of("Please-Change-Me-before-going-live-1234").unwrap(),
            "looks like a placeholder"
        );
    }

    #[test]
    fn every_text_of_the_local_profile_is_known() {
        let local = settings::local_values();
        assert!(local.iter().any(|value| value == "admin123"), "{local:?}");
        for value in &local {
            let refused = refuse_weak(&[Secret { key: "k", value, min_length: 0 }]);
            assert!(refused.is_err(), "{value}");
        }
    }
}
