//! A disclosed personal value, held against the receipt of its record.

use super::{Check, Kind, Outcome};
use sovang::Disclosure;

impl Check<'_> {
    pub(super) fn disclosure(&self, bytes: &[u8]) -> Outcome {
        let disclosure = match Disclosure::parse(bytes) {
            Ok(disclosure) => disclosure,
            Err(error) => return Outcome::refused(Kind::Disclosure, format!("not a disclosure: {error}")),
        };
        let of_record = |proven: &&sovang::Proven| {
            proven.position == disclosure.position && proven.checkpoint.origin == disclosure.origin && proven.frame.is_some()
        };
        let Some(proven) = self.receipts.iter().find(of_record) else {
            let what =
                format!("a value of the record {} of {}, which no receipt here proves", disclosure.position, disclosure.origin);
            return Outcome::not_checked(Kind::Disclosure, what, "name the record's receipt before it");
        };
        let Some(frame) = &proven.frame else { return Outcome::refused(Kind::Disclosure, "the receipt holds no record") };
        let held = match disclosure.verify(proven.position, frame) {
            Ok(()) => {
                let value = disclosure.text().unwrap_or_else(|| format!("{} encoded bytes", disclosure.value.len()));
                Outcome::holds(
                    Kind::Disclosure,
                    format!("the record commits to this value of its field {}: {value}", disclosure.field),
                )
                .note(format!(
                    "not proven: given to {} for {}, logged at {}",
                    disclosure.reader, disclosure.purpose, disclosure.logged_at
                ))
            }
            Err(error) => Outcome::refused(Kind::Disclosure, error.to_string()),
        };
        let checkpoint = Some(proven.checkpoint.clone()).filter(|_| held.verdict == super::Verdict::Holds);
        Outcome { position: Some(disclosure.position.0), record_hash: proven.record_hash, checkpoint, ..held }
    }
}
