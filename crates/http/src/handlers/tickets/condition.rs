//! Which version of a ticket a request is meant for.

use actix_web::http::header;
use techsupport_application::tickets::Expected;
use techsupport_domain::ticket::Ticket;

use super::dto;
use crate::{
    inbound::{EntityTags, Inbound},
    problem::{InputError, Place, Problem},
};

/// `If-Match`, compared strongly: a weak tag is nobody's, and neither is one that was never given out.
pub(super) fn expected(inbound: &Inbound) -> Result<Expected, Problem> {
    match EntityTags::read(inbound.headers(), &header::IF_MATCH) {
        Ok(None | Some(EntityTags::Any)) => Ok(Expected::Anything),
        Ok(Some(EntityTags::These(tags))) => {
            let strong = tags.iter().filter(|tag| !tag.weak);
            Ok(Expected::OneOf(strong.filter_map(|tag| version(&tag.opaque)).collect()))
        }
        Err(_) => Err(Problem::invalid(vec![InputError {
            place: Place::Header("If-Match"),
            detail: "must be * or a list of entity tags, such as \"7\"".to_owned(),
        }])),
    }
}

/// Whether the caller has the ticket already, by `If-None-Match`. What cannot be read is passed over: the ticket in
/// full is never wrong.
///
/// A public comment answers the ticket without giving it another version; who has it from before has not seen
/// that.
pub(super) fn is_known(inbound: &Inbound, ticket: &Ticket) -> bool {
    let seen = match EntityTags::read(inbound.headers(), &header::IF_NONE_MATCH) {
        Ok(None) | Err(_) => return false,
        Ok(Some(EntityTags::Any)) => true,
        Ok(Some(EntityTags::These(tags))) => {
            tags.iter().any(|tag| version(&tag.opaque) == Some(ticket.version))
        }
    };
    let answered_since =
        ticket.clocks.iter().any(|clock| clock.stopped_at().is_some_and(|at| at > ticket.updated_at));
    seen && !answered_since
}

/// The version that [`dto::etag`] writes like this.
fn version(opaque: &[u8]) -> Option<i64> {
    let version = std::str::from_utf8(opaque).ok()?.parse().ok()?;
    (dto::opaque(version).as_bytes() == opaque).then_some(version)
}
