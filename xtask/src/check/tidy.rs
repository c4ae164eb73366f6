//! Small rules about the files of the repository.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::error::{Error, Result};
use crate::workspace;

/// One line for every fault, with file and line.
pub(crate) fn violations() -> Result<Vec<String>> {
    let root = workspace::root();
    let own_path = root.display().to_string();
    let mut found = Vec::new();
    for name in tracked_files(&root)? {
        // Deleted but not yet committed, or not text.
        let Ok(text) = fs::read_to_string(root.join(&name)) else { continue };
        for (index, line) in text.lines().enumerate() {
            found.extend(objection(&name, line, &own_path).map(|why| format!("{name}:{}: {why}", index + 1)));
        }
    }
    found.extend(incomplete_migrations(&root.join("migrations"))?);
    Ok(found)
}

/// The one place where tests wait, between two looks at a condition.
const WAITING: &str = "tests/src/poll.rs";

/// Everything that is or would be committed.
fn tracked_files(root: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = workspace::output(&mut git, "git ls-files")?;
    Ok(listed.split_terminator('\0').map(str::to_owned).collect())
}

/// The patterns are put together from pieces, so that this file does not contain them.
fn objection(file: &str, line: &str, own_path: &str) -> Option<String> {
    let homes = [["/ho", "me/"].concat(), ["/Us", "ers/"].concat(), ["/ro", "ot/"].concat()];
    let is_path = homes.iter().any(|home| line.contains(home.as_str()));
    // A clone in the root folder's child, such as /src, has too common a path to look for.
    if is_path || (own_path.matches('/').count() > 1 && line.contains(own_path)) {
        return Some("names a folder of somebody's machine".into());
    }
    if Path::new(file).extension().is_none_or(|extension| extension != "rs") {
        return None;
    }
    let unfinished = [["to", "do!"].concat(), ["unimple", "mented!"].concat(), ["db", "g!("].concat()];
    if let Some(word) = unfinished.iter().find(|word| line.contains(word.as_str())) {
        return Some(format!("contains {word}"));
    }
    if line.contains(&["#[ig", "nore"].concat()) {
        return Some("ignores a test".into());
    }
    let in_tests = (file.starts_with("tests/") || file.contains("/tests/")) && file != WAITING;
    (in_tests && line.contains(&["::sle", "ep("].concat()))
        .then(|| "sleeps in a test: wait for a condition".into())
}

fn incomplete_migrations(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).map_err(Error::io(format!("reading {}", folder.display())))?;
    for entry in entries {
        let entry = entry.map_err(Error::io(format!("reading {}", folder.display())))?;
        if !entry.path().is_dir() {
            continue;
        }
        for script in ["up.sql", "down.sql"] {
            let text = fs::read_to_string(entry.path().join(script)).unwrap_or_default();
            if text.trim().is_empty() {
                found
                    .push(format!("migrations/{}/{script} is missing or empty", entry.file_name().display()));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::objection;

    #[test]
    fn faults_are_seen_and_their_likes_are_not() {
        let faulty = |file, line: &str| objection(file, line, "/srv/techsupport").is_some();
        assert!(faulty("README.md", &["see /ho", "me/ada/techsupport"].concat()));
        assert!(faulty("README.md", "cd /srv/techsupport"));
        assert!(!faulty("README.md", "GET /api/tickets"));
        assert!(faulty("crates/a/src/lib.rs", &["to", "do!()"].concat()));
        assert!(!faulty("README.md", &["to", "do!()"].concat()));
        assert!(faulty("tests/tests/a.rs", &["thread::sle", "ep(SECOND)"].concat()));
        assert!(!faulty("tests/tests/a.rs", &["SELECT pg_sle", "ep(1)"].concat()));
        assert!(!faulty(super::WAITING, &["thread::sle", "ep(EVERY)"].concat()));
        assert!(!faulty("xtask/src/wait.rs", &["thread::sle", "ep(SECOND)"].concat()));
    }
}
