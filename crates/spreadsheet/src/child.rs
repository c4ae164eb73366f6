//! The process that reads a file. Its standard input is the file, its standard output the pipe to the worker.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    os::{fd::AsFd, unix::process::parent_id},
    process::ExitCode,
};

use rlimit::Resource;
use techsupport_application::imports::{FileKind, SheetRow};

use crate::{
    ParserLimits,
    frame::{self, BATCH, Frame},
    read::{self, Stop},
};

/// Reads the file on standard input. `arguments` are those that [`crate::ProcessParser`] gives. What is wrong with the file is
/// said to the worker; the process only fails of what the file cannot help.
pub fn run_parser(arguments: impl Iterator<Item = String>) -> ExitCode {
    match parse(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let told = writeln!(io::stderr(), "{error}");
            drop(told);
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> io::Result<()> {
    let usage = || io::Error::other("this command is for import-worker itself");
    let kind = arguments.next().and_then(|name| FileKind::parse(&name)).ok_or_else(usage)?;
    let after: u32 = arguments.next().and_then(|row| row.parse().ok()).ok_or_else(usage)?;
    let worker: u32 = arguments.next().and_then(|id| id.parse().ok()).ok_or_else(usage)?;
    let limits = ParserLimits::parse(&mut arguments).ok_or_else(usage)?;
    if arguments.next().is_some() {
        return Err(usage());
    }
    confine(&limits, worker)?;
    let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut out = BufWriter::new(io::stdout().lock());
    let outcome = tell(&file, kind, after, &limits, &mut out);
    match outcome {
        Ok(()) => frame::write(&mut out, &Frame::End)?,
        Err(Stop::Fault(reason)) => frame::write(&mut out, &Frame::Fault(reason))?,
        Err(Stop::Gone) => return Ok(()),
    }
    out.flush()
}

/// Before the first byte of the file is looked at. Nobody can take these back.
fn confine(limits: &ParserLimits, worker: u32) -> io::Result<()> {
    let memory = limits.memory_mib.saturating_mul(1_024 * 1_024);
    rlimit::setrlimit(Resource::AS, memory, memory)?;
    // At the first bound a signal ends the process, at the second, should it ignore that, another one.
    rlimit::setrlimit(Resource::CPU, limits.cpu_s, limits.cpu_s.saturating_add(1))?;
    rlimit::setrlimit(Resource::CORE, 0, 0)?;
    #[cfg(target_os = "linux")]
    take_a_name()?;
    end_with_the_worker()?;
    // Of a worker that was gone before, no signal comes.
    if !is_child_of(worker) {
        return Err(io::Error::other("the worker is gone already"));
    }
    // It writes no file and starts no process.
    rlimit::setrlimit(Resource::FSIZE, 0, 0)
}

fn is_child_of(process: u32) -> bool {
    parent_id() == process
}

/// By this name lists of processes know it: it is started by a path that says nothing.
#[cfg(target_os = "linux")]
fn take_a_name() -> io::Result<()> {
    Ok(rustix::thread::set_name(c"sheet-parser")?)
}

/// While rows are counted nothing is written, so nothing would tell that nobody listens any more.
#[cfg(target_os = "linux")]
fn end_with_the_worker() -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    Ok(())
}

/// Other systems have no such signal: there the processor time is the bound.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail where it does something")]
fn end_with_the_worker() -> io::Result<()> {
    Ok(())
}

/// Reads the file twice: to see that all of it can be read, and how much that is, before a single row is handed on;
/// then for the rows behind `after`.
fn tell(
    file: &File,
    kind: FileKind,
    after: u32,
    limits: &ParserLimits,
    out: &mut impl Write,
) -> Result<(), Stop> {
    let mut rows: u32 = 0;
    read::rows(file, kind, limits, &mut |_| {
        rows += 1;
        Ok(())
    })?;
    send(out, &Frame::Counted(rows))?;
    out.flush().map_err(|_| Stop::Gone)?;
    let mut batch = Vec::with_capacity(BATCH);
    read::rows(file, kind, limits, &mut |row: SheetRow| {
        if row.row <= after {
            return Ok(());
        }
        batch.push(row);
        if batch.len() == BATCH { send(out, &Frame::Rows(std::mem::take(&mut batch))) } else { Ok(()) }
    })?;
    if batch.is_empty() { Ok(()) } else { send(out, &Frame::Rows(batch)) }
}

fn send(out: &mut impl Write, frame: &Frame) -> Result<(), Stop> {
    frame::write(out, frame).map_err(|_| Stop::Gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parser_knows_its_worker_from_whoever_takes_in_orphans() {
        assert!(is_child_of(parent_id()));
        assert!(!is_child_of(std::process::id()), "nobody is its own parent");
    }
}
