//! The alerts, as Prometheus understands them: that they are well-formed, and fire when they should.

use std::io::ErrorKind;
use std::process::{Command, Stdio};

use crate::error::{Error, Result};
use crate::{process, workspace};

const PROGRAM: &str = "promtool";

/// Runs promtool where there is one. Elsewhere `cargo xtask test` still holds the queries against the metrics.
pub(crate) fn check() -> Result<()> {
    let asked = Command::new(PROGRAM).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    match asked {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("check alerts: no {PROGRAM} here, so the rules are not tried");
            return Ok(());
        }
        Err(error) => return Err(Error::io(format!("starting {PROGRAM}"))(error)),
        Ok(_) => {}
    }
    let folder = workspace::root().join("deploy/prometheus");
    for (verb, file) in [("check", "alerts.yaml"), ("test", "alerts.test.yaml")] {
        let mut promtool = Command::new(PROGRAM);
        promtool.current_dir(&folder).args([verb, "rules", file]).stdout(Stdio::null());
        process::run(&mut promtool, &format!("{PROGRAM} {verb} rules {file}"))?;
    }
    Ok(())
}
