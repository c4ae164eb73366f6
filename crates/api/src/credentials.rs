//! Hashing of passwords and of the secret halves of refresh tokens.
//!
//! bcrypt looks at 72 bytes and, in some implementations, stops at a NUL. So a digest goes in front of it:
//! HMAC-SHA-384, keyed with the pepper, in base64: 64 characters without NUL, whatever went in. A copied
//! table is worthless without the pepper.
//!
//! Text is brought into Unicode's NFC first, as RFC 8265 (section 4.2) has it for passwords: the same key
//! pressed on two systems may give "é" as one character or as two. Letter case, width and spaces stay.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use icu_normalizer::ComposingNormalizerBorrowed;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha384;
use techsupport_application::{AppError, ports::Passwords};
use techsupport_bootstrap::ids;

/// Why passwords cannot be handled. Nothing should start then.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The pepper cannot be a key, or the cost is out of bounds.
    #[error("passwords cannot be hashed: {0}")]
    Unusable(String),
    /// A hash does not accept its own password, or accepts another one.
    #[error("the self-test of password hashing failed: {0}")]
    SelfTest(&'static str),
}

/// [`Passwords`] with bcrypt.
pub struct BcryptPasswords {
    pepper: Hmac<Sha384>,
    cost: u32,
    /// What is compared with when there is no hash, so that it takes as long: of the cost of today's
    /// hashes, made of bytes nobody knows.
    dummy: String,
}

impl BcryptPasswords {
    /// Takes the pepper and bcrypt's cost (4 to 31), and tries them out.
    pub fn new(pepper: &SecretString, cost: u32) -> Result<Self, CredentialsError> {
        let pepper = Hmac::<Sha384>::new_from_slice(pepper.expose_secret().as_bytes())
            .map_err(|error| CredentialsError::Unusable(error.to_string()))?;
        let mut bytes = [0; 32];
        ids::random(&mut bytes);
        let known_to_nobody = STANDARD.encode(bytes);
        let mut passwords = Self { pepper, cost, dummy: String::new() };
        passwords.dummy = passwords.bcrypt(&known_to_nobody)?;
        passwords.self_test(&known_to_nobody)?;
        Ok(passwords)
    }

    fn self_test(&self, known_to_nobody: &str) -> Result<(), CredentialsError> {
        let fails = CredentialsError::SelfTest;
        match bcrypt::verify(self.digest(known_to_nobody), &self.dummy) {
            Ok(true) => {}
            Ok(false) | Err(_) => return Err(fails("a hash does not accept its own password")),
        }
        if self.verify("another one", Some(&self.dummy)).unwrap_or(true) {
            return Err(fails("a hash accepts another password"));
        }
        if !self.is_common("password") {
            return Err(fails("the list of common passwords is empty"));
        }
        Ok(())
    }

    fn bcrypt(&self, secret: &str) -> Result<String, CredentialsError> {
        bcrypt::non_truncating_hash(self.digest(secret), self.cost)
            .map_err(|error| CredentialsError::Unusable(error.to_string()))
    }

    fn digest(&self, secret: &str) -> String {
        let mut digest = self.pepper.clone();
        digest.update(composed(secret).as_bytes());
        STANDARD.encode(digest.finalize().into_bytes())
    }
}

impl Passwords for BcryptPasswords {
    fn hash(&self, secret: &str) -> Result<String, AppError> {
        self.bcrypt(secret).map_err(AppError::internal)
    }

    fn verify(&self, secret: &str, hash: Option<&str>) -> Result<bool, AppError> {
        let digest = self.digest(secret);
        let stored = hash.unwrap_or(&self.dummy);
        match bcrypt::verify(&digest, stored) {
            Ok(right) => Ok(right && hash.is_some()),
            Err(error) => {
                // bcrypt gives up at once on what is no hash. Nobody may see that by the time it takes.
                tracing::error!(%error, "a stored hash is malformed");
                let took_as_long = bcrypt::verify(&digest, &self.dummy);
                took_as_long.map(|_| false).map_err(AppError::internal)
            }
        }
    }

