//! What the sources must not contain.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The files below `src` that contain the text.
fn files_with(text: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    sources(&root, &mut all);
    assert!(all.len() > 30, "the sources moved");
    all.iter()
        .filter(|path| std::fs::read_to_string(path).unwrap().contains(text))
        .map(|path| path.strip_prefix(&root).unwrap().display().to_string())
        .collect()
}

/// actix's own extractors answer with plain text, do not validate, and read before anybody is authorized.
#[test]
fn no_handler_takes_an_extractor_of_actixs() {
    for extractor in [
        "web::Json",
        "web::Query",
        "web::Path",
        "web::Form",
        "web::Bytes)",
        "FromRequest",
        "String::extract",
        "MultipartForm",
    ] {
        assert_eq!(files_with(extractor), Vec::<String>::new(), "{extractor}");
    }
    assert_eq!(files_with("web::Payload"), ["mount.rs"]);
    // The parser alone, on a payload whose caller was let in.
    assert_eq!(files_with("Multipart"), ["inbound/upload.rs"]);
}

/// Only the table of routes makes anything reachable.
#[test]
fn nothing_is_served_beside_the_table() {
    for way in ["web::resource", "web::route()", "config.service"] {
        assert_eq!(files_with(way), ["mount.rs"], "{way}");
    }
    for way in ["web::scope", "#[get(", "#[post(", ".route("] {
        assert_eq!(files_with(way), Vec::<String>::new(), "{way}");
    }
}

/// The one way to a blocking thread.
#[test]
fn blocking_work_goes_through_the_gate() {
    assert_eq!(files_with("web::block"), ["gate.rs"]);
    assert_eq!(files_with("spawn_blocking"), Vec::<String>::new());
}

/// Every kind of problem is explained.
#[test]
fn every_problem_is_documented() {
    let kinds =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/problem/kind.rs")).unwrap();
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/problems.md"))
        .unwrap();
    let rows = kinds.lines().filter(|line| line.contains(" = ") && line.trim_end().ends_with("\";"));
    let slugs: Vec<&str> = rows.filter_map(|line| line.split('"').nth(1)).collect();
    assert!(slugs.len() > 20, "{slugs:?}");
    for slug in slugs {
        assert!(docs.contains(&format!("## {slug}\n")), "docs/problems.md does not explain {slug}");
    }
}
