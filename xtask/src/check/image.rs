//! What the Dockerfile compiles is what is compiled here, and compiles: for machines without Docker.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Error, Result};
use crate::{process, programs, workspace};

const FILE: &str = "deploy/Dockerfile";

/// Checks each of its cargo commands as it stands there, but for `--release`: in the profile in which everything else
/// was checked before.
pub(crate) fn check() -> Result<()> {
    let path = workspace::root().join(FILE);
    let text = std::fs::read_to_string(path).map_err(Error::io(format!("reading {FILE}")))?;
    let builds = builds(&text).map_err(|why| Error::Refused(format!("{FILE}: {why}")))?;
    let without_tls = !has_openssl();
    for mut build in builds {
        if without_tls {
            // Only the image is built with TLS, where the headers are.
            eprintln!("check image: no headers of OpenSSL here, so TLS is left out");
            build.features.retain(|feature| !feature.ends_with("/tls"));
        }
        let mut cargo = workspace::cargo();
        cargo.args(["check", "--locked", "--target-dir"]).arg(workspace::target_dir());
        cargo.args(build.packages.iter().flat_map(|name| ["--package", name]));
        cargo.args(build.features.iter().flat_map(|name| ["--features", name]));
        process::run(&mut cargo, "cargo check")?;
    }
    Ok(())
}

/// A `cargo build`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Build {
    packages: Vec<String>,
    features: Vec<String>,
}

/// Every cargo command of a Dockerfile, if there are any and they build the programs.
fn builds(dockerfile: &str) -> std::result::Result<Vec<Build>, String> {
    let builds = cargo_commands(dockerfile)
        .iter()
        .map(|words| build(words))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let mut built: Vec<&str> = builds.iter().flat_map(|build| &build.packages).map(String::as_str).collect();
    let mut wanted = programs::PACKAGES.to_vec();
    built.sort_unstable();
    wanted.sort_unstable();
    if built == wanted {
        Ok(builds)
    } else {
        Err(format!("it builds {built:?}, and the programs are {wanted:?}"))
    }
}

/// The words of whatever begins with `cargo` in a RUN instruction.
fn cargo_commands(dockerfile: &str) -> Vec<Vec<String>> {
    let lines = dockerfile.lines().filter(|line| !line.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let runs = joined.lines().filter_map(|line| line.strip_prefix("RUN "));
    let commands = runs.flat_map(|run| run.split("&&")).map(|command| {
        let words = command.split_whitespace().skip_while(|word| word.starts_with("--mount="));
        words.map(str::to_owned).collect::<Vec<_>>()
    });
    commands.filter(|words| words.first().is_some_and(|word| word == "cargo")).collect()
}

fn build(words: &[String]) -> std::result::Result<Build, String> {
    let mut words = words.iter().map(String::as_str).skip(1);
    let mut build = Build::default();
    let (mut release, mut locked) = (false, false);
    if words.next() != Some("build") {
        return Err("it makes cargo do something else than build".to_owned());
    }
    while let Some(word) = words.next() {
        let mut value = || words.next().map(str::to_owned).ok_or(format!("{word} has no value"));
        match word {
            "--release" => release = true,
            "--locked" => locked = true,
            "--package" => build.packages.push(value()?),
            "--features" => build.features.push(value()?),
            other => return Err(format!("{other} is not known here: see xtask/src/check/image.rs")),
        }
    }
    if release && locked { Ok(build) } else { Err("it builds without --release or --locked".to_owned()) }
}

/// Whether TLS can be compiled.
fn has_openssl() -> bool {
    let asked = Command::new("pkg-config").args(["--exists", "openssl"]).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success()) || Path::new("/usr/include/openssl/ssl.h").exists()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn dockerfile(command: &str) -> String {
        format!(
            "FROM x\n# RUN cargo clean\nRUN --mount=type=cache,target=/t \\\n    {command} \\\n    && cp a b\nCMD [\"cargo\"]\n"
        )
    }

    fn command(flags: &str) -> String {
        let packages = programs::PACKAGES.map(|name| format!("--package {name}")).join(" \\\n  ");
        format!("cargo build {flags} {packages}")
    }

    #[test]
    fn a_build_is_understood() {
        let found = builds(&dockerfile(&command("--release --locked --features a/tls"))).unwrap();
        assert_eq!(found[0].packages, programs::PACKAGES);
        assert_eq!(found[0].features, ["a/tls"]);
    }

    #[test]
    fn anything_else_is_noticed() {
        for wrong in
            ["--release", "--locked", "--release --locked --workspace", "--release --locked --package other"]
        {
            assert!(builds(&dockerfile(&command(wrong))).is_err(), "{wrong}");
        }
        assert!(builds(&dockerfile("cargo build --release --locked --package techsupport-api")).is_err());
        assert!(builds(&dockerfile("cargo clean")).is_err() && builds("FROM x\n").is_err());
    }
}
