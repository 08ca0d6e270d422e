//! The 16-byte keys of what the rules look up. Texts compare in NFC, as tags do.

use crate::event::{CommendationAwarded, Decision, Level};
use sovang_core::{Date, TagKey, hash};

// No text of an event holds a zero character, so joined parts cannot be mistaken for others.
fn joined(name: &str, parts: &[&str]) -> TagKey {
    hash::tag_key(name, &parts.join("\0"))
}

pub(super) fn unit(id: &str) -> TagKey {
    hash::tag_key("unit", id)
}
pub(super) fn model(id: &str) -> TagKey {
    hash::tag_key("model", id)
}
pub(super) fn plaque(id: &str) -> TagKey {
    hash::tag_key("plaque", id)
}
pub(super) fn proposal(commendation: &str) -> TagKey {
    hash::tag_key("proposal", commendation)
}
pub(super) fn award(commendation: &str) -> TagKey {
    hash::tag_key("award", commendation)
}
/// Of a decision: rule 3, "unique by (issuer, number, date)".
pub(super) fn decision(decision: &Decision) -> TagKey {
    joined("decision", &[&decision.issuer, &decision.number, &decision.date.to_julian_day().to_string()])
}
/// Of an issuer's number in a year: rule 3, "the same issuer and number in one year".
pub(super) fn number(decision: &Decision) -> TagKey {
    joined("number", &[&decision.issuer, &decision.number, &decision.date.year().to_string()])
}
/// Of a place that a model takes once: rule 4, level and period. An absent period equals the year in four digits.
pub(super) fn place(level: Level, period: &str) -> TagKey {
    joined("place", &[level.code(), period])
}
/// A recognition's period: as given, or the year in which it occurred.
pub(super) fn period(given: Option<&str>, occurred_on: Date) -> String {
    given.map_or_else(|| format!("{:04}", occurred_on.year()), str::to_owned)
}
/// Of an achievement in its form and level, and for a collective its recipient: rule 5. None where none is named.
pub(super) fn achievement(awarded: &CommendationAwarded) -> Option<TagKey> {
    awarded.achievement_tag().map(|tag| hash::tag_key("achievement", &tag))
}
