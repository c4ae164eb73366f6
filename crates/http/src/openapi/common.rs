//! What follows from the row of a route, so that nobody has to write it down.

use techsupport_domain::Role;
use utoipa::openapi::path::Parameter;

use super::{Operation, schemas, terms};
use crate::{
    problem::{Kind, Problem},
    routes::{Access, Route},
};

/// What can always go wrong: with the request as HTTP, and on our side.
const ANYWHERE: &[Kind] = &[
    Kind::MalformedRequest,
    Kind::SlowRequest,
    Kind::UriTooLong,
    Kind::HeadTooLarge,
    Kind::Internal,
    Kind::TimedOut,
];
/// What can go wrong where a use case runs.
const WITH_WORK: &[Kind] = &[Kind::Overloaded, Kind::Unavailable, Kind::Contention];
/// What can be wrong with a body, apart from its content.
const WITH_BODY: &[Kind] = &[Kind::MalformedBody, Kind::BodyTooLarge, Kind::UnsupportedMediaType];

/// Kinds of problems that a route has because of its row.
pub(super) fn usual_problems(route: &Route, operation: &Operation) -> Vec<Kind> {
    let mut kinds = ANYWHERE.to_vec();
    if operation.body.is_some() {
        kinds.extend(WITH_BODY);
    }
    if route.limited {
        kinds.push(Kind::RateLimited);
    }
    if route.access != Access::Public {
        kinds.push(Kind::Unauthenticated);
    }
    if Role::ALL.iter().any(|role| route.access.refusal(Some(*role)).is_some()) {
        kinds.push(Kind::Forbidden);
    }
    if has_id(route.path) {
        kinds.push(Kind::NotFound);
    }
    if route.access != Access::Public || operation.body.is_some() {
        kinds.extend(WITH_WORK);
    }
    kinds
}

/// Input that is refused, as this route refuses it.
pub(super) fn wrong_input(route: &Route, operation: &Operation) -> Vec<Problem> {
    let in_query = match (&operation.wrong_query, route.path.starts_with("/api/")) {
        (Some(problem), _) => Some(problem.clone()),
        (None, true) => Operation::wrong_anyway(),
        (None, false) => None,
    };
    let in_path = has_id(route.path).then(|| Problem::parameter("id", "must be a UUID"));
    let in_body = operation.body.as_ref().and_then(|body| body.wrong.clone());
    [in_body, in_path, in_query].into_iter().flatten().collect()
}

/// The parameters of the path.
pub(super) fn in_path(route: &Route) -> Option<Parameter> {
    has_id(route.path).then(|| schemas::in_path("id", terms::id().into()))
}

fn has_id(path: &str) -> bool {
    path.contains("{id}")
}

/// Who may call, for people.
pub(super) fn who_may(access: Access) -> String {
    if access == Access::Public {
        return "For everybody, no token needed.".to_owned();
    }
    let allowed: Vec<&str> = Role::ALL
        .iter()
        .filter(|role| access.refusal(Some(**role)).is_none())
        .map(|role| role.name())
        .collect();
    format!("For {}.", allowed.join(", "))
}
