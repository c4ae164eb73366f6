//! The worker's side: starts a parser, feeds it a file, takes what it says.

use std::{
    env,
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::PathBuf,
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use rustix::process::Signal;
use techsupport_application::{
    AppError,
    imports::FileKind,
    ports::{FileIntake, Parsed, ParsedRows, SheetParser},
};

use crate::{
    ParserLimits,
    frame::{self, Frame},
};

/// Frames that wait to be taken. After that the pipe fills, and then the parser waits.
const WAITING_FRAMES: usize = 4;
/// What Rust's runtime ends a process with whose main thread panicked.
const PANICKED: i32 = 101;
/// How much of what a parser complains of is kept for the log.
const COMPLAINT_BYTES: u64 = 2_000;

/// Reads files in processes of their own.
#[derive(Debug, Clone)]
pub struct ProcessParser {
    program: PathBuf,
    subcommand: &'static str,
    limits: ParserLimits,
}

impl ProcessParser {
    /// In processes of this same program, whose `subcommand` has to call [`crate::run_parser`] with the arguments behind it.
    /// An error when it does not know where it is.
    pub fn of_this_program(subcommand: &'static str, limits: ParserLimits) -> io::Result<Self> {
        Ok(Self { program: this_program(env::current_exe()?), subcommand, limits })
    }
}

/// The very file that is being run. Another release may lie at its path by now: an upgrade replaces it before it starts
/// anything anew.
#[cfg(target_os = "linux")]
fn this_program(_path: PathBuf) -> PathBuf {
    PathBuf::from("/proc/self/exe")
}

/// Other systems have no name for it.
#[cfg(not(target_os = "linux"))]
fn this_program(path: PathBuf) -> PathBuf {
    path
}

impl SheetParser for ProcessParser {
    fn open(&self) -> Result<Box<dyn FileIntake>, AppError> {
        // Without a name, so that it goes with the process, however that ends.
        let file = tempfile::tempfile().map_err(AppError::internal)?;
        Ok(Box::new(Intake { parser: self.clone(), file }))
    }
}

struct Intake {
    parser: ProcessParser,
    file: File,
}

impl FileIntake for Intake {
    fn take(&mut self, bytes: &[u8]) -> Result<(), AppError> {
        self.file.write_all(bytes).map_err(AppError::internal)
    }

    fn parse(mut self: Box<Self>, kind: FileKind, after: u32) -> Result<Box<dyn ParsedRows>, AppError> {
        self.file.seek(SeekFrom::Start(0)).map_err(AppError::internal)?;
        let mut command = Command::new(&self.parser.program);
        command.arg0("sheet-parser").args([self.parser.subcommand, kind.name()]).arg(after.to_string());
        command.arg(std::process::id().to_string());
        command.args(self.parser.limits.arguments());
        // Nothing of ours is of use to it, least of all our passwords.
        command.env_clear().stdin(self.file).stdout(Stdio::piped()).stderr(Stdio::piped());
        // The signal that ends a parser comes when this thread ends, not only with the process: whoever calls stays until
        // there is nothing more to hear.
        let mut child = command.spawn().map_err(AppError::internal)?;
        let (to_worker, frames) = sync_channel(WAITING_FRAMES);
        if let (Some(out), Some(complaints)) = (child.stdout.take(), child.stderr.take()) {
            thread::spawn(move || forward(out, complaints, &to_worker));
        }
        Ok(Box::new(Parser { child, frames, limits: self.parser.limits }))
    }
}

/// What arrives from a parser, and at the end what it complained of.
enum Arrival {
    Frame(Frame),
    Broken(String),
}

/// Hands frames on until there are no more, or nobody takes them.
fn forward(out: ChildStdout, complaints: ChildStderr, to_worker: &SyncSender<Arrival>) {
    // Whoever does not read what a process complains of makes it wait.
    let complaining = thread::spawn(move || {
        let mut text = Vec::new();
        let mut complaints = complaints;
        let kept = complaints.by_ref().take(COMPLAINT_BYTES).read_to_end(&mut text);
        let rest = io::copy(&mut complaints, &mut io::sink());
        drop((kept, rest));
        String::from_utf8_lossy(&text).into_owned()
    });
    let mut out = BufReader::new(out);
    let broken = loop {
        match frame::read(&mut out) {
            Ok(Some(frame)) => {
                if to_worker.send(Arrival::Frame(frame)).is_err() {
                    return;
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error.to_string()),
        }
    };
    drop(out);
    let complaint = complaining.join().unwrap_or_default();
    let complaint = broken.map_or_else(|| complaint.clone(), |error| format!("{error}; {complaint}"));
    // The worker may be gone.
    drop(to_worker.send(Arrival::Broken(complaint)));
}

struct Parser {
    child: Child,
    frames: Receiver<Arrival>,
    limits: ParserLimits,
}

impl ParsedRows for Parser {
    fn next(&mut self, wait: Duration) -> Option<Parsed> {
        match self.frames.recv_timeout(wait) {
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(self.autopsy("it has ended")),
            Ok(Arrival::Broken(complaint)) => Some(self.autopsy(&complaint)),
            Ok(Arrival::Frame(frame)) => Some(match frame {
                Frame::Counted(rows) => Parsed::Counted(rows),
                Frame::Rows(rows) => Parsed::Rows(rows),
                Frame::End => Parsed::End,
                Frame::Fault(reason) => Parsed::Unreadable(reason),
            }),
        }
    }
}

impl Parser {
    /// Why there is nothing more to hear, though the last word was not said.
    fn autopsy(&mut self, complaint: &str) -> Parsed {
        // It has closed its pipe, so it is on its way out, or of no use any more.
        self.end();
        let Ok(status) = self.child.wait() else {
            return Parsed::Interrupted("the parser's end is not known".to_owned());
        };
        let cause = cause(status);
        if let Cause::Outside = cause {
            tracing::warn!(%status, complaint, "a parser was ended, or kept from beginning; its file is read again");
        } else {
            tracing::info!(%status, complaint, "a parser has died of a file");
        }
        match cause {
            Cause::Time => {
                Parsed::Unreadable(format!("reading the file takes more than {} seconds", self.limits.cpu_s))
            }
            Cause::Defect => Parsed::Unreadable(format!(
                "the file cannot be read: it needs more than {} MiB of memory, or is damaged",
                self.limits.memory_mib
            )),
            Cause::Outside => Parsed::Interrupted(format!("{status}: {complaint}")),
        }
    }

    fn end(&mut self) {
        // Somebody who is dead already cannot be killed, and that is fine.
        drop(self.child.kill());
    }
}

impl Drop for Parser {
    fn drop(&mut self) {
        self.end();
        // Reaped, so that no dead process is left behind.
        drop(self.child.wait());
    }
}

enum Cause {
    /// It had used up its processor time.
    Time,
    /// It fell over the file: an allocation that was refused, a defect of a library.
    Defect,
    /// Somebody or something ended it, or kept it from beginning.
    Outside,
}

fn cause(status: ExitStatus) -> Cause {
    let died_of = |signal: Signal| status.signal() == Some(signal.as_raw());
    // Of the file a process ends with a signal or a panic. Otherwise it did not get as far: it says so itself, or the parser of
    // its command line does, or the loader of its libraries.
    let refused = status.code().is_some_and(|code| code != PANICKED);
    if died_of(Signal::XCPU) {
        Cause::Time
    } else if refused
        || died_of(Signal::KILL)
        || died_of(Signal::TERM)
        || died_of(Signal::INT)
        || died_of(Signal::HUP)
    {
        Cause::Outside
    } else {
        Cause::Defect
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const LIMITS: ParserLimits =
        ParserLimits { memory_mib: 512, cpu_s: 60, unpacked_mib: 512, parts: 100, rows: 100, columns: 100 };

    fn outcome_of(program: &str) -> Parsed {
        let parser = ProcessParser { program: program.into(), subcommand: "parse", limits: LIMITS };
        let mut rows = parser.open().unwrap().parse(FileKind::Csv, 0).unwrap();
        rows.next(Duration::from_mins(1)).unwrap()
    }

    #[test]
    fn what_does_not_begin_says_nothing_about_the_file() {
        let outcome = outcome_of("/bin/false");
        assert!(matches!(outcome, Parsed::Interrupted(_)), "{outcome:?}");
    }

    #[test]
    fn only_what_a_file_can_do_is_held_against_it() {
        let exited = |code: i32| ExitStatus::from_raw(code << 8);
        let died_of = |signal: Signal| ExitStatus::from_raw(signal.as_raw());
        for status in
            [exited(0), exited(1), exited(2), exited(127), died_of(Signal::KILL), died_of(Signal::TERM)]
        {
            assert!(matches!(cause(status), Cause::Outside), "{status}");
        }
        // A panic, an allocation that is refused, a stack that is used up.
        for status in [exited(PANICKED), died_of(Signal::ABORT), died_of(Signal::SEGV)] {
            assert!(matches!(cause(status), Cause::Defect), "{status}");
        }
        assert!(matches!(cause(died_of(Signal::XCPU)), Cause::Time));
    }
}
