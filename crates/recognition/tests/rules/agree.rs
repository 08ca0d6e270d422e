//! Random histories: narrow and whole give the same verdicts ([`Desk::attempt`] asserts it at every step, and a whole
//! state folded anew goes on like one kept), and what stands without waivers keeps what the rules promise.

use crate::desk::*;
use proptest::prelude::*;
use sovang_core::{Date, Event, RecordId, date};
use sovang_recognition::*;
use std::collections::{BTreeMap, BTreeSet};

const DAYS: [Date; 4] = [date(2024, 3, 1), date(2024, 10, 1), date(2025, 6, 30), date(2025, 7, 1)];
/// Kinds of [`event`], more often those that others rest on or that rest on others.
const KINDS: [u8; 20] = [0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 8, 9, 9, 9, 10, 10, 11, 11, 12, 12];

/// Everything that an event is made of, as small numbers.
#[derive(Clone, Debug)]
struct Draft {
    ids: (usize, usize),
    decision: (usize, usize, usize),
    by: (usize, usize, usize),
    own: bool,
    choice: usize,
    day: usize,
}
fn drafts() -> impl Strategy<Value = Draft> {
    let decision = || (0..3usize, 0..2usize, 0..4usize);
    ((0..3usize, 0..3usize), decision(), decision(), any::<bool>(), 0..4usize, 0..4usize)
        .prop_map(|(ids, decision, by, own, choice, day)| Draft { ids, decision, by, own, choice, day })
}

#[derive(Clone, Debug)]
enum Step {
    Record(u8, Draft, bool),
    /// The record `.0` steps back; with its ids, or not.
    Correct(usize, Draft, bool),
    Retract(usize),
    Reopen,
}
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (prop::sample::select(&KINDS[..]), drafts(), prop::bool::weighted(0.1)).prop_map(|(k, d, w)| Step::Record(k, d, w)),
        3 => (0..30usize, drafts(), prop::bool::weighted(0.8)).prop_map(|(n, d, k)| Step::Correct(n, d, k)),
        2 => (0..30usize).prop_map(Step::Retract),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 20..120)
}

fn ruled((issuer, number, day): (usize, usize, usize)) -> Decision {
    decision(["S", "u0", "u1"][issuer], ["1", "2"][number], DAYS[day])
}
fn event(kind: u8, d: &Draft) -> Recognition {
    let level = [Level::District, Level::City][d.choice % 2];
    // The same id in another form of the same text.
    let spelled = |name: &str, n: usize| format!("{name}{n}{}", if d.own { "\u{1ed5}" } else { "o\u{302}\u{309}" });
    let (m, n) = (spelled("m", d.ids.0), spelled("m", d.ids.1));
    let (u, v) = (format!("u{}", d.ids.0), format!("u{}", d.ids.1));
    match kind {
        0 => {
            let unit = unit_defined(u, "Phường", UnitKind::Ward, DAYS[d.choice % 2]);
            if d.own { unit.valid_to(DAYS[2]).into() } else { unit.into() }
        }
        1 => {
            let extent = [Extent::Whole, Extent::Part][d.choice % 2];
            unit_succeeded(u, v, DAYS[d.day], "1656/NQ", extent).into()
        }
        2 | 3 => model(&m, &v).into(),
        4 => model_continued(m, 2025).into(),
        5 => model_replicated(m, n).into(),
        6 => model_withdrawn(m, "moved").into(),
        7 => {
            let event = model_recognised(m, level, ruled(d.decision));
            if d.choice > 1 { event.period("2024").into() } else { event.into() }
        }
        8 => gift(&m).into(),
        9 => {
            let event = plaque_mounted(spelled("p", d.ids.1), m, level, "Tổ 5");
            if d.own { event.decision(ruled(d.decision)).into() } else { event.into() }
        }
        10 => removal(&spelled("p", d.ids.1)).into(),
        11 => {
            let event = award(&spelled("c", d.ids.0), ruled(d.decision));
            if d.choice > 1 { event.achievement("Sạch").into() } else { event.into() }
        }
        _ => annulled(ruled(d.decision), ruled(d.by)).into(),
    }
}

