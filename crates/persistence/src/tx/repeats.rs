//! Kept answers.

use std::time::Duration;

use diesel::{prelude::*, sql_types};
use serde_json::Value;
use techsupport_application::{
    AppError,
    ports::{Earlier, Fingerprint, KeptAnswer, RepeatKey, RepeatTx},
};

use super::{PgTx, clock_timestamp};
use crate::schema::idempotency_keys;

type Row = (Vec<u8>, i16, Value, Vec<u8>);

impl RepeatTx for PgTx<'_> {
    fn claim_repeat(&mut self, key: &RepeatKey) -> Result<Earlier, AppError> {
        let (is_ours, row): (bool, Option<Row>) = self.exec(|conn| {
            let is_ours = diesel::select(pg_try_advisory_xact_lock(lock_of(key))).get_result(conn)?;
            // In a statement of its own: it has to see what whoever held the lock before has committed. And also
            // when the lock is not ours: several who only ask for the answer need not wait for each other.
            let row = idempotency_keys::table
                .find(key.0.as_slice())
                .filter(idempotency_keys::expires_at.gt(clock_timestamp()))
                .select((
                    idempotency_keys::fingerprint,
                    idempotency_keys::status,
                    idempotency_keys::headers,
                    idempotency_keys::body,
                ))
                .first(conn)
                .optional()?;
            Ok((is_ours, row))
        })?;
        match row {
            Some(row) => answered(row).map_err(AppError::internal),
            None if is_ours => Ok(Earlier::Nothing),
            None => Ok(Earlier::InFlight),
        }
    }

    fn keep_answer(
        &mut self,
        key: &RepeatKey,
        fingerprint: &Fingerprint,
        answer: &KeptAnswer,
        keep_for: Duration,
    ) -> Result<(), AppError> {
        let headers = serde_json::to_value(&answer.headers).map_err(AppError::internal)?;
        let seconds = i32::try_from(keep_for.as_secs()).unwrap_or(i32::MAX);
        // One whose time is over may not have been forgotten yet.
        let written = self.exec(|conn| {
            diesel::sql_query(
                "INSERT INTO idempotency_keys AS k (id, fingerprint, status, headers, body, expires_at) \
                 VALUES ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6)) \
                 ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status, \
                     headers = excluded.headers, body = excluded.body, created_at = excluded.created_at, \
                     expires_at = excluded.expires_at \
                 WHERE k.expires_at <= clock_timestamp()",
            )
            .bind::<sql_types::Bytea, _>(key.0.as_slice())
            .bind::<sql_types::Bytea, _>(fingerprint.0.as_slice())
            .bind::<sql_types::SmallInt, _>(answer.status.cast_signed())
            .bind::<sql_types::Jsonb, _>(headers)
            .bind::<sql_types::Bytea, _>(answer.body.as_slice())
            .bind::<sql_types::Integer, _>(seconds)
            .execute(conn)
        })?;
        if written == 1 {
            Ok(())
        } else {
            Err(AppError::internal("an answer was kept under a key that we hold"))
        }
    }

    fn forget_answers(&mut self, limit: u32) -> Result<u32, AppError> {
        let forgotten = self.exec(|conn| {
            diesel::sql_query(format!(
                "DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys \
                 WHERE expires_at <= now() ORDER BY expires_at LIMIT {limit} FOR UPDATE SKIP LOCKED)"
            ))
            .execute(conn)
        })?;
        Ok(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }
}

diesel::define_sql_function! {
    /// Takes a lock until the end of the transaction if nobody has it.
    fn pg_try_advisory_xact_lock(key: diesel::sql_types::BigInt) -> Bool;
}

/// The first bytes of the digest. That two keys share them is as good as impossible, and would only have one of two
/// requests told to come again.
fn lock_of(key: &RepeatKey) -> i64 {
    key.0.first_chunk().map_or(0, |first| i64::from_be_bytes(*first))
}

fn answered((fingerprint, status, headers, body): Row) -> Result<Earlier, String> {
    let fingerprint = fingerprint.try_into().map_err(|_| "a fingerprint of another length".to_owned())?;
    let status = u16::try_from(status).map_err(|error| error.to_string())?;
    let headers = serde_json::from_value(headers).map_err(|error| error.to_string())?;
    Ok(Earlier::Answered(Fingerprint(fingerprint), KeptAnswer { status, headers, body }))
}
