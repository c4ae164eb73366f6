//! A file that arrives: `multipart/form-data` with one member, `file`.
//!
//! It is stored part by part while it arrives, so that nobody holds more of it than a part, and told apart by its
//! beginning before the rest is read. What was stored means nothing until an import is asked for; when something is
//! wrong after all it is removed, at once or, where the caller is gone, by whoever removes what nobody needs.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::{
    dev::Payload,
    http::header::{self, Charset, ContentDisposition, ExtendedValue},
    web::Bytes,
};
use futures_util::StreamExt as _;
use sha2::{Digest, Sha256};
use techsupport_application::{
    imports::{FileKind, FileName, drop_file, sniff, store_file_part},
    ports::Fingerprint,
};
use uuid::Uuid;

use super::{Inbound, NoParameters, body, once};
use crate::{
    connection::Connection,
    problem::{InputError, Kind, Place, Problem},
};

/// The member that holds the file.
const MEMBER: &str = "file";
/// Room for what is around the file: boundaries and the heads of its members.
const AROUND: u64 = 64 * 1_024;

/// A file that was stored.
pub(crate) struct Upload {
    /// Under this id.
    pub(crate) file: Uuid,
    pub(crate) name: FileName,
    pub(crate) kind: FileKind,
}

impl Inbound {
    /// Stores the file in the body: 415, 413, then everything else that is wrong with it, 400.
    pub(crate) async fn upload(&mut self) -> Result<Upload, Problem> {
        let headers = self.http.headers();
        check_type(headers)?;
        let most = self.state.settings.uploads.max_file_bytes;
        body::check_length(headers, most.saturating_add(AROUND)).map_err(|_| too_large(most))?;
        let _place = self.state.uploads.try_acquire().map_err(|_full| {
            Problem::new(Kind::Overloaded, "as many files as can be taken at once are arriving already")
        })?;
        let payload = std::mem::replace(&mut self.payload, Payload::None);
        let mut parts = Multipart::new(self.http.headers(), payload);
        let mut stored = None;
        let mut patience = Patience(self.state.settings.uploads.timeout());
        let received = self.receive(&mut parts, &mut patience, &mut stored).await;
        let checked = received.and_then(|upload| {
            Connection::of(&self.http).body_is_read();
            self.query::<NoParameters>()?;
            Ok(upload)
        });
        match checked {
            Ok((upload, digest)) => {
                if once::has_key(self.http.headers()) {
                    self.fingerprint = Some(Fingerprint(digest));
                }
                Ok(upload)
            }
            Err(problem) => {
                if let Some(file) = stored {
                    self.discard(file).await;
                }
                Err(problem)
            }
        }
    }

    /// Removes a file that turned out not to be needed. Should that fail, it is removed later.
    pub(crate) async fn discard(&self, file: Uuid) {
        if self.run_aside(move |ctx| drop_file(ctx, file)).await.is_err() {
            tracing::debug!(%file, "a file that nobody needs stays for a while");
        }
    }

    async fn receive(
        &self,
        parts: &mut Multipart,
        patience: &mut Patience,
        stored: &mut Option<Uuid>,
    ) -> Result<(Upload, [u8; 32]), Problem> {
        let mut upload = None;
        while let Some(field) = patience.wait_for(parts.next()).await? {
            let field = field.map_err(|error| broken(&error))?;
            let name = field.name().unwrap_or_default().to_owned();
            if name != MEMBER {
                let name: String = name.chars().take(100).collect();
                return Err(wrong(&format!("/{name}"), "is not known here"));
            }
            if upload.is_some() {
                return Err(wrong("/file", "must not be given more than once"));
            }
            upload = Some(self.store(field, patience, stored).await?);
        }
        upload.ok_or_else(|| wrong("/file", "is required"))
    }

    async fn store(
        &self,
        mut field: Field,
        patience: &mut Patience,
        stored: &mut Option<Uuid>,
    ) -> Result<(Upload, [u8; 32]), Problem> {
        let name = field.content_disposition().and_then(file_name);
        let name = name.ok_or_else(|| wrong("/file", "must be a file, with its name"))?;
        let settings = &self.state.settings.uploads;
        let part_bytes = settings.part_bytes;
        let file = (self.state.ports.new_id)();
        let mut digest = Sha256::new();
        digest.update(name.as_str());
        digest.update([0]);
        let (mut part, mut number, mut length, mut kind) = (Vec::new(), 0_u32, 0_u64, None);
        loop {
            let chunk = match patience.wait_for(field.next()).await? {
                None => Bytes::new(),
                Some(chunk) => chunk.map_err(|error| broken(&error))?,
            };
            let is_over = chunk.is_empty();
            length = length.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            if length > settings.max_file_bytes {
                return Err(too_large(settings.max_file_bytes));
            }
            digest.update(&chunk);
            part.extend_from_slice(&chunk);
            while part.len() >= part_bytes || (is_over && !part.is_empty()) {
                let rest = part.split_off(part_bytes.min(part.len()));
                let full = std::mem::replace(&mut part, rest);
                if number == 0 {
                    kind = Some(sniff(&name, &full).ok_or_else(no_spreadsheet)?);
                    *stored = Some(file);
                }
                self.run_aside(move |ctx| store_file_part(ctx, file, number, &full)).await?;
                number += 1;
            }
            if is_over {
                break;
            }
        }
        let kind = match kind.or_else(|| sniff(&name, b"")) {
            Some(kind) if number > 0 => kind,
            Some(_) => return Err(wrong("/file", "must not be empty")),
            None => return Err(no_spreadsheet()),
        };
        Ok((Upload { file, name, kind }, digest.finalize().into()))
    }
}

