//! Schemathesis itself, in a virtual environment of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Run;
use super::people::Person;
use crate::error::{Error, Result};
use crate::provision::apt;
use crate::{environment, workspace};

const REQUIREMENTS: &str = include_str!("requirements.txt");

/// The installed program.
#[derive(Debug)]
pub(super) struct Tool {
    program: PathBuf,
}

impl Tool {
    /// Finds the environment that an earlier run made, or makes it. A copy of the requirements is written last: without it, or
    /// with others in it, the environment is made anew.
    pub(super) fn install() -> Result<Self> {
        let folder = workspace::target_dir().join("xtask").join("schemathesis-venv");
        let program = folder.join("bin").join("schemathesis");
        let installed = folder.join("installed.txt");
        if fs::read_to_string(&installed).is_ok_and(|text| text == REQUIREMENTS) && program.is_file() {
            return Ok(Self { program });
        }
        eprintln!("xtask: installing schemathesis in {}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(Error::io(format!("removing {}", folder.display())))?;
        }
        make_environment(&folder)?;
        let requirements = folder.join("requirements.txt");
        write(&requirements)?;
        let mut pip = Command::new(folder.join("bin").join("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        workspace::output(pip.arg(&requirements), "pip install")?;
        write(&installed)?;
        Ok(Self { program })
    }

    /// A run with somebody's token.
    pub(super) fn command(&self, run: &Run<'_>, person: &Person) -> Command {
        let Run { folder, port, ids, options } = run;
        let mut command = Command::new(&self.program);
        let base = format!("http://127.0.0.1:{port}");
        command.current_dir(folder).arg("--config-file").arg(folder.join("schemathesis.toml"));
        command.arg("run").arg(format!("{base}/api/openapi.json")).args(["--url", &base]);
        command.args(["--seed", &options.seed.to_string()]);
        command.args(["--max-examples", &options.max_examples.to_string()]);
        command.args(&options.arguments);
        command.env("PYTHONPATH", folder).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("TECHSUPPORT_BASE", &base);
        command.env("TECHSUPPORT_EMAIL", &person.email).env("TECHSUPPORT_PASSWORD", person.password);
        command.env("TECHSUPPORT_USER_IDS", ids);
        command
    }
}

/// `python3 -m venv`, installed with apt-get where that is missing and possible.
fn make_environment(folder: &Path) -> Result<()> {
    let make = || -> Result<()> {
        let Some(python) = environment::on_path("python3") else {
            return Err(Error::Refused("there is no python3".into()));
        };
        let mut command = Command::new(python);
        workspace::output(command.args(["-m", "venv"]).arg(folder), "python3 -m venv").map(drop)
    };
    let Err(first) = make() else { return Ok(()) };
    if !apt::is_possible() {
        return Err(Error::Refused(format!(
            "schemathesis needs Python 3.10 or later with its modules venv and ensurepip ({first}); install them, for example \
             as the packages python3 and python3-venv, and try again"
        )));
    }
    apt::install(&["python3", "python3-venv"])?;
    make()
}

fn write(file: &Path) -> Result<()> {
    fs::write(file, REQUIREMENTS).map_err(Error::io(format!("writing {}", file.display())))
}
