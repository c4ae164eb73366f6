//! Uploading, and asking how far it is.

use std::time::Duration;

use techsupport_domain::{EventId, ImportId};
use uuid::Uuid;

use super::{FileKind, FileName};
use crate::{
    AppError, Ctx, Entity, Page, Paged,
    events::describe_import,
    ports::{ImportErrorRow, ImportRow, NewImport, UnitOfWorkExt},
};

/// When to ask again while too many imports are waiting.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Stores a part of a file, from 0. Parts are written one by one while a file arrives, so that nobody ever holds all of
/// it; until an import is asked for they mean nothing, and are removed after a while.
pub fn store_file_part(ctx: Ctx<'_>, file: Uuid, number: u32, data: &[u8]) -> Result<(), AppError> {
    ctx.work.run_for(&ctx.call.budget, |tx| tx.store_file_part(file, number, data))
}

/// Removes a file of which nothing came. One whose import was asked for stays, whatever the caller believes.
pub fn drop_file(ctx: Ctx<'_>, file: Uuid) -> Result<(), AppError> {
    ctx.work.run_for(&ctx.call.budget, |tx| tx.drop_file(file))
}

/// Import a stored file.
#[derive(Debug, Clone)]
pub struct RequestImport {
    /// The stored file.
    pub file: Uuid,
    /// Its name where it came from.
    pub name: FileName,
    /// What it is.
    pub kind: FileKind,
    /// More are not taken while so many have not ended.
    pub most_unfinished: u32,
}

/// Asks for the import of a stored file: the import and the event that tells the workers commit together.
pub fn request_import(ctx: Ctx<'_>, command: &RequestImport) -> Result<ImportId, AppError> {
    let (id, event) = (ImportId::new(ctx.new_id()), EventId::new(ctx.new_id()));
    let import = NewImport {
        id,
        file: command.file,
        name: command.name.clone(),
        kind: command.kind,
        by: ctx.call.actor.user(),
    };
    ctx.work.run_for(&ctx.call.budget, |tx| {
        if tx.unfinished_imports()? >= i64::from(command.most_unfinished) {
            let reason = format!("{} imports have not ended", command.most_unfinished);
            return Err(AppError::Unavailable { reason, retry_after: RETRY_AFTER });
        }
        let event = describe_import(id, tx.now()?, event, ctx.call.trace)?;
        tx.request_import(&import, &event)?;
        Ok(id)
    })
}

/// An import.
pub fn show_import(ctx: Ctx<'_>, id: ImportId) -> Result<ImportRow, AppError> {
    ctx.ports.reader.import(&ctx.call.budget, id)?.ok_or(AppError::NotFound(Entity::Import))
}

/// A page of what is wrong with the rows of an import.
pub fn list_import_errors(ctx: Ctx<'_>, id: ImportId, page: Page) -> Result<Paged<ImportErrorRow>, AppError> {
    ctx.ports.reader.import_errors(&ctx.call.budget, id, page)?.ok_or(AppError::NotFound(Entity::Import))
}
