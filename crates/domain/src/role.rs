//! Roles and what each may do.

use crate::UnknownName;

/// What a user may do on the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Works on tickets.
    Agent,
    /// Also keeps clients and agents, deletes tickets, reads reports.
    Supervisor,
    /// Also keeps users, queues and policies.
    Admin,
}

/// Something that a route lets a caller do. The grid of roles and permissions is [`Role::may`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// Keep one's own account: every signed-in user.
    ReadSelf,
    /// Create, read, move and assign tickets; read their timeline.
    WorkTickets,
    /// Soft-delete tickets and bring them back.
    DeleteTickets,
    /// Read clients and agents.
    ReadDirectory,
    /// Create and change clients and agents.
    KeepDirectory,
    /// Register and change users.
    ManageUsers,
    /// Read the feed of events.
    ReadEvents,
    /// Read the audit log.
    ReadAudit,
    /// See how far an import is.
    ReadImports,
    /// Upload files, and read what was wrong with them.
    UploadFiles,
    /// Read reports.
    ReadReports,
    /// See how much lies in the queues; put dead letters back or discard them.
    KeepQueues,
}

impl Role {
    /// Every role, from the least to the most powerful.
    pub const ALL: [Role; 3] = [Role::Agent, Role::Supervisor, Role::Admin];

    const NAMES: &'static [&'static str] = &["ADMIN", "SUPERVISOR", "AGENT"];

    /// Whether the role carries the permission.
    pub const fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::ReadSelf
            | Permission::WorkTickets
            | Permission::ReadDirectory
            | Permission::ReadImports => match self {
                Role::Agent | Role::Supervisor | Role::Admin => true,
            },
            Permission::DeleteTickets
            | Permission::KeepDirectory
            | Permission::ReadEvents
            | Permission::UploadFiles
            | Permission::ReadReports => match self {
                Role::Supervisor | Role::Admin => true,
                Role::Agent => false,
            },
            Permission::ManageUsers | Permission::ReadAudit | Permission::KeepQueues => match self {
                Role::Admin => true,
                Role::Agent | Role::Supervisor => false,
            },
        }
    }

    /// Reads a role's name. `AGENTE`, which the original service wrote, is accepted and never produced.
    pub fn parse(name: &str) -> Result<Self, UnknownName> {
        match name {
            "ADMIN" => Ok(Role::Admin),
            "SUPERVISOR" => Ok(Role::Supervisor),
            "AGENT" | "AGENTE" => Ok(Role::Agent),
            _ => Err(UnknownName { expected: Self::NAMES }),
        }
    }

    /// The canonical name.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Agent => "AGENT",
            Role::Supervisor => "SUPERVISOR",
            Role::Admin => "ADMIN",
        }
    }
}
