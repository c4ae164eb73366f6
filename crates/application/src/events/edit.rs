//! Events about what a ticket says, and what is said about it.

use serde::Serialize;
use serde_json::{Map, Value, json};
use techsupport_domain::{
    ClientTier,
    text::{Description, Title},
    ticket::{Comment, Edited, Replaced, Tags, Ticket, Visibility},
};

use super::ActorV1;
use crate::Actor;

/// `pro.techsupport.ticket.edited.v1`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TicketEditedV1 {
    /// Which ticket.
    pub ticket_id: String,
    /// Its number, for people.
    pub number: String,
    /// Who edited it, or changed its client's type.
    pub actor: ActorV1,
    /// Only what changed, as it was: `title`, `description`, `priority`, `tags`, `clientType`.
    pub before: Map<String, Value>,
    /// The same members, as they are.
    pub after: Map<String, Value>,
}

impl TicketEditedV1 {
    pub(super) fn of(ticket: &Ticket, actor: Actor, edited: &Edited) -> Self {
        let (before, after) = edited_members(edited);
        Self {
            ticket_id: ticket.id.to_string(),
            number: ticket.number.to_string(),
            actor: ActorV1::of(actor),
            before,
            after,
        }
    }
}

/// What changed, as it was and as it is, under the names that a ticket has on the wire.
pub(crate) fn edited_members(edited: &Edited) -> (Map<String, Value>, Map<String, Value>) {
    let Edited { title, description, priority, tags, tier } = edited;
    let members = [
        ("title", title.as_ref().map(|it| both(it, |title: &Title| json!(title.as_str())))),
        ("description", description.as_ref().map(|it| both(it, |text: &Description| json!(text.as_str())))),
        ("priority", priority.as_ref().map(|it| both(it, |priority| json!(priority.get())))),
        ("tags", tags.as_ref().map(|it| both(it, |tags: &Tags| tags.iter().collect()))),
        ("clientType", tier.as_ref().map(|it| both(it, |tier: &ClientTier| json!(tier.name())))),
    ];
    let changed = members.into_iter().filter_map(|(name, values)| Some((name, values?)));
    changed.map(|(name, (before, after))| ((name.to_owned(), before), (name.to_owned(), after))).unzip()
}

fn both<T>(replaced: &Replaced<T>, show: impl Fn(&T) -> Value) -> (Value, Value) {
    (show(&replaced.before), show(&replaced.after))
}

/// `pro.techsupport.ticket.commented.v1`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TicketCommentedV1 {
    /// Which ticket.
    pub ticket_id: String,
    /// Its number, for people.
    pub number: String,
    /// Who wrote it.
    pub actor: ActorV1,
    /// Always null: there was nothing.
    pub before: Option<CommentV1>,
    /// The comment.
    pub after: CommentV1,
}

/// A comment as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommentV1 {
    /// Which comment.
    pub comment_id: String,
    /// `PUBLIC` or `INTERNAL`.
    pub visibility: &'static str,
    /// What it says. Events leave the house, so of an internal comment this is null: who may read it can fetch it.
    pub body: Option<String>,
}

impl TicketCommentedV1 {
    pub(super) fn of(ticket: &Ticket, actor: Actor, comment: &Comment) -> Self {
        let body = match comment.visibility {
            Visibility::Public => Some(comment.body.as_str().to_owned()),
            Visibility::Internal => None,
        };
        Self {
            ticket_id: ticket.id.to_string(),
            number: ticket.number.to_string(),
            actor: ActorV1::of(actor),
            before: None,
            after: CommentV1 {
                comment_id: comment.id.to_string(),
                visibility: comment.visibility.name(),
                body,
            },
        }
    }
}
