//! Makes the table of routes reachable, and sends every request through the same checks in the same order:
//! 404, 405, 401, 403, and only then whatever the handler looks at.

use std::{panic::AssertUnwindSafe, rc::Rc, sync::Arc};

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    dev::Payload,
    http::{
        Method,
        header::{self, HeaderValue},
    },
    web::{self, ServiceConfig},
};
use futures_util::FutureExt;
use techsupport_application::Budget;

use crate::{
    address::of_caller,
    auth::authenticate,
    connection::Connection,
    edge::Note,
    inbound::{Caller, Identity, Inbound, NoParameters},
    limits::{Standing, Who},
    problem::{Kind, Problem, render},
    routes::{Access, Answer, Route, table},
    state::State,
};

/// Registers every route of the table, and the answer for all that is not in it.
pub(crate) fn mount(config: &mut ServiceConfig, state: &Arc<State>) {
    for routes in by_path(table()) {
        let Some(path) = routes.first().map(|route| route.path) else { continue };
        let (routes, state) = (Rc::new(routes), Arc::clone(state));
        config.service(web::resource(path).to(move |request: HttpRequest, payload: web::Payload| {
            let (routes, state) = (Rc::clone(&routes), Arc::clone(&state));
            async move {
                let answer = dispatch(&routes, &state, &request, payload.into_inner()).await;
                respond(answer, &request, &state)
            }
        }));
    }
    let state = Arc::clone(state);
    config.default_service(web::route().to(move |request: HttpRequest| {
        let unknown = || Err(Problem::new(Kind::UnknownRoute, "there is nothing here"));
        let answer = respond(count(&state, &request).and_then(|()| unknown()), &request, &state);
        async move { answer }
    }));
}

/// The table, grouped. Of two paths that match the same request the first one in the table answers it.
fn by_path(table: Vec<Route>) -> Vec<Vec<Route>> {
    let mut groups: Vec<Vec<Route>> = Vec::new();
    for route in table {
        let group = groups.iter_mut().find(|group| group.iter().any(|other| other.path == route.path));
        match group {
            Some(group) => group.push(route),
            None => groups.push(vec![route]),
        }
    }
    groups
}

fn respond(answer: Answer, request: &HttpRequest, state: &State) -> HttpResponse {
    let mut answer = answer.unwrap_or_else(|problem| {
        let identity =
            request.extensions().get::<Identity>().map(|identity| Arc::clone(&identity.request_id));
        render(
            &problem,
            request.path(),
            identity.as_deref().unwrap_or_default(),
            state.settings.retry_after_s,
        )
    });
    if let Some(standing) = request.extensions().get::<Standing>() {
        standing.tell(answer.headers_mut());
    }
    answer
}

async fn dispatch(routes: &[Route], state: &Arc<State>, request: &HttpRequest, payload: Payload) -> Answer {
    let wanted = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let Some(route) = routes.iter().find(|route| route.method == wanted) else {
        if routes.iter().any(|route| route.limited) {
            count(state, request)?;
        }
        return other_method(routes, request);
    };
    let served = AssertUnwindSafe(serve(route, state, request, payload)).catch_unwind().await;
    served.unwrap_or_else(|_panic| {
        tracing::error!("a handler panicked");
        Err(Problem::internal())
    })
}

fn other_method(routes: &[Route], request: &HttpRequest) -> Answer {
    let mut methods: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.push("OPTIONS");
    let allow = methods.join(", ");
    if request.method() == Method::OPTIONS {
        let allow = HeaderValue::from_str(&allow).map_err(|_| Problem::internal())?;
        return Ok(HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish());
    }
    let detail = format!("this path knows {allow}");
    Err(Problem { allow: Some(allow), ..Problem::new(Kind::MethodNotAllowed, detail) })
}

async fn serve(route: &Route, state: &Arc<State>, request: &HttpRequest, payload: Payload) -> Answer {
    let identity = request.extensions().get::<Identity>().cloned().ok_or_else(Problem::internal)?;
    let admitted = admit(route.access, state, request);
    if route.limited {
        count(state, request)?;
    }
    let caller = admitted?;
    let inbound = Inbound::new(request.clone(), payload, Arc::clone(state), identity.clone(), caller);
    let has_no_body = route.method == Method::GET || route.method == Method::DELETE;
    if has_no_body && !route.takes_query && route.path.starts_with("/api/") {
        inbound.query::<NoParameters>()?;
    }
    in_time((route.handler)(inbound), &identity.budget, state, request).await
}

/// Who is calling, when the route needs to know, and may.
pub(crate) fn admit(access: Access, state: &State, request: &HttpRequest) -> Result<Option<Caller>, Problem> {
    let Access::Needs(permission) = access else { return Ok(None) };
    let caller = authenticate(request.headers(), state)?;
    request.extensions_mut().insert(Note { caller: Some((caller.user, caller.role)), gone: false });
    if caller.role.may(permission) {
        Ok(Some(caller))
    } else {
        Err(Problem::new(Kind::Forbidden, format!("the role {} may not do this", caller.role.name())))
    }
}

/// Counts the request: for its caller when that was found out, whoever is turned away included, else for its
/// address. What is counted says so in its answer.
fn count(state: &State, request: &HttpRequest) -> Result<(), Problem> {
    let note = request.extensions().get::<Note>().copied().unwrap_or_default();
    let who = if let Some((user, _)) = note.caller {
        Who::User(user)
    } else {
        let peer = request.peer_addr().map(|peer| peer.ip());
        Who::Address(of_caller(peer, request.headers(), &state.settings.trusted_proxies))
    };
    let Some(standing) = state.limits.count(who) else { return Ok(()) };
    let refused = standing.refused;
    request.extensions_mut().insert(standing);
    refused.map_or(Ok(()), |wait| {
        metrics::counter!("http_rate_limited_total", "by" => who.kind()).increment(1);
        Err(Problem::new(Kind::RateLimited, "too many requests in a short time").retry_after(wait))
    })
}

/// Waits until the handler is done, the time is over or the caller is gone. In the last two cases the work
/// is given up, unless its commit has begun: then its outcome is the answer, however long it takes.
async fn in_time(
    handler: impl Future<Output = Answer>,
    budget: &Arc<Budget>,
    state: &State,
    request: &HttpRequest,
) -> Answer {
    let _abandon = AbandonOnDrop(Arc::clone(budget));
    let connection = Connection::of(request);
    let gone = connection.gone(std::time::Duration::from_millis(state.settings.disconnect_grace_ms));
    let mut handler = std::pin::pin!(handler);
    let gone = tokio::select! {
        biased;
        answer = &mut handler => return answer,
        () = tokio::time::sleep(budget.left()) => false,
        () = gone => true,
    };
    if !budget.abandon() {
        return handler.await;
    }
    if gone {
        let mut extensions = request.extensions_mut();
        let note = extensions.get::<Note>().copied().unwrap_or_default();
        extensions.insert(Note { gone: true, ..note });
    }
    Err(Problem::timed_out())
}

/// actix drops the future of a request whose connection breaks: then nobody will hear the outcome.
struct AbandonOnDrop(Arc<Budget>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        // Whether a commit had begun makes no difference to somebody who is not there any more.
        self.0.abandon();
    }
}
