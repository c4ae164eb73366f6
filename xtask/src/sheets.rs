//! Files of tickets of the past: for `bench`, `chaos` and the tests. The same seed makes the same file.

use std::io::{Cursor, Write as _};

use rand::rngs::ChaCha12Rng;
use rand::{Rng, RngExt, SeedableRng};
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;
use uuid::Uuid;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::error::{Error, Result};

/// The columns, with the names of the original.
pub const COLUMNS: [&str; 8] = [
    "ticket_id",
    "client_id",
    "tipo_cliente",
    "fecha_creacion",
    "fecha_resolucion",
    "agente_id",
    "nivel_escalamiento",
    "estado",
];

/// The row of a ticket.
pub type Row = [String; 8];

/// So many tickets, all different, with few clients and agents.
pub fn tickets(count: u32, seed: u64) -> impl Iterator<Item = Row> {
    let mut chance = ChaCha12Rng::seed_from_u64(seed);
    let mut id = move || {
        let mut bytes = [0; 16];
        chance.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    };
    let clients: Vec<Uuid> = (0..100).map(|_| id()).collect();
    let agents: Vec<Uuid> = (0..20).map(|_| id()).collect();
    let mut chance = ChaCha12Rng::seed_from_u64(seed + 1);
    (0..count).map(move |_| {
        let opened =
            datetime!(2024-01-01 0:00 UTC) + time::Duration::seconds(chance.random_range(0..60_000_000));
        let solved = opened + time::Duration::seconds(chance.random_range(60..200_000));
        let pick = |from: &[Uuid], number: usize| {
            from.get(number % from.len()).map(Uuid::to_string).unwrap_or_default()
        };
        [
            id().to_string(),
            pick(&clients, chance.random_range(0..100)),
            if chance.random_range(0..2) == 0 { "VIP" } else { "NORMAL" }.to_owned(),
            opened.format(&Rfc3339).unwrap_or_default(),
            solved.format(&Rfc3339).unwrap_or_default(),
            pick(&agents, chance.random_range(0..20)),
            chance.random_range(0..4).to_string(),
            "RESOLVED".to_owned(),
        ]
    })
}

/// The tickets as text with commas, header first.
pub fn csv(rows: impl Iterator<Item = Row>) -> String {
    let mut text = COLUMNS.join(",");
    text.push('\n');
    for row in rows {
        text.push_str(&row.join(","));
        text.push('\n');
    }
    text
}

/// The tickets as a workbook with one sheet.
pub fn xlsx(rows: impl Iterator<Item = Row>) -> Result<Vec<u8>> {
    let header = COLUMNS.map(str::to_owned);
    let row = |(row, number): (Row, u32)| {
        let cell = |(text, column): (&String, char)| {
            format!("<c r=\"{column}{number}\" t=\"str\"><v>{text}</v></c>")
        };
        let cells: Vec<String> = row.iter().zip('A'..).map(cell).collect();
        format!("<row r=\"{number}\">{}</row>", cells.concat())
    };
    let rows: Vec<String> = std::iter::once(header).chain(rows).zip(1_u32..).map(row).collect();
    let xml = rows.concat();
    workbook(&xml)
}

const NS: &str = r#"xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships""#;
const TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>"#;
const ROOT: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#;

/// A workbook whose only sheet has this XML for its rows.
pub fn workbook(rows: &str) -> Result<Vec<u8>> {
    workbook_with_strings(rows, &format!("<sst {NS}></sst>"))
}

/// The same with these shared strings.
pub fn workbook_with_strings(rows: &str, strings: &str) -> Result<Vec<u8>> {
    let workbook = format!(
        r#"<workbook {NS}><sheets><sheet name="Tickets" sheetId="1" r:id="rId1"/></sheets></workbook>"#
    );
    let sheet = format!("<worksheet {NS}><sheetData>{rows}</sheetData></worksheet>");
    archive(
        [
            ("[Content_Types].xml", TYPES.as_bytes()),
            ("_rels/.rels", ROOT.as_bytes()),
            ("xl/workbook.xml", workbook.as_bytes()),
            ("xl/_rels/workbook.xml.rels", RELATIONS.as_bytes()),
            ("xl/sharedStrings.xml", strings.as_bytes()),
            ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ]
        .into_iter(),
    )
}

/// A zip archive of these parts.
pub fn archive<'p>(parts: impl Iterator<Item = (&'p str, &'p [u8])>) -> Result<Vec<u8>> {
    let wrong = |error: zip::result::ZipError| Error::Refused(format!("packing an archive: {error}"));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(name, SimpleFileOptions::default()).map_err(wrong)?;
        zip.write_all(content).map_err(Error::io("packing an archive"))?;
    }
    Ok(zip.finish().map_err(wrong)?.into_inner())
}
