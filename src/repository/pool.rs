//! Connections. The pool is deadpool, because sqlx's own makes three round trips of each query.

use std::{
    ops::{Deref, DerefMut},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

use super::Error;
use crate::base::limits::Limits;

/// The pool of the service.
pub type Pool = managed::Pool<Manager>;

/// A connection lent by the pool. It goes back when dropped; but it is closed when its borrower was stopped in the middle of something. sqlx
/// forgets a BEGIN whose answer nobody waited for: the next borrower would write inside that transaction, and nobody would commit it.
pub struct Connection {
    lent: Option<managed::Object<Manager>>,
    fate: Option<Arc<Fate>>,
}

/// What became of a request, as its connections will know when they come back.
#[derive(Debug, Default)]
struct Fate {
    /// Its connections are closed.
    stopped: AtomicBool,
    /// One of them broke, so that others may be broken too.
    broke: AtomicBool,
}

tokio::task_local! {
    static FATE: Arc<Fate>;
}

/// Lends a connection. To wait for one, to find it silent, and to wait for a new one takes no longer together than each alone may.
pub async fn lend(pool: &Pool) -> Result<Connection, Error> {
    let time = pool.manager().lending_time;
    let lent = tokio::time::timeout(time, pool.get()).await;
    let lent = lent.map_err(|_| Error::Pool("none in time".into()))?.map_err(|error| Error::Pool(error.to_string()))?;
    Ok(Connection { lent: Some(lent), fate: FATE.try_with(Arc::clone).ok() })
}

/// The same work, whose connections are closed when it is dropped before its end: the time is over, or the client is gone.
pub fn stoppable<T>(work: impl Future<Output = T> + Send) -> impl Future<Output = T> + Send {
    let fate = Arc::<Fate>::default();
    Stoppable { work: Box::pin(FATE.scope(Arc::clone(&fate), work)), fate, ended: false }
}

/// The same, which also tells whether a connection broke under it.
pub async fn watched<T>(work: impl Future<Output = T> + Send) -> (T, bool) {
    let work = async {
        let outcome = work.await;
        let broke = FATE.try_with(|fate| fate.broke.load(Ordering::Relaxed));
        (outcome, broke.unwrap_or_default())
    };
    stoppable(work).await
}

/// Has the connections of this request closed when they come back, because one of them broke. Lent again at once, and so never asked for a
/// sign of life, a dead connection would fail every request of a busy service.
pub fn distrust() {
    let _ = FATE.try_with(|fate| fate.stopped.store(true, Ordering::Relaxed));
}

/// The same, because one of them broke. All that lie in the pool may have broken with it, as they do when the database restarts, and are asked
/// for a sign of life before they are lent again.
pub fn broke() {
    distrust();
    let _ = FATE.try_with(|fate| fate.broke.store(true, Ordering::Relaxed));
}

struct Stoppable<F> {
    work: Pin<Box<F>>,
    fate: Arc<Fate>,
    ended: bool,
}

impl<F: Future> Future for Stoppable<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let polled = self.work.as_mut().poll(context);
        self.ended = polled.is_ready();
        polled
    }
}

/// Runs before the work is dropped, and with it its connections.
impl<F> Drop for Stoppable<F> {
    fn drop(&mut self) {
        self.fate.stopped.store(!self.ended, Ordering::Relaxed);
    }
}

impl Deref for Connection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.lent.as_ref().expect("a connection is lent until it is dropped")
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.lent.as_mut().expect("a connection is lent until it is dropped")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(lent) = self.lent.take() else { return };
        let is =
            |flag: fn(&Fate) -> &AtomicBool| self.fate.as_ref().is_some_and(|fate| flag(fate).load(Ordering::Relaxed));
        if is(|fate| &fate.broke)
            && let Some(pool) = managed::Object::pool(&lent)
        {
            pool.manager().suspect();
        }
        let stopped = is(|fate| &fate.stopped);
        // A transaction that was dropped waits with its ROLLBACK, and holds its locks, for the next borrower, who may not come.
        if stopped || std::thread::panicking() || lent.should_flush() {
            drop(managed::Object::take(lent));
        }
    }
}

/// Makes connections, and looks at those that come back.
#[derive(Debug)]
pub struct Manager {
    options: PgConnectOptions,
    lending_time: Duration,
    sign_of_life: Duration,
    /// When a connection last gave no sign of life. Those that lay idle since before are not asked, each for so long again: with a pool full
    /// of them a request would end before it had met the last.
    silent: Mutex<Option<Instant>>,
    /// When a connection last broke. Those that were lent before are asked for a sign of life, however short they have been idle.
    broken: Mutex<Option<Instant>>,
}

impl Manager {
    fn suspect(&self) {
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// A connection that lay idle for longer is asked for a sign of life before it is lent.
const TRUSTED_FOR: Duration = Duration::from_millis(500);

impl managed::Manager for Manager {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect_with(&self.options).await
    }

    async fn recycle(&self, connection: &mut PgConnection, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        let since = metrics.recycled.unwrap_or(metrics.created);
        let silence = || self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        if silence().is_some_and(|silent| since < silent) {
            return Err(RecycleError::message("as silent as another"));
        }
        let broken = *self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        if since.elapsed() > TRUSTED_FOR || broken.is_some_and(|broken| since < broken) {
            let asked = Instant::now();
            tokio::time::timeout(self.sign_of_life, connection.ping()).await.map_err(|_| {
                *silence() = Some(asked);
                RecycleError::message("no sign of life")
            })??;
        }
        Ok(())
    }
}

/// Connections to which a day ends in this time zone, by its IANA name: what `today()` answers.
pub fn in_time_zone(options: PgConnectOptions, name: &str) -> PgConnectOptions {
    options.options([("mandate.timezone", name)])
}

/// Connections to which a fiscal year starts in this month, 1 to 12, and is named after the calendar year in which it ends (`end`) or starts
/// (`start`): what `fiscal_year()` goes by.
pub fn in_fiscal_year(options: PgConnectOptions, start: u32, name: &str) -> PgConnectOptions {
    options.options([("mandate.fiscal_year_start", start.to_string()), ("mandate.fiscal_year_name", name.to_owned())])
}

/// Opens a pool; no connection is made before the first is needed.
pub fn connect(options: PgConnectOptions, size: usize, limits: Limits) -> Result<Pool, Error> {
    let milliseconds = |time: Duration| format!("{}ms", time.as_millis());
    let options = options.application_name("mandate").options([
        ("statement_timeout", milliseconds(limits.statement_time)),
        ("lock_timeout", milliseconds(limits.lock_time)),
        ("idle_in_transaction_session_timeout", milliseconds(limits.transaction_idle)),
        ("timezone", "UTC".to_owned()),
        // Statements are many and short; compiling one takes longer than running it.
        ("jit", "off".to_owned()),
    ]);
    let manager = Manager {
        options,
        lending_time: limits.pool_wait,
        sign_of_life: limits.sign_of_life,
        silent: Mutex::default(),
        broken: Mutex::default(),
    };
    Pool::builder(manager)
        .max_size(size)
        .runtime(deadpool::Runtime::Tokio1)
        .create_timeout(Some(limits.connect_time))
        .build()
        .map_err(|error| Error::Pool(error.to_string()))
}

/// A connection of its own, beside the pool and with the same settings.
pub async fn connect_alone(pool: &Pool) -> Result<PgConnection, Error> {
    Ok(PgConnection::connect_with(&pool.manager().options).await?)
}
