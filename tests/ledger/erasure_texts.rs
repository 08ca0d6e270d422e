//! What may stand in the record of an erasure or of a disclosure, which is public for ever.

use crate::loan::{DAY, Loan, ORIGIN, fixed, in_memory};
use sovang::{CodecError, Decoder, Encoder, ErrorKind, Event, Kind, Ledger, LedgerEvent, Personal, Position, Size, limits};

fn signed(subject: &str, name: &str) -> Loan {
    Loan::Signed { loan: "L-1".into(), borrower: Personal::of(subject, name), guarantor: Personal::None }
}
fn book() -> Ledger<Loan> {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    let persons = [("P-17", "Nguyễn Thị Hồng Đào"), ("P-18", "Lê Văn Khác"), ("7", "An"), ("P-20", "số 3, Tổ 5")];
    desk.record_all(persons.map(|(subject, name)| signed(subject, name).on(DAY))).unwrap();
    ledger
}

#[test]
fn a_basis_that_names_anybody_is_refused_and_nothing_changes() {
    let ledger = book();
    let desk = ledger.by("dpo");
    let head = ledger.head();
    let refused = [
        ("P-17", "request of Nguyễn Thị Hồng Đào", "word 3", "a personal value"),
        ("P-17", "of NGUYỄN THỊ  HỒNG\nĐÀO, art. 14", "word 2", "a personal value"),
        ("P-17", "Nguye\u{302}\u{303}n Thi\u{323} Ho\u{302}\u{300}ng Đa\u{300}o", "word 1", "a personal value"),
        ("P-17", "letter(lê văn khác)17", "word 1", "a personal value"),
        ("P-17", "the file p-17 of May", "word 3", "the subject's id"),
        ("P-17", "on behalf of An", "word 4", "a personal value"),
        ("P-17", "an appeal", "word 1", "a personal value"),
        ("P-17", "of Số 3, tổ 5", "word 2", "a personal value"),
        ("7", "article 7", "word 2", "the subject's id"),
    ];
    for (subject, basis, word, what) in refused {
        let error = desk.erase(subject, basis).unwrap_err();
        let said = error.to_string();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{basis}: {said}");
        assert!(said.contains(word) && said.contains(what) && said.contains("hint:"), "{basis}: {said}");
        assert!(!said.to_lowercase().contains("hồng") && !said.contains("P-17"), "it repeats no name: {said}");
    }
    assert_eq!(ledger.head(), head);
    let Loan::Signed { borrower, .. } = ledger.get(Position(0)).unwrap().event else { panic!("signed") };
    assert!(borrower.value().is_some());
    // Near, and not the same: short values are whole words, others are these letters.
    let taken = "Thanh's request, Article 17: Nguyen Thi Hong Dao, Hồng Đào, số 3; banana";
    assert_eq!(desk.erase("P-17", taken).unwrap().position, Position(4));
    // Whose data is gone is in no text that could be compared; the other persons still are.
    desk.erase("P-18", "after Nguyễn Thị Hồng Đào").unwrap();
    assert!(desk.erase("7", "as Lê Văn Khác and An").is_err());
    assert_eq!(ledger.head().size, Size(6));
}

#[test]
fn a_basis_is_a_text() {
    let ledger = book();
    let desk = ledger.by("dpo");
    for (basis, kind) in [
        ("", ErrorKind::InvalidInput),
        (" \n ", ErrorKind::InvalidInput),
        ("a\u{1b}[2J", ErrorKind::InvalidInput),
        (&"x".repeat(limits::LEDGER_TEXT_BYTES_MAX + 1), ErrorKind::TooLarge),
    ] {
        assert_eq!(desk.erase("P-17", basis).unwrap_err().kind(), kind);
    }
    assert_eq!(desk.erase("P-99", "request").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(ledger.head().size, Size(4));
    desk.erase("P-17", &"x ".repeat(limits::LEDGER_TEXT_BYTES_MAX / 2)).unwrap();
    // Done already: no basis is recorded, so none is judged.
    let again = desk.erase("P-17", "of Lê Văn Khác").unwrap();
    assert_eq!((again.repeated, again.position, ledger.head().size), (true, Position(4), Size(5)));
}

/// An event whose personal value is no plain text.
struct Lodged(Personal<(u16, String, Vec<String>)>);
impl Event for Lodged {
    const SCHEMA: &'static str = "example.org/lodgers";
    const KINDS: &'static [Kind] = &[Kind::new(1, 1, "lodged")];
    fn kind(&self) -> Kind {
        Self::KINDS[0]
    }
    fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.personal(4, &self.0)
    }
    fn decode(_: u16, _: u16, from: &mut Decoder) -> Result<Self, CodecError> {
        Ok(Self(from.personal(4)?))
    }
}

