//! Another record comes between deciding and appending: what was looked at is also what is guarded, and no more.

use crate::desk::*;
use sovang_core::{Condition, Entry, Position, Query, RecordId, Recorded, Result, Size, date};
use sovang_projection::testing::{Memory, record_id};
use sovang_projection::{ExecuteError, Store, execute};
use sovang_recognition::rules::Refused;
use sovang_recognition::*;
use std::cell::RefCell;

const DAY: sovang_core::Date = date(2024, 10, 1);

/// A ledger in which someone else is quicker by one record.
struct Race {
    memory: Memory<Recognition>,
    quicker: RefCell<Option<Entry<Recognition>>>,
}
impl Store<Recognition> for Race {
    type Appended = Position;
    fn size(&self) -> Result<Size> {
        self.memory.size()
    }
    fn read(&self, query: &Query, from: Size, to: Size) -> Result<impl Iterator<Item = Result<Recorded<Recognition>>>> {
        self.memory.read(query, from, to)
    }
    fn before(&self, target: RecordId, position: Position) -> Result<Option<Recorded<Recognition>>> {
        self.memory.before(target, position)
    }
    fn append(&self, entries: Vec<Entry<Recognition>>, condition: Condition) -> Result<Vec<Position>> {
        if let Some(entry) = self.quicker.take() {
            self.memory.append(vec![entry], Query::none().unchanged_since(Size::ZERO))?;
        }
        self.memory.append(entries, condition)
    }
}

/// Ward w, model m of it with recognition (record 2) and nothing else, ward v (3), model n of it (4).
fn race(quicker: Entry<Recognition>, slower: &Entry<Recognition>, attempts: u32) -> Result<Vec<Position>, Refused> {
    let memory = Memory::new();
    let given =
        [ward("w").into(), model("m", "w").into(), recognised("m", ruling(1)).into(), ward("v").into(), model("n", "v").into()];
    for event in given {
        let entry = sovang_core::Event::on(event, DAY);
        execute(&memory, &entry, 1)?;
    }
    execute(&Race { memory, quicker: RefCell::new(Some(quicker)) }, slower, attempts)
}
fn retracted(n: u64) -> Entry<Recognition> {
    record_retracted(record_id(n), "twice").on(DAY)
}
fn corrected(n: u64, by: impl Into<Recognition>) -> Entry<Recognition> {
    record_corrected(record_id(n), by, DAY, "typing").on(DAY)
}

#[test]
fn whoever_comes_second_is_judged_again() {
    let july = date(2025, 7, 1);
    let cases: Vec<(Entry<Recognition>, Entry<Recognition>, u16)> = vec![
        (ward("u").on(DAY), ward("u").on(DAY), 1),
        (retracted(4), gift("n").on(DAY), 1),
        (gift("n").on(DAY), retracted(4), 9),
        (model("o", "v").on(DAY), retracted(3), 9),
        (corrected(4, model("n", "w")), gift("n").on(DAY), 0),
        (model_withdrawn("m", "moved").on(date(2024, 1, 1)), gift("m").on(DAY), 1),
        (annulled(ruling(1), ruling(2)).on(DAY), award("c", ruling(1)).on(DAY), 1),
        // What supports a plaque: the recognition, its day, its decision.
        (retracted(2), plaque("p", "m").on(DAY), 2),
        (record_corrected(record_id(2), recognised("m", ruling(1)), july, "x").on(DAY), plaque("p", "m").on(DAY), 2),
        (corrected(2, recognised("m", ruling(7))), plaque("p", "m").on(DAY), 0),
        (annulled(ruling(1), ruling(2)).on(DAY), plaque("p", "m").on(DAY), 2),
        (plaque("p", "m").on(DAY), retracted(2), 9),
        (award("c", decision("S", "1", DAY)).on(DAY), award("d", decision("S", "1", july.previous_day().unwrap())).on(DAY), 0),
        (award("c", decision("S", "1", DAY)).on(DAY), award("d", decision("S", "1", date(2024, 1, 1))).on(DAY), 3),
        (recognised("n", ruling(1)).on(DAY), recognised("n", ruling(2)).on(DAY), 4),
        (award("c", ruling(1)).achievement("a").on(DAY), award("d", ruling(2)).achievement("a").on(DAY), 5),
        (unit_succeeded("w", "v", july, "act", Extent::Whole).on(DAY), award("c", decision("w", "1", july)).on(DAY), 6),
        (ward("S").on(DAY), award("c", decision("S", "1", date(2000, 1, 1))).on(DAY), 6),
        (retracted(2), corrected(2, recognised("m", ruling(1))), 9),
        // Rule 4's place is free again once its decision is annulled.
        (annulled(ruling(1), ruling(2)).on(DAY), recognised("m", ruling(3)).period("x").on(DAY), 0),
    ];
    for (n, (quicker, slower, rule)) in cases.into_iter().enumerate() {
        match race(quicker, &slower, 2) {
            Ok(_) => assert_eq!(rule, 0, "case {n}"),
            Err(ExecuteError::Refused(refusal)) => assert_eq!(refusal.rule(), rule, "case {n}: {refusal}"),
            Err(ExecuteError::Failed(error)) => panic!("case {n}: {error}"),
        }
    }
}

#[test]
fn what_no_rule_looks_at_is_in_nobodys_way() {
    let cases: Vec<(Entry<Recognition>, Entry<Recognition>)> = vec![
        (model("o", "w").on(DAY), model("x", "w").on(DAY)),
        (gift("m").on(DAY), gift("m").on(DAY)),
        (gift("m").on(DAY), recognised("m", ruling(2)).period("2030").on(DAY)),
        (recognised("n", ruling(3)).on(DAY), recognised("m", ruling(2)).period("2030").on(DAY)),
        (plaque("p", "m").on(DAY), plaque("q", "m").on(DAY)),
        (gift("m").on(DAY), retracted(2)),
        (model("o", "w").on(DAY), award("c", decision("w", "1", DAY)).on(DAY)),
        (award("c", ruling(2)).on(DAY), award("d", ruling(3)).on(DAY)),
        (annulled(ruling(8), ruling(9)).on(DAY), plaque("p", "m").on(DAY)),
    ];
    for (n, (quicker, slower)) in cases.into_iter().enumerate() {
        if let Err(error) = race(quicker, &slower, 1) {
            panic!("case {n}: {error}");
        }
    }
}
