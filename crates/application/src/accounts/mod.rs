//! Signing in and out, and who may.

mod first_admin;
mod login;
mod password;
mod refresh;
mod register;
mod sessions;
mod token;
mod users;

pub use first_admin::{FirstAdmin, ensure_first_admin};
pub use login::{Login, SignedIn, is_familiar, login, login_throttled};
pub use password::{ChangePassword, change_password};
pub use refresh::{Refreshed, log_out, refresh};
pub use register::{Register, check_password, register};
pub use sessions::{end_session, list_sessions};
pub use token::{RefreshToken, Secret};
pub use users::{ChangeUser, ChangedUser, change_user, list_users, who_is};
