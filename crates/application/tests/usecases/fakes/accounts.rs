//! Users, sessions and refresh tokens inside a transaction.

use techsupport_application::{
    AppError, Budget, Conflict, Entity, Page, Paged,
    ports::{
        AccountReader, AccountTx, Credentials, EndedSessions, NewRefreshToken, NewSession, NewUser,
        SessionEnd, SessionRow, Sessions, StoredRefreshToken, TokenState, UserFilter,
    },
};
use techsupport_domain::{RefreshTokenId, Role, SessionId, User, UserId};
use time::OffsetDateTime;

use super::{Memory, Session, Store, Token, reader::absent};

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

    fn credentials_of(&self, id: UserId) -> Option<Credentials> {
        self.users.iter().find(|found| found.user.id == id).cloned()
    }

    fn user_mut(&mut self, id: UserId) -> Option<&mut Credentials> {
        self.users.iter_mut().find(|found| found.user.id == id)
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

    fn lock_admins(&mut self) -> Result<(), AppError> {
        Ok(())
    }

    fn has_other_admin(&mut self, than: UserId) -> Result<bool, AppError> {
        Ok(self.users.iter().any(|found| found.user.is_active_admin() && found.user.id != than))
    }

    fn hold_user(&mut self, id: UserId) -> Result<Option<Credentials>, AppError> {
        if let Some((user, meanwhile)) = self.meanwhile.take() {
            meanwhile(self.user_mut(user).expect("a user"));
        }
        Ok(self.credentials_of(id))
    }

    fn lock_user(&mut self, id: UserId) -> Result<Option<Credentials>, AppError> {
        self.hold_user(id)
    }

    fn update_user(&mut self, user: &User) -> Result<(), AppError> {
        if let Some(found) = self.user_mut(user.id) {
            found.user = user.clone();
        }
        Ok(())
    }

    fn set_password(&mut self, id: UserId, hash: &str) -> Result<(), AppError> {
        if let Some(found) = self.user_mut(id) {
            hash.clone_into(&mut found.password_hash);
        }
        Ok(())
    }

    fn end_sessions(&mut self, which: Sessions, why: SessionEnd) -> Result<Vec<SessionId>, AppError> {
        let wanted = |id: SessionId, session: &Session| match which {
            Sessions::One(one) => id == one,
            Sessions::OneOf(user, one) => id == one && session.user == user,
            Sessions::AllOf(user) => session.user == user,
            Sessions::OthersOf(user, one) => session.user == user && id != one,
        };
        let mut ended = Vec::new();
        for (id, session) in &mut self.sessions {
            if session.revoked.is_none() && wanted(*id, session) {
                session.revoked = Some(why.name().to_owned());
                ended.push(*id);
            }
        }
        Ok(ended)
    }
}

impl AccountReader for Memory {
    fn user(&self, _: &Budget, id: UserId) -> Result<Option<User>, AppError> {
        Ok(self.store.lock().unwrap().credentials_of(id).map(|found| found.user))
    }

    fn users(&self, _: &Budget, _: &UserFilter, _: Page) -> Result<Paged<User>, AppError> {
        absent()
    }

    fn credentials(&self, _: &Budget, email: &str) -> Result<Option<Credentials>, AppError> {
        let store = self.store.lock().unwrap();
        Ok(store.users.iter().find(|found| found.user.email.folded() == email).cloned())
    }

    fn credentials_of(&self, _: &Budget, id: UserId) -> Result<Option<Credentials>, AppError> {
        Ok(self.store.lock().unwrap().credentials_of(id))
    }

    fn has_signed_in_from(
        &self,
        _: &Budget,
        _: &str,
        _: (std::net::IpAddr, u8),
        _: std::time::Duration,
    ) -> Result<bool, AppError> {
        absent()
    }

    fn refresh_token(&self, _: &Budget, lookup: &str) -> Result<Option<StoredRefreshToken>, AppError> {
        Ok(self.store.lock().unwrap().find_token(lookup))
    }

    fn sessions(&self, _: &Budget, _: UserId, _: Page) -> Result<Paged<SessionRow>, AppError> {
        absent()
    }

    fn ended_sessions(
        &self,
        _: &Budget,
        _: Option<OffsetDateTime>,
        _: std::time::Duration,
    ) -> Result<EndedSessions, AppError> {
        absent()
    }
}
