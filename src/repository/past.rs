//! Reading at a moment: the present, or any past one. The schema `as_of` (migration 0010) has the nouns as they were; here a reading is led
//! into it, and all other statements stay as they are.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Postgres, Transaction};

use super::{Clearance, Error};

/// What a reading is about: the present (`None`), or what was recorded at an instant.
pub type Moment = Option<DateTime<Utc>>;

/// A moment as a client may say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// This instant.
    Instant(DateTime<Utc>),
    /// The end of this day, in the time zone of the service.
    Day(NaiveDate),
}

/// What is asked of the record about a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// The instant; what was recorded until then does not change any more.
    Complete(DateTime<Utc>),
    /// It is still to come.
    Future(DateTime<Utc>),
    /// Not everything that was committed by then has its place in the record.
    Unsettled,
}

/// The clock of the database.
pub async fn now(connection: &mut PgConnection) -> Result<DateTime<Utc>, Error> {
    Ok(sqlx::query_scalar("select clock_timestamp()").fetch_one(connection).await?)
}

/// Finds the instant. A moment just gone may not be complete yet; then this sees to it.
pub async fn settle(connection: &mut PgConnection, asked: AsOf) -> Result<Past, Error> {
    const TURNS: u32 = 200;
    let (instant, day) = match asked {
        AsOf::Instant(instant) => (Some(instant), None),
        AsOf::Day(day) => (None, Some(day)),
    };
    for turn in 0..TURNS {
        let (at, is_future, is_complete): (DateTime<Utc>, bool, bool) = sqlx::query_as(
            "select at, at > clock_timestamp(), at <= complete_until from record_head, (select coalesce($1,
                 (cast($2 as date) + 1)::timestamp at time zone coalesce(nullif(current_setting('mandate.timezone', true), ''), 'UTC')
                 - interval '1 microsecond') as at) asked",
        )
        .bind(instant)
        .bind(day)
        .fetch_one(&mut *connection)
        .await?;
        if is_future {
            return Ok(Past::Future(at));
        }
        if is_complete {
            return Ok(Past::Complete(at));
        }
        if turn > 0 {
            // Another is at it.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        sqlx::query("select from sequence_changes(1000, '0')").execute(&mut *connection).await?;
    }
    Ok(Past::Unsettled)
}

const SNAPSHOT: &str = "begin isolation level repeatable read read only";

/// A connection that reads at a moment. In the past it only reads. End it; one that is dropped keeps its snapshot until the connection is
/// used again.
pub enum Reading<'c> {
    /// The present: each statement sees what is committed.
    Now(&'c mut PgConnection),
    /// One snapshot for all statements.
    Snapshot(Transaction<'c, Postgres>),
}

impl<'c> Reading<'c> {
    /// Begins to read, with sight of everything.
    pub async fn begin(connection: &'c mut PgConnection, moment: Moment) -> Result<Self, Error> {
        Self::seen(connection, moment, Clearance::All).await
    }

    /// Begins to read what the clearance includes.
    pub async fn seen(connection: &'c mut PgConnection, moment: Moment, clearance: Clearance) -> Result<Self, Error> {
        match (moment, clearance) {
            (None, Clearance::All) => Ok(Self::Now(connection)),
            _ => Self::snapshot(connection, moment, clearance).await,
        }
    }

    /// Begins to read, also in the present from one snapshot: what others write meanwhile is not seen.
    pub async fn snapshot(
        connection: &'c mut PgConnection,
        moment: Moment,
        clearance: Clearance,
    ) -> Result<Self, Error> {
        let to_then = moment.map_or_else(String::new, |instant| {
            let instant = instant.to_rfc3339_opts(SecondsFormat::Micros, true);
            format!("; set local search_path to as_of, public; set local mandate.as_of to '{instant}'")
        });
        let to_cleared = clearance.words().map_or_else(String::new, |words| {
            let path = if moment.is_some() { "cleared_past, as_of, public" } else { "cleared, public" };
            format!("; set local search_path to {path}; set local mandate.clearance to '{words}'")
        });
        // The text of an instant has digits and marks of its format only.
        Ok(Self::Snapshot(connection.begin_with(AssertSqlSafe(format!("{SNAPSHOT}{to_then}{to_cleared}"))).await?))
    }

    /// Ends it.
    pub async fn end(self) -> Result<(), Error> {
        match self {
            Self::Now(_) => Ok(()),
            Self::Snapshot(transaction) => Ok(transaction.rollback().await?),
        }
    }
}

/// One snapshot for what follows; inside one already, nothing more than that.
pub async fn snapshot(connection: &mut PgConnection) -> Result<Transaction<'_, Postgres>, Error> {
    Ok(if connection.is_in_transaction() { connection.begin().await? } else { connection.begin_with(SNAPSHOT).await? })
}

impl Deref for Reading<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match self {
            Self::Now(connection) => connection,
            Self::Snapshot(transaction) => transaction,
        }
    }
}

impl DerefMut for Reading<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Now(connection) => connection,
            Self::Snapshot(transaction) => transaction,
        }
    }
}
