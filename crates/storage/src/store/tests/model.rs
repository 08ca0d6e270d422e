//! Random histories against a plain list.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(u8, u8)>),
    Conditional { tag: u8, looked_back: u8 },
    Amend { target: u8, retract: bool, tag: u8 },
    Repeat(u8),
    Reopen,
}
fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => proptest::collection::vec((0u8..2, 0u8..5), 1..6).prop_map(Step::Append),
        2 => (0u8..5, 0u8..6).prop_map(|(tag, looked_back)| Step::Conditional { tag, looked_back }),
        3 => (any::<u8>(), any::<bool>(), 0u8..5).prop_map(|(target, retract, tag)| Step::Amend { target, retract, tag }),
        1 => any::<u8>().prop_map(Step::Repeat),
        1 => Just(Step::Reopen),
    ]
}

/// What a record is found under, by the rules as they are written.
#[derive(Clone, Default)]
struct Found {
    kinds: BTreeSet<u16>,
    tags: BTreeSet<u8>,
    about: u64,
}

#[derive(Default)]
struct Model {
    events: Vec<Ev>,
    found: Vec<Found>,
}
impl Model {
    fn add(&mut self, event: Ev) {
        let own = self.events.len() as u64;
        let mut found = Found { about: own, ..Found::default() };
        if let Some(amends) = event.amends() {
            let target = (0..own).find(|n| id(*n) == amends.target()).unwrap();
            found.about = target;
            for earlier in self.found.iter().filter(|f| f.about == target) {
                found.kinds.extend(&earlier.kinds);
                found.tags.extend(&earlier.tags);
            }
        }
        found.kinds.insert(event.kind().number());
        let keys = Tags::of(&event).unwrap();
        found.tags.extend((0..5).filter(|tag| keys.contains(&key(*tag))));
        self.events.push(event);
        self.found.push(found);
    }
    fn positions(&self, matches: impl Fn(&Found) -> bool) -> Vec<u64> {
        (0..).zip(&self.found).filter(|(_, f)| matches(f)).map(|(n, _)| n).collect()
    }
}
fn key(tag: u8) -> sovang_core::TagKey {
    hash::tag_key("t", &tag.to_string())
}
fn by_tag(tag: u8) -> Query {
    Query::tag("t", tag.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn behaves_as_a_list(steps in proptest::collection::vec(step(), 1..30), segment_kib in 17u64..64) {
        let files = MemoryFiles::default();
        let with = || StoreOptions { segment_bytes: segment_kib << 10, ..options() };
        let mut store = Store::create(Arc::new(files.clone()), identity(), with()).unwrap();
        let mut model = Model::default();
        for step in steps {
            let next = model.events.len() as u64;
            match step {
                Step::Append(events) => {
                    let made: Vec<Ev> = events.iter().map(|(kind, tag)| {
                        let tag = tag.to_string();
                        if *kind == 0 { a(&[("t", &tag)], "x") } else { b(&[("t", &tag), ("u", "y")], "x") }
                    }).collect();
                    // All in flight at once, so that they meet in groups.
                    let tickets: Vec<Ticket> = (next..).zip(&made).map(|(n, e)| store.submit(one(e, n)).unwrap()).collect();
                    for (n, ticket) in (next..).zip(tickets) {
                        prop_assert_eq!(positions(&ticket.wait().unwrap()), [n]);
                    }
                    made.into_iter().for_each(|e| model.add(e));
                }
                Step::Conditional { tag, looked_back } => {
                    let looked_at = next.saturating_sub(u64::from(looked_back));
                    let event = a(&[("t", &tag.to_string())], "c");
                    let condition = by_tag(tag).unchanged_since(Size(looked_at));
                    let expected = model.positions(|f| f.tags.contains(&tag)).last().copied().filter(|p| *p >= looked_at);
                    match append(&store, all(&[(&event, next)], Some(condition))) {
                        Ok(_) => {
                            prop_assert_eq!(expected, None);
                            model.add(event);
                        }
                        Err(e) => prop_assert_eq!(e.conflict().map(|c| c.position.0), expected),
                    }
                }
                Step::Amend { target, retract, tag } if next > 0 => {
                    let target = u64::from(target) % next;
                    let event = if retract { Ev::Retract(id(target)) } else { Ev::Replace(id(target), Box::new(a(&[("t", &tag.to_string())], "new"))) };
                    let done = append(&store, one(&event, next));
                    let original = &model.events[usize::try_from(target).unwrap()];
                    // No amendment of an amendment, and nothing replaced by an event of another kind.
                    if original.amends().is_some() || (!retract && original.kind() != Ev::A_KIND) {
                        prop_assert_eq!(kind(done), ErrorKind::AmendmentTarget);
                    } else {
                        done.unwrap();
                        model.add(event);
                    }
                }
                Step::Repeat(n) if next > 0 => {
                    let n = u64::from(n) % next;
                    let done = append(&store, one(&model.events[usize::try_from(n).unwrap()], n)).unwrap();
                    prop_assert!(done.repeated);
                    prop_assert_eq!(positions(&done), [n]);
                }
                Step::Reopen => {
                    store.close().unwrap();
                    store = Store::open(Arc::new(files.clone()), with(), None).unwrap();
                }
                _ => {}
            }
        }
        let reader = View::open(Arc::new(files), None, &with()).unwrap();
        for view in [store.view(), &reader] {
            for tag in 0..5 {
                prop_assert_eq!(selected(view, &by_tag(tag)), model.positions(|f| f.tags.contains(&tag)));
                let of_kind = Query::kind(Ev::A_KIND).tagged("t", tag.to_string());
                prop_assert_eq!(selected(view, &of_kind), model.positions(|f| f.tags.contains(&tag) && f.kinds.contains(&1)));
            }
            for kind in [Ev::A_KIND, Ev::B_KIND, Ev::REPLACE] {
                prop_assert_eq!(selected(view, &Query::kind(kind)), model.positions(|f| f.kinds.contains(&kind.number())));
            }
            for n in 0..model.events.len() as u64 {
                prop_assert_eq!(view.find(id(n)).unwrap(), Some(Position(n)));
                let history = model.positions(|f| f.about == n);
                prop_assert_eq!(selected(view, &Query::record(id(n))), if model.events[usize::try_from(n).unwrap()].amends().is_some() { vec![n] } else { history });
            }
        }
        let report = reader.verify(&mut |_, _| {}).unwrap();
        prop_assert!(report.findings.is_empty());
    }
}
