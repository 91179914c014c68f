//! A mandate killed outright leaves its PostgreSQL running. The next start stops it, so that there is never a second
//! one on the data. Call this only while holding the lock of the data directory.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::time::{Instant, sleep};

use crate::error::StartError;
use crate::server::{FAST_STOP, IMMEDIATE_STOP};

/// Stops the PostgreSQL that an earlier mandate left on `cluster`, if there is one.
pub(crate) async fn take_over(cluster: &Path) -> Result<(), StartError> {
    let file = cluster.join("postmaster.pid");
    let Some(pid) = fs::read_to_string(&file)
        .ok()
        .and_then(|text| text.lines().next()?.trim().parse().ok())
        .and_then(Pid::from_raw)
    else {
        return Ok(());
    };
    if runs_on(pid, cluster) {
        tracing::warn!(pid = pid.as_raw_nonzero().get(), "stopping the PostgreSQL an earlier run left");
        for (signal, patience) in [(Signal::INT, FAST_STOP), (Signal::QUIT, IMMEDIATE_STOP)] {
            let _ = kill_process(pid, signal);
            if gone(pid, cluster, patience).await {
                break;
            }
        }
        if runs_on(pid, cluster) {
            return Err(StartError::LeftOver { pid: pid.as_raw_nonzero().get(), directory: cluster.to_owned() });
        }
    }
    // PostgreSQL takes any living process with this pid for itself and declines to start. After a container restarts,
    // pids repeat; the lock held here and the look at the process say that it is another program.
    let alive = !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH));
    if alive && file.exists() {
        tracing::warn!("removing the pid file of a PostgreSQL that is gone");
        fs::remove_file(&file).map_err(|error| StartError::storage(&file, error))?;
    }
    Ok(())
}

async fn gone(pid: Pid, cluster: &Path, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    while runs_on(pid, cluster) {
        if Instant::now() > deadline {
            return false;
        }
        sleep(Duration::from_millis(30)).await;
    }
    true
}

/// Whether process `pid` is a PostgreSQL on `cluster`. A dead one nobody has reaped has no arguments any more.
fn runs_on(pid: Pid, cluster: &Path) -> bool {
    let id = pid.as_raw_nonzero().get();
    let wanted = cluster.as_os_str().as_bytes();
    if Path::new("/proc/self/cmdline").exists() {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let arguments: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        let program = arguments.first().copied().unwrap_or_default();
        return program.ends_with(b"postgres")
            && arguments.windows(2).any(|pair| pair[0] == b"-D" && pair[1] == wanted);
    }
    let listed = Command::new("ps").args(["-o", "command=", "-p", &id.to_string()]).output();
    listed.is_ok_and(|output| {
        let holds = |part: &[u8]| output.stdout.windows(part.len()).any(|window| window == part);
        holds(b"postgres -D ") && holds(wanted)
    })
}
