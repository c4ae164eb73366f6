//! What imports need.

use std::time::Duration;

use crate::{
    AppError,
    imports::{FileKind, SheetRow},
};

/// Reads a file where its reading can hurt nobody.
pub trait SheetParser: Send + Sync {
    /// Makes room for a file.
    fn open(&self) -> Result<Box<dyn FileIntake>, AppError>;
}

/// A file on its way to the parser.
pub trait FileIntake {
    /// Takes the next bytes.
    fn take(&mut self, bytes: &[u8]) -> Result<(), AppError>;

    /// That was the file. Rows up to `after` are left out: they are done.
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
