//! Access tokens: JWT (RFC 7519), signed with HS256 and nothing else.

use std::collections::HashMap;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use techsupport_application::{AppError, accounts::SignedIn};
use techsupport_domain::{Role, SessionId, User, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{AuthSettings, inbound::Caller};

/// Every claim is required: a token that lacks one does not parse.
#[derive(Serialize, Deserialize)]
struct Claims {
    sub: Uuid,
    role: String,
    email: String,
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    /// Not written here, but heeded.
    #[serde(default, skip_serializing)]
    nbf: Option<i64>,
    jti: Uuid,
    /// The login it belongs to, so that it can be told when that ends.
    sid: Uuid,
}

/// Issues and verifies access tokens.
pub(crate) struct Tokens {
    issuer: String,
    audience: String,
    lifetime_s: u64,
    leeway_s: u64,
    header: Header,
    signing: EncodingKey,
    verifying: HashMap<String, DecodingKey>,
    validation: Validation,
}

/// Keys that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// None has the name.
    #[error("auth.current_key names no key in auth.keys")]
    NoCurrentKey,
    /// RFC 7518, section 3.2.
    #[error("the key {0} in auth.keys has fewer than 32 bytes")]
    TooShort(String),
    /// The library was built without what it needs.
    #[error("signing and verifying an access token does not work: {0}")]
    SelfTest(String),
}

impl Tokens {
    /// Takes the keys and tries them.
    pub(crate) fn new(settings: &AuthSettings) -> Result<Self, KeyError> {
        if let Some((kid, _)) = settings.keys.iter().find(|(_, key)| key.expose_secret().len() < 32) {
            return Err(KeyError::TooShort(kid.clone()));
        }
        let current = settings.keys.get(&settings.current_key).ok_or(KeyError::NoCurrentKey)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["sub", "iss", "aud", "exp"]);
        validation.set_issuer(&[&settings.issuer]);
        validation.set_audience(&[&settings.audience]);
        // Checked below against our clock; the library would ask its own.
        validation.validate_exp = false;
        let verifying = settings
            .keys
            .iter()
            .map(|(kid, key)| (kid.clone(), DecodingKey::from_secret(key.expose_secret().as_bytes())));
        let tokens = Self {
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            lifetime_s: settings.access_lifetime_s,
            leeway_s: settings.leeway_s,
            header: Header { kid: Some(settings.current_key.clone()), ..Header::new(Algorithm::HS256) },
            signing: EncodingKey::from_secret(current.expose_secret().as_bytes()),
            verifying: verifying.collect(),
            validation,
        };
        tokens.self_test()?;
        Ok(tokens)
    }

    /// How long a token is good for, in seconds.
    pub(crate) fn lifetime_s(&self) -> u64 {
        self.lifetime_s
    }

    /// A token for somebody who has just shown who they are.
    pub(crate) fn issue(&self, who: &SignedIn, id: Uuid, now: OffsetDateTime) -> Result<String, AppError> {
        self.sign(&who.user, who.session, id, now).map_err(AppError::internal)
    }

    /// Who presents the token, if it is good.
    pub(crate) fn verify(&self, token: &str, now: OffsetDateTime) -> Option<Caller> {
        let header = decode_header(token).ok()?;
        let key = self.verifying.get(header.kid.as_deref()?)?;
        let claims = decode::<Claims>(token, key, &self.validation).ok()?.claims;
        let (now, leeway) = (now.unix_timestamp(), i64::try_from(self.leeway_s).ok()?);
        let expired = now >= claims.exp.checked_add(leeway)?;
        let from_the_future = claims.iat.max(claims.nbf.unwrap_or(i64::MIN)) > now.checked_add(leeway)?;
        if expired || from_the_future {
            return None;
        }
        let role = Role::parse(&claims.role).ok().filter(|role| role.name() == claims.role)?;
        Some(Caller { user: UserId::new(claims.sub), role, session: SessionId::new(claims.sid) })
    }

    fn sign(
        &self,
        user: &User,
        session: SessionId,
        id: Uuid,
        now: OffsetDateTime,
    ) -> jsonwebtoken::errors::Result<String> {
        let iat = now.unix_timestamp();
        let claims = Claims {
            sub: user.id.uuid(),
            role: user.role.name().to_owned(),
            email: user.email.as_str().to_owned(),
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            iat,
            exp: iat.saturating_add_unsigned(self.lifetime_s),
            nbf: None,
            jti: id,
            sid: session.uuid(),
        };
        encode(&self.header, &claims, &self.signing)
    }

    /// The library panics or fails on first use when it was built without a crypto backend: then better at
    /// the start.
    fn self_test(&self) -> Result<(), KeyError> {
        let failed = |error: &dyn ToString| KeyError::SelfTest(error.to_string());
        let email = techsupport_domain::text::Email::parse("self@test.invalid").map_err(|e| failed(&e))?;
        let user = User { id: UserId::new(Uuid::nil()), email, role: Role::Agent, active: true };
        let now = OffsetDateTime::UNIX_EPOCH;
        let token =
            self.sign(&user, SessionId::new(Uuid::nil()), Uuid::nil(), now).map_err(|e| failed(&e))?;
        let verified = self.verify(&token, now).is_some();
        let forged = token.get(..token.len().saturating_sub(6)).map(|head| format!("{head}AAAAAA"));
        if verified && forged.is_some_and(|forged| self.verify(&forged, now).is_none()) {
            Ok(())
        } else {
            Err(failed(&"a good token is refused or a forged one accepted"))
        }
    }
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
