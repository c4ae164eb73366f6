//! The worker that imports files, as a process of its own, and files for it.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use techsupport_application::{
    Budget, Ctx, Page,
    imports::{self, FileName, RequestImport},
    ports::{ImportErrorRow, ImportRow, ImportStatus},
};
use techsupport_domain::ImportId;

use crate::{Desk, program, system_call, until, worker::Scratch};

/// A worker that imports files, in a process of its own. Killed when dropped.
pub struct ImportWorker {
    program: PathBuf,
    child: Child,
    log: Scratch,
    environment: Vec<(String, String)>,
}

impl ImportWorker {
    /// Starts one for this desk.
    pub fn start(desk: &Desk) -> Self {
        Self::start_with(desk, &[])
    }

    /// With further settings, `SECTION__KEY`.
    pub fn start_with(desk: &Desk, settings: &[(&str, &str)]) -> Self {
        Self::start_program(desk, program("import-worker"), settings)
    }

    /// Starts what lies at this path.
    pub fn start_program(desk: &Desk, program: PathBuf, settings: &[(&str, &str)]) -> Self {
        let mut environment = desk.variables().to_vec();
        let own = |(key, value): &(&str, &str)| (format!("TECHSUPPORT__{key}"), (*value).to_owned());
        environment.extend(settings.iter().map(own));
        let log = Scratch::new();
        Self { child: spawn(&program, &environment, &log), program, log, environment }
    }

    /// Kills it at once, with no chance to finish anything.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again.
    pub fn restart(&mut self) {
        self.child = spawn(&self.program, &self.environment, &self.log);
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop and waits until it has; it has to end well.
    pub fn stop(&mut self) {
        kill_process(Pid::from_raw(self.child.id().cast_signed()).unwrap(), Signal::TERM).unwrap();
        assert!(until("the worker ends", || self.child.try_wait().unwrap()).success());
    }

    /// Everything it has written, line by line.
    pub fn lines(&self) -> Vec<String> {
        self.log.lines()
    }

    /// The lines with which it reported an error.
    pub fn errors(&self) -> Vec<String> {
        self.log.errors()
    }
}

fn spawn(program: &Path, environment: &[(String, String)], log: &Scratch) -> Child {
    Command::new(program)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(File::options().append(true).open(log.path()).unwrap())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

impl Drop for ImportWorker {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Parts in which files are stored here: small, so that there are several.
const PART: usize = 64 * 1_024;

impl Desk {
    /// Stores a file and asks for its import, as the route does.
    pub fn request_import(&self, name: &str, bytes: &[u8]) -> ImportId {
        let (ports, call) = (self.ports(), system_call());
        let ctx = Ctx::new(&ports, &call);
        let file = techsupport_bootstrap::ids::new_id();
        for (part, number) in bytes.chunks(PART).zip(0..) {
            imports::store_file_part(ctx, file, number, part).unwrap();
        }
        let name = FileName::parse(name).unwrap();
        let beginning = bytes.get(..PART).unwrap_or(bytes);
        let kind = imports::sniff(&name, beginning).expect("a spreadsheet");
        imports::request_import(ctx, &RequestImport { file, name, kind, most_unfinished: 1_000 }).unwrap()
    }

    /// How far an import is.
    pub fn import(&self, id: ImportId) -> ImportRow {
        let (ports, call) = (self.ports(), system_call());
        imports::show_import(Ctx::new(&ports, &call), id).unwrap()
    }

    /// Waits until an import has ended. Then the sum has to be right.
    pub fn await_import(&self, id: ImportId) -> ImportRow {
        let ports = self.ports();
        let ended = until("the import ends", || {
            let call = system_call();
            let import = imports::show_import(Ctx::new(&ports, &call), id).unwrap();
            let ends = !matches!(import.status, ImportStatus::Pending | ImportStatus::Processing);
            ends.then_some(import)
        });
        assert_eq!(ended.processed + ended.failed, ended.total, "{ended:?}");
        ended
    }

    /// The first hundred of what was wrong with its rows.
    pub fn import_errors(&self, id: ImportId) -> Vec<ImportErrorRow> {
        let budget = Budget::lasting(Duration::from_mins(1));
        self.ports().reader.import_errors(&budget, id, Page::new(1, 100).unwrap()).unwrap().unwrap().rows
    }
}
