//! Secrets that are only ever compared.

use crate::AppError;

/// Hashes and compares passwords and the secret halves of refresh tokens. Slow by design; callers bound
/// how many run at once.
pub trait Passwords: Send + Sync {
    /// A salted hash.
    fn hash(&self, secret: &str) -> Result<String, AppError>;

    /// Whether the secret belongs to the hash. Takes as long when `hash` is `None`, which stands for a
    /// user who does not exist, as when the secret is wrong.
    fn verify(&self, secret: &str, hash: Option<&str>) -> Result<bool, AppError>;

    /// Whether the password is one of those that are tried first.
    fn is_common(&self, password: &str) -> bool;
}
