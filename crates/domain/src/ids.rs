//! Typed identifiers: a client's id can never be handed to something that wants a ticket's.

use std::fmt;

use uuid::Uuid;

macro_rules! typed_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// Names an existing thing, or a new one when the UUID is fresh.
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID inside.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

typed_id! {
    /// A ticket.
    TicketId,
    /// A comment on a ticket.
    CommentId,
    /// A client, on whose behalf tickets are opened.
    ClientId,
    /// An agent, who works on tickets.
    AgentId,
    /// A user, who signs in.
    UserId,
    /// One login and every refresh token descended from it.
    SessionId,
    /// One refresh token, which works once.
    RefreshTokenId,
    /// A published event; also the key of its outbox row.
    EventId,
    /// One immutable version of an SLA policy.
    PolicyVersionId,
    /// The import of one uploaded file.
    ImportId,
}
