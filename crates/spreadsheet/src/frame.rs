//! What a parser tells the worker, over a pipe: frames of a length and a JSON document.
//!
//! Both ends are the same binary, but the one that writes reads hostile files: so the other one believes no length.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use techsupport_application::imports::SheetRow;

/// The longest frame that is read. Rows come in batches of [`BATCH`], with texts hardly longer than [`LONGEST_TEXT`], and
/// JSON writes a character as six bytes at most.
const LONGEST: u32 = 16 * 1_024 * 1_024;
/// Rows of a frame at most.
pub(crate) const BATCH: usize = 200;
/// How much of a text is handed on, in characters. What is cut off here ends in a mark that every rule refuses. What waits
/// for the worker is bounded by it.
pub(crate) const LONGEST_TEXT: usize = 200;

/// One message.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
pub(crate) enum Frame {
    /// The file can be read, and has so many rows below its header.
    Counted(u32),
    /// The next of them.
    Rows(Vec<SheetRow>),
    /// That was all.
    End,
    /// It cannot be read. The reason is for whoever uploaded it.
    Fault(String),
}

pub(crate) fn write(out: &mut impl Write, frame: &Frame) -> io::Result<()> {
    let body = serde_json::to_vec(frame)?;
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(&body)
}

/// `None` at the end.
pub(crate) fn read(from: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        outcome => outcome?,
    }
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(io::Error::other("a frame that is too long"));
    }
    let mut body = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    from.read_exact(&mut body)?;
    Ok(Some(serde_json::from_slice(&body)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use techsupport_application::imports::Cell;

    use super::*;

    #[test]
    fn frames_come_back_as_they_were_written() {
        let mut cells = <[Cell; 8]>::default();
        cells[0] = Cell::Text("é\u{0}\"".to_owned());
        cells[3] = Cell::Moment(-1);
        cells[6] = Cell::Number(1.5);
        let frames = [
            Frame::Counted(3),
            Frame::Rows(vec![SheetRow { row: 2, cells }]),
            Frame::Fault("x".to_owned()),
            Frame::End,
        ];
        let mut pipe = Vec::new();
        for frame in &frames {
            write(&mut pipe, frame).unwrap();
        }
        let mut from = pipe.as_slice();
        for frame in frames {
            assert_eq!(read(&mut from).unwrap(), Some(frame));
        }
        assert_eq!(read(&mut from).unwrap(), None);
    }

    #[test]
    fn no_length_is_believed() {
        assert!(read(&mut &[0xff, 0xff, 0xff, 0xff, 1][..]).is_err());
        assert!(read(&mut &[9, 0, 0, 0, b'"'][..]).is_err(), "cut off");
        assert_eq!(read(&mut &[9, 0][..]).unwrap(), None, "cut off before there was anything");
    }
}
