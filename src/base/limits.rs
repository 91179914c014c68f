//! How long, and how much: what a client may ask of the server's patience.

use std::time::Duration;

/// The reason of a change may have so many characters.
pub const REASON: usize = 1000;

/// The limits of every connection and request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A request's head must arrive within this.
    pub head_time: Duration,
    /// A head may have so many bytes.
    pub head_bytes: usize,
    /// A request must arrive in full and be answered within this, counted from the end of its head.
    pub time: Duration,
    /// The import of a whole plan may take so long.
    pub import_time: Duration,
    /// A client may go so long without taking anything of an answer.
    pub write_time: Duration,
    /// Requests under way may take so long after the signal to stop.
    pub grace: Duration,
    /// A request may wait so long for a connection to the database, be it for a free one or for a new one.
    pub pool_wait: Duration,
    /// A new connection to the database must be there within this, or the attempt is given up.
    pub connect_time: Duration,
    /// A connection that lay idle must give a sign of life within this, or it is closed.
    pub sign_of_life: Duration,
    /// PostgreSQL ends a statement that takes longer.
    pub statement_time: Duration,
    /// PostgreSQL ends a statement that waits longer for a lock.
    pub lock_time: Duration,
    /// PostgreSQL ends a transaction whose next statement does not come within this: its client is out of reach.
    pub transaction_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_time: Duration::from_secs(10),
            head_bytes: 64 * 1024,
            time: Duration::from_secs(30),
            import_time: Duration::from_mins(10),
            write_time: Duration::from_secs(30),
            grace: Duration::from_secs(30),
            pool_wait: Duration::from_secs(10),
            connect_time: Duration::from_secs(10),
            sign_of_life: Duration::from_secs(2),
            // Less than `time`, so that PostgreSQL gives up before its client has gone.
            statement_time: Duration::from_secs(25),
            lock_time: Duration::from_secs(10),
            transaction_idle: Duration::from_mins(1),
        }
    }
}
