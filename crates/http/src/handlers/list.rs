//! Lists: which page, and how it looks.

use actix_web::HttpResponse;
use serde::Serialize;
use techsupport_application::{Page, Paged};

use super::rules;
use crate::{inbound::Member, problem::Problem};

/// The page that is asked for.
pub(super) fn page(number: &Member<String>, size: &Member<String>) -> Result<Page, Problem> {
    let number = number.take_optional(rules::page_number)?.unwrap_or(1);
    let size = size.take_optional(rules::page_size)?.unwrap_or(Page::DEFAULT_SIZE);
    Page::new(number, size).ok_or_else(Problem::internal)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListDto<T> {
    data: Vec<T>,
    total: i64,
    page: u32,
    page_size: u16,
    /// For walks through large sets.
    next_cursor: Option<String>,
}

/// The answer that carries a page.
pub(super) fn answer<R, T: Serialize>(paged: Paged<R>, page: Page, dto: impl Fn(R) -> T) -> HttpResponse {
    HttpResponse::Ok().json(ListDto {
        data: paged.rows.into_iter().map(dto).collect(),
        total: paged.total,
        page: page.number(),
        page_size: page.size(),
        next_cursor: None,
    })
}
