//! stub
pub struct Settings {
    pub data_dir: std::path::PathBuf,
    pub binaries: Option<std::path::PathBuf>,
    pub hide_installed: bool,
    pub durable: bool,
}
pub struct Cluster;
pub async fn start(_: &Settings) -> anyhow::Result<Cluster> {
    anyhow::bail!("stub")
}
impl Cluster {
    pub fn options(&self, _: &str) -> sqlx::postgres::PgConnectOptions {
        sqlx::postgres::PgConnectOptions::new()
    }
    pub async fn stop(self) -> anyhow::Result<()> {
        Ok(())
    }
    pub fn version(&self) -> &str {
        ""
    }
    pub fn origin(&self) -> &str {
        ""
    }
}
