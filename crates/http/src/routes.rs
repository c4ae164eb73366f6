//! THE table of routes. What is not in it does not exist: handlers are no actix handlers, and only
//! [`crate::mount`] can make them reachable, from this table. So nothing can be served without saying who
//! may call it.

use std::future::Future;

use actix_web::{HttpResponse, http::Method};
use futures_util::future::{FutureExt, LocalBoxFuture, TryFutureExt};
use techsupport_domain::{Permission, Role};

use crate::{
    explorer,
    handlers::{
        accounts, agents, audit, clients, dead_letters, events, files, queue, reports, sessions, tickets,
        users,
    },
    health,
    inbound::{Inbound, OnceAnswer},
    openapi::Operation,
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
    /// Whether it counts for the rate limit.
    pub(crate) limited: bool,
    /// Whether a request with an `Idempotency-Key` can be sent again.
    pub(crate) repeatable: bool,
    pub(crate) handler: Handler,
    /// What callers are told of it. See [`crate::openapi`].
    pub(crate) docs: fn() -> Operation,
}

/// The table.
#[expect(clippy::too_many_lines, reason = "it is read as one")]
pub(crate) fn table() -> Vec<Route> {
    use Access::{Needs, Public};
    use Permission::{
        DeleteTickets, KeepDirectory, KeepQueues, ManageUsers, ReadAudit, ReadDirectory, ReadEvents,
        ReadImports, ReadReports, ReadSelf, UploadFiles, WorkTickets,
    };
    vec![
        post_secret("/api/auth/login", Public, accounts::login, accounts::login_docs),
        post_secret("/api/auth/refresh", Public, accounts::refresh, accounts::refresh_docs),
        post_secret("/api/auth/logout", Public, accounts::log_out, accounts::log_out_docs),
        get("/api/auth/me", Needs(ReadSelf), accounts::me, accounts::me_docs),
        post_secret("/api/auth/register", Needs(ManageUsers), accounts::register, accounts::register_docs),
        get("/api/auth/sessions", Needs(ReadSelf), sessions::list, sessions::list_docs).with_query(),
        delete("/api/auth/sessions/{id}", Needs(ReadSelf), sessions::end, sessions::end_docs),
        post_secret(
            "/api/auth/password",
            Needs(ReadSelf),
            sessions::change_password,
            sessions::change_password_docs,
        ),
        get("/api/auth/users", Needs(ManageUsers), users::list, users::list_docs).with_query(),
        get("/api/auth/users/{id}", Needs(ManageUsers), users::show, users::show_docs),
        patch("/api/auth/users/{id}", Needs(ManageUsers), users::change, users::change_docs),
        get("/api/audit", Needs(ReadAudit), audit::list, audit::list_docs).with_query(),
        get("/api/clients", Needs(ReadDirectory), clients::list, clients::list_docs).with_query(),
        post("/api/clients", Needs(KeepDirectory), clients::enter, clients::enter_docs),
        get("/api/clients/{id}", Needs(ReadDirectory), clients::show, clients::show_docs),
        patch("/api/clients/{id}", Needs(KeepDirectory), clients::change, clients::change_docs),
        get("/api/agents", Needs(ReadDirectory), agents::list, agents::list_docs).with_query(),
        post("/api/agents", Needs(KeepDirectory), agents::enter, agents::enter_docs),
        get("/api/agents/{id}", Needs(ReadDirectory), agents::show, agents::show_docs),
        patch("/api/agents/{id}", Needs(KeepDirectory), agents::change, agents::change_docs),
        get("/api/tickets", Needs(WorkTickets), tickets::list, tickets::list_docs).with_query(),
        post("/api/tickets", Needs(WorkTickets), tickets::open, tickets::open_docs),
        // Before {id}, which would take it for one.
        post("/api/tickets/bulk", Needs(WorkTickets), tickets::bulk, tickets::bulk_docs),
        get("/api/tickets/{id}", Needs(WorkTickets), tickets::show, tickets::show_docs),
        patch("/api/tickets/{id}", Needs(WorkTickets), tickets::edit, tickets::edit_docs),
        delete("/api/tickets/{id}", Needs(DeleteTickets), tickets::delete, tickets::delete_docs),
        patch(
            "/api/tickets/{id}/status",
            Needs(WorkTickets),
            tickets::change_status,
            tickets::change_status_docs,
        ),
        patch("/api/tickets/{id}/assign", Needs(WorkTickets), tickets::assign, tickets::assign_docs),
        post("/api/tickets/{id}/restore", Needs(DeleteTickets), tickets::restore, tickets::restore_docs),
        get("/api/tickets/{id}/comments", Needs(WorkTickets), tickets::comments, tickets::comments_docs)
            .with_query(),
        post(
            "/api/tickets/{id}/comments",
            Needs(WorkTickets),
            tickets::add_comment,
            tickets::add_comment_docs,
        ),
        get("/api/tickets/{id}/sla", Needs(WorkTickets), tickets::ledger, tickets::ledger_docs),
        get("/api/tickets/{id}/timeline", Needs(WorkTickets), tickets::timeline, tickets::timeline_docs)
            .with_query(),
        post("/api/files/upload", Needs(UploadFiles), files::upload, files::upload_docs),
        get("/api/files/status/{id}", Needs(ReadImports), files::status, files::status_docs),
        get("/api/files/{id}/errors", Needs(UploadFiles), files::errors, files::errors_docs).with_query(),
        get("/api/queue/stats", Needs(KeepQueues), queue::show, queue::show_docs),
        get("/api/queue/dlq", Needs(KeepQueues), dead_letters::list, dead_letters::list_docs).with_query(),
        // Before {id}, which would take it for one.
        post(
            "/api/queue/dlq/replay",
            Needs(KeepQueues),
            dead_letters::replay_all,
            dead_letters::replay_all_docs,
        ),
        post(
            "/api/queue/dlq/{id}/replay",
            Needs(KeepQueues),
            dead_letters::replay,
            dead_letters::replay_docs,
        ),
        delete("/api/queue/dlq/{id}", Needs(KeepQueues), dead_letters::discard, dead_letters::discard_docs),
        get(
            "/api/reports/avg-resolution",
            Needs(ReadReports),
            reports::average_resolution,
            reports::average_resolution_docs,
        )
        .with_query(),
        get(
            "/api/reports/escalated-per-month",
            Needs(ReadReports),
            reports::escalated_per_month,
            reports::escalated_per_month_docs,
        )
        .with_query(),
        get("/api/reports/top-agents", Needs(ReadReports), reports::top_agents, reports::top_agents_docs)
            .with_query(),
        get(
            "/api/reports/weekly-status",
            Needs(ReadReports),
            reports::weekly_status,
            reports::weekly_status_docs,
        )
        .with_query(),
        get(
            "/api/reports/last-processes",
            Needs(ReadReports),
            reports::last_imports,
            reports::last_imports_docs,
        ),
        get("/api/reports/sla-compliance", Needs(ReadReports), reports::compliance, reports::compliance_docs)
            .with_query(),
        get("/api/reports/backlog", Needs(ReadReports), reports::backlog, reports::backlog_docs).with_query(),
        get("/api/events", Needs(ReadEvents), events::list, events::list_docs).with_query(),
        get("/health", Public, health::ok, health::ok_docs).unlimited(),
        get("/health/live", Public, health::ok, health::live_docs).unlimited(),
        get("/health/ready", Public, health::ready, health::ready_docs).unlimited(),
        get("/health/metrics", Public, health::process, health::process_docs).unlimited(),
        get("/metrics", Public, health::prometheus, health::prometheus_docs).unlimited(),
        get("/api/openapi.json", Public, explorer::openapi, explorer::openapi_docs),
        get("/docs", Public, explorer::page, explorer::page_docs),
        get("/docs/", Public, explorer::page_in_folder, explorer::page_in_folder_docs),
        get("/docs/{file}", Public, explorer::file, explorer::file_docs),
    ]
}

