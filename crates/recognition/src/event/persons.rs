//! What of an event is personal, and what is free text that somebody's name may have got into.

use super::Recognition;
use super::facts::{Address, Contribution, Recipient};
use super::stored::PERSON_FIELD;
use sovang_core::Personal;

impl Recognition {
    /// The number of every personal field that is a name.
    pub const PERSON_FIELD: u16 = PERSON_FIELD;
    /// Its personal fields that are names; of a correction those of the replacement.
    #[must_use]
    pub fn persons(&self) -> Vec<&Personal<String>> {
        match self {
            Self::ModelRegistered(e) => vec![&e.subject],
            Self::ModelFunded(e) => vec![&e.donor],
            Self::CommendationProposed(e) => vec![e.recipient.subject()],
            Self::CommendationAwarded(e) => vec![e.recipient.subject()],
            Self::RecordCorrected(e) => e.replacement.persons(),
            _ => Vec::new(),
        }
    }
    /// All its personal fields: [`Self::persons`], and the address of a model with a subject.
    #[must_use]
    pub fn personal(&self) -> Vec<&Personal<String>> {
        let mut all = self.persons();
        let mut event = self;
        while let Self::RecordCorrected(e) = event {
            event = &e.replacement;
        }
        if let Self::ModelRegistered(e) = event
            && let Some(Address::Personal(address)) = &e.address
        {
            all.push(address);
        }
        all
    }
    /// Its texts that anybody may write anything into and that are public for ever, with their paths in the interchange: no ids, no
    /// codes, nothing that is personal by its place.
    #[must_use]
    pub fn free_texts(&self) -> Vec<(&'static str, &str)> {
        fn maybe<'a>(path: &'static str, text: Option<&'a str>) -> Option<(&'static str, &'a str)> {
            text.map(|text| (path, text))
        }
        fn recipient(recipient: &Recipient) -> Option<(&'static str, &str)> {
            maybe("recipient.name", recipient.name())
        }
        let texts: Vec<Option<(&'static str, &str)>> = match self {
            Self::UnitDefined(e) => vec![Some(("name", &e.name))],
            Self::UnitSucceeded(e) => vec![Some(("act", &e.act)), maybe("note", e.note.as_deref())],
            Self::ModelRegistered(e) => {
                let address = match &e.address {
                    Some(Address::Public(address)) => Some(("address", address.as_str())),
                    _ => None,
                };
                vec![Some(("title", &e.title)), maybe("target", e.target.as_deref()), address]
            }
            Self::ModelWithdrawn(e) => vec![Some(("reason", &e.reason))],
            Self::ModelRecognised(e) => vec![maybe("tier", e.tier.as_deref()), maybe("period", e.period.as_deref())],
            Self::ModelFunded(e) => match &e.contribution {
                Contribution::InKind { description, .. } => vec![maybe("contribution.description", description.as_deref())],
                _ => Vec::new(),
            },
            Self::PlaqueMounted(e) => vec![
                Some(("place", &e.place)),
                maybe("occasion", e.occasion.as_deref()),
                maybe("inscription", e.inscription.as_deref()),
            ],
            Self::CommendationProposed(e) => vec![recipient(&e.recipient), maybe("achievement", e.achievement.as_deref())],
            Self::CommendationAwarded(e) => vec![recipient(&e.recipient), maybe("achievement", e.achievement.as_deref())],
            Self::DecisionAnnulled(e) => vec![maybe("artefact", e.artefact.as_deref())],
            Self::RecordCorrected(e) => vec![Some(("reason", &e.reason)), maybe("authority", e.authority.as_deref())],
            Self::RecordRetracted(e) => vec![Some(("reason", &e.reason)), maybe("authority", e.authority.as_deref())],
            Self::FigurePublished(e) => vec![Some(("measure", &e.measure)), Some(("source", &e.source))],
            Self::ModelContinued(_) | Self::ModelReplicated(_) | Self::PlaqueRemoved(_) => Vec::new(),
        };
        texts.into_iter().flatten().collect()
    }
}
