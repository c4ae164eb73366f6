//! Signing in and out, over HTTP.

mod accounts;
mod audit;
mod password;
mod races;
mod revocation;
mod rotation;
mod sessions;
mod throttle;
mod users;

use serde_json::{Value, json};
use techsupport_tests::{Answer, Client, Desk, PASSWORD};

/// A login, with what it was given.
struct Login {
    client: Client,
    refresh_token: String,
}

impl Login {
    fn new(desk: &Desk, email: &str) -> Self {
        Self::of(desk, &desk.login(email, PASSWORD).expect(200).json())
    }

    fn of(desk: &Desk, pair: &Value) -> Self {
        let client = desk.anonymous().with_token(pair["accessToken"].as_str().unwrap());
        Self { client, refresh_token: pair["refreshToken"].as_str().unwrap().to_owned() }
    }

    fn refresh(&self, desk: &Desk) -> Answer {
        desk.anonymous().post("/api/auth/refresh", &json!({"refreshToken": self.refresh_token}))
    }

    fn log_out(&self, desk: &Desk) {
        let body = json!({"refreshToken": self.refresh_token});
        desk.anonymous().post("/api/auth/logout", &body).expect(204);
    }

    /// The id of the login.
    fn session(&self) -> String {
        let list = self.client.get("/api/auth/sessions?pageSize=100").expect(200).json();
        let own = list["data"].as_array().unwrap().iter().find(|session| session["current"] == true);
        own.unwrap()["id"].as_str().unwrap().to_owned()
    }

    fn is_in(&self) -> bool {
        is_in(&self.client)
    }
}

/// Whether the caller is let in; if not, it is for the session that ended.
fn is_in(client: &Client) -> bool {
    let answer = client.get("/api/auth/me");
    if answer.status == 200 {
        return true;
    }
    let problem = answer.expect_problem(401, "unauthenticated").json();
    assert!(problem["detail"].as_str().unwrap().contains("session has ended"), "{problem}");
    false
}

/// The id of the user with this address.
fn user_id(desk: &Desk, email: &str) -> String {
    desk.database().one("SELECT id::text FROM users WHERE email = $1", &[&email])
}
