//! Progress bars, all of one look. Where there is no terminal to draw them on, a line says what has begun.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts to `length`, where 0 means that nobody knows yet; `what` stands before it.
pub(crate) fn bar(what: &'static str, length: u32) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:18} [{bar:32}] {pos}/{len} ({elapsed})");
    // Of 0 all would be done.
    let bar = if length == 0 { ProgressBar::no_length() } else { ProgressBar::new(length.into()) };
    let bar = bar.with_message(what);
    if let Ok(style) = style {
        bar.set_style(style.progress_chars("=> "));
    }
    if bar.is_hidden() {
        eprintln!("xtask: {what} …");
    }
    // Keeps the time going while nothing is counted.
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}
