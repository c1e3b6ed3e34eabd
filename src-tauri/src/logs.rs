//! Logs. `MAKEGOOD_LOG` chooses what is told (`info`, `makegood_app=debug`); warnings without it.
//! Ticket text, keys and signed addresses are never fields.

use tracing_subscriber::EnvFilter;

/// Sends logs to standard error. A second call changes nothing.
pub fn to_stderr() {
    let filter = EnvFilter::try_from_env("MAKEGOOD_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if subscriber.try_init().is_err() {
        tracing::debug!("logs are already set up");
    }
}
