//! A request as handlers see it. They get nothing else, so that whatever comes in has gone through the
//! checks here.

mod body;
mod entity_tags;
mod findings;
mod member;
mod nothing;
mod once;
mod query;
mod shape;
mod strict_json;
mod upload;

use std::sync::Arc;

use actix_web::{HttpRequest, dev::Payload, http::header, web::Bytes};
use garde::Validate;
use serde::de::DeserializeOwned;
use serde_json::Value;
use techsupport_application::{Actor, AppError, Budget, Call, Ctx, TraceContext, ports::Fingerprint};
use techsupport_domain::{Permission, Role, SessionId, UserId};
use uuid::Uuid;

pub(crate) use entity_tags::EntityTags;
pub(crate) use member::{Member, given, nullable, optional, required};
pub(crate) use once::OnceAnswer;
pub(crate) use query::{NoParameters, Parameters};

use crate::{
    address,
    connection::Connection,
    gate::Lane,
    mount::admit,
    problem::{InputError, Place, Problem},
    routes::Access,
    state::State,
};

/// Who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: UserId,
    pub(crate) role: Role,
    /// In which login.
    pub(crate) session: SessionId,
}

/// What is known of every request, from its first moment.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) request_id: Arc<str>,
    pub(crate) trace: TraceContext,
    pub(crate) budget: Arc<Budget>,
}

/// A request that was let in.
pub(crate) struct Inbound {
    http: HttpRequest,
    payload: Payload,
    state: Arc<State>,
    identity: Identity,
    caller: Option<Caller>,
    /// Of the body, when it was read and the caller gave the request a key.
    fingerprint: Option<Fingerprint>,
}

impl Inbound {
    pub(crate) fn new(
        http: HttpRequest,
        payload: Payload,
        state: Arc<State>,
        identity: Identity,
        caller: Option<Caller>,
    ) -> Self {
        Self { http, payload, state, identity, caller, fingerprint: None }
    }

    /// The head of the request.
    pub(crate) fn headers(&self) -> &header::HeaderMap {
        self.http.headers()
    }

    /// What all requests share.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Who is signed in. Only routes for everybody have nobody.
    pub(crate) fn caller(&self) -> Result<&Caller, Problem> {
        self.caller.as_ref().ok_or_else(|| Problem::unauthenticated("an access token is needed"))
    }

    /// Where the request comes from.
    pub(crate) fn address(&self) -> Option<std::net::IpAddr> {
        let peer = self.http.peer_addr().map(|peer| peer.ip());
        address::of_caller(peer, self.http.headers(), &self.state.settings.trusted_proxies)
    }

    /// The caller's program, as it calls itself.
    pub(crate) fn user_agent(&self) -> Option<String> {
        let agent = self.http.headers().get(header::USER_AGENT)?.to_str().ok()?;
        Some(agent.to_owned())
    }

    /// The body as a checked DTO: 415, 413, then everything that is wrong with its content, 400.
    pub(crate) async fn json<T>(&mut self) -> Result<T, Problem>
    where
        T: DeserializeOwned + Validate<Context = ()>,
    {
        let strict_json::Parsed { value, findings } = self.body().await?;
        let Value::Object(members) = value else { return Err(not_a("JSON object")) };
        shape::shape(members, findings, pointer)
    }

    /// The body as a list of 1 to `most` checked DTOs. What is wrong with the third of them is at `/2/…`.
    pub(crate) async fn json_list<T>(&mut self, most: usize) -> Result<Vec<T>, Problem>
    where
        T: DeserializeOwned + Validate<Context = ()>,
    {
        let strict_json::Parsed { value, findings } = self.body().await?;
        let Value::Array(items) = value else { return Err(not_a("JSON array")) };
        shape::shape_list(items, findings, most)
    }

    async fn body(&mut self) -> Result<strict_json::Parsed, Problem> {
        body::check_type(self.http.headers())?;
        let bytes = self.read(self.state.settings.max_body_bytes).await?;
        let parsed = strict_json::read(&bytes)?;
        if once::has_key(self.http.headers()) {
            self.fingerprint = Some(once::fingerprint(&parsed.value));
        }
        Ok(parsed)
    }

    /// Up to `most` bytes of a body. Routes that have one have no query.
    async fn read(&mut self, most: usize) -> Result<Bytes, Problem> {
        let limits = body::Limits { bytes: most, time: self.state.settings.body_timeout() };
        let bytes = body::collect(self.http.headers(), &mut self.payload, limits).await?;
        Connection::of(&self.http).body_is_read();
        self.query::<NoParameters>()?;
        Ok(bytes)
    }

