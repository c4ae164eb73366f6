//! What `nextCursor` holds: the place after which a list goes on, and which list that is.
//!
//! Opaque to callers and free to change: the first byte says in which form the rest is written. Nothing in it
//! is secret, and nothing in it is believed: whoever makes one up gets rows that they may see anyway, and a key that
//! no row can have is refused.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use techsupport_application::{Position, SortKey};
use time::OffsetDateTime;
use uuid::Uuid;

const VERSION: u8 = 1;
/// Version, list, kind of key, key, id.
const LENGTH: usize = 1 + 8 + 1 + 8 + 16;

/// A list, to tell it from others: its path and what was asked of it, but for the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListId([u8; 8]);

impl ListId {
    /// `parameters` in any order; empty ones ask for nothing.
    pub(super) fn of(path: &str, parameters: impl Iterator<Item = (String, String)>) -> Self {
        let mut parameters: Vec<(String, String)> =
            parameters.filter(|(name, text)| !is_paging(name) && !text.is_empty()).collect();
        parameters.sort_unstable();
        let mut hash = Sha256::new().chain_update(path.to_ascii_lowercase());
        for (name, text) in parameters {
            // Lengths, so that nothing in a text can look like another parameter.
            hash.update(format!("\n{}={}:{name}{text}", name.len(), text.len()));
        }
        let mut id = [0; 8];
        id.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
        Self(id)
    }
}

fn is_paging(name: &str) -> bool {
    matches!(name, "page" | "pageSize" | "limit" | "cursor")
}

/// A cursor, taken apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cursor {
    pub(super) list: ListId,
    pub(super) position: Position,
}

impl Cursor {
    pub(super) fn encode(self) -> String {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.push(VERSION);
        bytes.extend(self.list.0);
        let (kind, key) = match self.position.key {
            SortKey::Nothing => (b'-', 0),
            SortKey::Number(number) => (b'n', number),
            SortKey::Rank(rank) => (b'r', i64::from(rank.to_bits())),
            SortKey::Time(at) => (b't', micros(at)),
        };
        bytes.push(kind);
        bytes.extend(key.to_be_bytes());
        bytes.extend(self.position.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Completes a sentence that begins with the parameter's name.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "must be empty or the nextCursor of an earlier answer";
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| WRONG)?;
        let bytes: [u8; LENGTH] = bytes.try_into().map_err(|_| WRONG)?;
        Self::read(&bytes).ok_or(WRONG)
    }

    fn read(bytes: &[u8; LENGTH]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (list, rest) = rest.split_first_chunk::<8>()?;
        let (kind, rest) = rest.split_first()?;
        let (key, id) = rest.split_first_chunk::<8>()?;
        let key = i64::from_be_bytes(*key);
        let key = match kind {
            b'-' => SortKey::Nothing,
            b'n' => SortKey::Number(key),
            b'r' => {
                SortKey::Rank(Some(f32::from_bits(u32::try_from(key).ok()?)).filter(|rank| rank.is_finite())?)
            }
            b't' => SortKey::Time(time(key)?),
            _ => return None,
        };
        let position = Position { key, id: Uuid::from_slice(id).ok()? };
        (*version == VERSION).then_some(Self { list: ListId(*list), position })
    }
}

/// Within the years that the database's calendar and ours have in common, and far from where either ends.
fn time(micros: i64) -> Option<OffsetDateTime> {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).ok()?;
    (1..=9_999).contains(&at.year()).then_some(at)
}

/// As fine as the database's clock.
fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use time::macros::datetime;

    use super::*;

    fn list(path: &str, query: &str) -> ListId {
        ListId::of(path, form_urlencoded::parse(query.as_bytes()).into_owned())
    }

    #[test]
    fn a_cursor_comes_back_as_it_was_written() {
        let list = list("/api/tickets", "");
        for key in [
            SortKey::Time(datetime!(2026-02-12 20:45:23.123_456 UTC)),
            SortKey::Time(datetime!(0001-01-01 0:00 UTC)),
            SortKey::Time(datetime!(9999-12-31 23:59:59.999_999 UTC)),
            SortKey::Number(-3),
            SortKey::Rank(0.607_927_1),
            SortKey::Nothing,
        ] {
            let cursor = Cursor { list, position: Position { key, id: Uuid::from_u128(7) } };
            assert_eq!(Cursor::parse(&cursor.encode()).unwrap(), cursor);
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let position = Position::at(OffsetDateTime::UNIX_EPOCH, Uuid::nil());
        let good = Cursor { list: list("/", ""), position }.encode();
        let changed = |at: usize, byte: u8| {
            let mut bytes = URL_SAFE_NO_PAD.decode(&good).unwrap();
            bytes[at] = byte;
            URL_SAFE_NO_PAD.encode(bytes)
        };
        let wrong = [
            String::new(),
            "x".to_owned(),
            format!("{good}="),
            format!("{good}AAAA"),
            good[..good.len() - 4].to_owned(),
            good.replace('A', "+"),
            changed(0, 2),
            changed(9, b'x'),
            // A time outside of the calendar.
            changed(10, 0x7f),
        ];
        for text in wrong {
            assert!(Cursor::parse(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_between_the_years_1_and_9999() {
        for at in [datetime!(0000-12-31 23:59:59.999_999 UTC), datetime!(-9999-01-01 0:00 UTC)] {
            let cursor = Cursor { list: list("/", ""), position: Position::at(at, Uuid::nil()) };
            assert!(Cursor::parse(&cursor.encode()).is_err(), "{at}");
        }
    }

    #[test]
    fn a_list_is_its_path_and_what_was_asked_of_it() {
        let all = list("/api/tickets", "");
        assert_eq!(list("/api/tickets", "page=3&pageSize=50&limit=7&cursor=abc&q="), all);
        let open = list("/api/tickets", "status=OPEN&status=WAITING&priority=1");
        assert_eq!(list("/api/tickets", "priority=1&status=WAITING&status=OPEN"), open);
        let others = [
            list("/api/clients", ""),
            list("/api/tickets", "sort=createdAt"),
            list("/api/tickets", "q=a"),
            list("/api/tickets", "q=a%0A3=1:tagb"),
            list("/api/tickets", "q=a&tag=b"),
            open,
        ];
        for (n, other) in others.iter().enumerate() {
            assert!(*other != all && !others[..n].contains(other), "{n}");
        }
    }
}
