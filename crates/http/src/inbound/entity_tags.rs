//! Lists of entity tags (RFC 9110, sections 8.8.3, 13.1.1 and 13.1.2).

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// What `If-Match` or `If-None-Match` name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntityTags {
    /// `*`: whatever there is.
    Any,
    /// These.
    These(Vec<EntityTag>),
}

/// One entity tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntityTag {
    /// Whether it only stands for something that is as good.
    pub(crate) weak: bool,
    /// What is between the quotation marks.
    pub(crate) opaque: Vec<u8>,
}

/// The field is no list of entity tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

impl EntityTags {
    /// What the field says, if it is there. Several lines are one list.
    pub(crate) fn read(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Self>, Malformed> {
        let lines: Vec<&[u8]> = headers.get_all(name).map(HeaderValue::as_bytes).collect();
        match lines.as_slice() {
            [] => Ok(None),
            lines => parse(&lines.join(&b","[..])).map(Some),
        }
    }
}

fn parse(field: &[u8]) -> Result<EntityTags, Malformed> {
    let mut rest = field.trim_ascii();
    if rest == b"*" {
        return Ok(EntityTags::Any);
    }
    let mut tags = Vec::new();
    loop {
        // Empty elements of a list are to be tolerated (section 5.6.1.2).
        while let Some((b',' | b' ' | b'\t', after)) = rest.split_first() {
            rest = after;
        }
        if rest.is_empty() {
            return Ok(EntityTags::These(tags));
        }
        let (tag, after) = entity_tag(rest)?;
        tags.push(tag);
        rest = after.trim_ascii_start();
        if !(rest.is_empty() || rest.starts_with(b",")) {
            return Err(Malformed);
        }
    }
}

fn entity_tag(text: &[u8]) -> Result<(EntityTag, &[u8]), Malformed> {
    let (weak, quoted) = text.strip_prefix(b"W/").map_or((false, text), |rest| (true, rest));
    let inside = quoted.strip_prefix(b"\"").ok_or(Malformed)?;
    let end = inside.iter().position(|byte| *byte == b'"').ok_or(Malformed)?;
    let (opaque, rest) = (inside.get(..end).ok_or(Malformed)?, inside.get(end + 1..).ok_or(Malformed)?);
    let is_sound = opaque.iter().all(|byte| matches!(byte, 0x21 | 0x23..=0x7E | 0x80..));
    if is_sound { Ok((EntityTag { weak, opaque: opaque.to_vec() }, rest)) } else { Err(Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn these(tags: &[(bool, &str)]) -> EntityTags {
        let tag =
            |(weak, opaque): &(bool, &str)| EntityTag { weak: *weak, opaque: opaque.as_bytes().to_vec() };
        EntityTags::These(tags.iter().map(tag).collect())
    }

    #[test]
    fn lists_are_read_as_the_standard_writes_them() {
        assert_eq!(parse(b" * "), Ok(EntityTags::Any));
        assert_eq!(parse(b"\"1\""), Ok(these(&[(false, "1")])));
        assert_eq!(
            parse(b"\"xyzzy\", W/\"r2d2,x\" ,\"\""),
            Ok(these(&[(false, "xyzzy"), (true, "r2d2,x"), (false, "")]))
        );
        assert_eq!(parse(b", ,\"1\",,"), Ok(these(&[(false, "1")])));
        assert_eq!(parse(b""), Ok(these(&[])));
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for wrong in [
            "1",
            "\"1",
            "1\"",
            "w/\"1\"",
            "W/ \"1\"",
            "\"1\"\"2\"",
            "\"1\" \"2\"",
            "*, \"1\"",
            "\"a b\"",
            "**",
        ] {
            assert_eq!(parse(wrong.as_bytes()), Err(Malformed), "{wrong}");
        }
    }
}
