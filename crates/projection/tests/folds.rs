//! Incremental = from scratch = parallel, byte for byte; and all of them equal what finally stands.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test program")]

mod common;

use common::*;
use proptest::prelude::*;
use sovang_core::{Error, ErrorKind, Event, Query, Recorded, Size, calendar};
use sovang_projection::testing::DAY;
use sovang_projection::{Folded, Merge, Plan, Projection, fold, fold_parallel, step};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;

fn balances(state: &ByDay) -> BTreeMap<(i32, String), i128> {
    state.cents.iter().filter(|(_, cents)| **cents != 0).map(|(key, cents)| (key.clone(), *cents)).collect()
}

/// Adjacent ranges that cover 0..size, cut at these places.
fn ranges(size: u64, cuts: &[usize]) -> Vec<Range<u64>> {
    let mut at: Vec<u64> = cuts.iter().map(|cut| *cut as u64 % (size + 1)).chain([0, size]).collect();
    at.sort_unstable();
    at.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn folds_equal_what_stands(ops in ops(40), to in any::<usize>()) {
        let entries = entries(&ops);
        let to = to % (entries.len() + 1);
        let memory = memory(entries.clone());
        let stands = standing(&entries[..to]);
        let mut by_day = BTreeMap::<_, i128>::new();
        for (event, on) in &stands {
            if let common::Move::Paid { account, cents } = event {
                *by_day.entry((calendar::days_of(*on), account.clone())).or_default() += i128::from(*cents);
            }
        }
        by_day.retain(|_, cents| *cents != 0);
        prop_assert_eq!(balances(&fold_all(&memory, ByDay::default(), Size(to as u64))), by_day);
        for account in ["ann", "bob", "eve"] {
            let mut expected = Balance::of(account);
            for (event, on) in &stands {
                match event {
                    common::Move::Paid { account: of, cents } if of == account => expected.cents += i128::from(*cents),
                    common::Move::Opened { account: of } if of == account => expected.opened += 1,
                    _ => continue,
                }
                expected.days += i128::from(calendar::days_of(*on));
            }
            prop_assert_eq!(fold_all(&memory, Balance::of(account), Size(to as u64)), expected);
        }
    }

    #[test]
    fn incremental_and_parallel_equal_one_fold(ops in ops(40), cuts in proptest::collection::vec(any::<usize>(), 0..6), threads in 1usize..4) {
        type All = (Balance, ByDay, Journal);
        let fresh = || -> All { (Balance::of("bob"), ByDay::default(), Journal::default()) };
        let memory = memory(entries(&ops));
        let size = memory.len();
        let whole = bytes(&fold_all(&memory, fresh(), size));
        let ranges = ranges(size.0, &cuts);

        let mut state = fresh();
        let plan = state.plan();
        for range in &ranges {
            for record in read(&memory, plan.query(), range.clone()) {
                step(&mut state, &plan, record.unwrap(), &before(&memory)).unwrap();
            }
        }
        prop_assert_eq!(&bytes(&state), &whole);

        let source = |plan: &Plan, range: Range<u64>| {
            Ok(read(&memory, plan.query(), range))
        };
        let parallel = fold_parallel(fresh, &ranges, threads, source, before(&memory)).unwrap();
        prop_assert_eq!(&bytes(&parallel), &whole);
    }

    #[test]
    fn merging_is_associative(ops in ops(40), cuts in proptest::collection::vec(any::<usize>(), 2..3)) {
        let memory = memory(entries(&ops));
        let parts: Vec<_> = ranges(memory.len().0, &cuts).into_iter().map(|range| {
            let records = read(&memory, &Query::all(), range);
            fold((Balance::of("ann"), ByDay::default()), records, &before(&memory)).unwrap()
        }).collect();
        let [a, b, c] = parts.try_into().expect("three parts");
        let mut left = a.clone();
        left.merge(b.clone());
        left.merge(c.clone());
        let (mut right, mut tail) = (a, b);
        tail.merge(c);
        right.merge(tail);
        prop_assert_eq!(bytes(&left), bytes(&right));
    }

    #[test]
    fn a_tuple_equals_its_halves(ops in ops(40)) {
        let memory = memory(entries(&ops));
        let size = memory.len();
        let (ann, (days, bob), (), journal) = fold_all(
            &memory,
            (Balance::of("ann"), (ByDay::default(), Balance::of("bob")), (), Journal::default()),
            size,
        );
        prop_assert_eq!(bytes(&ann), bytes(&fold_all(&memory, Balance::of("ann"), size)));
        prop_assert_eq!(bytes(&bob), bytes(&fold_all(&memory, Balance::of("bob"), size)));
        prop_assert_eq!(bytes(&days), bytes(&fold_all(&memory, ByDay::default(), size)));
        prop_assert_eq!(bytes(&journal), bytes(&fold_all(&memory, Journal::default(), size)));
    }

    #[test]
    fn reading_more_than_asked_changes_nothing(ops in ops(40)) {
        let memory = memory(entries(&ops));
        let all = || read(&memory, &Query::all(), 0..memory.len().0);
        let state = (Balance::of("eve"), ByDay::default());
        let over_all = fold(state.clone(), all(), &before(&memory)).unwrap();
        prop_assert_eq!(bytes(&over_all), bytes(&fold_all(&memory, state, memory.len())));
    }
}

