//! The background task that gives committed changes their positions, extends the log over them, folds the sums of the budget, and reads the newest of them once for all listeners of the process.
//!
//! It runs in every replica; `sequence_changes` (migration 0009) sees to it that one at a time does the work. It has a connection of its own,
//! because it must go on when requests have taken all of the pool.

use std::time::Duration;

use mandate_tlog::note::SignerKey;
use sqlx::PgConnection;
use tokio::{task::JoinHandle, time::timeout};

use super::{
    Record, Stage,
    changes::{Filter, page},
    misfits,
    proof::log::{self, Step},
    tail::LENGTH,
};
use crate::repository::{self, Error, Pool};

/// What others write is looked for this often.
const INTERVAL: Duration = Duration::from_millis(250);
/// After a write of our own: writers of the same moment share a round.
const PAUSE: Duration = Duration::from_millis(10);
/// After a failure.
const RETRY: Duration = Duration::from_millis(500);
/// A round that takes longer has lost its way to PostgreSQL, which itself gives up earlier. The changes of one transaction, which may be a
/// very large import, are one round.
const ROUND_TIME: Duration = Duration::from_mins(5);
/// A stop waits for it no longer; what a round had done by then is undone, and done again at the next start.
const STOP_TIME: Duration = Duration::from_secs(10);
const STATEMENT_TIME: &str = "set statement_timeout to '280s'";
/// Positions given in one round; more, when one transaction wrote more.
const BATCH: i32 = 1000;
/// Changes read at once for the listeners.
const READ: i64 = 256;

/// The running task.
pub struct Sequencer {
    record: Record,
    task: JoinHandle<()>,
}

impl Sequencer {
    /// Starts it.
    pub fn start(pool: Pool, record: Record) -> Self {
        let task = tokio::spawn(run(pool, record.clone()));
        Self { record, task }
    }

    /// Ends it after the round under way; also when that does not end.
    pub async fn stop(self) {
        self.record.0.stage.send_replace(Stage::Ended);
        let abort = self.task.abort_handle();
        if timeout(STOP_TIME, self.task).await.is_err() {
            abort.abort();
        }
    }
}

/// What has been logged, and is not to be again in each round.
#[derive(Debug, Default)]
struct Said {
    /// That the log is not extended.
    fallen: bool,
    /// So many changes that do not fit.
    misfits: i64,
}

async fn run(pool: Pool, record: Record) {
    let mut stage = record.0.stage.subscribe();
    let mut connection = None;
    let mut failing = false;
    let mut said = Said::default();
    while *stage.borrow_and_update() != Stage::Ended {
        let outcome = timeout(ROUND_TIME, round(&pool, &mut connection, &record, &mut said)).await;
        let outcome = outcome.unwrap_or_else(|_| Err(Error::Pool("a round took too long".into())));
        let pause = match &outcome {
            Ok(given) if *given >= i64::from(BATCH) => Duration::ZERO,
            Ok(_) => INTERVAL,
            Err(error) => {
                connection = None;
                if !failing {
                    tracing::warn!(%error, "changes get no positions until the database is back");
                }
                RETRY
            }
        };
        if failing && outcome.is_ok() {
            tracing::info!("changes get positions again");
        }
        failing = outcome.is_err();
        let ended = async { drop(stage.wait_for(|stage| *stage == Stage::Ended).await) };
        tokio::select! {
            () = ended => {}
            () = tokio::time::sleep(pause) => {}
            () = record.0.written.notified(), if !failing => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Gives positions, and tells the listeners how far it is. Says how many it gave.
async fn round(
    pool: &Pool,
    connection: &mut Option<PgConnection>,
    record: &Record,
    said: &mut Said,
) -> Result<i64, Error> {
    let connection = if let Some(connection) = connection {
        connection
    } else {
        let fresh = connection.insert(repository::connect_alone(pool).await?);
        sqlx::raw_sql(STATEMENT_TIME).execute(&mut *fresh).await?;
        fresh
    };
    // Counted before this round gives positions; the next one sees what it did.
    let (given, head, count): (i64, i64, i64) =
        sqlx::query_as("select given, head, (select count(*) from as_of.misfits) from sequence_changes($1)")
            .bind(BATCH)
            .fetch_one(&mut *connection)
            .await?;
    tell(connection, record, head).await?;
    misfits::watch(connection, &mut said.misfits, count).await?;
    // Reports are right without it, and slower: it does not keep changes from their positions.
    if let Err(error) = repository::fold(connection).await {
        tracing::warn!(%error, "the sums of the budget are not folded");
    }
    if let Some(key) = record.log_key() {
        prove(connection, key, &mut said.fallen).await?;
    }
    Ok(given)
}

/// Extends the log by what has got a position. A log that cannot go on does not keep changes from their positions.
async fn prove(connection: &mut PgConnection, key: &SignerKey, fallen: &mut bool) -> Result<(), Error> {
    let step = loop {
        match log::extend(connection, key).await? {
            Step::More => {}
            step => break step,
        }
    };
    let why = match step {
        Step::OtherKey => {
            "another key signs it; all replicas need the same MANDATE_LOG_KEY, and `mandate audit key rotate` lets another sign"
        }
        Step::Damaged => "tiles or positions are missing; `mandate audit export` and `mandate audit verify` say more",
        Step::Done | Step::More => {
            *fallen = false;
            return Ok(());
        }
    };
    if !std::mem::replace(fallen, true) {
        tracing::error!(why, "the log is not extended");
    }
    Ok(())
}

async fn tell(connection: &mut PgConnection, record: &Record, head: i64) -> Result<(), Error> {
    let shared = &record.0;
    let mut told = *shared.head.borrow();
    let known_before = told;
    let long = i64::try_from(LENGTH).unwrap_or(i64::MAX);
    if shared.head.receiver_count() == 0 || head - told > long {
        // Nobody listens, or it is more than is kept.
        shared.tail.clear();
        told = head;
    }
    while told < head {
        let page = page(connection, &Filter::default(), told, head, READ).await?;
        told = page.upto;
        shared.tail.push(page.changes);
        shared.head.send_replace(told);
    }
    shared.head.send_if_modified(|known| std::mem::replace(known, head) != head);
    if known_before != head {
        shared.moved.notify_one();
    }
    Ok(())
}
