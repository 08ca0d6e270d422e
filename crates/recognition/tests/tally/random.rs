//! Random histories with amendments of every kind: one figure whatever the way, and the figure of a naive calculation.

use crate::history::{self, Seed};
use crate::ledger;
use crate::oracle::{self, Asked};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value as Json;
use sovang_core::codec;
use sovang_projection::{Merge, Stored};
use sovang_recognition::Recognition;
use sovang_recognition::tally::{self, Name, Request, Tally};
use std::fmt::Debug;

fn histories() -> impl Strategy<Value = Vec<Json>> {
    proptest::collection::vec(any::<Seed>(), 0..60).prop_map(|seeds| history::of(&seeds))
}

/// A report to ask for: which dimensions, which filters by the place of their value, which days.
type Choice = (u16, Vec<(u8, u8)>, Option<u8>, Option<u8>);

fn choices() -> impl Strategy<Value = Choice> {
    let filters = prop_oneof![3 => Just(Vec::new()), 2 => proptest::collection::vec(any::<(u8, u8)>(), 1..3)];
    (any::<u16>(), filters, proptest::option::weighted(0.3, any::<u8>()), proptest::option::weighted(0.3, any::<u8>()))
}

/// Values that occur in the histories, and an empty one for null.
fn values(dimension: &str) -> &'static [&'static str] {
    match dimension {
        "year" => &["2020", "2021", "2022", "2023", "2024", ""],
        "levels" => &["1", "2", "3"],
        "unit" => &["phu-dien", "co-nhue", "Ph\u{FA}", "Phu\u{301}", ""],
        "field" => &["economy", "green_living", ""],
        "subject_kind" | "recipient_kind" => &["collective", "individual", "household"],
        "level" => &["district", "city", "central"],
        "tier" => &["exemplar", "outstanding", ""],
        "kind" => &["cash", "labour", "land", "in_kind"],
        "source" => &["socialised", "budget"],
        "land" => &["residential", "farm", ""],
        "status" => &["standing", "removed", "relocated", "missing"],
        "occasion" => &["70 năm", ""],
        "form" => &["certificate_of_merit", "diploma_of_merit"],
        "type" => &["model_withdrawn", "decision_annulled", "record_corrected", "record_retracted"],
        other => unreachable!("{other}"),
    }
}

fn asked(name: Name, (by, filters, from, to): &Choice) -> Asked {
    let dimensions: Vec<&'static str> = name.dimensions().map(tally::Dimension::as_str).collect();
    let mut chosen: Vec<_> = dimensions.iter().enumerate().filter(|(at, _)| by >> at & 1 == 1).map(|(_, d)| *d).collect();
    if by & 0x8000 != 0 {
        chosen.reverse();
    }
    let filter = |(d, v): &(u8, u8)| {
        let dimension = dimensions[usize::from(*d) % dimensions.len()];
        let values = values(dimension);
        (dimension, values[usize::from(*v) % values.len()].to_owned())
    };
    let day = |d: &u8| format!("{}-{:02}-15", 2021 + u32::from(d % 4), 1 + d / 4 % 12);
    let (from, to) = (from.as_ref().map(day), to.as_ref().map(day));
    let swapped = matches!((&from, &to), (Some(from), Some(to)) if from > to);
    let (from, to) = if swapped { (to, from) } else { (from, to) };
    Asked { by: chosen, filters: filters.iter().map(filter).collect(), from, to }
}

fn request(name: Name, asked: &Asked) -> Request {
    let filters: Vec<String> = asked.filters.iter().map(|(d, v)| format!("{d}={v}")).collect();
    Request::parse(name, Some(&asked.by.join(",")), &filters, asked.from.as_deref(), asked.to.as_deref()).expect("a request")
}

fn json(rows: &[tally::Row]) -> Json {
    serde_json::to_value(rows).expect("rows")
}

