//! One add-checkpoint request (C2SP tlog-witness, "HTTP Interface").

use crate::failure::{self, Failure};
use sovang::Size;
use std::time::Duration;

/// A witness that takes longer is asked again another time.
const TIMEOUT: Duration = Duration::from_secs(30);
/// A few signature lines.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// What a witness answers.
pub(super) enum Answer {
    /// Its signature lines.
    Lines(Vec<u8>),
    /// It has cosigned another size last than the request says.
    Seen(Size),
}

/// Sends a request to a submission prefix.
pub(super) fn add_checkpoint(prefix: &str, request: &str) -> Result<Answer, Failure> {
    let url = format!("{}/add-checkpoint", prefix.trim_end_matches('/'));
    let network = |e: &dyn std::fmt::Display| Failure::new(failure::ENVIRONMENT, format!("cannot reach {url}: {e}"));
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        // A refusal is an answer, and is read; nobody but the witness that was named is asked.
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .into();
    let mut response = agent.post(&url).content_type("text/plain; charset=utf-8").send(request).map_err(|e| network(&e))?;
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec().map_err(|e| network(&e))?;
    match status {
        200 => Ok(Answer::Lines(body)),
        409 => seen(&body).map(Answer::Seen).ok_or_else(|| {
            Failure::new(failure::FOUND, "it says that it has seen another size, and then none").advise("it does not keep to C2SP's tlog-witness")
        }),
        404 => Err(Failure::input("it does not know this log (404)").advise("give its operator the log's vkey")),
        403 => Err(Failure::new(failure::FOUND, "it does not accept the log's signature (403)").advise("compare the vkey that it has of this log")),
        400 | 422 => Err(Failure::new(failure::FOUND, format!("it refuses the request ({status}): {}", excerpt(&body)))
            .advise("what it has cosigned last is no beginning of this log, or the request was changed on its way: a fork, if the ledger verifies")),
        _ => Err(Failure::new(failure::ENVIRONMENT, format!("it answers with the status {status}: {}", excerpt(&body)))),
    }
}

/// A decimal size and LF, exactly.
fn seen(body: &[u8]) -> Option<Size> {
    let digits = std::str::from_utf8(body).ok()?.strip_suffix('\n')?;
    let size: u64 = digits.parse().ok()?;
    (size.to_string() == digits).then_some(Size(size))
}

fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    crate::output::shortened(text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_decimal_and_a_line_feed() {
        assert_eq!(seen(b"0\n"), Some(Size(0)));
        assert_eq!(seen(b"20852014\n"), Some(Size(20_852_014)));
        for bad in [&b""[..], b"7", b"07\n", b"+7\n", b"7\n\n", b"7 \n", b"-1\n", b"99999999999999999999\n"] {
            assert_eq!(seen(bad), None, "{bad:?}");
        }
    }
}
