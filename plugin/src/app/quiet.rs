//! ALSA's library writes what it does not find to the terminal. cpal and midir say what matters of it.

/// Keeps what ALSA's library says on this thread off the terminal, from now on. What it said until now is freed, so a
/// thread that goes on asking for devices calls this now and then.
pub fn hush() {
    // Without a buffer to say it to, it goes to the terminal: no harm is done.
    #[cfg(target_os = "linux")]
    let _ = alsa::Output::local_error_handler();
}
