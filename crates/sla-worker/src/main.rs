//! The binary `sla-worker`.

use std::process::ExitCode;

fn main() -> ExitCode {
    techsupport_sla_worker::run_from_command_line()
}
