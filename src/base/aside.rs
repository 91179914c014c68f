//! Work that would hold the event loop.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Does work beside the event loop when it is heavy, so that other requests are answered meanwhile; where there is one thread only, on it.
pub fn aside<T>(is_heavy: bool, work: impl FnOnce() -> T) -> T {
    let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    if is_heavy && matches!(flavor, Ok(RuntimeFlavor::MultiThread)) {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}
