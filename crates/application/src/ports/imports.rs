//! What imports need.

use std::time::Duration;

use techsupport_domain::{ImportId, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    AppError, Budget, Page, Paged,
    events::OutboxMessage,
    imports::{FileKind, FileName, ImportedTicket, RowFault, SheetRow},
};

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportStatus {
    /// Nobody has begun.
    Pending,
    /// Somebody is at it, or was.
    Processing,
    /// Every row is in.
    Completed,
    /// Every row that is right is in.
    CompletedWithErrors,
    /// The file cannot be read.
    Failed,
}

impl ImportStatus {
    /// Every status.
    pub const ALL: [ImportStatus; 5] = [
        ImportStatus::Pending,
        ImportStatus::Processing,
        ImportStatus::Completed,
        ImportStatus::CompletedWithErrors,
        ImportStatus::Failed,
    ];

    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            ImportStatus::Pending => "PENDING",
            ImportStatus::Processing => "PROCESSING",
            ImportStatus::Completed => "COMPLETED",
            ImportStatus::CompletedWithErrors => "COMPLETED_WITH_ERRORS",
            ImportStatus::Failed => "FAILED",
        }
    }

    /// The name callers see, as the original wrote it.
    pub const fn wire_name(self) -> &'static str {
        match self {
            ImportStatus::Pending => "pending",
            ImportStatus::Processing => "processing",
            ImportStatus::Completed => "completed",
            ImportStatus::CompletedWithErrors => "completed_with_errors",
            ImportStatus::Failed => "failed",
        }
    }

    /// The status with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A stored file that is to be imported.
#[derive(Debug, Clone)]
pub struct NewImport {
    /// A fresh id.
    pub id: ImportId,
    /// The stored file.
    pub file: Uuid,
    /// Its name where it came from.
    pub name: FileName,
    /// What it is.
    pub kind: FileKind,
    /// Who uploaded it.
    pub by: Option<UserId>,
}

/// An import, as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// Identity.
    pub id: ImportId,
    /// The file's name where it came from.
    pub file_name: String,
    /// Where it stands.
    pub status: ImportStatus,
    /// Rows of the file; 0 until it has been counted.
    pub total: u32,
    /// Rows that are in.
    pub processed: u32,
    /// Rows that are not.
    pub failed: u32,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was uploaded.
    pub created_at: OffsetDateTime,
    /// When it last came further.
    pub updated_at: OffsetDateTime,
}

/// Something that is wrong with a row, as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportErrorRow {
    /// Where it stands among the others of its import.
    pub place: i64,
    /// The row of the sheet; the header is 1 as a rule.
    pub row: u32,
    /// In which column, if it is not the row as a whole.
    pub column: Option<String>,
    /// What stands there.
    pub value: String,
    /// What is wrong.
    pub detail: String,
}

/// Uploads inside a transaction.
pub trait ImportTx {
    /// Stores a part of a file. The first one, number 0, makes the file.
    fn store_file_part(&mut self, file: Uuid, number: u32, data: &[u8]) -> Result<(), AppError>;

    /// Removes a file, unless an import of it was asked for.
    fn drop_file(&mut self, file: Uuid) -> Result<(), AppError>;

    /// How many imports have not ended.
    fn unfinished_imports(&mut self) -> Result<i64, AppError>;

    /// Enters an import with the event that asks for it.
    fn request_import(&mut self, import: &NewImport, event: &OutboxMessage) -> Result<(), AppError>;
}

/// Reads of imports.
pub trait ImportReader {
    /// An import.
    fn import(&self, budget: &Budget, id: ImportId) -> Result<Option<ImportRow>, AppError>;

    /// What is wrong with its rows, in the order of the sheet, sorted by a number. `None` when there is no such
    /// import.
    fn import_errors(
        &self,
        budget: &Budget,
        id: ImportId,
        page: Page,
    ) -> Result<Option<Paged<ImportErrorRow>>, AppError>;
}

/// An import that is held by a worker. Whoever claims it later takes it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// Which one.
    pub import: ImportId,
    /// Its number in the order of uploads.
    pub number: i64,
    /// Which claim this is.
    pub fence: i32,
}

