//! Where answers begin and end in the bytes that actix-http writes.
//!
//! Answers of the application carry a request id, those that actix-http makes itself do not. To tell a head
//! from a body that looks like one, the bytes are followed from the first head on. At a head the whole of it
//! is in the buffer, because actix-http encodes it in one go and offers what it could not write again.

/// Carried by every answer of the application.
pub(crate) const MARK: &str = "x-request-id";

/// What to do with the bytes at the front of the buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Write up to this many of them as they are, then say how many it were.
    Pass(usize),
    /// They are a bodyless error of actix-http's own making: swallow as many, say something better.
    Replace {
        /// The length of the head.
        length: usize,
        /// Its status.
        status: u16,
    },
}

/// What follows once the bytes that may pass have passed.
#[derive(Debug, Clone, Copy)]
enum Then {
    Head,
    Chunk,
}

/// How far the bytes have been understood.
#[derive(Debug)]
pub(super) struct Framing {
    left: u64,
    then: Then,
    /// A body without a length, or something that is not understood: from here on everything passes.
    opaque: bool,
}

impl Framing {
    pub(super) const fn new() -> Self {
        Self { left: 0, then: Then::Head, opaque: false }
    }

    /// Looks at bytes that are to be written. `to_head` says whether the next answer is one to HEAD.
    pub(super) fn look(&mut self, bytes: &[u8], to_head: impl FnOnce() -> bool) -> Step {
        if self.left == 0 && !self.opaque {
            let understood = match self.then {
                Then::Head => match Head::parse(bytes) {
                    Some(head) if head.is_actixs_own() => {
                        return Step::Replace { length: head.length, status: head.status };
                    }
                    Some(head) => self.begin(&head, to_head),
                    None => None,
                },
                Then::Chunk => self.begin_chunk(bytes),
            };
            self.opaque = understood.is_none();
        }
        if self.opaque {
            return Step::Pass(bytes.len());
        }
        Step::Pass(usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len()))
    }

    /// So many bytes of the last step were written.
    pub(super) fn wrote(&mut self, count: usize) {
        self.left = self.left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
    }

    fn begin(&mut self, head: &Head, to_head: impl FnOnce() -> bool) -> Option<()> {
        let length = u64::try_from(head.length).ok()?;
        self.then = Then::Head;
        self.left = length;
        match head.status {
            101 => return None,
            // "100 Continue" is not the answer yet.
            100..=199 => return Some(()),
            _ => {}
        }
        if to_head() || matches!(head.status, 204 | 304) {
            return Some(());
        }
        match head.body {
            Body::Length(body) => self.left = length.checked_add(body)?,
            Body::Chunked => self.then = Then::Chunk,
            Body::UntilClose => return None,
        }
        Some(())
    }

    /// A chunk with its size line and the line break after it (RFC 9112, section 7.1); the last one is
    /// followed by an empty trailer section.
    fn begin_chunk(&mut self, bytes: &[u8]) -> Option<()> {
        let line = bytes.windows(2).position(|pair| pair == b"\r\n")?;
        let digits = std::str::from_utf8(bytes.get(..line)?).ok()?;
        let size = u64::from_str_radix(digits, 16).ok()?;
        self.left = u64::try_from(line).ok()?.checked_add(size)?.checked_add(4)?;
        self.then = if size == 0 { Then::Head } else { Then::Chunk };
        Some(())
    }
}

#[derive(Debug, Clone, Copy)]
enum Body {
    Length(u64),
    Chunked,
    UntilClose,
}

struct Head {
    length: usize,
    status: u16,
    marked: bool,
    body: Body,
}

impl Head {
    /// An error without a body that the application has not made.
    fn is_actixs_own(&self) -> bool {
        let empty = match self.body {
            Body::Length(length) => length == 0,
            Body::Chunked | Body::UntilClose => false,
        };
        !self.marked && self.status >= 400 && empty
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let length = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let text = std::str::from_utf8(bytes.get(..length)?).ok()?;
        let mut lines = text.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
        let mut head = Self { length, status, marked: false, body: Body::UntilClose };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case(MARK) {
                head.marked = true;
            } else if name.eq_ignore_ascii_case("content-length") {
                head.body = Body::Length(value.trim().parse().ok()?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                head.body = Body::Chunked;
            }
        }
        Some(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN_400: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\ndate: x\r\n\r\n";

    fn steps(text: &str, window: usize, to_head: bool) -> (String, Vec<u16>) {
        let (mut framing, mut passed, mut replaced) = (Framing::new(), String::new(), Vec::new());
        let mut rest = text;
        while !rest.is_empty() {
            let count = match framing.look(rest.as_bytes(), || to_head) {
                Step::Pass(most) => {
                    let count = most.min(window);
                    framing.wrote(count);
                    passed.push_str(rest.get(..count).unwrap_or_default());
                    count
                }
                Step::Replace { length, status } => {
                    replaced.push(status);
                    length
                }
            };
            assert!(count > 0, "no progress");
            rest = rest.get(count..).unwrap_or_default();
        }
        (passed, replaced)
    }

    #[test]
    fn answers_pass_unchanged_and_only_actixs_own_errors_are_replaced() {
        let ours = "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\nx-request-id: a\r\n\r\nhello";
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-request-id: a\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n";
        let empty = "HTTP/1.1 204 No Content\r\nx-request-id: a\r\n\r\n";
        let go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        let good = [ours, chunked, empty, go_on, ours, empty].concat();
        for window in [1, 2, 7, 1000] {
            assert_eq!(steps(&good, window, false), (good.clone(), vec![]));
            assert_eq!(steps(&(good.clone() + OWN_400), window, false), (good.clone(), vec![400]));
        }
    }

    #[test]
    fn a_body_that_looks_like_an_error_of_actixs_passes() {
        let body = OWN_400.repeat(2);
        let sized =
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nx-request-id: a\r\n\r\n{body}", body.len());
        let chunks = format!("{:X}\r\n{body}\r\n0\r\n\r\n", body.len());
        let chunked =
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-request-id: a\r\n\r\n{chunks}");
        let unbounded = format!("HTTP/1.0 200 OK\r\nx-request-id: a\r\n\r\n{body}");
        for window in [1, 3, 1000] {
            for answer in [&sized, &chunked, &unbounded] {
                assert_eq!(steps(answer, window, false), (answer.clone(), vec![]));
            }
        }
    }

    #[test]
    fn an_unmarked_error_with_a_body_passes_with_its_body() {
        let text = "HTTP/1.1 500 Oh\r\ncontent-length: 2\r\n\r\nno";
        assert_eq!(steps(&(text.to_owned() + OWN_400), 5, false), (text.to_owned(), vec![400]));
    }

    #[test]
    fn an_answer_to_head_has_no_body_whatever_it_says() {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\nx-request-id: a\r\n\r\n";
        assert_eq!(steps(&(head.to_owned() + OWN_400), 1000, true), (head.to_owned(), vec![400]));
    }
}
