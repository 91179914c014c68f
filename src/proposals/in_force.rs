//! The acts in force: those for which a service was told to ask a second principal. Every service and every command goes by them.

use sqlx::PgConnection;

use super::{Act, store};
use crate::repository::{Author, Error};

/// Several acts in words, or that there are none.
pub fn told(acts: &[Act]) -> String {
    if acts.is_empty() { "none".into() } else { Act::words(&sorted(acts)) }
}

/// In one order, and each once.
fn sorted(acts: &[Act]) -> Vec<Act> {
    let mut acts = acts.to_vec();
    acts.sort_unstable();
    acts.dedup();
    acts
}

/// Writes the acts of a service that starts, and warns where they were others. The last start decides for all.
pub async fn put_in_force(connection: &mut PgConnection, acts: &[Act]) -> Result<(), Error> {
    let acts = sorted(acts);
    let before = store::put_in_force(connection, &Author::service(), &acts).await?;
    if before != acts {
        let (before, now) = (told(&before), told(&acts));
        tracing::warn!(before, now, "other acts than before need a second principal (MANDATE_FOUR_EYES)");
    }
    Ok(())
}
