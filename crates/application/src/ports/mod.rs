//! What the use cases need from the outside world. Adapters implement these; nothing here knows how.

mod accounts;
mod audit;
mod channel;
mod dead_letters;
mod feed;
mod imports;
mod outbox;
mod passwords;
mod reader;
mod repeats;
mod reports;
mod work;

pub use accounts::{
    AccountReader, AccountTx, Credentials, EndedSessions, NewRefreshToken, NewSession, NewUser, SessionEnd,
    SessionRow, Sessions, StoredRefreshToken, TokenState, UserFilter,
};
pub use audit::{
    AuditAction, AuditActor, AuditEntry, AuditFilter, AuditOutcome, AuditReader, AuditRow, AuditTarget,
    AuditTx,
};
pub use channel::{Channel, ChannelError, ChannelName, Notification, Parcel};
pub use dead_letters::{
    BrokerFigures, BrokerQueue, DeadLetterFilter, DeadLetterPublisher, DeadLetterReader, DeadLetterReplays,
    DeadLetterRow, DeadLetterState, DeadLetterTx, FoundDeadLetter, GivenUp, LockedDeadLetter, QueueFigures,
    QueuedDeadLetter, QueuedDeadLetters, ReplayBatch, ReplayMessage, ReplayReport, ReplayedAll,
};
pub use feed::{FeedEvent, FeedKeeper, FeedPosition, FeedQuery, FeedReader};
pub use imports::{
    Chunk, FileIntake, ForgottenFiles, Hold, ImportClaim, ImportEnd, ImportErrorRow, ImportJob, ImportJobs,
    ImportReader, ImportRow, ImportStatus, ImportTx, NewImport, Parsed, ParsedRows, SheetParser,
};
pub use outbox::{EventPublisher, Outbox, PublishFailure, PublishReport};
pub use passwords::Passwords;
pub use reader::{
    AgentFilter, AgentIs, Backlog, ClientFilter, CommentRow, Reader, Readiness, TicketFilter, TicketOrder,
    TimelineActor, TimelineRow,
};
pub use repeats::{Earlier, Fingerprint, KeptAnswer, RepeatKey, RepeatTx};
pub use reports::{
    AgeBucket, AgentSpeed, AverageResolution, BacklogCount, Compliance, EscalatedInMonth, ImportedSums,
    ReportFilter, Reports, Source, StatusInWeek,
};
pub use work::{
    Claim, DeliveryTx, DirectoryTx, DueBatch, NewAgent, NewClient, Opening, Scope, SetAside, TicketTx, Tx,
    UnitOfWork, UnitOfWorkExt,
};
