#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::{Arc, Barrier},
    thread,
    time::Duration,
};

use rustix::fs::{FlockOperation, flock};

use super::*;

const SEARCH: u64 = 16 * 1024 * 1024;

/// A file that is removed with the test.
struct Log(PathBuf);

impl Log {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("techsupport-sink-{}-{name}.log", std::process::id()));
        fs::write(&path, "").unwrap();
        Self(path)
    }

    /// A sink as a process of its own would have it.
    fn sink(&self) -> LineSink {
        LineSink::open(&LogTarget::File(self.0.clone()), SEARCH).unwrap()
    }

    fn add(&self, text: &str) {
        let mut file = File::options().append(true).open(&self.0).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.0).unwrap()
    }

    /// How many complete lines tell of the event, as a reader who parses JSON counts them.
    fn count(&self, event: Uuid) -> usize {
        let is_it = |line: &&str| {
            serde_json::from_str::<serde_json::Value>(line)
                .is_ok_and(|line| line["eventId"] == event.to_string())
        };
        self.text().lines().filter(is_it).count()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}

fn event(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn line(event: Uuid) -> String {
    format!("{{\"v\":0,\"type\":\"SLA_ESCALATED\",\"eventId\":\"{event}\"}}\n")
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn write(sink: &LineSink, event: Uuid, repeated: bool) -> Written {
    sink.write_once(event, line(event).as_bytes(), repeated, soon()).unwrap()
}

#[test]
fn a_repeated_attempt_finds_the_line_of_a_dead_process() {
    let log = Log::new("repeated");
    assert_eq!(write(&log.sink(), event(1), false), Written::Now);
    let next_process = log.sink();
    assert_eq!(write(&next_process, event(1), true), Written::Before);
    assert_eq!(write(&next_process, event(2), true), Written::Now);
    assert_eq!((log.count(event(1)), log.count(event(2))), (1, 1));
}

#[test]
fn a_worker_that_slept_through_its_lease_notices_that_another_was_faster() {
    let log = Log::new("zombie");
    let (zombie, faster) = (log.sink(), log.sink());
    assert_eq!(write(&faster, event(1), true), Written::Now);
    assert_eq!(write(&zombie, event(2), false), Written::Now, "which looks past event 1");
    assert_eq!(write(&zombie, event(1), false), Written::Before);
    assert_eq!(log.count(event(1)), 1);
}

#[test]
fn a_torn_line_is_closed_and_does_not_count() {
    let log = Log::new("torn");
    let whole = line(event(1));
    log.add(&whole[..whole.len() / 2]);
    assert_eq!(write(&log.sink(), event(1), true), Written::Now);
    assert_eq!(log.count(event(1)), 1);
    assert!(log.text().ends_with(&format!("\n{whole}")), "{}", log.text());
}

#[test]
fn a_line_torn_just_before_its_newline_counts() {
    let log = Log::new("newline");
    log.add(line(event(1)).trim_end());
    assert_eq!(write(&log.sink(), event(1), true), Written::Before);
    assert_eq!(log.text(), line(event(1)));
}

#[test]
fn only_notifications_with_this_event_count() {
    let log = Log::new("others");
    let id = event(1);
    log.add(&format!("{{\"msg\":\"SLA_ESCALATED {id}\",\"eventId\":\"{id}\"}}\n"));
    log.add(&format!("{{\"type\":\"SLA_OTHER\",\"eventId\":\"{id}\"}}\n"));
    log.add(&format!("{{\"type\":\"SLA_WARNING\",\"eventId\":\"{}\",\"cause\":\"{id}\"}}\n", event(2)));
    log.add(&format!("fragment{}", line(id)));
    assert_eq!(write(&log.sink(), id, true), Written::Now);
}

#[test]
fn lines_are_found_across_windows_and_after_endless_ones() {
    let log = Log::new("windows");
    for n in 0..2_000 {
        log.add(&format!("{{\"msg\":\"{}\"}}\n", "x".repeat(997)));
        if n % 100 == 0 {
            log.add(&line(event(n)));
        }
    }
    log.add(&format!("{}\n", "y".repeat(1_000_000)));
    log.add(&line(event(5_000)));
    let sink = log.sink();
    for n in (0..2_000).step_by(100).chain([5_000]) {
        assert_eq!(write(&sink, event(n), true), Written::Before, "{n}");
    }
    assert_eq!(write(&sink, event(9_999), true), Written::Now);
}

#[test]
fn of_racing_processes_and_threads_one_writes() {
    let log = Log::new("race");
    let sinks = [Arc::new(log.sink()), Arc::new(log.sink())];
    for n in 0..200 {
        let barrier = Arc::new(Barrier::new(4));
        let racers: Vec<_> = (0..4)
            .map(|racer| {
                let (sink, barrier) = (Arc::clone(&sinks[racer % 2]), Arc::clone(&barrier));
                thread::spawn(move || {
                    barrier.wait();
                    // The first attempt and later ones at the same time.
                    write(&sink, event(n), racer > 0)
                })
            })
            .collect();
        log.add("{\"msg\":\"an ordinary line\"}\n");
        let outcomes: Vec<Written> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Written::Now).count(), 1, "{outcomes:?}");
        assert_eq!(log.count(event(n)), 1);
    }
}

