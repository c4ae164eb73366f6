#![allow(clippy::unwrap_used, clippy::panic)]

use std::{env, fs};

use super::*;
use crate::ids;

#[derive(Debug, Deserialize, Validate)]
struct Example {
    #[garde(skip)]
    profile: Profile,
    #[garde(dive)]
    log: crate::telemetry::LogSettings,
    #[garde(dive)]
    database: Database,
}

#[derive(Debug, Deserialize, Validate)]
struct Database {
    #[garde(length(min = 1))]
    url: String,
    #[garde(range(min = 1, max = 100))]
    pool_size: u16,
}

fn sources(variables: &[(&str, &str)]) -> Sources {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sources { folder: None, variables }
}

fn loaded(variables: &[(&str, &str)]) -> Example {
    load_from(&sources(variables)).unwrap()
}

fn refused(variables: &[(&str, &str)]) -> String {
    load_from::<Example>(&sources(variables)).unwrap_err().to_string()
}

#[test]
fn the_local_profile_needs_nothing() {
    let example = loaded(&[]);
    assert_eq!(example.profile, Profile::Local);
    assert_eq!((example.log.level.as_str(), example.database.pool_size), ("info", 8));
}

#[test]
fn the_environment_overlays_the_files() {
    let example = loaded(&[
        ("TECHSUPPORT__DATABASE__POOL_SIZE", "3"),
        ("TECHSUPPORT__LOG__LEVEL", "debug"),
        ("DATABASE_URL", "postgres://short"),
        ("TECHSUPPORT_API_SERVICE_HOST", "10.0.0.1"),
        ("HOME", "/nowhere"),
    ]);
    assert_eq!((example.database.pool_size, example.log.level.as_str()), (3, "debug"));
    assert_eq!(example.database.url, "postgres://short");
}

#[test]
fn the_long_name_beats_the_short_one_and_empty_is_not_set() {
    let both = [("TECHSUPPORT__DATABASE__URL", "long"), ("DATABASE_URL", "short")];
    assert_eq!(loaded(&both).database.url, "long");
    assert!(loaded(&[("DATABASE_URL", "")]).database.url.starts_with("postgres://"));
}

#[test]
fn text_from_the_environment_stays_text() {
    for text in ["00123456", "1e5", "true", "9".repeat(40).as_str()] {
        assert_eq!(loaded(&[("DATABASE_URL", text)]).database.url, text);
    }
}

#[test]
fn typing_errors_are_named() {
    let message = refused(&[("TECHSUPPORT__DATABSE__URL", "x")]);
    assert!(message.contains("databse") && message.contains("TECHSUPPORT__DATABSE__URL"), "{message}");
    let message = refused(&[("TECHSUPPORT__DATABASE__POOLSIZE", "3")]);
    assert!(message.contains("database.poolsize") && message.contains("pool_size"), "{message}");
    let message = refused(&[("TECHSUPPORT__SWEEP__BACH", "3")]);
    assert!(message.contains("sweep.bach"), "also in the sections of others: {message}");
    assert!(refused(&[("TECHSUPPORT__LOG", "x")]).contains("TECHSUPPORT__SECTION__KEY"));
    assert!(refused(&[("TECHSUPPORT_PROFILE", "prod")]).contains("prod"));
}

#[test]
fn wrong_values_are_named_with_their_source() {
    let message = refused(&[("TECHSUPPORT__DATABASE__POOL_SIZE", "many")]);
    assert_eq!(
        message,
        "the setting database.pool_size (environment variable TECHSUPPORT__DATABASE__POOL_SIZE) \
         must be an integer, but is string \"many\""
    );
    let message =
        refused(&[("TECHSUPPORT__DATABASE__POOL_SIZE", "0"), ("TECHSUPPORT__LOG__FILTER", "a=b=c")]);
    assert!(message.contains("database.pool_size") && message.contains("log.filter"), "{message}");
}

#[test]
fn production_lacks_what_only_the_local_profile_has() {
    let message = refused(&[("TECHSUPPORT_PROFILE", "production")]);
    assert!(message.contains("database.url (config/base.toml)"), "{message}");
}

#[test]
fn no_secret_is_shown() {
    #[derive(Debug, Deserialize, Validate)]
    struct Numbers {
        #[garde(skip)]
        #[expect(dead_code, reason = "it never gets this far")]
        database: NumericUrl,
    }
    #[derive(Debug, Deserialize)]
    struct NumericUrl {
        #[expect(dead_code, reason = "it never gets this far")]
        url: u16,
    }
    let given = sources(&[("DATABASE_URL", "postgres://me:hunter2@db/x")]);
    let message = load_from::<Numbers>(&given).unwrap_err().to_string();
    assert!(message.contains("database.url (environment variable DATABASE_URL)"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn a_syntax_error_is_told_by_its_place_and_never_by_its_text() {
    for (text, place) in [
        ("[database]\nurl = \"postgres://me:hunter2@db", "line 2, column "),
        ("[database]\nurl = hunter2", "line 2, column 7"),
        ("url = hunter2 # \u{fc}", "line 1, column 7"),
        ("\n\n  hunter2", "line 3, column "),
        ("[auth.keys]\nhunter2 = \"a\" \"hunter2\"", "line 2, column 15"),
    ] {
        let message = Layer::from_toml("local.toml", text).unwrap_err().to_string();
        assert!(message.contains("local.toml") && message.contains(place), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn files_of_a_folder_overlay_the_embedded_ones() {
    let folder = env::temp_dir().join(ids::new_id().to_string());
    let in_folder =
        |variables| load_from::<Example>(&Sources { folder: Some(folder.clone()), ..sources(variables) });
    assert!(in_folder(&[]).unwrap_err().to_string().contains("does not exist"));
    fs::create_dir(&folder).unwrap();
    assert_eq!(in_folder(&[]).unwrap().database.pool_size, 8, "neither file has to be there");
    fs::write(folder.join("base.toml"), "[database]\npool_size = 4\nurl = \"base\"").unwrap();
    fs::write(folder.join("local.toml"), "[database]\nurl = \"local\"").unwrap();
    fs::write(folder.join("production.toml"), "[database]\npool_size = 5\nurl = \"production\"").unwrap();
    let local = in_folder(&[]).unwrap();
    assert_eq!((local.database.pool_size, local.database.url.as_str()), (4, "local"));
    let production = in_folder(&[("TECHSUPPORT_PROFILE", "production")]).unwrap();
    assert_eq!((production.database.pool_size, production.database.url.as_str()), (5, "production"));
    assert_eq!(in_folder(&[("DATABASE_URL", "env")]).unwrap().database.url, "env");
    fs::write(folder.join("local.toml"), "[database]\nurls = 3").unwrap();
    let message = in_folder(&[]).unwrap_err().to_string();
    assert!(message.contains("local.toml") && message.contains("database.urls"), "{message}");
    fs::write(folder.join("local.toml"), "[database").unwrap();
    assert!(in_folder(&[]).unwrap_err().to_string().contains("local.toml"));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_embedded_files_agree_with_each_other() {
    for profile in [Profile::Local, Profile::Production] {
        layers(profile, &Sources::default()).unwrap();
    }
}
