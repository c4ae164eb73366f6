//! What the use cases need from the outside world. Adapters implement these; nothing here knows how.

mod accounts;
mod channel;
mod outbox;
mod passwords;
mod reader;
mod work;

pub use accounts::{
    AccountTx, Credentials, NewRefreshToken, NewSession, NewUser, StoredRefreshToken, TokenState,
};
pub use channel::{Channel, ChannelError, ChannelName, Notification, Parcel};
pub use outbox::{EventPublisher, Outbox, PublishFailure, PublishReport};
pub use passwords::Passwords;
pub use reader::{
    AgentFilter, AgentIs, Backlog, ClientFilter, Reader, Readiness, TicketFilter, TicketOrder, TimelineActor,
    TimelineRow,
};
pub use work::{
    Claim, DeliveryTx, DirectoryTx, DueBatch, NewAgent, NewClient, Opening, Scope, SetAside, TicketTx, Tx,
    UnitOfWork, UnitOfWorkExt,
};
