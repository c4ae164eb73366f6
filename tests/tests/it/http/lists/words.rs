//! `q`: words in title and description.

use serde_json::json;
use techsupport_tests::{Client, Desk};
use uuid::Uuid;

use super::{ids, walk};

const TEXTS: [(&str, &str); 8] = [
    ("Printer offline", "The one on the second floor."),
    ("Nothing works", "Not even the printer, since Monday."),
    ("Contraseña caducada", "El usuario ana@example.org no puede iniciar sesión."),
    ("Discount of 100% refused", "Error 0x80070005 in foo_bar-baz."),
    ("Discount of 100 EUR", "Underscore: under score."),
    ("C++ build fails", "R & D cannot compile."),
    ("C compiler missing", "O'Brien says \"it's gone\" (again)."),
    ("Año nuevo", "PRINTER cartridges \\ toner."),
];

fn eight(desk: &Desk, caller: &Client) -> Vec<Uuid> {
    let client = desk.client_of(caller, "NORMAL");
    let open = |(title, description): &(&str, &str)| {
        let body = json!({"title": title, "description": description, "clientId": client});
        caller.post("/api/tickets", &body).expect(201).id()
    };
    TEXTS.iter().map(open).collect()
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |all, byte| format!("{all}%{byte:02X}"))
}

/// The tickets that are found, by their number, smallest first.
fn found(caller: &Client, tickets: &[Uuid], words: &str) -> Vec<usize> {
    let ids = ids(caller, &format!("q={}&sort=createdAt", encoded(words)));
    ids.iter().map(|id| tickets.iter().position(|ticket| ticket == id).unwrap()).collect()
}

#[test]
fn words_are_found_by_their_beginning_whatever_case_and_accents() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let t = eight(&desk, &admin);
    for (words, expected) in [
        ("printer", &[0, 1, 7][..]),
        ("PRINT", &[0, 1, 7]),
        ("rinter", &[]),
        ("print off", &[0]),
        ("off print", &[0]),
        ("contrasena", &[2]),
        ("CONTRASEÑA", &[2]),
        ("sesion", &[2]),
        ("ano", &[7]),
        ("floor second", &[0]),
        ("printer nothing monday", &[1]),
        ("  ", &[0, 1, 2, 3, 4, 5, 6, 7]),
        ("0x8007", &[3]),
        ("example", &[2]),
    ] {
        assert_eq!(found(&admin, &t, words), expected, "{words}");
    }
}

#[test]
fn signs_stand_for_themselves() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let t = eight(&desk, &admin);
    for (words, expected) in [
        ("100", &[3, 4][..]),
        ("100%", &[3]),
        ("1_0", &[]),
        ("%", &[]),
        ("_", &[]),
        ("foo_bar", &[3]),
        ("foo_", &[3]),
        ("foo-bar", &[]),
        ("foo bar baz", &[3]),
        ("under_score", &[]),
        ("c++", &[5]),
        ("R & D", &[3, 5]),
        ("R & D comp", &[5]),
        ("R&D", &[]),
        ("o'brien", &[6]),
        ("ana@example.org", &[2]),
        ("ana@example.com", &[]),
        ("\"it's", &[6]),
        ("(again).", &[6]),
        ("printer | floor", &[0]),
        ("!printer", &[0, 1, 7]),
        ("print*", &[]),
        ("printer:*", &[]),
        ("printer:", &[0, 1, 7]),
    ] {
        assert_eq!(found(&admin, &t, words), expected, "{words}");
    }
}

#[test]
fn nothing_that_is_typed_is_an_error() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    eight(&desk, &admin);
    let signs: Vec<char> = (1..128).map(char::from).chain("éñ¿¡«»—…😀\u{301}\u{200b}".chars()).collect();
    let mut typed: Vec<String> =
        signs.iter().map(|sign| format!("a{sign}b {sign} {sign}{sign} c{sign}")).collect();
    typed.extend(
        [
            "' OR 1=1 --",
            "\\",
            "a\\'b",
            "':*",
            "a & & b",
            "((((",
            "a <-> b",
            "a:A*",
            "''",
            "$1",
            "x".repeat(200).as_str(),
        ]
        .map(str::to_owned),
    );
    for words in typed {
        for sort in ["", "&sort=dueAt", "&cursor="] {
            admin.get(&format!("/api/tickets?q={}{sort}", encoded(&words))).expect(200);
        }
    }
}

#[test]
fn a_title_answers_better_than_a_description() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let t = eight(&desk, &admin);
    // Equal ranks: the newer one first.
    let ranked = [t[0], t[7], t[1]];
    assert_eq!(ids(&admin, "q=printer"), ranked);
    assert_eq!(walk(&admin, "/api/tickets?q=printer&pageSize=1", ""), ranked);
    assert_eq!(ids(&admin, "q=printer&sort=createdAt"), [t[0], t[1], t[7]]);
    for sort in ["createdAt", "-createdAt", "priority", "-priority", "dueAt", "-dueAt"] {
        let path = format!("/api/tickets?q=printer&sort={sort}&pageSize=1");
        assert_eq!(walk(&admin, &path, ""), ids(&admin, &format!("q=printer&sort={sort}")), "{sort}");
    }
}

#[test]
fn an_edited_text_is_found_by_its_new_words_and_a_deleted_one_not_at_all() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let t = eight(&desk, &admin);
    admin.patch(&format!("/api/tickets/{}", t[0]), &json!({"title": "Scanner offline"})).expect(200);
    assert_eq!(found(&admin, &t, "printer"), [1, 7]);
    assert_eq!(found(&admin, &t, "scanner"), [0]);
    admin.delete(&format!("/api/tickets/{}", t[1])).expect(204);
    assert_eq!(found(&admin, &t, "printer"), [7]);
}