impl Route {
    fn new<F>(
        method: Method,
        path: &'static str,
        access: Access,
        handler: fn(Inbound) -> F,
        docs: fn() -> Operation,
    ) -> Self
    where
        F: Future<Output = Answer> + 'static,
    {
        let handler: Handler = Box::new(move |inbound| handler(inbound).boxed_local());
        Self { method, path, access, takes_query: false, limited: true, repeatable: false, handler, docs }
    }

    /// For those who watch the service, and have to be answered whoever else calls.
    fn unlimited(self) -> Self {
        Self { limited: false, ..self }
    }

    fn with_query(self) -> Self {
        Self { takes_query: true, ..self }
    }
}

fn get<F: Future<Output = Answer> + 'static>(
    path: &'static str,
    access: Access,
    handler: fn(Inbound) -> F,
    docs: fn() -> Operation,
) -> Route {
    Route::new(Method::GET, path, access, handler, docs)
}

/// Honours `Idempotency-Key`: the handler cannot answer but through [`Inbound::run_once`].
fn post<F: Future<Output = Result<OnceAnswer, Problem>> + 'static>(
    path: &'static str,
    access: Access,
    handler: fn(Inbound) -> F,
    docs: fn() -> Operation,
) -> Route {
    let handler: Handler =
        Box::new(move |inbound| handler(inbound).map_ok(OnceAnswer::into_response).boxed_local());
    Route {
        method: Method::POST,
        path,
        access,
        takes_query: false,
        limited: true,
        repeatable: true,
        handler,
        docs,
    }
}

/// Below `/api/auth` requests or answers hold secrets, which are not kept: `Idempotency-Key` is ignored.
fn post_secret<F: Future<Output = Answer> + 'static>(
    path: &'static str,
    access: Access,
    handler: fn(Inbound) -> F,
    docs: fn() -> Operation,
) -> Route {
    Route::new(Method::POST, path, access, handler, docs)
}

fn patch<F: Future<Output = Answer> + 'static>(
    path: &'static str,
    access: Access,
    handler: fn(Inbound) -> F,
    docs: fn() -> Operation,
) -> Route {
    Route::new(Method::PATCH, path, access, handler, docs)
}

fn delete<F: Future<Output = Answer> + 'static>(
    path: &'static str,
    access: Access,
    handler: fn(Inbound) -> F,
    docs: fn() -> Operation,
) -> Route {
    Route::new(Method::DELETE, path, access, handler, docs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_post_can_be_repeated_but_those_that_hold_secrets() {
        for route in table() {
            let wanted = route.method == Method::POST && !route.path.starts_with("/api/auth/");
            assert_eq!(route.repeatable, wanted, "{} {}", route.method, route.path);
        }
    }
}