    fn is_common(&self, password: &str) -> bool {
        let password = composed(password);
        passwords::analyzer::is_common_password(&password)
            || passwords::analyzer::is_common_password(password.to_lowercase())
    }
}

fn composed(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const PEPPER: &str = "a pepper for tests, of thirty-two bytes";

    fn with_cost(cost: u32) -> BcryptPasswords {
        BcryptPasswords::new(&SecretString::from(PEPPER), cost).unwrap()
    }

    fn cheap() -> BcryptPasswords {
        with_cost(4)
    }

    #[test]
    fn a_hash_accepts_its_password_and_no_other() {
        let passwords = cheap();
        let hash = passwords.hash("correct horse battery").unwrap();
        assert!(passwords.verify("correct horse battery", Some(&hash)).unwrap());
        assert!(!passwords.verify("correct horse batterY", Some(&hash)).unwrap());
        assert!(!passwords.verify("correct horse battery", None).unwrap());
        assert_ne!(hash, passwords.hash("correct horse battery").unwrap(), "salted");
    }

    #[test]
    fn passwords_differ_beyond_72_bytes_and_after_nul() {
        let passwords = cheap();
        let long = "x".repeat(100);
        let hash = passwords.hash(&long).unwrap();
        assert!(passwords.verify(&long, Some(&hash)).unwrap());
        assert!(!passwords.verify(&format!("{long}y"), Some(&hash)).unwrap());
        let hash = passwords.hash("before\0after").unwrap();
        assert!(!passwords.verify("before\0other", Some(&hash)).unwrap());
        assert!(!passwords.verify("before", Some(&hash)).unwrap());
    }

    #[test]
    fn every_digest_fits_into_bcrypt_and_has_no_nul() {
        let passwords = cheap();
        for n in 0..1_000 {
            let digest = passwords.digest(&n.to_string());
            assert_eq!(digest.len(), 64);
            assert!(!digest.contains('\0'));
        }
    }

    #[test]
    fn the_same_text_in_two_encodings_is_one_password() {
        let passwords = cheap();
        let hash = passwords.hash("contrase\u{f1}a secreta").unwrap();
        assert!(passwords.verify("contrasen\u{303}a secreta", Some(&hash)).unwrap());
        assert!(!passwords.verify("contrasena secreta", Some(&hash)).unwrap());
    }

    #[test]
    fn a_hash_is_worthless_without_the_pepper() {
        let hash = cheap().hash("correct horse battery").unwrap();
        let other =
            BcryptPasswords::new(&SecretString::from("another pepper, of thirty-two bytes"), 4).unwrap();
        assert!(!other.verify("correct horse battery", Some(&hash)).unwrap());
    }

    #[test]
    fn what_is_no_hash_accepts_nothing() {
        for broken in ["", "x", "$2b$04$short", "$2b$99$abcdefghijklmnopqrstuv", "ñ"] {
            assert!(!cheap().verify("password", Some(broken)).unwrap(), "{broken}");
        }
    }

    /// The time a comparison takes follows from the cost in the hash, and machines are too noisy to measure it.
    #[test]
    fn unknown_users_and_malformed_hashes_are_compared_with_a_hash_of_equal_cost() {
        let passwords = with_cost(8);
        let cost = |hash: &str| hash.parse::<bcrypt::HashParts>().unwrap().get_cost();
        assert_eq!(cost(&passwords.dummy), cost(&passwords.hash("correct horse battery").unwrap()));
        assert!(!passwords.verify("wrong", None).unwrap());
        assert!(!passwords.verify("wrong", Some("malformed")).unwrap());
    }

    #[test]
    fn common_passwords_are_known_in_any_letter_case() {
        let passwords = cheap();
        for common in ["password", "PASSWORD", "PassWord1", "12345678", "qwertyuiop", "admin123"] {
            assert!(passwords.is_common(common), "{common}");
        }
        assert!(!passwords.is_common("correct horse battery"));
    }
}
