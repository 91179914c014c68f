//! The background task that sends deliveries. It runs in every replica; a delivery is taken with a lease, so each is sent by one of them.
//!
//! It has one connection of its own, on which it only takes and writes down; sending happens beside it, and never in a transaction.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use sqlx::PgConnection;
use tokio::{
    sync::watch,
    task::{Id, JoinHandle, JoinSet},
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

use super::{
    super::Record,
    attempt::{Outcome, attempt},
    egress::Egress,
    event,
    queue::{self, Due, Verdict},
    send::{Message, TIME},
};
use crate::repository::{self, Error, Pool};

/// So many deliveries are under way at once in this process.
const ROOM: usize = 64;
/// What is due by now is looked for this often; what was just written, at once.
const INTERVAL: Duration = Duration::from_secs(1);
/// After a failure of the database.
const RETRY: Duration = Duration::from_secs(1);
/// A round that takes longer has lost its way to PostgreSQL.
const ROUND_TIME: Duration = Duration::from_secs(30);
/// Old deliveries are swept, and those that wait counted, this often.
const UPKEEP: Duration = Duration::from_secs(30);

/// The running task.
pub struct Dispatcher {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Dispatcher {
    /// Starts it.
    pub fn start(pool: Pool, record: Record, egress: Egress) -> Self {
        let (stop, stopped) = watch::channel(false);
        let work = Work {
            pool,
            record,
            egress,
            connection: None,
            running: HashMap::new(),
            sending: JoinSet::new(),
            done: VecDeque::new(),
            upkeep: None,
        };
        Self { stop, task: tokio::spawn(work.run(stopped)) }
    }

    /// Takes nothing more, waits for what is under way, and writes it down.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let abort = self.task.abort_handle();
        if timeout(TIME + Duration::from_secs(5), self.task).await.is_err() {
            abort.abort();
        }
    }
}

/// A delivery that was tried.
struct Done {
    delivery: (Uuid, Uuid),
    webhook: Uuid,
    url: String,
    outcome: Outcome,
}

struct Work {
    pool: Pool,
    record: Record,
    egress: Egress,
    connection: Option<PgConnection>,
    /// The webhook of each task.
    running: HashMap<Id, Uuid>,
    sending: JoinSet<Done>,
    /// What is not written down yet.
    done: VecDeque<Done>,
    upkeep: Option<Instant>,
}

impl Work {
    async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let mut failing = false;
        loop {
            let stopping = *stopped.borrow_and_update();
            if stopping && self.sending.is_empty() && self.done.is_empty() {
                break;
            }
            let outcome = timeout(ROUND_TIME, self.round(stopping)).await;
            let outcome = outcome.unwrap_or_else(|_| Err(Error::Pool("a round took too long".into())));
            let pause = match &outcome {
                Ok(true) => Duration::ZERO,
                Ok(false) => INTERVAL,
                Err(error) => {
                    self.connection = None;
                    if !failing {
                        tracing::warn!(%error, "webhooks get nothing until the database is back");
                    }
                    RETRY
                }
            };
            failing = outcome.is_err();
            if stopping && self.sending.is_empty() && self.done.is_empty() {
                break;
            }
            let stop = async {
                if stopping || stopped.wait_for(|stopped| *stopped).await.is_err() {
                    // Nobody can ask for it any more.
                    std::future::pending::<()>().await;
                }
            };
            let (record, sending) = (self.record.clone(), &mut self.sending);
            let finished = tokio::select! {
                () = stop => None,
                () = sleep(pause) => None,
                () = record.0.moved.notified(), if !failing && !stopping => None,
                Some(finished) = sending.join_next_with_id(), if !failing => Some(finished),
            };
            let mut finished = finished;
            while let Some(next) = finished.take() {
                match next {
                    Ok((id, done)) => {
                        self.running.remove(&id);
                        self.done.push_back(done);
                    }
                    // Its lease ends, and it is sent again.
                    Err(error) => {
                        tracing::error!(%error, "a delivery broke off");
                        self.running.remove(&error.id());
                    }
                }
                finished = self.sending.try_join_next_with_id();
            }
        }
    }

    /// Writes down what was tried, and takes what is due. True when there may be more at once.
    async fn round(&mut self, stopping: bool) -> Result<bool, Error> {
        if self.connection.is_none() {
            let mut connection = repository::connect_alone(&self.pool).await?;
            queue::prepare(&mut connection).await?;
            self.connection = Some(connection);
        }
        let Some(connection) = &mut self.connection else { return Ok(false) };
        while let Some(done) = self.done.front() {
            settle(connection, done).await?;
            self.done.pop_front();
        }
        if stopping {
            return Ok(false);
        }
        if self.upkeep.is_none_or(|last| last.elapsed() > UPKEEP) {
            upkeep(connection).await?;
            self.upkeep = Some(Instant::now());
        }
        let more = queue::fan_out(connection).await?;
        let room = ROOM.saturating_sub(self.running.len());
        if room == 0 {
            return Ok(false);
        }
        let mut busy: HashMap<Uuid, i64> = HashMap::new();
        for webhook in self.running.values() {
            *busy.entry(*webhook).or_default() += 1;
        }
        let busy: Vec<(Uuid, i64)> = busy.into_iter().collect();
        let room = i64::try_from(room).unwrap_or(i64::MAX);
        for due in queue::claim(connection, room, &busy).await? {
            let webhook = due.webhook_id;
            let task = self.sending.spawn(deliver(due, self.egress.clone()));
            self.running.insert(task.id(), webhook);
        }
        Ok(more)
    }
}

async fn deliver(due: Due, egress: Egress) -> Done {
    let message = Message {
        id: event::message_id(due.change.id, due.webhook_id),
        timestamp: due.now.timestamp(),
        secrets: due.secrets,
        body: event::body(&due.change),
        url: due.url.clone(),
    };
    let outcome = attempt(message, &egress, due.now, due.failures).await;
    Done { delivery: (due.delivery_id, due.lease), webhook: due.webhook_id, url: due.url, outcome }
}

async fn settle(connection: &mut PgConnection, done: &Done) -> Result<(), Error> {
    let Outcome { attempt, verdict, gone } = &done.outcome;
    // First, so that nothing more is taken for a receiver that is gone.
    if *gone {
        queue::deactivate(connection, done.webhook, &done.url).await?;
    }
    queue::settle(connection, done.delivery, attempt, *verdict).await?;
    let outcome = match verdict {
        Verdict::Delivered => "delivered",
        Verdict::Again(_) => "failed",
        Verdict::Dead => "dead",
    };
    metrics::counter!("webhook_attempts_total", "outcome" => outcome).increment(1);
    metrics::histogram!("webhook_attempt_duration_seconds")
        .record(Duration::from_millis(attempt.duration_ms).as_secs_f64());
    Ok(())
}

async fn upkeep(connection: &mut PgConnection) -> Result<(), Error> {
    while queue::sweep(connection).await? >= 500 {}
    let (waiting, dead) = queue::counts(connection).await?;
    let gauge = |count: i64| u32::try_from(count).map_or(f64::from(u32::MAX), f64::from);
    metrics::gauge!("webhook_deliveries", "status" => "waiting").set(gauge(waiting));
    metrics::gauge!("webhook_deliveries", "status" => "dead").set(gauge(dead));
    Ok(())
}
