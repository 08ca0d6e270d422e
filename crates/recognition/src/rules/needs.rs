//! Which records the rules look at for one event: also the condition of its append, so as narrow as the rules allow.

use super::keys;
use crate::event::{Decision, Recognition};
use sovang_core::{Query, TagKey};

const DEFINITIONS: [sovang_core::Kind; 2] = [Recognition::UNIT_DEFINED, Recognition::UNIT_SUCCEEDED];
const CITING: [sovang_core::Kind; 4] = [
    Recognition::MODEL_RECOGNISED,
    Recognition::PLAQUE_MOUNTED,
    Recognition::COMMENDATION_AWARDED,
    Recognition::DECISION_ANNULLED,
];

fn unit(id: &str) -> Query {
    Query::kind(Recognition::UNIT_DEFINED).tagged("unit", id)
}
fn model(kinds: impl IntoIterator<Item = sovang_core::Kind>, id: &str) -> Query {
    Query::kinds(kinds).tagged("model", id)
}
fn plaque(id: &str) -> Query {
    Query::kinds([Recognition::PLAQUE_MOUNTED, Recognition::PLAQUE_REMOVED]).tagged("plaque", id)
}
/// Rules 1 and 3 look at who cites that number in that year, rule 6 at its issuer.
fn decision(decision: &Decision) -> Query {
    Query::kinds(CITING).tagged("decision", decision.tag()).or(Query::kinds(DEFINITIONS).tagged("unit", &decision.issuer))
}
/// The annulments of a decision.
pub(super) fn annulments(decision: &Decision) -> Query {
    Query::kind(Recognition::DECISION_ANNULLED).tagged("decision", decision.tag())
}

/// What rules 1 to 6 look at before an event may stand.
pub(super) fn to_stand(event: &Recognition) -> Query {
    use Recognition as R;
    let about = match event {
        R::UnitDefined(e) => unit(&e.unit),
        R::UnitSucceeded(e) => unit(&e.from).or(unit(&e.to)),
        R::ModelRegistered(e) => model([R::MODEL_REGISTERED], &e.model).or(unit(&e.unit)),
        R::ModelContinued(e) => model([R::MODEL_REGISTERED, R::MODEL_WITHDRAWN], &e.model),
        R::ModelFunded(e) => model([R::MODEL_REGISTERED, R::MODEL_WITHDRAWN], &e.model),
        R::ModelReplicated(e) => model([R::MODEL_REGISTERED], &e.model).or(model([R::MODEL_REGISTERED], &e.replica)),
        R::ModelWithdrawn(e) => model([R::MODEL_REGISTERED], &e.model),
        R::ModelRecognised(e) => model([R::MODEL_REGISTERED, R::MODEL_WITHDRAWN, R::MODEL_RECOGNISED], &e.model),
        R::PlaqueMounted(e) => plaque(&e.plaque).or(model([R::MODEL_REGISTERED, R::MODEL_RECOGNISED], &e.model)),
        R::PlaqueRemoved(e) => plaque(&e.plaque),
        R::CommendationProposed(e) => Query::kind(R::COMMENDATION_PROPOSED).tagged("commendation", &e.commendation),
        R::CommendationAwarded(e) => {
            let same_id = Query::kind(R::COMMENDATION_AWARDED).tagged("commendation", &e.commendation);
            match e.achievement_tag() {
                Some(tag) => same_id.or(Query::kind(R::COMMENDATION_AWARDED).tagged("achievement", tag)),
                None => same_id,
            }
        }
        R::DecisionAnnulled(_) | R::FigurePublished(_) | R::RecordCorrected(_) | R::RecordRetracted(_) => Query::none(),
    };
    event.decisions().fold(about, |query, cited| query.or(decision(cited)))
}

/// What rule 9 looks at before an event may be retracted.
pub(super) fn to_retract(event: &Recognition) -> Query {
    use Recognition as R;
    match event {
        R::UnitDefined(e) => {
            let models = Query::kind(R::MODEL_REGISTERED).tagged("models-of", &e.unit);
            Query::kinds(DEFINITIONS).tagged("unit", &e.unit).or(models)
        }
        R::ModelRegistered(e) => Query::tag("model", &e.model),
        R::ModelRecognised(e) => model([R::MODEL_RECOGNISED, R::PLAQUE_MOUNTED], &e.model),
        R::PlaqueMounted(e) => plaque(&e.plaque),
        _ => Query::none(),
    }
}

/// What an event shares with others whose decisions must be looked up too, because an annulled one no longer counts:
/// the model for recognitions and plaques, the achievement for awards.
pub(super) fn shares(event: &Recognition) -> Option<TagKey> {
    match event {
        Recognition::ModelRecognised(e) => Some(keys::model(&e.model)),
        Recognition::PlaqueMounted(e) => Some(keys::model(&e.model)),
        Recognition::CommendationAwarded(e) => keys::achievement(e),
        _ => None,
    }
}
