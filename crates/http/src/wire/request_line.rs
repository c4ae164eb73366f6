//! The first line of a request that nobody else may be able to read.

/// As much of it as is kept for the log, in bytes.
const KEPT: usize = 1_024;
/// Longer addresses are none to the library that reads them: it counts in 16 bits.
const LONGEST: usize = 65_534;

/// The first line as it arrives.
#[derive(Default)]
pub(super) struct FirstLine {
    kept: Vec<u8>,
    length: usize,
    ended: bool,
}

impl FirstLine {
    /// More bytes of the request's head, of which the first line is what comes before the first line break.
    pub(super) fn hear(&mut self, fresh: &[u8]) {
        if self.ended {
            return;
        }
        let end = fresh.iter().position(|byte| *byte == b'\n');
        let part = fresh.get(..end.unwrap_or(fresh.len())).unwrap_or_default();
        self.ended = end.is_some();
        self.length += part.len();
        self.kept.extend(part.iter().take(KEPT.saturating_sub(self.kept.len())));
    }

    /// Whether its address is longer than any may be.
    pub(super) fn is_too_long(&self) -> bool {
        self.length > LONGEST
    }

    pub(super) fn read(&self) -> RequestLine {
        RequestLine::of(&self.kept)
    }
}

/// The first line of a request, as far as it can be trusted to be one.
pub(super) struct RequestLine {
    pub(super) method: String,
    pub(super) path: String,
}

impl RequestLine {
    /// Reads the bytes that arrived first. What is no request line is "-" and "/".
    pub(super) fn of(bytes: &[u8]) -> Self {
        let line: Vec<u8> =
            bytes.iter().copied().take_while(|byte| *byte != b'\r' && *byte != b'\n').collect();
        let text = String::from_utf8(line).unwrap_or_default();
        let mut words = text.split(' ');
        let method = words
            .next()
            .filter(|m| !m.is_empty() && m.len() <= 20 && m.bytes().all(|b| b.is_ascii_uppercase()));
        let path = words
            .next()
            .and_then(|target| target.split(['?', '#']).next())
            .filter(|path| path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic()));
        Self { method: method.unwrap_or("-").to_owned(), path: path.unwrap_or("/").to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(bytes: &[u8]) -> (String, String) {
        let RequestLine { method, path } = RequestLine::of(bytes);
        (method, path)
    }

    #[test]
    fn what_is_readable_of_the_first_line_is_kept_without_its_query() {
        assert_eq!(line(b"GET /a/b?token=x HTTP/1.1\r\nx: y"), ("GET".into(), "/a/b".into()));
        assert_eq!(line(b"\x16\x03\x01"), ("-".into(), "/".into()));
        assert_eq!(line(b"get a\r\n"), ("-".into(), "/".into()));
        assert_eq!(line(b""), ("-".into(), "/".into()));
    }
}
