//! The binary `import-worker`.

use std::process::ExitCode;

fn main() -> ExitCode {
    techsupport_import_worker::run_from_command_line()
}