#[test]
fn a_held_lock_is_waited_for_only_so_long() {
    let log = Log::new("lock");
    let holder = File::open(&log.0).unwrap();
    flock(&holder, FlockOperation::LockExclusive).unwrap();
    let id = event(1);
    let soon = Instant::now() + Duration::from_millis(20);
    let error = log.sink().write_once(id, line(id).as_bytes(), false, soon).unwrap_err();
    assert!(matches!(error, SinkError::Timeout("locked")), "{error}");
    assert_eq!(log.text(), "");
}

#[test]
fn a_log_that_is_too_long_for_one_attempt_is_looked_through_in_several() {
    let log = Log::new("long");
    let (repeated, first) = (log.sink(), log.sink());
    log.add(&line(event(1)));
    let filler = format!("{{\"msg\":\"{}\"}}\n", "x".repeat(997));
    log.add(&filler.repeat(2_000));
    // No time at all is left for each attempt.
    let attempts = |sink: &LineSink, id: Uuid, repeated: bool| {
        let attempt = || sink.write_once(id, line(id).as_bytes(), repeated, Instant::now()).ok();
        (0..100).find_map(|_| attempt())
    };
    assert_eq!(attempts(&first, event(2), false), Some(Written::Now));
    assert_eq!(attempts(&first, event(1), false), Some(Written::Before));
    assert_eq!(attempts(&repeated, event(3), true), Some(Written::Now));
    assert_eq!([1, 2, 3].map(|n| log.count(event(n))), [1, 1, 1]);
}

#[test]
fn a_rotated_log_is_read_from_its_beginning() {
    let log = Log::new("rotated");
    let sink = log.sink();
    for n in 10..15 {
        write(&sink, event(n), false);
    }
    File::options().write(true).open(&log.0).unwrap().set_len(0).unwrap();
    log.add(&line(event(3)));
    assert_eq!(write(&sink, event(3), false), Written::Before);
    assert_eq!(write(&sink, event(4), false), Written::Now);
}

#[test]
fn a_file_that_was_opened_for_overwriting_is_appended_to_and_survives_renaming() {
    let log = Log::new("overwrite");
    log.add("before\n");
    let output = File::options().write(true).open(&log.0).unwrap();
    let sink = LineSink::from_descriptor(output, SEARCH).unwrap();
    assert!(sink.can_check());
    let elsewhere: &Path = &log.0.with_extension("1");
    fs::rename(&log.0, elsewhere).unwrap();
    write(&sink, event(1), false);
    fs::rename(elsewhere, &log.0).unwrap();
    assert_eq!(log.text(), format!("before\n{}", line(event(1))));
}

#[test]
fn a_pipe_takes_lines_without_looking() {
    let (mut reader, writer) = io::pipe().unwrap();
    let sink = LineSink::from_descriptor(File::from(std::os::fd::OwnedFd::from(writer)), SEARCH).unwrap();
    assert!(!sink.can_check());
    assert_eq!(write(&sink, event(1), false), Written::Now);
    assert_eq!(write(&sink, event(1), true), Written::Now);
    drop(sink);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, line(event(1)).repeat(2));
}
