//! `cargo xtask import`: uploads a file to a running desk and shows how its import gets on.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::{Agent, SendBody, http::StatusCode};

use crate::error::{Error, Result};
use crate::{progress, wait};

/// The longest that an import is waited for.
const LIMIT: Duration = Duration::from_hours(2);
/// How long the desk may not tell how the import gets on before nobody asks any more. It is restarted in less.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long one answer may take; that to an upload, once the file is sent. The desk gives up after 30 s.
const ANSWER: Duration = Duration::from_secs(35);
/// Before it is asked again then.
const BREATHER: Duration = Duration::from_secs(1);
/// Errors that are shown.
const SHOWN: usize = 10;
const BOUNDARY: &str = "techsupport-xtask-3b9f0c5e";

/// Options of `import`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The .xlsx or .csv.
    file: PathBuf,
    /// The desk.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Who uploads.
    #[arg(long, default_value = "admin@techsupport.pro")]
    email: String,
    /// The password.
    #[arg(long, env = "TECHSUPPORT_ADMIN_PASSWORD", default_value = "admin123", hide_env_values = true)]
    password: String,
}

/// How far an import is.
#[derive(Debug, Clone, Deserialize)]
#[allow(clippy::struct_field_names, reason = "the names are the API's")]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    pub(crate) status: String,
    pub(crate) total: u32,
    pub(crate) processed: u32,
    pub(crate) failed: u32,
    pub(crate) error: Option<String>,
}

impl Status {
    pub(crate) fn has_ended(&self) -> bool {
        !matches!(self.status.as_str(), "pending" | "processing")
    }
}

#[derive(Deserialize)]
struct Errors {
    data: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    row: u32,
    column: Option<String>,
    value: String,
    detail: String,
}

/// Uploads, waits and prints the summary. Fails when the import does.
pub(crate) fn run(options: &Options) -> Result<()> {
    let length = length(&options.file)?;
    let mut caller = Caller::sign_in(&options.url, &options.email, &options.password)?;
    let bar = progress::bar("KiB sent", u32::try_from(length.div_ceil(1_024)).unwrap_or(u32::MAX));
    let import = caller.upload(&options.file, &bar)?;
    bar.finish_and_clear();
    // At once: it goes on without us.
    println!("process {import}");
    let bar = progress::bar("counting rows", 0);
    let status = caller.await_end(&import, |status| {
        if status.total > 0 {
            bar.set_length(status.total.into());
            bar.set_message("rows");
        }
        bar.set_position(u64::from(status.processed) + u64::from(status.failed));
    })?;
    bar.finish_and_clear();
    let Status { status: outcome, total, processed, failed, error } = &status;
    let outcome = outcome.replace('_', " ");
    println!("{outcome}: {total} rows, {processed} imported, {failed} failed");
    if let Some(reason) = error {
        return Err(Error::Refused(format!("the import failed: {reason}")));
    }
    if *failed > 0 {
        for Fault { row, column, value, detail } in caller.errors(&import)? {
            let found = if value.is_empty() { String::new() } else { format!(" ({value:?})") };
            println!("  row {row}: {} {detail}{found}", column.as_deref().unwrap_or("-"));
        }
        println!("all of them: GET {}/api/files/{import}/errors, also as text/csv", options.url);
    }
    Ok(())
}

/// How long a file is, which it has to be.
fn length(file: &Path) -> Result<u64> {
    let found = file.metadata().map_err(Error::io(format!("reading {}", file.display())))?;
    if found.is_file() {
        Ok(found.len())
    } else {
        Err(Error::Refused(format!("{} is no file", file.display())))
    }
}

/// Somebody who is signed in.
pub(crate) struct Caller {
    agent: Agent,
    url: String,
    /// What to sign in with: a token may run out before an import ends.
    login: String,
    token: String,
}

impl Caller {
    pub(crate) fn sign_in(url: &str, email: &str, password: &str) -> Result<Self> {
        let config = Agent::config_builder().http_status_as_error(false).build();
        let login = json!({"email": email, "password": password}).to_string();
        let url = url.trim_end_matches('/').to_owned();
        let mut caller = Self { agent: config.into(), url, login, token: String::new() };
        caller.renew()?;
        Ok(caller)
    }

