//! Reading one's own log, in tests.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use super::{LogSettings, TelemetryError, init_with};

/// What was logged since the process began.
#[derive(Debug, Clone, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// Every line so far.
    pub fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps the log of this process in memory instead of writing it. Every caller gets the same lines. When
/// [`super::init`] came first, nothing is captured.
pub fn capture(service: &str, settings: &LogSettings) -> Result<Captured, TelemetryError> {
    static LINES: OnceLock<Captured> = OnceLock::new();
    let lines = LINES.get_or_init(Captured::default).clone();
    init_with(service, settings, lines.clone())?;
    Ok(lines)
}
