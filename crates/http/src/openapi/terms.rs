//! Every kind of member and parameter, as exactly as JSON Schema can say it. Bounds come from the types that
//! enforce them.

use serde_json::json;
use techsupport_application::{
    Page,
    dead_letters::QUEUES,
    events::EventType,
    ports::{AgeBucket, AuditAction, ImportStatus, Source},
};
use techsupport_domain::{
    ClientTier, Role,
    sla::Why,
    text::{CommentBody, Company, Description, Email, PersonName, Title},
    ticket::{Status, Tag as TicketTag, Tags},
};
use utoipa::openapi::{
    AllOfBuilder, ArrayBuilder, Deprecated, ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema, SchemaFormat,
    Type,
    schema::{KnownFormat, SchemaType},
};

use super::bricks::{
    CONTROL, MOMENT, UNSEEN, WHITE, WHITE_OR_CONTROL, day_or_moment, id_of, list, not_blank, nullable,
    stored_text, string, text,
};
pub(crate) use super::bricks::{names, plain_text, whole};

/// Makes each term twice: as it is, and in `or_null` for members that may be null.
macro_rules! terms {
    ($($(#[$doc:meta])* $name:ident => $schema:expr;)+) => {
        $($(#[$doc])* pub(crate) fn $name() -> Schema { $schema.into() })+

        /// The same terms for members that may be null.
        #[allow(dead_code, reason = "not every member may be null")]
        pub(crate) mod or_null {
            $($(#[$doc])* pub(crate) fn $name() -> super::Schema { super::nullable(super::$name()) })+
        }
    };
}

terms! {
    /// An id.
    id => string().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
    /// The id of a client.
    client_id => id_of("The client that the ticket is for.");
    /// The id of an agent.
    agent_id => id_of("The agent who works on it.");
    /// The id of a user.
    user_id => id_of("The user as whom the agent signs in.");
    /// A moment in an answer.
    moment => string()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .pattern(Some(MOMENT))
        .examples(["2026-02-12T20:45:23.123Z"]);
    /// A ticket's title.
    title => text(Title::MIN, Title::MAX).description(Some("What it is about, in a line."));
    /// The same in an answer.
    stored_title => stored_text(Title::MIN, Title::MAX).description(Some("What it is about, in a line."));
    /// A ticket's description.
    description => text(Description::MIN, Description::MAX).description(Some("What happened."));
    /// The same in an answer.
    stored_description => stored_text(Description::MIN, Description::MAX).description(Some("What happened."));
    /// A ticket's number.
    ticket_number => string().description(Some("A short reference for people. Never repeats."));
    /// A person's name.
    person => text(PersonName::MIN, PersonName::MAX).description(Some("A person's name."));
    /// The same in an answer.
    stored_person => stored_text(PersonName::MIN, PersonName::MAX).description(Some("A person's name."));
    /// An organisation's name.
    company => text(Company::MIN, Company::MAX).description(Some("The organisation the client belongs to."));
    /// The same in an answer.
    stored_company => stored_text(Company::MIN, Company::MAX)
        .description(Some("The organisation the client belongs to."));
    /// An e-mail address.
    email => string()
        .max_length(Some(Email::MAX))
        .pattern(Some(format!(
            r"^[^@{WHITE_OR_CONTROL}]+@[^@.{WHITE_OR_CONTROL}]+(\.[^@.{WHITE_OR_CONTROL}]+)*$"
        )))
        .examples(["ana@example.org"])
        .description(Some("An e-mail address. Compared without letter case, everywhere."));
    /// Text that is not blank.
    something => string().min_length(Some(1)).pattern(Some(not_blank()));
    /// A password that is being chosen.
    new_password => string()
        .min_length(Some(8))
        .max_length(Some(128))
        .pattern(Some(not_blank()))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .description(Some("8 to 128 characters of any kind, not one of the most common passwords."));
    /// A password that is being presented.
    password => string()
        .min_length(Some(1))
        .pattern(Some(not_blank()))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)));
    /// A refresh token that is presented: any text; what cannot be a token is answered like one that cannot be used.
    presented_refresh_token => string().description(Some("A refresh token: 64 lower-case hexadecimal characters."));
    /// A refresh token that is given out.
    refresh_token => string()
        .pattern(Some("^[0-9a-f]{64}$"))
        .description(Some("Good for one `POST /api/auth/refresh`."));
    /// An access token.
    access_token => string().description(Some("A JSON Web Token for the `Authorization` header."));
    /// How an access token is presented.
    token_type => names(&["Bearer"]);
    /// The life of an access token.
    expires_in => whole(1, 86_400).description(Some("Seconds until the access token expires."));
    /// A role in an answer.
    role => names(&Role::ALL.map(Role::name)).description(Some("What the user may do."));
    /// A role in a body.
    role_given => string()
        .enum_values(Some(Role::ALL.map(Role::name).into_iter().chain(["AGENTE"])))
        .description(Some("What the user may do. `AGENTE`, the original's name for AGENT, is understood."));
    /// The status that an answer would have had.
    http_status => whole(200, 599).description(Some("The status that the call for this one alone would have had."));
    /// A problem within an answer.
    any_problem => Schema::AllOf(AllOfBuilder::new().item(Ref::from_schema_name("Problem")).build());
    /// A boolean.
    flag => ObjectBuilder::new().schema_type(Type::Boolean);
    /// Whether somebody is there at present.
    active => ObjectBuilder::new()
        .schema_type(Type::Boolean)
        .description(Some("Who is not active can neither sign in nor be assigned. True unless said otherwise."));
    /// A client's type.
    client_type => names(&ClientTier::ALL.map(ClientTier::name)).description(Some("Decides the deadlines."));
    /// An agent's level.
    agent_level => whole(1, 3).description(Some("An escalated ticket needs at least 2."));
    /// A ticket's priority.
    priority => whole(1, 4).description(Some("1 is the most urgent. 2 unless said otherwise."));
    /// A ticket's status.
    status => names(&Status::ALL.map(Status::name));
    /// How far a ticket has been escalated.
    escalation_level => whole(0, 3).description(Some("0 before the first escalation."));
    /// A ticket's tags.
    tags => list(stored_text(1, TicketTag::MAX), Tags::MOST)
        .description(Some("Short words to group tickets by. Trimmed, in lower case, each once."));
    /// A ticket's tags as they are given: folded before they are counted.
    tags_given => list(one_tag(), Tags::MOST)
        .description(Some("Trimmed, put into lower case, repetitions dropped."));
    /// What a comment says.
    comment_body => text(CommentBody::MIN, CommentBody::MAX).description(Some("What there is to say."));
    /// The same in an answer.
    stored_comment_body => stored_text(CommentBody::MIN, CommentBody::MAX)
        .description(Some("What there is to say."));
    /// For whom a comment is meant.
    visibility => names(&["PUBLIC", "INTERNAL"])
        .description(Some("A PUBLIC comment is an answer; an INTERNAL one is for the staff. PUBLIC unless said otherwise."));
    /// Minutes.
    minutes => ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
    /// What a clock measures.
    metric => names(&["FIRST_RESPONSE", "RESOLUTION"]);
    /// A clock's state.
    clock_state => names(&["RUNNING", "PAUSED", "WARNED", "BREACHED", "MET"]);
    /// In which minutes a clock counts.
    calendar => string().description(Some("In which minutes the clock counts; `24X7`: in all of them."));
    /// Whether a clock counted.
    segment => names(&["RUNNING", "PAUSED"]).description(Some("Whether the clock counted."));
    /// Why a stretch began.
    segment_reason => names(&Why::ALL.map(Why::name)).description(Some("Why it began."));
    /// A step's name.
    step => whole(-32_768, 32_767)
        .description(Some("0 is the breach; a negative number comes before the deadline, a positive one after it."));
    /// What a step does.
    step_action => names(&["WARN", "ESCALATE", "NOTIFY_SUPERVISOR"]).description(Some("What the step does."));
    /// A number that the original service's clients send and nobody looks at.
    ignored_agent_level => ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .deprecated(Some(Deprecated::True))
        .description(Some("Tolerated and never looked at: the level is read from the agent."));
    /// An object with members that depend on something else.
    any_object => ObjectBuilder::new().schema_type(Type::Object);
    /// Statuses to look for.
    statuses => ArrayBuilder::new().items(RefOr::T(status())).description(Some("One of these statuses. May be repeated."));
    /// An agent to look for.
    agent_or_none => OneOfBuilder::new()
        .item(id())
        .item(names(&["none"]))
        .description(Some("The agent who works on it, or `none` for nobody."));
    /// The beginning of a span of time.
    since => day_or_moment("Not before this time, or the beginning of this day in UTC.");
    /// The end of a span of time.
    until => day_or_moment(
        "Not after this time, or the end of this day in UTC. A time with three decimals or fewer means the whole of its millisecond.",
    );
    /// The orders of tickets.
    ticket_order => names(&["createdAt", "-createdAt", "priority", "-priority", "dueAt", "-dueAt"])
        .description(Some("What to sort by; `-` turns the order round."));
    /// What happened.
    timeline_action => names(&[
        "CREATED", "EDITED", "STATUS_CHANGED", "ASSIGNED", "COMMENTED", "DELETED", "RESTORED", "SLA_WARNED",
        "SLA_BREACHED", "SLA_ESCALATED",
    ]);
    /// Who did it.
    actor_kind => names(&["USER", "SYSTEM"]).description(Some("SYSTEM when it happened by itself."));
    /// An address of the network.
    ip => string().description(Some("IPv4 or IPv6.")).examples(["192.0.2.7"]);
    /// Whether it is the login that asks.
    current_session => ObjectBuilder::new()
        .schema_type(Type::Boolean)
        .description(Some("Whether it is the login that asks."));
    /// What the audit log tells of.
    audit_action => names(&audit_action_names());
    /// Actions to look for.
    audit_actions => ArrayBuilder::new().items(RefOr::T(audit_action())).description(Some("One of these. May be repeated."));
    /// An action in an answer: the set grows.
    audit_action_told => string().description(Some("What was done. The set grows; those of today can be asked for."));
    /// Who to look for.
    audit_actor_id => id_of("Done by this user.");
    /// To whom to look for.
    audit_target_id => id_of("Done to this user, client, agent or dead letter.");
    /// What came of it.
    audit_outcome => names(&["SUCCESS", "FAILURE"]);
    /// Who did it.
    audit_actor_kind => names(&["USER", "SYSTEM", "ANONYMOUS"])
        .description(Some("SYSTEM when it happened by itself; ANONYMOUS when nobody knows who it was."));
    /// A file's name.
    file_name => string().description(Some("The name the file had where it came from."));
    /// Where an import stands.
    import_status => names(&ImportStatus::ALL.map(ImportStatus::wire_name))
        .description(Some("Where it stands. In lower case, as the original service wrote it."));
    /// How many rows a file has.
    rows_total => whole(0, 10_000_000).description(Some("Rows of the file; 0 until it has been read once."));
    /// How many are in.
    rows_processed => whole(0, 10_000_000).description(Some("Rows that are in."));
    /// How many are not.
    rows_failed => whole(0, 10_000_000).description(Some("Rows that are not."));
    /// Why an import failed.
    import_reason => string().description(Some("Why it failed."));
    /// A row of a sheet.
    sheet_row => whole(1, 10_000_000).description(Some("The row of the sheet, from 1."));
    /// A column of a sheet.
    sheet_column => string().description(Some("The column; null when it is the row as a whole."));
    /// A cell of a sheet.
    sheet_value => string().description(Some("What stands there, cut after 100 characters."));
    /// What is wrong with a cell.
    sheet_detail => string().description(Some("What is wrong: completes a sentence that begins with the column's name."));
    /// What a probe says.
    ok => names(&["ok"]);
    /// How many.
    count => ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
    /// Any text.
    any_text => string();
    /// A tag to look for.
    one_tag => string()
        .min_length(Some(1))
        .pattern(Some(format!(
            "^(?=[^\\u0000]*[^{UNSEEN}])[{WHITE}]*[^{WHITE_OR_CONTROL}]([^{CONTROL}]{{0,{}}}[^{WHITE_OR_CONTROL}])?[{WHITE}]*$",
            TicketTag::MAX - 2
        )))
        .description(Some("A tag: 1 to 40 characters beside white space around it, in any letter case."));
    /// Words to look for.
    words => string()
        .max_length(Some(200))
        .pattern(Some(r"^[^\u0000]*$"))
        .description(Some("Words that title and description together hold, each in full or its beginning, whatever the \
             letter case and the accents. A word with other signs than letters and digits in it has to be there as it is typed. \
             Without a letter or a digit nothing is found; an empty text finds everything."))
        .examples(["printer offl"]);
    /// A search.
    search => string()
        .max_length(Some(200))
        .pattern(Some(r"^[^\u0000]*$"))
        .description(Some("Found anywhere in the texts, whatever the letter case. `%` and `_` stand for themselves."));
    /// A page's number.
    page => whole(1, i64::from(u32::MAX)).description(Some("Which page, from 1."));
    /// A page's size.
    page_size => whole(1, i64::from(Page::MAX_SIZE))
        .default(Some(json!(Page::DEFAULT_SIZE)))
        .description(Some("How many at most."));
    /// The place where a walk goes on.
    cursor => string().description(Some(
        "Walks instead of leafing: empty to begin, then always the `nextCursor` of the answer before. Belongs to the \
         filters and the order it was made with."
    ));
    /// A place in the feed of events.
    event_cursor => string().description(Some(
        "A place in the feed: behind the last event of the answer that `nextCursor` is from. Empty: before the first one."
    ));
    /// Types of events to look for.
    event_types => ArrayBuilder::new()
        .items(RefOr::T(names(&EventType::ALL.map(EventType::name)).into()))
        .description(Some("One of these types. May be repeated."));
    /// How long to wait for events.
    wait => whole(0, 25)
        .default(Some(json!(0)))
        .description(Some("Seconds to hold the answer while there is nothing new."));
    /// The name of a queue to look for.
    queue_name => names(&QUEUES).description(Some("Given up by the consumer of this queue."));
    /// The name of a queue.
    queue_told => string().description(Some("The name of the queue.")).examples(["sla-events"]);
    /// What waits, all in all.
    queue_waiting => whole(0, i64::MAX).description(Some(
        "Messages that wait in the queues for a consumer or for their next attempt (the sum of `ready`), and events that were not \
         published yet (`outbox.pending`)."
    ));
    /// What is being done.
    queue_active => whole(0, i64::MAX)
        .description(Some("Notifications that are being delivered, and imports that a worker is at."));
    /// What was done.
    queue_completed => whole(0, i64::MAX)
        .description(Some("Events that a consumer has finished with, and imports that ended and did not fail. Beyond a million it is an estimate."));
    /// What did not work yet, or at all.
    queue_failed => whole(0, i64::MAX).description(Some(
        "Notifications that wait for another attempt after one that failed, and imports that failed."
    ));
    /// What was given up.
    queue_dead => whole(0, i64::MAX).description(Some(
        "Messages that were given up, are not back in their queue and were not discarded: those that are listed, those that \
         will be put back in a moment, and those that the broker still holds, to be listed in a moment. Beyond some hundred \
         thousand the listed ones are not counted."
    ));
    /// What waits in a queue.
    queue_ready => whole(0, i64::MAX)
        .description(Some("Messages that wait for a consumer, or for their next attempt after one that failed."));
    /// Who reads a queue.
    queue_consumers => whole(0, i64::from(u32::MAX)).description(Some("Workers that are connected."));
    /// Events on their way to the broker.
    outbox_pending => whole(0, i64::MAX).description(Some("Events that were not published yet."));
    /// How long the oldest of them waits.
    outbox_oldest => whole(0, i64::MAX)
        .description(Some("How long the oldest of them has been waiting, in whole seconds; 0 when there is none."));
    /// What a dead letter says.
    letter_data => ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .description(Some("The message: its JSON document, or its text as a string."));
    /// How often it was tried.
    letter_attempts => whole(0, i64::from(u32::MAX)).description(Some("How often it was tried, all replays together."));
    /// Why it was given up.
    letter_error => string().description(Some("Why it was given up; before that, why it could not be put back."));
    /// When it was given up.
    letter_failed_at => string()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .pattern(Some(MOMENT))
        .description(Some("When it was given up."));
    /// How many will be put back.
    letters_queued => whole(0, i64::from(u32::MAX)).description(Some("So many are put back by this."));
    /// How many will not.
    letters_remaining => whole(0, i64::MAX).description(Some("So many are left, for another call. Beyond a hundred thousand they are not counted."));
    /// The place where a bare list goes on.
    linked_cursor => string().description(Some(
        "Where to go on: as `Link` of the answer before has it. Empty, or not given: from the beginning. Belongs to the \
         filters it was made with."
    ));
    /// Where the tickets of a report come from.
    report_source => names(&Source::ALL.map(Source::name))
        .description(Some("Tickets of the desk, or imported ones, alone. Both together unless said otherwise."));
    /// A client's type to look for.
    client_type_wanted => names(&ClientTier::ALL.map(ClientTier::name)).description(Some("Tickets of clients of this type alone."));
    /// A time zone.
    time_zone => string()
        .pattern(Some(r"^[A-Za-z][A-Za-z0-9_+\-]*(/[A-Za-z0-9_+\-]+){0,2}$"))
        .max_length(Some(40))
        .default(Some(json!("UTC")))
        .description(Some("A time zone of the IANA database, in any letter case: where months and weeks begin and end."))
        .examples(["Europe/Madrid"]);
    /// How many rows at the top.
    top_limit => whole(1, i64::from(Page::MAX_SIZE)).default(Some(json!(5))).description(Some("How many at most."));
    /// A client's type in a report.
    client_type_told => names(&ClientTier::ALL.map(ClientTier::name)).description(Some("The type of the clients."));
    /// Minutes on average.
    minutes_mean => minutes_of("The mean, in minutes, rounded half up to a whole one.");
    /// Minutes in the middle.
    minutes_p50 => minutes_of("Half of them took no longer, in minutes, rounded half up to a whole one.");
    /// Minutes of almost all.
    minutes_p90 => minutes_of("Nine of ten took no longer, in minutes, rounded half up to a whole one.");
    /// How many tickets were resolved.
    tickets_resolved => whole(1, i64::MAX).description(Some("How many were resolved."));
    /// How many tickets were escalated.
    tickets_escalated => whole(1, i64::MAX).description(Some("How many were escalated."));
    /// How many tickets there are.
    tickets_counted => whole(1, i64::MAX).description(Some("How many tickets."));
    /// The agent of a report.
    reported_agent => string()
        .description(Some("The id of an agent of the desk, or what an imported file calls somebody."));
    /// The name of the agent of a report.
    reported_agent_name => string().description(Some("The name, where the desk has such an agent."));
    /// A year.
    year => ObjectBuilder::new().schema_type(Type::Integer).description(Some("The year."));
    /// A month.
    month => whole(1, 12).description(Some("The month, from 1."));
    /// The year of a week.
    week_year => ObjectBuilder::new()
        .schema_type(Type::Integer)
        .description(Some("The year of the week, which around the turn of the year is not always that of the day."));
    /// A week.
    week => whole(1, 53).description(Some("The week of ISO 8601, from 1."));
    /// Deadlines that were kept.
    clocks_met => whole(0, i64::MAX).description(Some("Clocks that were stopped in time."));
    /// Deadlines that were not.
    clocks_breached => whole(0, i64::MAX).description(Some("Clocks that ran out, whether they were stopped later or not."));
    /// How many of a hundred deadlines were kept.
    compliance_percent => ObjectBuilder::new()
        .schema_type(Type::Number)
        .minimum(Some(0))
        .maximum(Some(100))
        .description(Some("`met` of `met` and `breached` together, rounded half up to a tenth."));
    /// What clocks counted, in the middle.
    counted_median => minutes_of("Half of the clocks that were stopped had counted no more, pauses left out; in minutes. Null without one.");
    /// What almost all clocks counted.
    counted_p90 => minutes_of("Nine of ten clocks that were stopped had counted no more, pauses left out; in minutes. Null without one.");
    /// The status of a ticket that waits to be resolved.
    status_unresolved => names(&unresolved());
    /// How old a ticket is.
    age_bucket => names(&AgeBucket::ALL.map(AgeBucket::name))
        .description(Some("How long ago they were created, in days of 24 hours; each limit is the beginning of the next: `UNDER_3_DAYS` is a day or more, and less than three."));
    /// What the original service grouped by: the client's type.
    old_key_client_type => names(&ClientTier::ALL.map(ClientTier::name)).deprecated(Some(Deprecated::True)).description(Some(OLD_KEY));
    /// What the original service grouped by: the agent.
    old_key_agent => string().deprecated(Some(Deprecated::True)).description(Some(OLD_KEY));
    /// What the original service called an import.
    old_key_import => id_of(OLD_KEY).deprecated(Some(Deprecated::True));
    /// What the original service grouped by: the month.
    old_key_month => old_key([("year", year()), ("month", month())]);
    /// What the original service grouped by: the week and the status.
    old_key_week => old_key([("week", week()), ("status", status())]);
    /// The version of CloudEvents.
    specversion => names(&["1.0"]);
}

const OLD_KEY: &str =
    "The key that the original service grouped by, for its clients. The other members say the same.";

fn old_key(parts: [(&str, Schema); 2]) -> ObjectBuilder {
    let with =
        |object: ObjectBuilder, (name, part): (&str, Schema)| object.property(name, part).required(name);
    let key = parts.into_iter().fold(ObjectBuilder::new().schema_type(Type::Object), with);
    key.deprecated(Some(Deprecated::True)).description(Some(OLD_KEY))
}

fn minutes_of(what: &str) -> ObjectBuilder {
    whole(0, i64::MAX).description(Some(what))
}

fn unresolved() -> Vec<&'static str> {
    Status::ALL.into_iter().filter(|status| !status.is_answered()).map(Status::name).collect()
}

fn audit_action_names() -> Vec<&'static str> {
    AuditAction::ALL.iter().map(|action| action.name()).collect()
}
