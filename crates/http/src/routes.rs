//! THE table of routes. What is not in it does not exist: handlers are no actix handlers, and only
//! [`crate::mount`] can make them reachable, from this table. So nothing can be served without saying who
//! may call it.

use std::future::Future;

use actix_web::{HttpResponse, http::Method};
use futures_util::future::{FutureExt, LocalBoxFuture};
use techsupport_domain::{Permission, Role};

use crate::{
    handlers::{accounts, agents, clients, tickets},
    health,
    inbound::Inbound,
    problem::Problem,
};

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody, also without a token.
    Public,
    /// Whoever has a role that carries the permission.
    Needs(Permission),
}

impl Access {
    /// The status that somebody with this role, or nobody, is turned away with.
    pub(crate) const fn refusal(self, role: Option<Role>) -> Option<u16> {
        match (self, role) {
            (Access::Public, _) => None,
            (Access::Needs(_), None) => Some(401),
            (Access::Needs(permission), Some(role)) => {
                if role.may(permission) {
                    None
                } else {
                    Some(403)
                }
            }
        }
    }
}

/// What a handler comes to.
pub(crate) type Answer = Result<HttpResponse, Problem>;

type Handler = Box<dyn Fn(Inbound) -> LocalBoxFuture<'static, Answer>>;

/// One row of the table.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    /// Whether the handler reads the query. Elsewhere below `/api` any parameter is one too many.
    pub(crate) takes_query: bool,
    pub(crate) handler: Handler,
}

/// The table.
pub(crate) fn table() -> Vec<Route> {
    use Access::{Needs, Public};
    use Permission::{DeleteTickets, KeepDirectory, ManageUsers, ReadDirectory, ReadSelf, WorkTickets};
    vec![
        post("/api/auth/login", Public, accounts::login),
        post("/api/auth/refresh", Public, accounts::refresh),
        post("/api/auth/logout", Public, accounts::log_out),
        get("/api/auth/me", Needs(ReadSelf), accounts::me),
        post("/api/auth/register", Needs(ManageUsers), accounts::register),
        get("/api/clients", Needs(ReadDirectory), clients::list).with_query(),
        post("/api/clients", Needs(KeepDirectory), clients::enter),
        get("/api/clients/{id}", Needs(ReadDirectory), clients::show),
        get("/api/agents", Needs(ReadDirectory), agents::list).with_query(),
        post("/api/agents", Needs(KeepDirectory), agents::enter),
        get("/api/agents/{id}", Needs(ReadDirectory), agents::show),
        get("/api/tickets", Needs(WorkTickets), tickets::list).with_query(),
        post("/api/tickets", Needs(WorkTickets), tickets::open),
        get("/api/tickets/{id}", Needs(WorkTickets), tickets::show),
        delete("/api/tickets/{id}", Needs(DeleteTickets), tickets::delete),
        patch("/api/tickets/{id}/status", Needs(WorkTickets), tickets::change_status),
        patch("/api/tickets/{id}/assign", Needs(WorkTickets), tickets::assign),
        get("/api/tickets/{id}/timeline", Needs(WorkTickets), tickets::timeline).with_query(),
        get("/health", Public, health::ok),
        get("/health/live", Public, health::ok),
        get("/health/ready", Public, health::ready),
        get("/health/metrics", Public, health::process),
        get("/metrics", Public, health::prometheus),
    ]
}

impl Route {
    fn new<F>(method: Method, path: &'static str, access: Access, handler: fn(Inbound) -> F) -> Self
    where
        F: Future<Output = Answer> + 'static,
    {
        let handler: Handler = Box::new(move |inbound| handler(inbound).boxed_local());
        Self { method, path, access, takes_query: false, handler }
    }

    fn with_query(self) -> Self {
        Self { takes_query: true, ..self }
    }
}

fn get<F: Future<Output = Answer> + 'static>(
    path: &'static str,
    access: Access,
    handler: fn(Inbound) -> F,
) -> Route {
    Route::new(Method::GET, path, access, handler)
}

fn post<F: Future<Output = Answer> + 'static>(
    path: &'static str,
    access: Access,
    handler: fn(Inbound) -> F,
) -> Route {
    Route::new(Method::POST, path, access, handler)
}

fn patch<F: Future<Output = Answer> + 'static>(
    path: &'static str,
    access: Access,
    handler: fn(Inbound) -> F,
) -> Route {
    Route::new(Method::PATCH, path, access, handler)
}

fn delete<F: Future<Output = Answer> + 'static>(
    path: &'static str,
    access: Access,
    handler: fn(Inbound) -> F,
) -> Route {
    Route::new(Method::DELETE, path, access, handler)
}
