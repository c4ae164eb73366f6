//! The binary `techsupport-api`.

use std::process::ExitCode;

fn main() -> ExitCode {
    techsupport_api::run()
}
