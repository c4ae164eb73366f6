//! Every step of the schema can be taken back.

use std::collections::BTreeSet;

use techsupport_persistence::{DatabaseSettings, migrate};
use techsupport_tests::{TestDatabase, until};

/// Everything in the schema that a program could notice, one line each.
fn schema(database: &TestDatabase) -> Vec<String> {
    const PARTS: [&str; 8] = [
        "SELECT format('column %s.%s %s %s %s %s', table_name, column_name, data_type, is_nullable, \
         coalesce(column_default, ''), coalesce(generation_expression, '')) \
         FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT format('index %s', indexdef) FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) \
         FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
        "SELECT format('sequence %s %s', sequencename, data_type) FROM pg_sequences WHERE schemaname = 'public'",
        "SELECT format('function %s', pg_get_functiondef(oid)) FROM pg_proc \
         WHERE pronamespace = 'public'::regnamespace AND prokind = 'f' \
         AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')",
        "SELECT format('trigger %s', pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT format('text search %s', cfgname) FROM pg_ts_config \
         WHERE cfgnamespace = 'public'::regnamespace",
        "SELECT format('table %s %s', relname, reloptions) FROM pg_class \
         WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
    ];
    let mut lines: Vec<String> = PARTS.iter().flat_map(|part| database.all::<String>(part, &[])).collect();
    lines.retain(|line| !line.contains("__diesel_schema_migrations"));
    lines.sort();
    lines
}

/// What the migrations themselves put into the tables.
fn contents(database: &TestDatabase) -> Vec<i64> {
    ["sla_policies", "sla_policy_versions", "sla_policy_targets", "sla_policy_steps"]
        .map(|table| database.count(table))
        .into()
}

#[test]
fn up_down_and_up_again_come_to_the_same_schema() {
    let database = TestDatabase::empty();
    let settings = database.settings();
    let steps = migrate::up(&settings).unwrap();
    let (first, rows) = (schema(&database), contents(&database));
    assert!(first.len() > 100, "{first:#?}");
    for _ in &steps {
        migrate::down_one(&settings).unwrap();
    }
    assert_eq!(schema(&database), Vec::<String>::new());
    assert_eq!(migrate::up(&settings).unwrap(), steps);
    assert_eq!(schema(&database), first);
    assert_eq!(contents(&database), rows);
}

/// Each `down.sql` undoes its own `up.sql` and nothing else.
#[test]
fn every_step_taken_back_leaves_what_was_there_before_it() {
    let database = TestDatabase::empty();
    let settings = database.settings();
    let steps = migrate::up(&settings).unwrap().len();
    let mut on_the_way_down = vec![schema(&database)];
    for _ in 0..steps {
        migrate::down_one(&settings).unwrap();
        on_the_way_down.push(schema(&database));
    }
    // A step that changes nothing would make its neighbours equal.
    assert!(on_the_way_down.windows(2).all(|pair| pair[0].len() > pair[1].len()));
    for expected in on_the_way_down.iter().rev().skip(1) {
        // `redo` on the way up: take the next step by applying all and taking back the rest.
        migrate::up(&settings).unwrap();
        while schema(&database).len() > expected.len() {
            migrate::down_one(&settings).unwrap();
        }
        assert_eq!(&schema(&database), expected);
    }
}

#[test]
fn redo_takes_the_latest_step_back_and_again() {
    let database = TestDatabase::migrated();
    let settings = database.settings();
    let before = schema(&database);
    let latest = migrate::redo(&settings).unwrap();
    assert_eq!(schema(&database), before);
    let status = migrate::status(&settings).unwrap();
    assert!(status.iter().all(|step| step.applied), "{status:?}");
    assert!(status.last().unwrap().name.replace('-', "").starts_with(&latest), "{latest}");
}

#[test]
fn several_migrators_take_turns() {
    let database = TestDatabase::empty();
    let applied: usize = std::thread::scope(|scope| {
        let migrators: Vec<_> = (0..4)
            .map(|_| {
                let settings = database.settings();
                scope.spawn(move || migrate::up(&settings).unwrap().len())
            })
            .collect();
        migrators.into_iter().map(|migrator| migrator.join().unwrap()).sum()
    });
    assert_eq!(applied, migrate::status(&database.settings()).unwrap().len());
}