/// What a worker needs to go on with an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportJob {
    /// The right to go on.
    pub hold: Hold,
    /// The stored file; `None` when it is gone.
    pub file: Option<Uuid>,
    /// What it is.
    pub kind: FileKind,
    /// The last row that is done.
    pub reached: u32,
    /// How often it was claimed since it last came further, this time included.
    pub idle_claims: u32,
}

/// Whether an import may be worked on now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportClaim {
    /// There is no such import.
    Unknown,
    /// It has ended.
    Ended,
    /// Somebody else is at it.
    NotYet {
        /// How long until they have to show that they still are.
        wait: Duration,
    },
    /// It is ours until the lease ends.
    Granted(ImportJob),
}

/// Rows that are written together, with the checkpoint behind them.
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    /// The last row that it covers.
    pub reached: u32,
    /// What is right.
    pub tickets: Vec<(u32, ImportedTicket)>,
    /// What is not.
    pub faults: Vec<(u32, Vec<RowFault>)>,
}

/// How an import ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportEnd {
    /// All rows were looked at.
    Done,
    /// The file cannot be read; rows that are not in count as failed.
    Failed(String),
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ForgottenFiles {
    /// Files that nobody asked to import.
    pub orphans: u32,
    /// Imports that did not end in time.
    pub given_up: u32,
}

/// Imports, as workers see them. Each call is a transaction of its own.
///
/// Whatever takes a [`Hold`] says `false`, and has done nothing, when somebody else has claimed the import since.
pub trait ImportJobs: Send + Sync {
    /// Takes an import for `lease`.
    fn claim(&self, import: ImportId, lease: Duration) -> Result<ImportClaim, AppError>;

    /// A part of a stored file. `None` behind the last one.
    fn file_part(&self, file: Uuid, number: u32) -> Result<Option<Vec<u8>>, AppError>;

    /// Keeps it for another `lease`.
    fn renew(&self, hold: &Hold, lease: Duration) -> Result<bool, AppError>;

    /// Remembers how many rows there are.
    fn counted(&self, hold: &Hold, total: u32) -> Result<bool, AppError>;

    /// Writes rows and checkpoint together. Faults are listed as long as not more than `most_listed` rows have failed
    /// before.
    fn load(&self, hold: &Hold, chunk: &Chunk, lease: Duration, most_listed: u32) -> Result<bool, AppError>;

    /// Ends the import and removes the file.
    fn finish(&self, hold: &Hold, end: &ImportEnd) -> Result<bool, AppError>;

    /// Lets somebody else go on at once.
    fn release(&self, hold: &Hold) -> Result<bool, AppError>;

    /// Removes files that nobody asked to import within `orphans_after`, and gives up imports that have not ended
    /// `imports_after` their upload; up to `limit` of each.
    fn forget(
        &self,
        orphans_after: Duration,
        imports_after: Duration,
        limit: u32,
    ) -> Result<ForgottenFiles, AppError>;
}

/// Reads a file where its reading can hurt nobody.
pub trait SheetParser: Send + Sync {
    /// Makes room for a file.
    fn open(&self) -> Result<Box<dyn FileIntake>, AppError>;
}

/// A file on its way to the parser.
pub trait FileIntake {
    /// Takes the next bytes.
    fn take(&mut self, bytes: &[u8]) -> Result<(), AppError>;

    /// That was the file. Rows up to `after` are left out: they are done. The reading may end with the thread that calls this:
    /// it stays until there is nothing more to hear.
    fn parse(self: Box<Self>, kind: FileKind, after: u32) -> Result<Box<dyn ParsedRows>, AppError>;
}

/// What becomes of the file. Dropping it ends the reading.
pub trait ParsedRows {
    /// Waits for what comes next, `wait` at most. `None` when nothing came.
    fn next(&mut self, wait: Duration) -> Option<Parsed>;
}

/// What comes of a file: first how much, then the rows, then the end; at any point it may turn out to be unreadable.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// All of it can be read, and there are so many rows.
    Counted(u32),
    /// The next rows.
    Rows(Vec<SheetRow>),
    /// All rows were handed over.
    End,
    /// The file cannot be read, now or ever. The reason is for whoever uploaded it.
    Unreadable(String),
    /// The reading was ended by something that may have nothing to do with the file. The reason is for the log.
    Interrupted(String),
}
