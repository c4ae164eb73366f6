//! The addresses of servers, which carry passwords: whether they are well formed, and what production thinks
//! of the passwords.
//!
//! The drivers parse these addresses, too, but what they say about a wrong one quotes parts of it, and a
//! password with an unescaped `@` or `/` makes them look for a host of that name. No message here contains
//! any part of an address.

use crate::{
    secrets::{Secret, WeakSecret, refuse_weak},
    settings::Profile,
};

/// A password of a server, which nobody types.
const PASSWORD_BYTES: usize = 12;

/// A rule for settings: an address of PostgreSQL is there, and well formed.
pub fn needs_database_url(url: &str) -> garde::Result {
    if url.trim().is_empty() {
        return Err(garde::Error::new("needs a url (DATABASE_URL)"));
    }
    check_database_url(url)
        .map_err(|problem| garde::Error::new(format!("has a url (DATABASE_URL) that {problem}")))
}

/// The same for RabbitMQ.
pub fn needs_broker_url(url: &str) -> garde::Result {
    check_broker_url(url).map_err(|problem| garde::Error::new(format!("has a url (AMQP_URL) that {problem}")))
}

/// What is wrong with an address, as the end of a sentence that begins with the setting's name.
fn check_database_url(url: &str) -> Result<(), &'static str> {
    parse(url, &["postgres", "postgresql"], "is not of the form postgres://user:password@host:port/name")
        .map(drop)
}

fn check_broker_url(url: &str) -> Result<(), &'static str> {
    parse(url, &["amqp", "amqps"], "is not of the form amqp://user:password@host:port/vhost").map(drop)
}

/// In production, refuses weak and default passwords in the addresses. For PostgreSQL there are other ways to
/// sign in than a password, so it may be missing. For RabbitMQ a missing one means `guest`, unless the address
/// asks for certificates (`auth_mechanism=external`).
pub fn refuse_weak_passwords(
    profile: Profile,
    database_url: &str,
    broker_url: &str,
) -> Result<(), WeakSecret> {
    match profile {
        Profile::Local => return Ok(()),
        Profile::Production => {}
    }
    let malformed =
        |key: &str, problem: &str| WeakSecret { key: key.to_owned(), problem: problem.to_owned() };
    let database = parse(database_url, &["postgres", "postgresql"], "is malformed")
        .map_err(|problem| malformed("database.url", problem))?;
    let broker = parse(broker_url, &["amqp", "amqps"], "is malformed")
        .map_err(|problem| malformed("broker.url", problem))?;
    if !database.password().is_empty() {
        refuse("database.url (its password)", &database)?;
    }
    if !broker.parameter("auth_mechanism").is_some_and(|how| how.eq_ignore_ascii_case("external")) {
        refuse("broker.url (its password)", &broker)?;
    }
    Ok(())
}

fn refuse(key: &str, address: &Address<'_>) -> Result<(), WeakSecret> {
    let password = address.password();
    refuse_weak(&[Secret { key, value: &password, min_length: PASSWORD_BYTES }])?;
    if password == decoded(address.user) {
        return Err(WeakSecret { key: key.to_owned(), problem: "is the name of its user".to_owned() });
    }
    Ok(())
}

/// Parts of an address, as they stand there.
struct Address<'a> {
    user: &'a str,
    password: &'a str,
    query: &'a str,
}

impl Address<'_> {
    fn password(&self) -> String {
        match self.parameter("password") {
            Some(password) => password,
            None => decoded(self.password),
        }
    }

    fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| decoded(value)).next_back()
    }
}

const UNESCAPED: &str = "has an unescaped character in its password or elsewhere: write %40 for @, %2F for /, %3F for ?, %23 for #, \
     %25 for %";