/// How much longer the caller may be waited for. What the database takes meanwhile is none of the caller's: that has the
/// bound of every request.
struct Patience(Duration);

impl Patience {
    async fn wait_for<T>(&mut self, coming: impl Future<Output = T>) -> Result<T, Problem> {
        let began = Instant::now();
        let come = tokio::time::timeout(self.0, coming).await;
        self.0 = self.0.saturating_sub(began.elapsed());
        come.map_err(|_elapsed| Problem::new(Kind::SlowRequest, "the file took too long to arrive").closing())
    }
}

/// The one that says its encoding (`filename*`) first. RFC 7578 wants none of it in forms, but there are clients whose
/// other one is not readable then. Where it cannot be read it is as good as none.
fn file_name(disposition: &ContentDisposition) -> Option<FileName> {
    let extended = disposition.get_filename_ext().and_then(readable);
    let extended = extended.as_deref().and_then(FileName::parse);
    extended.or_else(|| disposition.get_filename().and_then(FileName::parse))
}

/// The two encodings that RFC 5987, section 3.2.1, wants everybody to know, and the one that is a part of both.
fn readable(name: &ExtendedValue) -> Option<String> {
    let is_utf_8 = matches!(&name.charset, Charset::Ext(charset) if charset.eq_ignore_ascii_case("utf-8"));
    if name.charset == Charset::Iso_8859_1 || (name.charset == Charset::Us_Ascii && name.value.is_ascii()) {
        Some(name.value.iter().copied().map(char::from).collect())
    } else if is_utf_8 {
        String::from_utf8(name.value.clone()).ok()
    } else {
        None
    }
}

fn check_type(headers: &header::HeaderMap) -> Result<(), Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next()).map(str::trim);
    if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case("multipart/form-data")) {
        let detail = "the body must be multipart/form-data";
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    let encoding = headers.get(header::CONTENT_ENCODING).map(header::HeaderValue::as_bytes);
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::new(Kind::UnsupportedMediaType, "the body must not be compressed"));
    }
    Ok(())
}

/// What is wrong with a member of the form.
fn wrong(pointer: &str, detail: &str) -> Problem {
    let place = Place::Pointer(pointer.to_owned());
    Problem::invalid(vec![InputError { place, detail: detail.to_owned() }]).closing()
}

fn too_large(most: u64) -> Problem {
    Problem::new(Kind::BodyTooLarge, format!("the file must not have more than {most} bytes")).closing()
}

fn no_spreadsheet() -> Problem {
    let detail = "the file is no .xlsx and no .csv, by its name or by its content";
    Problem::new(Kind::UnsupportedMediaType, detail).closing()
}

fn broken(error: &MultipartError) -> Problem {
    tracing::debug!(%error, "a form broke off or is malformed");
    Problem::new(Kind::MalformedBody, "the body is not properly made multipart/form-data, or broke off")
        .closing()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_extended_name_counts_only_where_it_can_be_read() {
        for (parameters, taken) in [
            ("filename=\"a.csv\"; filename*=UTF-8''hist%C3%B3rico.csv", Some("histórico.csv")),
            ("filename*=utf-8'es'b.csv; filename=\"a.csv\"", Some("b.csv")),
            ("filename=\"a.csv\"; filename*=ISO-8859-1''hist%F3rico.csv", Some("histórico.csv")),
            ("filename=\"a.csv\"; filename*=ISO-8859-5''%D8.csv", Some("a.csv")),
            ("filename=\"a.csv\"; filename*=UTF-8''hist%F3rico.csv", Some("a.csv")),
            ("filename=\"a.csv\"; filename*=UTF-8''%20/", Some("a.csv")),
            ("filename=\"a.csv\"", Some("a.csv")),
            ("filename*=iso-8859-1'es'hist%F3rico.csv", Some("histórico.csv")),
            ("filename*=us-ascii''a.csv", Some("a.csv")),
            ("filename*=us-ascii''hist%F3rico.csv", None),
            ("filename*=UTF-8''hist%F3rico.csv", None),
            ("name=\"file\"", None),
        ] {
            let value = format!("form-data; {parameters}");
            let value = header::HeaderValue::from_str(&value).unwrap();
            let name = file_name(&ContentDisposition::from_raw(&value).unwrap());
            assert_eq!(name.as_ref().map(FileName::as_str), taken, "{parameters}");
        }
    }
}
