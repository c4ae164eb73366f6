//! The OpenAPI 3.1 document, made from the table of routes.
//!
//! # How to document a route
//!
//! A row of the table does not compile without its operation: the last argument of `get`, `post`, … is a function
//! that returns one. It stands beside the handler, because it names the handler's DTOs:
//!
//! ```text
//! pub(crate) fn open_docs() -> Operation {
//!     Operation::new("openTicket", Tag::Tickets, "Open a ticket")
//!         .about("What a caller has to know beyond the summary.")
//!         .takes::<OpenBody>(json!({"title": "Printer on fire", …}))        // the body: its schema, a good example
//!         .answers(201, "The new ticket.", samples::ticket().map(TicketDto::from)) // the answer: its schema, a real one
//!         .with_location("/api/tickets/{id}").with_etag()
//!         .refuses(Kind::UnusableReference)                                // problems that are this route's own
//!         .leads_to("show", "showTicket", "id", "$response.body#/id")      // what can be called next
//! }
//! ```
//!
//! * A query: `.asks::<TicketQuery>()`. A list: `.lists(sample)`, which says everything about paging answers. No body:
//!   `.empty(204, "…")`. `If-Match` (with 412): `.if_match()`.
//! * DTOs derive [`utoipa::ToSchema`]. Each field has `#[schema(required, schema_with = terms::title)]`, where the
//!   function of [`terms`] says exactly what the rule of that member takes; `terms::or_null::title` for one that may be
//!   null. Members of a body or query that may be missing go without `required`; members of an answer are always
//!   there, so all are `required`. `#[serde(deny_unknown_fields)]` closes the schema. A new kind of member gets
//!   a new line in [`terms`].
//! * What follows from the row is not written down: the parameter `{id}` with its 400 and 404, the security
//!   requirement with 401 and 403, the roles, all that can be wrong with a body (400, 408, 413, 415),
//!   `Idempotency-Key` with its 409 and 422, 429, 431, 414, 500 and 503.
//! * A new [`Kind`](crate::problem::Kind) needs a line in [`samples::problem`].
//!
//! `docs/openapi.json` is the document as reviewed; `UPDATE_OPENAPI=1 cargo test -p techsupport-http openapi` writes it
//! anew. Tests hold that every example is what the server takes and gives, and every answer that any test ever gets is
//! held against the document too.

mod bricks;
mod common;
mod document;
mod operation;
mod problems;
pub(crate) mod samples;
mod schemas;
mod tags;
pub(crate) mod terms;

pub use document::{document, faults};
pub(crate) use operation::Operation;
pub(crate) use tags::Tag;
