//! The tags that records are found by: public for ever, so none is made of a person's data or id.
//!
//! | tag | value | on |
//! |---|---|---|
//! | `unit` | a unit's id | its definition and the successions from it and to it |
//! | `models-of` | a unit's id | the registrations of its models |
//! | `model` | a model's id | everything about it; a replication carries both |
//! | `plaque` | a plaque's id | its mounting and removal |
//! | `commendation` | a commendation's id | its proposal and award |
//! | `decision` | [`Decision::tag`] | everything that cites, annuls or is the annulment by it |
//! | `achievement` | [`CommendationAwarded::achievement_tag`] | awards that name one |
//!
//! `models-of` is not `unit`: whoever asks whether a unit exists must not wade through its models. A correction carries
//! its replacement's tags; the engine adds those of its target, and a retraction has none but these.

use super::facts::{
    CommendationAwarded, CommendationProposed, Decision, DecisionAnnulled, FigurePublished, ModelContinued, ModelFunded,
    ModelRecognised, ModelRegistered, ModelReplicated, ModelWithdrawn, PlaqueMounted, PlaqueRemoved, RecordCorrected,
    RecordRetracted, UnitDefined, UnitSucceeded,
};
use sovang_core::{Event, Tags, hash};

fn cite(tags: &mut Tags, decision: &Decision) {
    tags.add("decision", decision.tag());
}

impl CommendationAwarded {
    /// The value of the tag `achievement`, by which the same achievement awarded twice is found (domain rule 5): 32 hex
    /// digits of a hash of its text in NFC, form and level, and of a collective's name and unit. None without an achievement.
    #[must_use]
    pub fn achievement_tag(&self) -> Option<String> {
        // No text holds a zero byte, so joined parts cannot be mistaken for others; hashed, since a tag's value is bounded.
        let mut parts = vec![self.achievement.as_deref()?, self.form.code(), self.level.code()];
        parts.extend(self.recipient.name());
        parts.extend(self.recipient.name().and(self.recipient.unit()));
        Some(hex::encode(hash::tag_key("achievement", &parts.join("\0")).0))
    }
}

impl UnitDefined {
    pub(super) fn tags(&self, tags: &mut Tags) {
        tags.add("unit", &self.unit);
    }
}
impl UnitSucceeded {
    pub(super) fn tags(&self, tags: &mut Tags) {
        tags.add("unit", &self.from);
        tags.add("unit", &self.to);
    }
}
impl ModelRegistered {
    pub(super) fn tags(&self, tags: &mut Tags) {
        tags.add("model", &self.model);
        tags.add("models-of", &self.unit);
    }
}
impl ModelContinued {
    pub(super) fn tags(&self, tags: &mut Tags) {
        tags.add("model", &self.model);
    }
}
impl ModelReplicated {
    pub(super) fn tags(&self, tags: &mut Tags) {
        tags.add("model", &self.model);
        tags.add("model", &self.replica);
    }
}
impl ModelWithdrawn {
    pub(super) fn tags(&self, tags: &mut Tags) {
        tags.add("model", &self.model);
    }
}
impl ModelRecognised {
    pub(super) fn tags(&self, tags: &mut Tags) {
        tags.add("model", &self.model);
        cite(tags, &self.decision);
    }
}
impl ModelFunded {
    pub(super) fn tags(&self, tags: &mut Tags) {
        tags.add("model", &self.model);
    }
}
impl PlaqueMounted {
    pub(super) fn tags(&self, tags: &mut Tags) {
        tags.add("plaque", &self.plaque);
        tags.add("model", &self.model);
        if let Some(decision) = &self.decision {
            cite(tags, decision);
        }
    }
}
impl PlaqueRemoved {
    pub(super) fn tags(&self, tags: &mut Tags) {
        tags.add("plaque", &self.plaque);
    }
}
impl CommendationProposed {
    pub(super) fn tags(&self, tags: &mut Tags) {
        tags.add("commendation", &self.commendation);
    }
}
impl CommendationAwarded {
    pub(super) fn tags(&self, tags: &mut Tags) {
        tags.add("commendation", &self.commendation);
        cite(tags, &self.decision);
        if let Some(achievement) = self.achievement_tag() {
            tags.add("achievement", achievement);
        }
    }
}
impl DecisionAnnulled {
    pub(super) fn tags(&self, tags: &mut Tags) {
        cite(tags, &self.decision);
        cite(tags, &self.by);
    }
}
impl RecordCorrected {
    pub(super) fn tags(&self, tags: &mut Tags) {
        self.replacement.tags(tags);
    }
}
impl RecordRetracted {
    #[expect(clippy::unused_self, reason = "as its siblings")]
    pub(super) fn tags(&self, _tags: &mut Tags) {}
}
impl FigurePublished {
    #[expect(clippy::unused_self, reason = "as its siblings")]
    pub(super) fn tags(&self, _tags: &mut Tags) {}
}
