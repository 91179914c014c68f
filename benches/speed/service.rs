//! The service as a process of its own, over a database of the bench.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context as _;

use crate::load;

/// A running service.
pub(crate) struct Service {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) started_in: Duration,
}

impl Service {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(url: &str, log_key: &Path, port: u16, log: &str) -> anyhow::Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let began = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_mandate"))
            // The bench is one client that asks all the time.
            .args(["serve", "--listen", &address.to_string(), "--log", log, "--database-url", url, "--rate", "0"])
            .arg("--log-key")
            .arg(log_key)
            .stderr(Stdio::null())
            .spawn()?;
        let mut service = Self { child, address, started_in: Duration::ZERO };
        loop {
            if load::get(address, "/readyz", "").await.is_ok_and(|reply| reply.status == 200) {
                service.started_in = began.elapsed();
                return Ok(service);
            }
            anyhow::ensure!(service.child.try_wait()?.is_none(), "the service ended at its start");
            anyhow::ensure!(began.elapsed() < Duration::from_secs(30), "the service is not ready after 30 s");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Stops it and waits for it.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw).context("a pid")?;
        rustix::process::kill_process(pid, rustix::process::Signal::INT)?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
