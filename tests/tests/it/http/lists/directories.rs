//! Clients and agents.

use serde_json::json;
use techsupport_tests::Desk;

#[test]
fn directories_are_searched_literally() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    for (n, name) in ["100% Wool", "100 Wool", "Under_score", "Underscore", "Ñandú"].iter().enumerate() {
        let body = json!({"name": name, "email": format!("c{n}@example.org"), "type": if n < 2 { "VIP" } else { "NORMAL" }, "company": "Forja"});
        admin.post("/api/clients", &body).expect(201);
    }
    let names = |query: &str| {
        let list = admin.get(&format!("/api/clients?{query}")).expect(200).json();
        let mut names: Vec<String> =
            list["data"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names("search=0%25"), ["100% Wool"]);
    assert_eq!(names("search=r_s"), ["Under_score"]);
    assert_eq!(names("search=WOOL&type=VIP"), ["100 Wool", "100% Wool"]);
    assert_eq!(names("search=%C3%B1and%C3%BA"), ["Ñandú"], "whatever the letter case");
    assert_eq!(names("search=c4@example"), ["Ñandú"]);
    assert_eq!(names("search=").len(), 5);
    let agent =
        |email: &str, active: bool| json!({"name": "Luis", "email": email, "level": 1, "active": active});
    admin.post("/api/agents", &agent("a@example.org", true)).expect(201);
    admin.post("/api/agents", &agent("b@example.org", false)).expect(201);
    for (query, total) in [("", 2), ("active=true", 1), ("active=false", 1), ("search=b@", 1)] {
        assert_eq!(admin.get(&format!("/api/agents?{query}")).expect(200).json()["total"], total, "{query}");
    }
}
