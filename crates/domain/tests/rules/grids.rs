//! Tables a reviewer reads at a glance: what leads where, and who may do what.

use std::fmt::Write;

use insta::assert_snapshot;
use techsupport_domain::{
    Permission, Role,
    ticket::{EscalationLevel, Status, Ticket},
};

use crate::{
    build::{self, START, minute},
    model,
};

const PERMISSIONS: [Permission; 12] = [
    Permission::ReadSelf,
    Permission::WorkTickets,
    Permission::DeleteTickets,
    Permission::ReadDirectory,
    Permission::KeepDirectory,
    Permission::ManageUsers,
    Permission::ReadEvents,
    Permission::ReadAudit,
    Permission::ReadImports,
    Permission::UploadFiles,
    Permission::ReadReports,
    Permission::KeepQueues,
];

/// A new permission has to be added to [`PERMISSIONS`] before this compiles.
const fn position(permission: Permission) -> usize {
    match permission {
        Permission::ReadSelf => 0,
        Permission::WorkTickets => 1,
        Permission::DeleteTickets => 2,
        Permission::ReadDirectory => 3,
        Permission::KeepDirectory => 4,
        Permission::ManageUsers => 5,
        Permission::ReadEvents => 6,
        Permission::ReadAudit => 7,
        Permission::ReadImports => 8,
        Permission::UploadFiles => 9,
        Permission::ReadReports => 10,
        Permission::KeepQueues => 11,
    }
}

/// A ticket in this status, put there by storage; only the status and the level matter here.
fn standing(status: Status, level: i64) -> Ticket {
    let mut ticket = build::open(build::policy(vec![]));
    ticket.status = status;
    ticket.level = EscalationLevel::parse(level).unwrap();
    ticket.resolved_at = status.is_answered().then_some(START);
    ticket
}

#[test]
fn status_by_status() {
    let mut grid = format!("{:<14}", "from \\ to");
    for to in Status::ALL {
        write!(grid, "{:<13}", to.name()).unwrap();
    }
    for level in [0, 3] {
        write!(grid, "\n\nlevel {level}").unwrap();
        for from in Status::ALL {
            write!(grid, "\n{:<14}", from.name()).unwrap();
            for to in Status::ALL {
                let cell = match standing(from, level).transition(to, minute(1)) {
                    Ok(decision) if decision.state.level.get() != u8::try_from(level).unwrap() => {
                        format!("level {}", decision.state.level.get())
                    }
                    Ok(_) => "yes".to_owned(),
                    Err(_) => "409".to_owned(),
                };
                write!(grid, "{cell:<13}").unwrap();
            }
        }
    }
    let grid: Vec<&str> = grid.lines().map(str::trim_end).collect();
    let grid = grid.join("\n");
    assert_snapshot!("status_by_status", grid);
}

#[test]
fn the_table_is_the_one_of_the_contract() {
    for from in Status::ALL {
        for level in 0..=3_u8 {
            let allowed: Vec<&str> = from
                .allowed(EscalationLevel::parse(i64::from(level)).unwrap())
                .into_iter()
                .map(Status::name)
                .collect();
            assert_eq!(allowed, model::allowed(from.name(), level), "{} at level {level}", from.name());
        }
    }
}

#[test]
fn role_by_permission() {
    let mut grid = format!("{:<16}ADMIN  SUPERVISOR  AGENT", "");
    for (index, permission) in PERMISSIONS.into_iter().enumerate() {
        assert_eq!(position(permission), index);
        let cell = |role: Role| if role.may(permission) { "yes" } else { "no" };
        let (admin, supervisor, agent) = (cell(Role::Admin), cell(Role::Supervisor), cell(Role::Agent));
        write!(grid, "\n{:<16}{admin:<7}{supervisor:<12}{agent}", format!("{permission:?}")).unwrap();
    }
    assert_snapshot!("role_by_permission", grid);
}

#[test]
fn agente_is_read_as_agent_and_never_written() {
    assert_eq!(Role::parse("AGENTE"), Ok(Role::Agent));
    for role in Role::ALL {
        assert_eq!(Role::parse(role.name()), Ok(role));
        assert_ne!(role.name(), "AGENTE");
    }
    for wrong in ["", "agent", "Admin", "AGENTES", " ADMIN", "ROOT"] {
        let unknown = Role::parse(wrong).unwrap_err();
        assert_eq!(unknown.to_string(), "is not one of ADMIN, SUPERVISOR, AGENT", "{wrong:?}");
    }
}

#[test]
fn status_names_survive_the_round_trip() {
    for (status, name) in Status::ALL.into_iter().zip(model::STATUSES) {
        assert_eq!(status.name(), name);
        assert_eq!(Status::parse(name), Ok(status));
    }
    assert!(Status::parse("Open").is_err());
}
