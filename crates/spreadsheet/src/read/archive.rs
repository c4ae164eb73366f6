//! A look at an archive's directory, before anybody unpacks anything.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use zip::{ZipArchive, result::ZipError};

use super::Stop;
use crate::ParserLimits;

/// A compound file (MS-CFB, section 2.2): what Office makes of an .xlsx with a password.
const COMPOUND: [u8; 8] = *b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// The end of the directory (APPNOTE.TXT, section 4.3.16): 22 bytes and a comment.
const END: [u8; 4] = *b"PK\x05\x06";
const END_BYTES: u64 = 22;
const LONGEST_COMMENT: u64 = 65_535;

/// Refuses what is no workbook, or would cost too much.
pub(super) fn inspect(file: &File, limits: &ParserLimits) -> Result<(), Stop> {
    if beginning(file)? == COMPOUND {
        return Stop::fault("the file is protected by a password, or in a format older than .xlsx");
    }
    // The library reads the whole directory at once: so a glance at its length comes first.
    if claimed_parts(file)?.is_some_and(|parts| u64::from(parts) > limits.parts) {
        return too_many(limits);
    }
    let mut archive = ZipArchive::new(file).map_err(|error| damaged(&error))?;
    if u64::try_from(archive.len()).unwrap_or(u64::MAX) > limits.parts {
        return too_many(limits);
    }
    let most = limits.unpacked_mib.saturating_mul(1_024 * 1_024);
    let mut unpacked: u64 = 0;
    for index in 0..archive.len() {
        let part = archive.by_index_raw(index).map_err(|error| damaged(&error))?;
        if part.encrypted() {
            return Stop::fault("the file is protected by a password");
        }
        unpacked = unpacked.saturating_add(part.size());
        if unpacked > most {
            return Stop::fault(format!("the file unpacks to more than {} MiB", limits.unpacked_mib));
        }
    }
    Ok(())
}

fn beginning(mut file: &File) -> Result<[u8; 8], Stop> {
    let mut bytes = [0; 8];
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let mut taken = 0;
    while let Some(rest) = bytes.get_mut(taken..).filter(|rest| !rest.is_empty()) {
        match file.read(rest).map_err(unreadable)? {
            0 => break,
            read => taken += read,
        }
    }
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    Ok(bytes)
}

/// The number of entries that the end of the directory claims; 65,535 stands for "that many, or more".
fn claimed_parts(mut file: &File) -> Result<Option<u16>, Stop> {
    let length = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
    let tail = length.min(END_BYTES + LONGEST_COMMENT);
    file.seek(SeekFrom::Start(length - tail)).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(tail).read_to_end(&mut bytes).map_err(unreadable)?;
    let mut file = file;
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let end = bytes.windows(END.len()).rposition(|window| window == END);
    let count = end.and_then(|at| bytes.get(at + 10..at + 12)).and_then(|count| count.try_into().ok());
    Ok(count.map(u16::from_le_bytes))
}

fn too_many(limits: &ParserLimits) -> Result<(), Stop> {
    Stop::fault(format!("the file has more than {} parts", limits.parts))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is the library's and may grow")]
fn damaged(error: &ZipError) -> Stop {
    match error {
        ZipError::UnsupportedArchive(_) => {
            Stop::Fault("the file is packed or encrypted in a way that is not supported".to_owned())
        }
        _ => Stop::Fault("the file is damaged or incomplete: it cannot be unpacked".to_owned()),
    }
}

fn unreadable(_: std::io::Error) -> Stop {
    Stop::Fault("the file could not be read".to_owned())
}
