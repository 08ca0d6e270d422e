//! A file of JSON Lines: its syntax, its events, the rules, the importer, and the way out again.

use sovang::personal::Opened;
use sovang::recognition::Recognition;
use sovang::recognition::interchange::{self, Json, Line, Mode, Numbering, Show, parse_line};
use sovang::recognition::rules::WholeOffice;
use sovang::recognition::tally;
use sovang::testing::{ManualClock, SeededIds};
use sovang::{Commitment, Historic, Ledger, NoRules, Options, Size, UtcDateTime};

/// Longer inputs are passed over.
const BYTES_MAX: usize = 1 << 14;
/// Lines that are looked at.
const LINES_MAX: usize = 48;

/// What is read as JSON reads the same from what it writes. A file is taken as a whole or not at all; taken again it appends nothing;
/// exported and migrated it gives the same root.
///
/// # Panics
/// When that does not hold.
pub fn run(bytes: &[u8]) {
    if bytes.len() > BYTES_MAX {
        return;
    }
    let lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').filter(|line| !line.iter().all(u8::is_ascii_whitespace)).collect();
    if lines.len() > LINES_MAX {
        return;
    }
    for line in &lines {
        if let Ok(json) = Json::parse(line) {
            let text = json.to_string();
            assert_eq!(Json::parse(text.as_bytes()).as_ref(), Ok(&json), "through {text}");
        }
        for mode in [Mode::Append, Mode::Migrate] {
            if let Err(error) = parse_line(line, mode) {
                assert!(!error.to_string().is_empty());
            }
        }
    }
    let ledger = ledger(1);
    if !import(&ledger, &lines) {
        assert_eq!(ledger.head().size, Size::ZERO, "all or nothing");
        return;
    }
    let head = ledger.head();
    assert!(import(&ledger, &lines), "what was taken is taken again");
    assert_eq!(ledger.head(), head, "and nothing is appended");
    figures(&ledger);
    migrated(&ledger);
}

fn ledger(seed: u64) -> Ledger<Recognition> {
    let start = UtcDateTime::from_unix_timestamp(1_700_000_000).expect("an instant");
    Options::new()
        .clock(ManualClock::at(start))
        .ids(SeededIds::new(seed))
        .in_memory("example.org/fuzz")
        .expect("a ledger in memory")
}

/// Whether all lines were taken.
fn import(ledger: &Ledger<Recognition>, lines: &[&[u8]]) -> bool {
    let mut importer = ledger.importer(WholeOffice::new()).expect("the ledger reads");
    let mut numbering = Numbering::new();
    for line in lines {
        let Ok(Line::Event { mut import, form }) = parse_line(line, Mode::Append) else { return false };
        if let Some(form) = form {
            import.entry = import.entry.with_id(numbering.id(&form));
        }
        if let Err(error) = importer.take(import) {
            assert!(!error.to_string().is_empty());
            return false;
        }
    }
    importer.finish().expect("what every rule allows is appended");
    true
}

fn figures(ledger: &Ledger<Recognition>) {
    let parallel = ledger.fold_parallel(tally::Cumulative::default, 2).expect("a fold");
    assert_eq!(*ledger.fold(tally::Cumulative::default()).expect("a fold"), *parallel);
    let _ = ledger.fold(tally::Registered::default()).expect("a fold").rows();
    let _ = ledger.fold(tally::RecognitionRate::default()).expect("a fold").rows();
    let _ = ledger.fold(tally::Contributions::default()).expect("a fold").rows();
    let _ = ledger.fold(tally::Commendations::default()).expect("a fold").rows();
}

/// Through an export with personal values into another ledger.
fn migrated(ledger: &Ledger<Recognition>) {
    let opener = |commitment: &Commitment| -> sovang::Result<Opened> { ledger.open_value(commitment) };
    let other = self::ledger(2);
    let mut importer = other.importer(NoRules).and_then(sovang::Importer::migrating).expect("an empty ledger");
    for record in ledger.history(Size::ZERO).expect("a history") {
        let Historic::Event(record) = record.expect("a record") else { panic!("no record of the ledger itself was made") };
        let text = interchange::line(&record, Show::ValuesAndSalts(&opener)).expect("an export").to_string();
        match parse_line(text.as_bytes(), Mode::Migrate) {
            Ok(Line::Event { import, .. }) => importer.take(import).map(|_| ()).expect("a migration takes an export"),
            other => panic!("{other:?} of {text}"),
        }
    }
    importer.finish().expect("a migration");
    assert_eq!(other.head(), ledger.head(), "the same records, the same root");
}
