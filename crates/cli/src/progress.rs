//! Progress of long work: on stderr, and only on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// A bar over so many bytes.
pub(crate) fn bytes(doing: &str, total: u64) -> ProgressBar {
    styled(
        ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr()),
        doing,
        "{msg} {bar:30} {bytes}/{total_bytes} {eta}",
    )
}

/// A counter without a known end.
pub(crate) fn count(doing: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.enable_steady_tick(Duration::from_millis(200));
    styled(bar, doing, "{spinner} {msg} {human_pos}")
}

fn styled(bar: ProgressBar, doing: &str, template: &str) -> ProgressBar {
    bar.set_message(doing.to_owned());
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
