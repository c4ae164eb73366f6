//! The migrated database of this run that all others are copied from, and what dead runs left behind.

use std::sync::{Mutex, OnceLock, PoisonError};

use techsupport_persistence::migrate;

use super::{admin, settings_of, url_of};

/// What every database of these tests begins with. The rest of the name tells whose it is: the boot of the
/// machine, the process, and when that was started.
const PREFIX: &str = "techsupport_test";

/// The beginning of the names of this run.
pub(super) fn run_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let pid = std::process::id();
        let started = started_at(pid).expect("this process is alive");
        format!("{PREFIX}_{}_{pid}_{started}", boot())
    })
}

/// Makes `name` a copy of the template.
pub(super) fn copy_to(name: &str) {
    static TEMPLATE: Mutex<Option<String>> = Mutex::new(None);
    // One at a time: the first makes the template, and a database that is being copied cannot be connected to.
    let mut template = TEMPLATE.lock().unwrap_or_else(PoisonError::into_inner);
    let template = template.get_or_insert_with(make);
    admin().batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}")).unwrap();
}

fn make() -> String {
    clean_up();
    let name = format!("{}_template", run_name());
    admin().batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    migrate::up(&settings_of(&url_of(&name))).unwrap();
    // Migrating leaves connections behind that take a moment to close.
    let gone = "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = $1";
    crate::eventually("nobody uses the template", || admin().query_one(gone, &[&name]).unwrap().get(0));
    name
}

/// Drops the databases of runs that are over. Only those count that carry our prefix and this boot of this
/// machine, and whose process is gone or is another one by now.
fn clean_up() {
    let mut admin = admin();
    let ours = format!("^{PREFIX}_{}_[0-9]+_[0-9]+_([0-9]+|template)$", boot());
    let names = admin.query("SELECT datname::text FROM pg_database WHERE datname ~ $1", &[&ours]).unwrap();
    for name in names.iter().map(|row| row.get::<_, String>(0)) {
        let mut parts = name.rsplitn(4, '_').skip(1);
        let started = parts.next().and_then(|part| part.parse::<u64>().ok());
        let pid = parts.next().and_then(|part| part.parse::<u32>().ok());
        if let (Some(started), Some(pid)) = (started, pid)
            && started_at(pid) != Some(started)
        {
            // Somebody else may be cleaning up, too.
            admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).unwrap();
        }
    }
}

/// Eight characters that differ from one boot of one machine to the next.
fn boot() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.chars().filter(char::is_ascii_hexdigit).take(8).collect()
}

/// When a process was started, in ticks since boot; `None` when there is none.
fn started_at(pid: u32) -> Option<u64> {
    // The second field is the name in parentheses and may hold anything (proc(5)).
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}
