//! What an uploaded file is, told from its name and its first bytes.

/// What kind of spreadsheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Office Open XML.
    Xlsx,
    /// Text with separators.
    Csv,
}

impl FileKind {
    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            FileKind::Xlsx => "XLSX",
            FileKind::Csv => "CSV",
        }
    }

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [FileKind::Xlsx, FileKind::Csv].into_iter().find(|kind| kind.name() == name)
    }
}

/// The name a file had where it came from: for people only, nothing is ever opened by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    const LONGEST: usize = 255;

    /// Takes the last part of a path and leaves out what cannot be shown. `None` when nothing is left.
    pub fn parse(given: &str) -> Option<Self> {
        let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
        let shown: String = last.chars().filter(|c| !c.is_control()).collect();
        let shown = shown.trim();
        let name: String = shown.chars().take(Self::LONGEST).collect();
        (!name.is_empty()).then_some(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the end of the name promises.
    fn promises(&self) -> Option<FileKind> {
        let (_, end) = self.0.rsplit_once('.')?;
        if end.eq_ignore_ascii_case("xlsx") {
            Some(FileKind::Xlsx)
        } else if end.eq_ignore_ascii_case("csv") {
            Some(FileKind::Csv)
        } else {
            None
        }
    }
}

/// A zip archive, which an .xlsx is.
const ZIP: &[u8] = b"PK\x03\x04";
/// A compound file: an .xlsx with a password is packed into one. It is let in, so that its import can say why it
/// cannot be read.
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// Names at the beginning of archives that are something else: word processing, slides, Java, `OpenDocument`.
const OTHER_ARCHIVES: [&[u8]; 5] =
    [b"word/", b"ppt/", b"META-INF/MANIFEST.MF", b"mimetypeapplication/", b"AndroidManifest.xml"];

/// What a file is, given its name and how it begins. `None` when it is no spreadsheet, whatever its name says.
pub fn sniff(name: &FileName, beginning: &[u8]) -> Option<FileKind> {
    let kind = name.promises()?;
    let fits = match kind {
        FileKind::Xlsx => {
            let is_another = || OTHER_ARCHIVES.iter().any(|mark| contains(beginning, mark));
            beginning.starts_with(COMPOUND)
                || (beginning.starts_with(ZIP) && (contains(beginning, b"xl/") || !is_another()))
        }
        FileKind::Csv => is_text(beginning),
    };
    fits.then_some(kind)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Text in UTF-8, UTF-16 with its mark, or an encoding of one byte a character. Pictures, archives and programs all
/// have bytes that no text has.
fn is_text(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return true;
    }
    let is_foreign = |byte: &u8| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127);
    !bytes.starts_with(b"%PDF") && !bytes.iter().any(is_foreign)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn kind(name: &str, bytes: &[u8]) -> Option<FileKind> {
        sniff(&FileName::parse(name).unwrap(), bytes)
    }

    #[test]
    fn the_content_decides_whether_a_name_is_true() {
        let zip = b"PK\x03\x04....xl/workbook.xml";
        assert_eq!(kind("a.xlsx", zip), Some(FileKind::Xlsx));
        assert_eq!(kind("A.XLSX", COMPOUND), Some(FileKind::Xlsx));
        assert_eq!(kind("a.csv", b"ticket_id;estado\r\n"), Some(FileKind::Csv));
        assert_eq!(kind("a.csv", b"ticket_id;a\xf1o\r\n"), Some(FileKind::Csv));
        assert_eq!(kind("a.csv", b"\xff\xfet\0i\0"), Some(FileKind::Csv));
        for (name, bytes) in [
            ("a.xlsx", &b"\x89PNG\r\n\x1a\n"[..]),
            ("a.xlsx", b"ticket_id;estado\r\n"),
            ("a.xlsx", b"PK\x03\x04....word/document.xml"),
            ("a.xlsx", b""),
            ("a.csv", zip),
            ("a.csv", b"\x89PNG\r\n\x1a\n\0\0"),
            ("a.csv", b"\xff\xd8\xff\xe0\0\x10JFIF"),
            ("a.csv", b"%PDF-1.7"),
            ("a.xls", COMPOUND),
            ("a", zip),
            ("a.xlsx.exe", zip),
        ] {
            assert_eq!(kind(name, bytes), None, "{name}");
        }
    }

    #[test]
    fn a_name_is_the_last_part_of_a_path() {
        let name = |given: &str| FileName::parse(given).map(|name| name.as_str().to_owned());
        assert_eq!(name("../../etc/tickets.xlsx").unwrap(), "tickets.xlsx");
        assert_eq!(name(r"C:\Users\ana\tickets.csv").unwrap(), "tickets.csv");
        assert_eq!(name("a\u{0}\r\nb.csv").unwrap(), "ab.csv");
        assert_eq!(name("../"), None);
        assert_eq!(name(&"x".repeat(400)).unwrap().len(), 255);
    }
}
