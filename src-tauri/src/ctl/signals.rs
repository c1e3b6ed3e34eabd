//! Being told to end.

/// Waits for an interrupt or a request to end.
///
/// # Errors
/// When such a request cannot be heard.
pub(super) async fn asked_to_end() -> std::io::Result<()> {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let mut ended = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            heard = interrupted => heard,
            _ = ended.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    interrupted.await
}
