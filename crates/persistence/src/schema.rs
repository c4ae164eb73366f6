//! The tables as diesel sees them: the columns that are used through it. A test compares them with the migrated database.

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

/// Types that diesel does not know.
mod types {
    /// What full-text search looks into. Never loaded.
    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "tsvector"))]
    pub struct Tsvector;
}

table! {
    users (id) {
        id -> Uuid,
        email -> Text,
        email_folded -> Text,
        role -> Text,
        active -> Bool,
        password_hash -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

table! {
    sessions (id) {
        id -> Uuid,
        user_id -> Uuid,
        created_at -> Timestamptz,
        last_used_at -> Timestamptz,
        ip -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        revoked_at -> Nullable<Timestamptz>,
        revoked_reason -> Nullable<Text>,
    }
}

table! {
    refresh_tokens (id) {
        id -> Uuid,
        session_id -> Uuid,
        lookup -> Text,
        secret_hash -> Text,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        spent_at -> Nullable<Timestamptz>,
    }
}

table! {
    audit_log (id) {
        id -> Uuid,
        at -> Timestamptz,
        actor_kind -> Text,
        actor_id -> Nullable<Uuid>,
        action -> Text,
        target_kind -> Nullable<Text>,
        target_id -> Nullable<Text>,
        ip -> Nullable<Text>,
        outcome -> Text,
        detail -> Jsonb,
    }
}

table! {
    clients (id) {
        id -> Uuid,
        name -> Text,
        email -> Text,
        email_folded -> Text,
        tier -> Text,
        company -> Text,
        created_at -> Timestamptz,
    }
}

table! {
    agents (id) {
        id -> Uuid,
        name -> Text,
        email -> Text,
        email_folded -> Text,
        level -> SmallInt,
        active -> Bool,
        user_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

table! {
    sla_policies (id) {
        id -> Uuid,
        name -> Text,
        client_tier -> Text,
        priority -> Nullable<SmallInt>,
        created_at -> Timestamptz,
    }
}

table! {
    sla_policy_versions (id) {
        id -> Uuid,
        policy_id -> Uuid,
        version -> Integer,
        calendar -> Text,
        created_at -> Timestamptz,
    }
}

table! {
    sla_policy_targets (policy_version_id, metric) {
        policy_version_id -> Uuid,
        metric -> Text,
        target_minutes -> Integer,
    }
}

table! {
    sla_policy_steps (policy_version_id, metric, step) {
        policy_version_id -> Uuid,
        metric -> Text,
        step -> SmallInt,
        offset_minutes -> Nullable<Integer>,
        percent -> Nullable<SmallInt>,
        action -> Text,
    }
}

table! {
    use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text, Timestamptz, Uuid};
    use super::types::Tsvector;

    tickets (id) {
        id -> Uuid,
        number -> BigInt,
        version -> BigInt,
        title -> Text,
        description -> Text,
        status -> Text,
        priority -> SmallInt,
        client_id -> Uuid,
        agent_id -> Nullable<Uuid>,
        escalation_level -> SmallInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        resolved_at -> Nullable<Timestamptz>,
        deleted_at -> Nullable<Timestamptz>,
        tags -> Array<Text>,
        due_at -> Nullable<Timestamptz>,
        phase -> SmallInt,
        words -> Tsvector,
    }
}

table! {
    sla_clocks (ticket_id, metric) {
        ticket_id -> Uuid,
        metric -> Text,
        policy_version_id -> Uuid,
        cycle -> SmallInt,
        started_at -> Timestamptz,
        running_since -> Nullable<Timestamptz>,
        paused_at -> Nullable<Timestamptz>,
        stopped_at -> Nullable<Timestamptz>,
        consumed_us -> BigInt,
        due_at -> Timestamptz,
        steps_run -> Array<SmallInt>,
        warned_at -> Nullable<Timestamptz>,
        breached_at -> Nullable<Timestamptz>,
        next_step_at -> Nullable<Timestamptz>,
        set_aside_until -> Nullable<Timestamptz>,
        set_aside_count -> Integer,
        set_aside_reason -> Nullable<Text>,
        state -> Text,
        wake_at -> Nullable<Timestamptz>,
    }
}

table! {
    sla_steps (ticket_id, metric, cycle, step) {
        ticket_id -> Uuid,
        metric -> Text,
        cycle -> SmallInt,
        step -> SmallInt,
        due_at -> Timestamptz,
        ran_at -> Timestamptz,
        event_id -> Uuid,
    }
}

table! {
    ticket_timeline (ticket_id, at, id) {
        ticket_id -> Uuid,
        at -> Timestamptz,
        id -> Uuid,
        actor_id -> Nullable<Uuid>,
        action -> Text,
        before -> Jsonb,
        after -> Jsonb,
        event_id -> Uuid,
    }
}

table! {
    outbox (id) {
        id -> Uuid,
        #[sql_name = "type"]
        event_type -> Text,
        ticket_id -> Uuid,
        subject -> Nullable<Text>,
        at -> Timestamptz,
        traceparent -> Text,
        body -> Json,
        created_at -> Timestamptz,
        published_at -> Nullable<Timestamptz>,
        attempts -> Integer,
        last_error -> Nullable<Text>,
        retry_at -> Timestamptz,
    }
}

table! {
    deliveries (event_id, channel) {
        event_id -> Uuid,
        channel -> Text,
        state -> Text,
        attempts -> Integer,
        lease_until -> Nullable<Timestamptz>,
        next_attempt_at -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        created_at -> Timestamptz,
        settled_at -> Nullable<Timestamptz>,
        forgiven -> Integer,
    }
}

table! {
    dead_letters (id) {
        id -> Uuid,
        queue -> Text,
        message_key -> Text,
        replay -> Integer,
        digest -> Bytea,
        event_id -> Nullable<Uuid>,
        kind -> Nullable<Text>,
        content_type -> Nullable<Text>,
        traceparent -> Nullable<Text>,
        body -> Nullable<Bytea>,
        attempts -> Integer,
        error -> Text,
        failed_at -> Timestamptz,
        collected_at -> Timestamptz,
        state -> Text,
        retry_at -> Timestamptz,
        replay_error -> Nullable<Text>,
        settled_at -> Nullable<Timestamptz>,
        settled_by -> Nullable<Uuid>,
    }
}

table! {
    ticket_tally (id) {
        id -> BigInt,
        live -> BigInt,
    }
}

table! {
    inbox (consumer, event_id) {
        consumer -> Text,
        event_id -> Uuid,
        processed_at -> Timestamptz,
    }
}

table! {
    ticket_comments (id) {
        id -> Uuid,
        ticket_id -> Uuid,
        author_id -> Uuid,
        visibility -> Text,
        body -> Text,
        created_at -> Timestamptz,
    }
}

table! {
    idempotency_keys (id) {
        id -> Bytea,
        fingerprint -> Bytea,
        status -> SmallInt,
        headers -> Jsonb,
        body -> Bytea,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

table! {
    import_files (id) {
        id -> Uuid,
        created_at -> Timestamptz,
    }
}

table! {
    import_file_parts (file_id, number) {
        file_id -> Uuid,
        number -> Integer,
        data -> Bytea,
    }
}

table! {
    import_processes (id) {
        id -> Uuid,
        number -> BigInt,
        file_id -> Nullable<Uuid>,
        file_name -> Text,
        file_kind -> Text,
        uploaded_by -> Nullable<Uuid>,
        status -> Text,
        total -> Nullable<Integer>,
        processed -> Integer,
        failed -> Integer,
        error -> Nullable<Text>,
        reached_row -> Integer,
        fence -> Integer,
        lease_until -> Nullable<Timestamptz>,
        idle_claims -> Integer,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
    }
}

table! {
    import_errors (process_id, place) {
        process_id -> Uuid,
        place -> BigInt,
        sheet_row -> Integer,
        column_name -> Nullable<Text>,
        value -> Text,
        detail -> Text,
    }
}

table! {
    imported_tickets (ticket_id) {
        ticket_id -> Text,
        client_id -> Text,
        client_type -> Text,
        status -> Text,
        escalation_level -> SmallInt,
        agent_id -> Nullable<Text>,
        created_at -> Timestamptz,
        resolved_at -> Nullable<Timestamptz>,
        import_number -> BigInt,
        sheet_row -> Integer,
    }
}

joinable!(tickets -> clients (client_id));
joinable!(sla_clocks -> tickets (ticket_id));
joinable!(ticket_timeline -> users (actor_id));
joinable!(ticket_comments -> users (author_id));
joinable!(sessions -> users (user_id));
joinable!(refresh_tokens -> sessions (session_id));
joinable!(sla_policy_versions -> sla_policies (policy_id));

allow_tables_to_appear_in_same_query!(
    users,
    sessions,
    refresh_tokens,
    audit_log,
    clients,
    agents,
    sla_policies,
    sla_policy_versions,
    sla_policy_targets,
    sla_policy_steps,
    tickets,
    sla_clocks,
    sla_steps,
    ticket_timeline,
    ticket_comments,
    outbox,
    deliveries,
    dead_letters,
    inbox,
    idempotency_keys,
    import_files,
    import_file_parts,
    import_processes,
    import_errors,
    imported_tickets,
);
