//! Lists: which part of one is asked for, and how it looks.
//!
//! Every list of the API goes through here. A new one takes five steps:
//!
//! 1. its query DTO has `page`, `page_size` and `cursor` with the rules `page_number`, `page_size` and `cursor`;
//! 2. `let list = List::asked(&inbound, &query.page, &query.page_size, &query.cursor, SortedBy::Time)?;` says
//!    what the list is sorted by, so that no cursor gets through that is no place in it;
//! 3. the use case takes `list.page`, which the adapter turns into SQL: `reach` rows at `offset`, only those
//!    [`beyond`](../../../persistence/src/read/beyond.rs) its `position`, counted only where it has a number;
//! 4. the adapter makes the page with `Paged::of`, which finds out whether there is more;
//! 5. `list.answer(paged, Dto::from)`.
//!
//! The order has to be total (a key, then the id) and backed by an index on both.

use actix_web::{HttpResponse, http::header::HeaderValue};
use serde::Serialize;
use techsupport_application::{Page, Paged, Position, SortedBy};

use super::{
    cursor::{Cursor, ListId},
    rules,
};
use crate::{
    inbound::{Inbound, Member},
    problem::Problem,
};

/// A list that was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    /// The part of it.
    pub(super) page: Page,
    id: ListId,
}

impl List {
    /// Reads which part is asked for. A cursor belongs to the list it came from: the same path with the same
    /// filters in the same order; only the size of the page may differ.
    pub(super) fn asked(
        inbound: &Inbound,
        number: &Member<String>,
        size: &Member<String>,
        cursor: &Member<String>,
        sorted_by: SortedBy,
    ) -> Result<Self, Problem> {
        let number = number.take_optional(rules::page_number)?;
        if cursor.is_given() {
            if number.is_some() {
                return Err(Problem::parameter("cursor", "must not be given together with page"));
            }
            return Self::walked(inbound, size, cursor, sorted_by);
        }
        let id = ListId::of(inbound.path(), inbound.parameters());
        let size = size.take_optional(rules::page_size)?.unwrap_or(Page::DEFAULT_SIZE);
        let page = Page::new(number.unwrap_or(1), size);
        Ok(Self { page: page.ok_or_else(Problem::internal)?, id })
    }

    /// The same for a list that is only walked, from its beginning when there is no cursor.
    pub(super) fn walked(
        inbound: &Inbound,
        size: &Member<String>,
        cursor: &Member<String>,
        sorted_by: SortedBy,
    ) -> Result<Self, Problem> {
        let id = ListId::of(inbound.path(), inbound.parameters());
        let size = size.take_optional(rules::page_size)?.unwrap_or(Page::DEFAULT_SIZE);
        let cursor = cursor.take_optional(rules::cursor)?.flatten();
        if cursor.is_some_and(|cursor| cursor.list != id || !sorted_by.takes(cursor.position.key)) {
            let detail = "was made for another list, or for other filters or another order";
            return Err(Problem::parameter("cursor", detail));
        }
        let page = Page::behind(cursor.map(|cursor| cursor.position), size);
        Ok(Self { page: page.ok_or_else(Problem::internal)?, id })
    }

    /// `Link` (RFC 8288) to the part behind this one, for answers that are bare lists.
    pub(super) fn link_to_next(self, inbound: &Inbound, next: Position) -> Result<HeaderValue, Problem> {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(inbound.parameters().filter(|(name, _)| name != "cursor"))
            .append_pair("cursor", &Cursor { list: self.id, position: next }.encode())
            .finish();
        let link = format!("<{}?{query}>; rel=\"next\"", inbound.path());
        HeaderValue::try_from(link).map_err(|_| Problem::internal())
    }

    /// The answer that carries the page.
    pub(super) fn answer<R, T: Serialize>(self, paged: Paged<R>, dto: impl Fn(R) -> T) -> HttpResponse {
        let cursor = |position| Cursor { list: self.id, position }.encode();
        HttpResponse::Ok().json(ListDto {
            data: paged.rows.into_iter().map(dto).collect(),
            total: paged.total,
            page: self.page.number(),
            page_size: self.page.size(),
            next_cursor: paged.next.map(cursor),
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListDto<T> {
    data: Vec<T>,
    /// Null on a walk.
    total: Option<i64>,
    /// Null on a walk.
    page: Option<u32>,
    page_size: u16,
    /// Null at the end.
    next_cursor: Option<String>,
}