    /// Signs in again.
    fn renew(&mut self) -> Result<()> {
        let sent = self
            .agent
            .post(format!("{}/api/auth/login", self.url))
            .header("content-type", "application/json")
            .config()
            .timeout_global(Some(ANSWER))
            .build()
            .send(self.login.as_str());
        answered(sent)?["accessToken"].as_str().unwrap_or_default().clone_into(&mut self.token);
        Ok(())
    }

    /// The id of the import.
    pub(crate) fn upload(&self, file: &Path, bar: &ProgressBar) -> Result<String> {
        let name = file.file_name().unwrap_or_default().to_string_lossy().replace(['"', '\r', '\n'], "_");
        let content = File::open(file).map_err(Error::io(format!("opening {}", file.display())))?;
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        let tail = format!("\r\n--{BOUNDARY}--\r\n");
        let body_length = u64::try_from(head.len() + tail.len()).unwrap_or(0) + length(file)?;
        let counted = Counted { inner: content, bar: bar.clone(), bytes: 0 };
        let mut body = Cursor::new(head).chain(counted).chain(Cursor::new(tail));
        let sent = self
            .agent
            .post(format!("{}/api/files/upload", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
            .header("content-length", body_length.to_string())
            // Whoever is refused, for example because of that length, hears so before the desk stops listening.
            .header("expect", "100-continue")
            .config()
            .timeout_connect(Some(ANSWER))
            .timeout_recv_response(Some(ANSWER))
            .build()
            .send(SendBody::from_reader(&mut body));
        let answer = answered(sent)?;
        Ok(answer["processId"].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn status(&self, import: &str) -> Result<Status> {
        let answer = self.get(&format!("/api/files/status/{import}"))?;
        serde_json::from_value(answer).map_err(Error::malformed("the status of an import"))
    }

    /// Waits until it has ended. It goes on while the desk is restarted, and longer than a token lasts; so does this.
    pub(crate) fn await_end(&mut self, import: &str, mut tell: impl FnMut(&Status)) -> Result<Status> {
        let mut unheard_since = None;
        let ended = wait::until(LIMIT, || {
            let mut looked = self.status(import);
            if let Err(Error::SignedOut(_)) = looked {
                looked = self.renew().and_then(|()| self.status(import));
            }
            match looked {
                Ok(status) => {
                    unheard_since = None;
                    tell(&status);
                    Ok(status.has_ended().then_some(status))
                }
                Err(Error::Away(_))
                    if unheard_since.get_or_insert_with(Instant::now).elapsed() < PATIENCE =>
                {
                    wait::pause(BREATHER);
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        })?;
        ended.ok_or_else(|| Error::Refused(format!("the import {import} has not ended")))
    }

    fn errors(&self, import: &str) -> Result<Vec<Fault>> {
        let answer = self.get(&format!("/api/files/{import}/errors?pageSize={SHOWN}"))?;
        let errors: Errors = serde_json::from_value(answer).map_err(Error::malformed("a list of errors"))?;
        Ok(errors.data)
    }

    /// The answer, which has to be a success.
    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        answered(request.config().timeout_global(Some(ANSWER)).build().call())
    }
}

/// A file that says how much of it was read.
struct Counted {
    inner: File,
    bar: ProgressBar,
    bytes: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += u64::try_from(read).unwrap_or(0);
        self.bar.set_position(self.bytes.div_ceil(1_024));
        Ok(read)
    }
}

/// The JSON of a good answer; what a problem says otherwise.
fn answered(sent: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value> {
    let mut answer = sent.map_err(|error| Error::Away(format!("the desk does not answer: {error}")))?;
    let status = answer.status();
    let text = answer.body_mut().read_to_string().map_err(|error| Error::Away(error.to_string()))?;
    let value = serde_json::from_str::<Value>(&text);
    if status.is_success() {
        return value.map_err(Error::malformed("an answer of the desk"));
    }
    // What is between us and the desk may answer with something else.
    let problem = value.unwrap_or_default();
    let said = format!("the desk says {status}: {}", problem["detail"].as_str().unwrap_or(&text));
    Err(match status {
        StatusCode::UNAUTHORIZED => Error::SignedOut(said),
        StatusCode::TOO_MANY_REQUESTS => Error::Away(said),
        status if status.is_server_error() => Error::Away(said),
        _ => Error::Refused(said),
    })
}