fn parse<'a>(url: &'a str, schemes: &[&str], form: &'static str) -> Result<Address<'a>, &'static str> {
    let (scheme, rest) = url.split_once("://").ok_or(form)?;
    if !schemes.contains(&scheme) || url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(form);
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let cut_short = path.contains('@') || (query.contains('@') && !authority.contains('@'));
    if cut_short || login.contains('@') || rest.contains('#') || !is_escaped(rest) {
        return Err(UNESCAPED);
    }
    // What stands for a port and is no number is a part of a password, most likely.
    if !hosts.split(',').all(has_a_sound_port) {
        return Err(form);
    }
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    Ok(Address { user, password, query })
}

fn has_a_sound_port(host: &str) -> bool {
    // Colons inside of brackets belong to an IPv6 address.
    let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
    match after.split_once(':') {
        Some((_, port)) => port.is_empty() || port.parse::<u16>().is_ok(),
        None => true,
    }
}

/// Whether every percent sign begins an escape.
fn is_escaped(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|c| c.is_ascii_hexdigit()))
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(part.bytes().skip(2));
            }
            None => bytes.extend(part.bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const SOUND: &str = "kq0c3P0mC1xZk7cY";

    #[test]
    fn usual_addresses_are_well_formed() {
        for url in [
            "postgres://ticketing@127.0.0.1:5432/ticketing?sslmode=disable",
            "postgresql://me:a:b%40c%2Fd@db/x",
            "postgres:///x?host=/var/run/postgresql&options=a@b%20c".replace("@b", "%40b").as_str(),
            "postgres://me@one:5432,two:5433/x?target_session_attrs=read-write",
            "postgres://me:secret@[::1]:5432/x",
        ] {
            assert_eq!(check_database_url(url), Ok(()), "{url}");
        }
        for url in
            ["amqp://guest:guest@127.0.0.1:5672/%2f", "amqps://broker", "amqp://me:x@[::1]/v?heartbeat=5"]
        {
            assert_eq!(check_broker_url(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn unescaped_characters_are_noticed() {
        for password in ["hun@ter", "hun/ter", "hun?ter", "hun#ter", "hun%ter", "hun@t/er", "hun/t@er"] {
            assert_eq!(check_database_url(&format!("postgres://me:{password}@db:5432/x")), Err(UNESCAPED));
            assert_eq!(check_broker_url(&format!("amqp://me:{password}@mq:5672/%2f")), Err(UNESCAPED));
        }
        assert!(check_database_url("postgres://me:hunter").is_err(), "no port");
        assert!(check_database_url("postgres://me:hun ter@db/x").is_err());
        assert!(check_database_url("host=db password=hunter").is_err());
        assert!(check_broker_url("http://me:hunter@mq").is_err());
    }

    fn refused(database: &str, broker: &str) -> bool {
        refuse_weak_passwords(Profile::Production, database, broker)
            .inspect_err(|weak| assert!(!weak.to_string().contains(SOUND), "{weak}"))
            .is_err()
    }

    #[test]
    fn production_wants_passwords_that_deserve_the_name() {
        let (database, broker) = (format!("postgres://me:{SOUND}@db/x"), format!("amqp://me:{SOUND}@mq"));
        assert!(!refused(&database, &broker));
        assert!(!refused("postgres://me@db/x", &broker), "certificates, or the operating system's word");
        assert!(!refused(&database, "amqps://mq?auth_mechanism=external"));
        for weak in ["guest", "admin123", "postgres", "correct-password-1", "aaaaaaaaaaaaaaaa"] {
            assert!(refused(&format!("postgres://me:{weak}@db/x"), &broker), "{weak}");
            assert!(refused(&format!("postgres://me@db/x?password={weak}"), &broker), "{weak}");
            assert!(refused(&database, &format!("amqp://me:{weak}@mq")), "{weak}");
        }
        assert!(refused(&format!("postgres://{SOUND}:{SOUND}@db/x"), &broker), "the name of its user");
        assert!(refused(&database, "amqp://mq") && refused(&database, "amqp://me@mq"), "which means guest");
        let local = refuse_weak_passwords(Profile::Local, "postgres://me:x@db/x", "amqp://guest:guest@mq");
        assert_eq!(local, Ok(()));
    }
}
