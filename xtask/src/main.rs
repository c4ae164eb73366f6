//! The binary half of xtask: parses the command line and turns the outcome into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::main()
}