#[test]
fn texts_within_other_values_count_too() {
    let ledger = fixed().0.in_memory::<Lodged>(ORIGIN).unwrap();
    let desk = ledger.by("dpo");
    let value = (7u16, "Phạm Thị D".to_owned(), vec!["số 8".to_owned(), "ngõ Chùa".to_owned()]);
    desk.record(Lodged(Personal::of("P-1", value)).on(DAY)).unwrap();
    for basis in ["for phạm thị d", "of Ngõ Chùa"] {
        assert_eq!(desk.erase("P-1", basis).unwrap_err().kind(), ErrorKind::InvalidInput, "{basis}");
    }
    let disclosed = desk.disclose(Position(0), 4, "court", "case 1").unwrap();
    assert_eq!((disclosed.text(), disclosed.field), (None, 4));
    assert!(disclosed.to_string().contains("\"value_bytes\""));
    desk.erase("P-1", "request 12/2026").unwrap();
}

#[test]
fn a_disclosure_is_recorded_before_the_value_is_given_out() {
    let ledger = book();
    let desk = ledger.by("dpo");
    let disclosed = desk.disclose(Position(1), 1, "district court", "case 12/2026").unwrap();
    let record = ledger.get(Position(1)).unwrap();
    assert_eq!((disclosed.logged_at, disclosed.position, disclosed.record), (Position(4), Position(1), record.id));
    assert_eq!((disclosed.text().as_deref(), disclosed.origin.as_str()), (Some("Lê Văn Khác"), ORIGIN));
    disclosed.verify(Position(1), record.frame()).unwrap();
    assert!(disclosed.verify(Position(0), ledger.get(Position(0)).unwrap().frame()).is_err());
    let Some(Ok(sovang::Historic::Ledger(logged))) = ledger.history(Size(4)).unwrap().next() else { panic!("a record") };
    let expected = LedgerEvent::ValueDisclosed {
        record: record.id,
        field: 1,
        reader: "district court".into(),
        purpose: "case 12/2026".into(),
    };
    assert_eq!((logged.event, logged.actor.as_str()), (expected, "dpo"));
    // Each act is recorded.
    assert_eq!(desk.disclose(Position(1), 1, "district court", "case 12/2026").unwrap().logged_at, Position(5));
}

#[test]
fn a_disclosure_that_is_refused_is_not_recorded() {
    let ledger = book();
    let desk = ledger.by("dpo");
    desk.record(crate::loan::opened("L-1", 5).on(DAY)).unwrap();
    desk.erase("7", "request 12/2026").unwrap();
    let size = ledger.head().size;
    let kinds = [
        (99, 1, "court", "case", ErrorKind::NotFound),
        (4, 1, "court", "case", ErrorKind::InvalidInput),
        (5, 1, "court", "case", ErrorKind::InvalidInput),
        (0, 7, "court", "case", ErrorKind::InvalidInput),
        (2, 1, "court", "case", ErrorKind::NotFound),
        (0, 1, " ", "case", ErrorKind::InvalidInput),
        (0, 1, "court", "", ErrorKind::InvalidInput),
        (0, 1, "Lê Văn Khác", "case", ErrorKind::InvalidInput),
        (0, 1, "court", "about nguyễn thị hồng đào", ErrorKind::InvalidInput),
    ];
    for (position, field, reader, purpose, kind) in kinds {
        let error = desk.disclose(Position(position), field, reader, purpose).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    assert_eq!(ledger.head().size, size);
}