/// Takes steps back until this one was, too. Returns how many.
fn take_back(settings: &DatabaseSettings, step: &str) -> usize {
    let steps = migrate::status(settings).unwrap();
    let later = steps.iter().skip_while(|each| !each.name.contains(step)).count();
    for _ in 0..later {
        migrate::down_one(settings).unwrap();
    }
    later
}

/// A step in a transaction that needs a table which somebody uses all the while.
#[test]
fn a_migration_that_gets_no_lock_lets_go_and_tries_again() {
    let database = TestDatabase::migrated();
    let settings = DatabaseSettings { lock_timeout_ms: 50, ..database.settings() };
    let taken_back = take_back(&settings, "000011");
    let mut user = database.connect();
    let mut use_of_the_table = user.transaction().unwrap();
    use_of_the_table.batch_execute("LOCK TABLE outbox IN ACCESS SHARE MODE").unwrap();
    std::thread::scope(|scope| {
        let migrator = scope.spawn(|| migrate::up(&settings));
        until("the migration has let go", || {
            Some(()).filter(|()| {
                database.count(
                    "pg_stat_activity WHERE datname = current_database() \
                     AND application_name = 'techsupport-migrate' AND state = 'idle' AND query = 'ROLLBACK'",
                ) == 1
            })
        });
        use_of_the_table.commit().unwrap();
        assert_eq!(migrator.join().unwrap().unwrap().len(), taken_back);
    });
}

/// What a `CREATE INDEX CONCURRENTLY` leaves that was killed.
#[test]
fn an_unfinished_index_is_made_anew() {
    let database = TestDatabase::migrated();
    let settings = database.settings();
    take_back(&settings, "000015");
    database
        .connect()
        .batch_execute(
            "CREATE INDEX outbox_by_transaction ON outbox (tx); \
         UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'outbox_by_transaction'::regclass",
        )
        .unwrap();
    migrate::up(&settings).unwrap();
    let made: String = database.one(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index \
         WHERE indexrelid = 'outbox_by_transaction'::regclass AND indisvalid",
        &[],
    );
    assert!(made.ends_with("(tx) WHERE (tx IS NOT NULL)"), "{made}");
}

#[test]
fn an_extension_out_of_reach_is_named() {
    let database = TestDatabase::empty();
    database
        .connect()
        .batch_execute("CREATE SCHEMA elsewhere; CREATE EXTENSION pg_trgm SCHEMA elsewhere")
        .unwrap();
    let error = migrate::up(&database.settings()).unwrap_err().to_string();
    assert!(error.contains("pg_trgm (in schema elsewhere)"), "{error}");
    database.connect().batch_execute("ALTER EXTENSION pg_trgm SET SCHEMA public").unwrap();
    migrate::up(&database.settings()).unwrap();
}

#[test]
fn a_schema_that_is_behind_is_not_served() {
    let mut desk = techsupport_tests::Desk::start();
    desk.stop_api();
    migrate::down_one(&desk.database().settings()).unwrap();
    let Err(error) = techsupport_api::Api::start(&desk.settings()) else { panic!("it was served") };
    assert!(error.to_string().contains("techsupport-api migrate up"), "{error}");
}

/// What was there before lists could be sorted by deadline, searched and counted is so, too.
#[test]
fn tickets_of_earlier_releases_get_their_deadlines_words_and_tally() {
    let database = TestDatabase::empty();
    let settings = database.settings();
    let steps = migrate::up(&settings).unwrap();
    for _ in steps.iter().skip_while(|step| !step.contains("000006")) {
        migrate::down_one(&settings).unwrap();
    }
    database.connect().batch_execute(EARLIER).unwrap();
    migrate::up(&settings).unwrap();
    let due = "SELECT coalesce(extract(epoch FROM due_at)::int, 0) FROM tickets ORDER BY number";
    assert_eq!(database.all::<i32>(due, &[]), [2_000, 0, 0, 1_000]);
    let found =
        "SELECT number FROM tickets WHERE words @@ to_tsquery('ticket_words', 'sesion:*') ORDER BY number";
    assert_eq!(database.all::<i64>(found, &[]), [1, 2, 3, 4]);
    assert_eq!(database.one::<i64>("SELECT sum(live)::bigint FROM ticket_tally", &[]), 3);
}

