//! What is said to PostgreSQL, once for every noun. Nothing here knows HTTP.
//!
//! Reads take one statement. A write and its row in the record are one statement too, so nothing can be written unrecorded.

mod alike;
mod clearance;
mod columns;
mod error;
mod fold;
mod guard;
mod idempotency;
mod list;
pub(crate) mod macros;
mod past;
mod pool;
mod read;
mod receipt;
mod references;
mod resource;
mod spelling;
mod transaction;
mod under;
mod write;

pub use alike::alike;
pub use clearance::{
    Clearance, Reach, Withheld, moved_parent, opens, reach, see_all, see_only, sees_copy, unseen, withheld, withheld_of,
};
pub use error::{Error, is_broken};
pub use fold::fold;
pub use guard::{Change, guarded, leaves_plan, weighs};
pub use idempotency::{Claim, Kept, claim, keep, sweep};
pub use list::{Common, Listed, Select, Sort, Window, count, list};
pub use past::{AsOf, Moment, Past, Reading, now, settle, snapshot};
pub use pool::{
    Connection, Manager, Pool, broke, connect, connect_alone, distrust, in_fiscal_year, in_time_zone, lend, stoppable,
    watched,
};
pub use read::{Entry, Key, Lookup, blockers, deleted, find, find_many, history, ping};
pub use receipt::Receipt;
pub use references::{CODED, named_by, names_a_row, resolve};
pub use resource::{Fault, Faults, Reference, Resource, Row, Stored};
pub use spelling::Spelling;
pub use transaction::{Attempts, Isolation, begin, commit, give_up, plan_anew};
pub use under::{Tree, under};
pub use write::{Author, delete, insert, judge, update, write};
