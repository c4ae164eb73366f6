//! Users, sessions and refresh tokens inside a transaction.

use techsupport_application::{
    AppError, Conflict, Entity,
    ports::{AccountTx, Credentials, NewRefreshToken, NewSession, NewUser, StoredRefreshToken, TokenState},
};
use techsupport_domain::{RefreshTokenId, Role, SessionId, User};

use super::{Session, Store, Token};

impl Store {
    pub fn find_token(&self, lookup: &str) -> Option<StoredRefreshToken> {
        let token = self.tokens.get(lookup)?;
        let session = &self.sessions[&token.session];
        let user = self.users.iter().map(|found| &found.user).find(|user| user.id == session.user)?;
        let state = if session.revoked.is_some() || !user.active {
            TokenState::Dead
        } else if token.spent {
            TokenState::Spent
        } else {
            TokenState::Usable
        };
        Some(StoredRefreshToken {
            id: token.id,
            session: token.session,
            secret_hash: token.secret_hash.clone(),
            state,
            user: user.clone(),
        })
    }

    fn keep(&mut self, token: &NewRefreshToken) {
        let kept = Token {
            id: token.id,
            session: token.session,
            secret_hash: token.secret_hash.clone(),
            spent: false,
        };
        self.tokens.insert(token.lookup.clone(), kept);
    }
}

impl AccountTx for Store {
    fn insert_user(&mut self, user: &NewUser) -> Result<(), AppError> {
        if self.users.iter().any(|found| found.user.email == user.email) {
            return Err(AppError::Conflict(Conflict::EmailTaken(Entity::User)));
        }
        let NewUser { id, email, role, active, password_hash } = user.clone();
        self.users.push(Credentials { user: User { id, email, role, active }, password_hash });
        Ok(())
    }

    fn any_admin(&mut self) -> Result<bool, AppError> {
        Ok(self.users.iter().any(|found| found.user.role == Role::Admin))
    }

    fn open_session(&mut self, session: &NewSession, token: &NewRefreshToken) -> Result<(), AppError> {
        let opened = Session { user: session.user, user_agent: session.user_agent.clone(), revoked: None };
        self.sessions.insert(session.id, opened);
        self.keep(token);
        Ok(())
    }

    fn lock_refresh_token(&mut self, lookup: &str) -> Result<Option<StoredRefreshToken>, AppError> {
        Ok(self.find_token(lookup))
    }

    fn rotate(&mut self, spent: RefreshTokenId, next: &NewRefreshToken) -> Result<(), AppError> {
        for token in self.tokens.values_mut().filter(|token| token.id == spent) {
            token.spent = true;
        }
        self.keep(next);
        Ok(())
    }

    fn revoke_session(&mut self, session: SessionId, reason: &str) -> Result<(), AppError> {
        if let Some(session) = self.sessions.get_mut(&session) {
            session.revoked.get_or_insert_with(|| reason.to_owned());
        }
        Ok(())
    }
}