/// Four tickets: one with two clocks that run, one answered, one without clocks and deleted, one overdue and paused.
const EARLIER: &str = "
INSERT INTO clients (id, name, email, email_folded, tier, company)
VALUES (gen_random_uuid(), 'Ana', 'a@example.org', 'a@example.org', 'VIP', 'Forja');
INSERT INTO tickets (id, number, version, title, description, status, priority, client_id, escalation_level,
    created_at, updated_at, deleted_at)
SELECT gen_random_uuid(), n, 1, 'Inicio de SESIÓN', 'No puede.', 'OPEN', 2, id, 0, now(), now(),
    CASE WHEN n = 3 THEN now() END
FROM clients, generate_series(1, 4) n;
INSERT INTO sla_clocks (ticket_id, metric, policy_version_id, cycle, started_at, running_since, paused_at, stopped_at,
    consumed_us, due_at, steps_run)
SELECT t.id, metric, '01976f00-0000-7000-8000-000000000011', 1, now(), CASE run WHEN 'running' THEN now() END,
    CASE run WHEN 'paused' THEN now() END, CASE run WHEN 'stopped' THEN now() END, 0, to_timestamp(due), '{}'
FROM tickets t JOIN (VALUES (1, 'FIRST_RESPONSE', 'running', 3000), (1, 'RESOLUTION', 'running', 2000),
    (2, 'FIRST_RESPONSE', 'stopped', 500), (4, 'FIRST_RESPONSE', 'stopped', 500),
    (4, 'RESOLUTION', 'paused', 1000)) AS k (number, metric, run, due) USING (number);
";

/// The columns that diesel is told of, as `table.column type nullable`, and the names of their tables.
fn told_to_diesel() -> (BTreeSet<String>, BTreeSet<String>) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/persistence/src/schema.rs");
    let text = std::fs::read_to_string(file).unwrap();
    let (mut columns, mut tables, mut table) = (BTreeSet::new(), BTreeSet::new(), "");
    let mut named = None;
    for line in text.lines().map(str::trim) {
        if let Some((name, _)) = line.strip_suffix(") {").and_then(|head| head.split_once(" (")) {
            table = name;
            tables.insert(table.to_owned());
        } else if let Some(name) = line.strip_prefix("#[sql_name = \"") {
            named = name.strip_suffix("\"]");
        } else if let Some((column, kind)) = line.strip_suffix(',').and_then(|line| line.split_once(" -> ")) {
            let inner = kind.strip_prefix("Nullable<").and_then(|kind| kind.strip_suffix('>'));
            let nullable = if inner.is_some() { "YES" } else { "NO" };
            let column = named.take().unwrap_or(column);
            columns.insert(format!("{table}.{column} {} {nullable}", sql_type(inner.unwrap_or(kind))));
        }
    }
    (columns, tables)
}

/// As PostgreSQL's catalogue names it.
fn sql_type(diesel: &str) -> &str {
    match diesel {
        "Uuid" => "uuid",
        "Text" => "text",
        "Bool" => "bool",
        "SmallInt" => "int2",
        "Integer" => "int4",
        "BigInt" => "int8",
        "Timestamptz" => "timestamptz",
        "Json" => "json",
        "Jsonb" => "jsonb",
        "Bytea" => "bytea",
        "Tsvector" => "tsvector",
        "Array<SmallInt>" => "_int2",
        "Array<Text>" => "_text",
        other => panic!("{other} is not known here"),
    }
}

#[test]
fn diesel_is_told_of_the_columns_as_they_are() {
    let database = TestDatabase::migrated();
    let (told, tables) = told_to_diesel();
    assert!(tables.contains("tickets") && tables.contains("users"), "{tables:?}");
    let there: BTreeSet<String> = database
        .all::<String>(
            "SELECT format('%s.%s %s %s', table_name, column_name, udt_name, is_nullable) \
             FROM information_schema.columns WHERE table_schema = 'public'",
            &[],
        )
        .into_iter()
        .collect();
    let wrong: Vec<&String> = told.difference(&there).collect();
    assert!(wrong.is_empty(), "not so in the database: {wrong:#?}");
}