/// Runs the steps and gives what stands in the end.
fn run(steps: &[Step], waivers: bool) -> BTreeMap<RecordId, Recognition> {
    let mut desk = Desk::new();
    // Something to rest on: most random histories would never get beyond rule 1.
    for n in 0..2 {
        desk.record(ward(&format!("u{n}")).on(DAYS[0]));
        desk.record(model(&format!("m{n}\u{1ed5}"), "u0").on(DAYS[0]));
    }
    let mut past: Vec<(RecordId, u8, Draft)> = Vec::new();
    let mut standing = BTreeMap::new();
    let target = |past: &Vec<(RecordId, u8, Draft)>, back: usize| past.iter().rev().nth(back).cloned();
    for step in steps {
        match step {
            Step::Record(kind, draft, waived) => {
                let mut entry = event(*kind, draft).on(DAYS[draft.day]);
                if waivers && *waived {
                    entry = entry.overriding([1, 4, 5], "legacy");
                }
                if let Ok(id) = desk.attempt(&entry) {
                    past.push((id, *kind, draft.clone()));
                    standing.insert(id, entry.into_event());
                }
            }
            Step::Correct(back, draft, keep) => {
                let Some((id, kind, before)) = target(&past, *back) else {
                    continue;
                };
                let mut draft = draft.clone();
                if *keep {
                    draft.ids = before.ids;
                }
                let replacement = event(kind, &draft);
                let entry = record_corrected(id, replacement.clone(), DAYS[draft.day], "typing").on(DAYS[3]);
                if let Ok(correction) = desk.attempt(&entry) {
                    standing.insert(id, replacement);
                    past.push((correction, kind, draft));
                }
            }
            Step::Retract(back) => {
                let Some((id, ..)) = target(&past, *back) else {
                    continue;
                };
                if desk.attempt(&record_retracted(id, "twice").on(DAYS[3])).is_ok() {
                    standing.remove(&id);
                }
            }
            Step::Reopen => desk.reopen(),
        }
    }
    standing
}

fn nfc(text: &str) -> String {
    text.replace("o\u{302}\u{309}", "\u{1ed5}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, ..ProptestConfig::default() })]

    #[test]
    fn narrow_and_whole_agree(steps in steps()) {
        run(&steps, true);
    }

    #[test]
    fn what_stands_without_waivers_keeps_rules_1_and_3(steps in steps()) {
        let standing = run(&steps, false);
        let mut models: BTreeSet<String> = ["m0\u{1ed5}".to_owned(), "m1\u{1ed5}".to_owned()].into();
        let mut units: BTreeSet<String> = ["u0".to_owned(), "u1".to_owned()].into();
        let (mut mounted, mut awarded, mut removed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut dates = BTreeMap::new();
        for event in standing.values() {
            let first = match event {
                Recognition::UnitDefined(e) => units.insert(e.unit.clone()),
                Recognition::ModelRegistered(e) => models.insert(nfc(&e.model)),
                Recognition::PlaqueMounted(e) => mounted.insert(nfc(&e.plaque)),
                Recognition::PlaqueRemoved(e) => removed.insert(nfc(&e.plaque)),
                Recognition::CommendationAwarded(e) => awarded.insert(nfc(&e.commendation)),
                _ => true,
            };
            prop_assert!(first, "twice: {event:?}");
            for cited in event.decisions() {
                let number = (cited.issuer.clone(), cited.number.clone(), cited.date.year());
                let date = *dates.entry(number).or_insert(cited.date);
                prop_assert_eq!(date, cited.date);
            }
        }
        prop_assert!(removed.is_subset(&mounted));
        for event in standing.values() {
            prop_assert!(event.model().is_none_or(|model| models.contains(&nfc(model))), "{event:?}");
            match event {
                Recognition::ModelRegistered(e) => prop_assert!(units.contains(&e.unit)),
                Recognition::ModelReplicated(e) => prop_assert!(models.contains(&nfc(&e.replica))),
                Recognition::UnitSucceeded(e) => prop_assert!(units.contains(&e.from) && units.contains(&e.to)),
                _ => {}
            }
        }
    }
}