    /// The query as a checked DTO.
    pub(crate) fn query<Q: Parameters>(&self) -> Result<Q, Problem> {
        query::read(self.http.query_string())
    }

    /// What the request is called.
    pub(crate) fn request_id(&self) -> Arc<str> {
        Arc::clone(&self.identity.request_id)
    }

    /// How much is left of the time for the request.
    pub(crate) fn time_left(&self) -> std::time::Duration {
        self.identity.budget.left()
    }

    /// Checks once more, after a wait, that the caller may do this.
    pub(crate) fn admit_again(&self, permission: Permission) -> Result<(), Problem> {
        admit(Access::Needs(permission), &self.state, &self.http).map(drop)
    }

    /// The path, as it was sent.
    pub(crate) fn path(&self) -> &str {
        self.http.path()
    }

    /// The parameters of the query, unchecked.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (String, String)> {
        form_urlencoded::parse(self.http.query_string().as_bytes()).into_owned()
    }

    /// A part of the path, as it is.
    pub(crate) fn segment(&self, name: &str) -> &str {
        self.http.match_info().get(name).unwrap_or_default()
    }

    /// The id in the path.
    pub(crate) fn id<I>(&self, name: fn(Uuid) -> I) -> Result<I, Problem> {
        let id = uuid(self.http.match_info().get("id").unwrap_or_default());
        id.map(name).map_err(|detail| Problem::parameter("id", detail))
    }

    /// Runs a use case on a blocking thread, when it is its turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(Ctx<'_>) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, Problem> {
        self.state.gate.run(Lane::Plain, self.call(), work).await
    }

    /// The same for a use case that hashes, of which few run at once.
    pub(crate) async fn run_hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce(Ctx<'_>) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, Problem> {
        self.state.gate.run(Lane::Hashing, self.call(), work).await
    }

    /// Runs a step that may be done although the request comes to nothing. It has time of its own, no more than the
    /// request has left.
    pub(crate) async fn run_aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(Ctx<'_>) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, Problem> {
        let call = Call { budget: Arc::new(Budget::lasting(self.time_left())), ..self.call() };
        self.state.gate.run(Lane::Plain, call, work).await
    }

    fn call(&self) -> Call {
        Call {
            // Nobody is signed in yet where a login happens; those use cases write no timeline.
            actor: self.caller.as_ref().map_or(Actor::System, |caller| Actor::User(caller.user)),
            origin: self.address(),
            trace: self.identity.trace,
            budget: Arc::clone(&self.identity.budget),
        }
    }
}

/// What would be said of this as a body: for examples that have to be right, or wrong.
pub(crate) fn check_body<T>(body: Value) -> Result<(), Problem>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    let Value::Object(members) = body else { return Err(Problem::internal()) };
    shape::shape::<T>(members, findings::Findings::default(), pointer).map(drop)
}

/// What would be said of this as the body of a route that takes none.
pub(crate) fn check_no_body(body: Value) -> Result<(), Problem> {
    check_body::<nothing::NoMembers>(body)
}

/// What would be said of these bytes as a body of any route.
pub(crate) fn check_json(bytes: &[u8]) -> Result<(), Problem> {
    strict_json::read(bytes).map(drop)
}

/// What would be said of this as a query.
pub(crate) fn check_query<Q: Parameters>(query: &str) -> Result<(), Problem> {
    query::read::<Q>(query).map(drop)
}

/// A list of bodies: each has to be one.
pub(crate) fn check_list<T>(list: Value, most: usize) -> Result<(), Problem>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    let Value::Array(items) = list else { return Err(Problem::internal()) };
    shape::shape_list::<T>(items, findings::Findings::default(), most).map(drop)
}

fn not_a(what: &str) -> Problem {
    let (place, detail) = (Place::Pointer(String::new()), format!("the body must be a {what}"));
    Problem::invalid(vec![InputError { place, detail }])
}

/// A member of the body.
fn pointer(name: &str) -> Place {
    let mut pointer = String::new();
    findings::descend(&mut pointer, name);
    Place::Pointer(pointer)
}

/// A UUID in its usual form of 36 characters (RFC 9562, section 4), in either letter case.
pub(crate) fn uuid(text: &str) -> Result<Uuid, &'static str> {
    let usual = text.len() == 36;
    Uuid::try_parse(text).ok().filter(|_| usual).ok_or("must be a UUID")
}
