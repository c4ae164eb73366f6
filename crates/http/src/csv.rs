//! Answers as text with separators (RFC 4180), for people who open them in a spreadsheet.

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header::{self, HeaderMap, HeaderValue},
};

use crate::problem::Problem;

/// What such an answer is called.
pub(crate) const MEDIA_TYPE: &str = "text/csv; charset=utf-8";

/// Tells a spreadsheet that what follows is UTF-8 (ADR 020): once it is a file, nobody knows the media type any more.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Both have one address, so no cache may hand out one for the other (RFC 9110, section 12.5.5).
const DECIDES: HeaderValue = HeaderValue::from_static("accept");

/// Whether the caller would rather have it than JSON (RFC 9110, section 12.5.1). Only who names it gets it.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
    let (mut csv, mut json) = (0, 0);
    for range in accepted.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(weight).map_or(1_000, thousandths);
        match name.as_str() {
            "text/csv" => csv = csv.max(weight),
            "application/json" => json = json.max(weight),
            _ => {}
        }
    }
    csv > 0 && csv >= json
}

/// Names of parameters have any letter case.
fn weight(parameter: &str) -> Option<&str> {
    parameter.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("q")).map(|(_, weight)| weight)
}

fn thousandths(weight: &str) -> u16 {
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    whole
        .parse::<u16>()
        .unwrap_or(0)
        .min(1)
        .saturating_mul(1_000)
        .saturating_add(part.parse().unwrap_or(0))
        .min(1_000)
}

/// An answer to download, to be filled with [`head`] and [`line`].
pub(crate) fn download(name: &str) -> Result<HttpResponseBuilder, Problem> {
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    let disposition = HeaderValue::from_str(&disposition).map_err(|_| Problem::internal())?;
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::CONTENT_TYPE, MEDIA_TYPE))
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .insert_header((header::VARY, DECIDES));
    Ok(answer)
}

/// An answer in JSON to somebody who could have had a download.
pub(crate) fn declined(mut answer: HttpResponse) -> HttpResponse {
    answer.headers_mut().insert(header::VARY, DECIDES);
    answer
}

/// What the text begins with.
pub(crate) fn head(columns: &[&str]) -> String {
    format!("{BYTE_ORDER_MARK}{}", line(columns))
}

/// One line. A cell that a spreadsheet would take for a formula gets an apostrophe in front.
pub(crate) fn line(cells: &[&str]) -> String {
    let mut line = cells.iter().map(|cell| quoted(&harmless(cell))).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

fn harmless(cell: &str) -> String {
    // Some programs leave out blanks in front, some take wide signs for narrow ones.
    const BEGINNINGS: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    if cell.starts_with(['\t', '\r', '\n']) || cell.trim_start().starts_with(BEGINNINGS) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', ';', '\n', '\r', '\t']) || cell.starts_with(' ') || cell.ends_with(' ') {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn formulas_are_made_harmless_and_separators_quoted() {
        assert_eq!(line(&["1", "=1+1", "a,b", "say \"no\""]), "1,'=1+1,\"a,b\",\"say \"\"no\"\"\"\r\n");
        assert_eq!(line(&["+1", "-1", "@x", "\tx", "\rx"]), "'+1,'-1,'@x,\"'\tx\",\"'\rx\"\r\n");
        assert_eq!(line(&[" =1", "\u{a0}@x", "\n=1"]), "' =1,'\u{a0}@x,\"'\n=1\"\r\n");
        assert_eq!(line(&["\u{ff1d}1", "\u{ff20}x"]), "'\u{ff1d}1,'\u{ff20}x\r\n");
        assert_eq!(line(&["a=b", "", " x"]), "a=b,,\" x\"\r\n");
    }

    #[test]
    fn a_spreadsheet_is_told_how_to_read_it_once() {
        assert_eq!(head(&["a", "b"]), "\u{feff}a,b\r\n");
    }

    #[test]
    fn who_names_it_gets_it() {
        let wanted = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
            is_wanted(&headers)
        };
        for yes in ["text/csv", "TEXT/CSV; q=0.5, */*", "application/json;q=0.2, text/csv;q=0.9"] {
            assert!(wanted(yes), "{yes}");
        }
        for no in
            ["*/*", "application/json", "text/csv;q=0", "text/csv; Q=0", "text/csv;q=0.1, application/json"]
        {
            assert!(!wanted(no), "{no}");
        }
        assert!(!is_wanted(&HeaderMap::new()));
    }
}
