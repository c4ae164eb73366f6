//! Talking about a ticket.

use techsupport_domain::{
    CommentId, TicketId,
    text::CommentBody,
    ticket::{Comment, Visibility},
};

use super::{Expected, change::change_locked};
use crate::{
    AppError, Ctx, Entity,
    ports::{CommentRow, UnitOfWorkExt},
};

/// Say something about a ticket.
#[derive(Debug, Clone)]
pub struct AddComment {
    /// About which one.
    pub ticket: TicketId,
    /// Which versions of it.
    pub expected: Expected,
    /// What.
    pub comment: Remark,
}

/// A comment before it has an id.
#[derive(Debug, Clone)]
pub struct Remark {
    /// What it says.
    pub body: CommentBody,
    /// For whom.
    pub visibility: Visibility,
}

impl Remark {
    pub(super) fn named(&self, id: CommentId) -> Comment {
        Comment { id, body: self.body.clone(), visibility: self.visibility }
    }
}

/// Adds a comment, in any status: people have something to say about closed tickets, too. A public one is an
/// answer. It makes no version, but may be meant for one: what is said about a ticket can be wrong about the next.
pub fn add_comment(ctx: Ctx<'_>, command: &AddComment) -> Result<CommentRow, AppError> {
    let id = CommentId::new(ctx.new_id());
    ctx.work.run_for(&ctx.call.budget, |tx| {
        let locked = tx.lock_ticket(command.ticket)?.ok_or(AppError::NotFound(Entity::Ticket))?;
        let commented = change_locked(ctx, tx, locked, &command.expected, &mut |_, ticket, now| {
            Ok(ticket.comment(command.comment.named(id), now))
        })?;
        match commented {
            Err(refusal) => Ok(Err(refusal)),
            Ok(_) => match tx.comment(id)? {
                Some(row) => Ok(Ok(row)),
                None => Err(AppError::internal("a comment that was written is not there")),
            },
        }
    })?
}