/// Moving a payment to another account leaves the first account's balance with what stood taken away, and no more.
#[test]
fn a_correction_moves_a_payment() {
    let memory = memory(vec![
        paid("ann", 100).on(DAY),
        corrected(0, paid("bob", 70)).on(DAY),
        corrected(0, paid("bob", 60)).on(DAY),
        withdrawn(0).on(DAY),
        corrected(0, paid("bob", 50)).on(DAY),
    ]);
    let at = |account: &str, size| fold_all(&memory, Balance::of(account), Size(size)).cents;
    assert_eq!([1, 2, 3, 4, 5].map(|size| at("ann", size)), [100, 0, 0, 0, 0]);
    assert_eq!([1, 2, 3, 4, 5].map(|size| at("bob", size)), [0, 70, 60, 0, 0]);
    let journal = fold_all(&memory, Journal::default(), Size(5));
    let weights: Vec<Vec<i64>> = journal.lines.iter().map(|(_, effects)| effects.iter().map(|e| e.0).collect()).collect();
    assert_eq!(weights, [vec![1], vec![-1, 1], vec![-1, 1], vec![-1], vec![]]);
}

#[test]
fn nothing_is_read_for_nothing() {
    assert!(Projection::<common::Move>::plan(&((), ())).query().is_none());
}

#[test]
fn eight_in_one_pass() {
    let memory = memory(vec![opened("ann").on(DAY), paid("ann", 5).on(DAY), paid("bob", 7).on(DAY)]);
    let of = Balance::of;
    let all = fold_all(
        &memory,
        (of("ann"), of("bob"), of("eve"), of("ann"), of("bob"), of("eve"), Journal::default(), ByDay::default()),
        Size(3),
    );
    assert_eq!((all.0.cents, all.1.cents, all.2.cents), (5, 7, 0));
    assert_eq!((all.3.cents, all.4.cents, all.5.cents), (5, 7, 0));
    assert_eq!((all.6.lines.len(), all.7.cents.len()), (3, 2));
}

#[test]
fn the_first_error_ends_a_fold() {
    let memory = memory(vec![paid("ann", 1).on(DAY), paid("ann", 2).on(DAY)]);
    let handed_out = Cell::new(0);
    let records = read(&memory, &Query::all(), 0..2).enumerate().map(|(nth, record)| {
        handed_out.set(nth + 1);
        if nth == 0 { Err(Error::new(ErrorKind::Damaged, "a flipped bit")) } else { record }
    });
    let error = fold(Journal::default(), records, &before(&memory)).unwrap_err();
    assert_eq!((error.kind(), handed_out.get()), (ErrorKind::Damaged, 1));
}

#[test]
fn an_unresolvable_amendment_names_its_position() {
    let memory = memory(vec![paid("ann", 1).on(DAY), withdrawn(0).on(DAY)]);
    let records = read(&memory, &Query::all(), 0..2);
    let fails = |_, _| Err::<Option<Recorded<common::Move>>, _>(Error::new(ErrorKind::Damaged, "no such page"));
    let error = fold(Journal::default(), records, &fails).unwrap_err();
    assert_eq!(error.position().map(|p| p.0), Some(1));
}

#[test]
fn a_failing_range_fails_the_parallel_fold() {
    let memory = memory((0..40).map(|n| paid("ann", n).on(DAY)).collect());
    let ranges: Vec<_> = (0..10).map(|n| n * 4..n * 4 + 4).collect();
    for bad in [0, 3, 9] {
        let source = |plan: &Plan, range: Range<u64>| {
            if range.start / 4 == bad {
                return Err(Error::new(ErrorKind::Damaged, format!("range {bad}")));
            }
            Ok(read(&memory, plan.query(), range))
        };
        let error = fold_parallel(Journal::default, &ranges, 3, source, before(&memory)).unwrap_err();
        assert_eq!(error.message(), format!("range {bad}"));
    }
    let none = fold_parallel(Journal::default, &[], 3, |_: &Plan, _| Ok(std::iter::empty()), before(&memory)).unwrap();
    assert_eq!(none, Journal::default());
}

#[test]
fn folded_is_the_state_with_its_head() {
    let head = sovang_core::Head { size: Size(7), root: sovang_core::Root([7; 32]) };
    let folded = Folded::new(Balance { cents: 12, ..Balance::of("ann") }, head);
    assert_eq!((folded.cents, folded.head.size), (12, Size(7)));
    assert_eq!(folded.into_inner(), Balance { cents: 12, ..Balance::of("ann") });
}
