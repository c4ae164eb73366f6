//! Imports, which the fakes do not have.

use techsupport_application::{
    AppError, Budget, Page, Paged,
    events::OutboxMessage,
    ports::{ImportErrorRow, ImportReader, ImportRow, ImportTx, NewImport},
};
use techsupport_domain::ImportId;
use uuid::Uuid;

use super::{Memory, Store, reader::absent};

impl ImportReader for Memory {
    fn import(&self, _: &Budget, _: ImportId) -> Result<Option<ImportRow>, AppError> {
        absent()
    }

    fn import_errors(
        &self,
        _: &Budget,
        _: ImportId,
        _: Page,
    ) -> Result<Option<Paged<ImportErrorRow>>, AppError> {
        absent()
    }
}

impl ImportTx for Store {
    fn store_file_part(&mut self, _: Uuid, _: u32, _: &[u8]) -> Result<(), AppError> {
        absent()
    }

    fn drop_file(&mut self, _: Uuid) -> Result<(), AppError> {
        absent()
    }

    fn unfinished_imports(&mut self) -> Result<i64, AppError> {
        absent()
    }

    fn request_import(&mut self, _: &NewImport, _: &OutboxMessage) -> Result<(), AppError> {
        absent()
    }
}
