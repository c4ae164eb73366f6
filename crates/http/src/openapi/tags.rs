//! What the operations are grouped by.

use utoipa::openapi::tag::{Tag as OpenApiTag, TagBuilder};

/// A group of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    Authentication,
    Users,
    Clients,
    Agents,
    Tickets,
    Comments,
    Files,
    Reports,
    Queue,
    Events,
    Audit,
    Health,
    Documentation,
}

impl Tag {
    /// In the order in which they are shown.
    const ALL: [Tag; 13] = [
        Tag::Authentication,
        Tag::Users,
        Tag::Clients,
        Tag::Agents,
        Tag::Tickets,
        Tag::Comments,
        Tag::Files,
        Tag::Reports,
        Tag::Queue,
        Tag::Events,
        Tag::Audit,
        Tag::Health,
        Tag::Documentation,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Tag::Authentication => "Authentication",
            Tag::Users => "Users",
            Tag::Clients => "Clients",
            Tag::Agents => "Agents",
            Tag::Tickets => "Tickets",
            Tag::Comments => "Comments",
            Tag::Files => "Files",
            Tag::Reports => "Reports",
            Tag::Queue => "Queue",
            Tag::Events => "Events",
            Tag::Audit => "Audit",
            Tag::Health => "Health",
            Tag::Documentation => "Documentation",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Tag::Authentication => {
                "Signing in and staying signed in: access tokens for minutes, refresh tokens for days, sessions that \
                 can be ended."
            }
            Tag::Users => "Who may sign in, and with which role.",
            Tag::Clients => "The people tickets are opened for. Their type decides the deadlines.",
            Tag::Agents => {
                "The people who work on tickets. Their level decides which escalated ones they may take."
            }
            Tag::Tickets => {
                "Opening, finding, moving, assigning and deleting tickets, and what ever happened to them."
            }
            Tag::Comments => "What is said about a ticket.",
            Tag::Files => "Importing tickets of the past from spreadsheets, for the reports.",
            Tag::Queue => {
                "What is done behind the scenes: how much waits, and the messages that were given up, to be put back or \
                 discarded."
            }
            Tag::Reports => {
                "Figures about live and imported tickets together, for dashboards, and as files for spreadsheets."
            }
            Tag::Events => "Everything that was published, to be walked by integrators.",
            Tag::Audit => "Who did what that matters to security.",
            Tag::Health => "For those who watch the service. Never limited, no token needed.",
            Tag::Documentation => "This document and its explorer.",
        }
    }

    pub(super) fn all() -> Vec<OpenApiTag> {
        let tag = |tag: Tag| TagBuilder::new().name(tag.name()).description(Some(tag.description())).build();
        Tag::ALL.into_iter().map(tag).collect()
    }
}
