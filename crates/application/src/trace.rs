//! Trace context (W3C Trace Context, level 1), carried from HTTP through the outbox to the worker.

use std::fmt;

use uuid::Uuid;

/// The trace a piece of work belongs to, and the span that caused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    sampled: bool,
}

impl TraceContext {
    /// Reads a `traceparent` header (W3C Trace Context, section 3.2). `None` when it is malformed: the
    /// standard has the receiver start a new trace then.
    pub fn parse(traceparent: &str) -> Option<Self> {
        let mut parts = traceparent.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let lower_hex = |part: &str, length| {
            part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        if !(lower_hex(version, 2) && lower_hex(trace, 32) && lower_hex(span, 16) && lower_hex(flags, 2)) {
            return None;
        }
        // Version ff is invalid; version 00 has exactly four parts, later ones may have more.
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let trace = u128::from_str_radix(trace, 16).ok().filter(|id| *id != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|id| *id != 0)?;
        let sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
        Some(Self { trace, span, sampled })
    }

    /// A new trace made of two fresh random identifiers.
    pub fn start(trace: Uuid, span: Uuid) -> Self {
        Self { trace: trace.as_u128().max(1), span: low_half(span), sampled: true }
    }

    /// The same trace, one span further.
    #[must_use]
    pub fn child(self, span: Uuid) -> Self {
        Self { span: low_half(span), ..self }
    }

    /// 32 lower-case hex digits.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }
}

/// The second half of a UUID version 7 is random; the first is mostly time.
fn low_half(id: Uuid) -> u64 {
    id.as_u64_pair().1.max(1)
}

/// The value of a `traceparent` header.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_header_survives_the_round_trip() {
        assert_eq!(TraceContext::parse(EXAMPLE).map(|t| t.to_string()), Some(EXAMPLE.to_owned()));
    }

    #[test]
    fn a_child_stays_in_its_trace() {
        let parent = TraceContext::parse(EXAMPLE);
        let child = parent.map(|t| t.child(Uuid::from_u128(7)));
        assert_eq!(child.map(|t| t.trace_id()), Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned()));
        assert_ne!(child, parent);
    }

    #[test]
    fn malformed_headers_are_refused() {
        for wrong in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(wrong), None, "{wrong}");
        }
    }
}