fn canonical<P>(history: &[Json], cuts: &[usize]) -> Result<P, TestCaseError>
where
    P: Stored<Recognition> + Merge<Recognition> + Default + Send + Debug + PartialEq + Serialize + DeserializeOwned,
{
    let frames = ledger::frames(history);
    let whole = ledger::fold(P::default(), &frames, 0..frames.len());
    let bytes = codec::encode_state(&whole).expect("bytes");
    // Merged ranges, in whatever grouping.
    let parallel = ledger::fold_parallel(P::default, &frames, cuts);
    prop_assert_eq!(&codec::encode_state(&parallel).expect("bytes"), &bytes, "{} in parallel", P::NAME);
    let mut ends: Vec<usize> = cuts.iter().map(|cut| (*cut).min(frames.len())).chain([0, frames.len()]).collect();
    ends.sort_unstable();
    let mut later: Option<P> = None;
    for range in ends.windows(2).rev() {
        let mut part = ledger::fold(P::default(), &frames, range[0]..range[1]);
        if let Some(later) = later.take() {
            part.merge(later);
        }
        later = Some(part);
    }
    prop_assert_eq!(&codec::encode_state(&later.unwrap_or_default()).expect("bytes"), &bytes, "{} from the end", P::NAME);
    // Kept in the middle and taken up again.
    let half = ledger::fold(P::default(), &frames, 0..ends[1]);
    let kept: P = codec::decode_state(&codec::encode_state(&half).expect("bytes")).expect("a state");
    let resumed = ledger::fold(kept, &frames, ends[1]..frames.len());
    prop_assert_eq!(&codec::encode_state(&resumed).expect("bytes"), &bytes, "{} resumed", P::NAME);
    Ok(whole)
}

macro_rules! each_tally {
    ($check:ident) => {
        $check!(Registered);
        $check!(Recognised);
        $check!(RecognitionRate);
        $check!(Continuity);
        $check!(Contributions);
        $check!(Plaques);
        $check!(Commendations);
        $check!(Proposals);
        $check!(MultiLevel);
        $check!(Cumulative);
        $check!(Amendments);
    };
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn one_state_whatever_the_way(history in histories(), cuts in proptest::collection::vec(0usize..60, 1..5)) {
        macro_rules! check { ($name:ident) => { canonical::<tally::$name>(&history, &cuts)? } }
        each_tally!(check);
    }

    /// A history that takes back everything it said is the empty one, to the byte.
    #[test]
    fn what_is_taken_back_leaves_no_trace(history in histories()) {
        let mut history: Vec<Json> = history.into_iter().filter(|doc| doc.get("target").is_none()).collect();
        for target in 0..history.len() {
            history.push(serde_json::json!({"type": "record_retracted", "occurred_on": "2025-01-01", "target": target, "reason": "r"}));
        }
        let frames = ledger::frames(&history);
        macro_rules! check { ($name:ident) => {
            let folded = ledger::fold(tally::$name::default(), &frames, 0..frames.len());
            let bytes = codec::encode_state(&folded).expect("bytes");
            if Name::$name != Name::Amendments {
                prop_assert_eq!(bytes, codec::encode_state(&tally::$name::default()).expect("bytes"));
            }
        } }
        each_tally!(check);
    }

    #[test]
    fn every_report_is_that_of_the_naive_calculation(history in histories(), size in any::<prop::sample::Index>(), choice in choices()) {
        // As known at any size.
        let history = &history[..size.index(history.len() + 1)];
        let frames = ledger::frames(history);
        for name in Name::ALL {
            let asked = asked(*name, &choice);
            let request = request(*name, &asked);
            let naive = serde_json::to_value(oracle::rows(name.as_str(), history, &asked)).expect("rows");
            let fresh = || Tally::new(*name, request.clone()).expect("fits");
            let folded = ledger::fold(fresh(), &frames, 0..frames.len());
            let rows = folded.table().rows;
            prop_assert_eq!(json(&rows), naive, "{} {:?}", name, asked);
            prop_assert_eq!(ledger::fold_parallel(fresh, &frames, &[frames.len() / 3, frames.len() / 2]), folded);
        }
    }

    /// The state that is kept answers every report without dates as the one made for it.
    #[test]
    fn a_kept_state_answers_every_report(history in histories(), choice in choices()) {
        let frames = ledger::frames(&history);
        macro_rules! check { ($name:ident) => {
            let asked = Asked { from: None, to: None, ..asked(Name::$name, &choice) };
            let request = request(Name::$name, &asked);
            let kept = ledger::fold(tally::$name::default(), &frames, 0..frames.len());
            let made = ledger::fold(Tally::new(Name::$name, request.clone()).expect("fits"), &frames, 0..frames.len());
            prop_assert_eq!(kept.table(&request).expect("a report"), made.table());
            let defaults = ledger::fold(Tally::new(Name::$name, Request::of(Name::$name)).expect("fits"), &frames, 0..frames.len());
            prop_assert_eq!(kept.rows(), defaults.rows());
        } }
        each_tally!(check);
    }
}
