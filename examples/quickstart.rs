//! The first screen: a ledger of the recognition office, four facts, a tally, a verification.
//!
//!     cargo run --example quickstart

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use sovang::recognition::{self, Contribution, Field, Level, Recognition, Source, SubjectKind, UnitKind, tally};
use sovang::{Ledger, date};

fn main() -> Result<(), recognition::Refused> {
    let home = std::env::temp_dir().join(format!("sovang-quickstart-{}", std::process::id()));
    let ledger = Ledger::<Recognition>::create(&home, "example.org/golden-book")?;
    let clerk = ledger.by("clerk:lan");

    let unit = recognition::unit_defined("co-nhue-1", "Cổ Nhuế 1", UnitKind::Ward, date(2013, 12, 27));
    let register = recognition::model_registered(
        "flower-road",
        "Flower road",
        SubjectKind::Collective,
        "co-nhue-1",
        Field::CultureSociety,
        2024,
    );
    let decision = recognition::decision("district", "120/QD-UBND", date(2024, 9, 2));
    let recognise = recognition::model_recognised("flower-road", Level::District, decision);
    let fund = recognition::model_funded("flower-road", Contribution::Cash { vnd: 120_000_000 }, Source::Socialised);

    // execute = record, if the rules of the office allow it
    clerk.execute(&unit.on(date(2013, 12, 27)))?;
    clerk.execute(&register.on(date(2024, 3, 1)))?;
    clerk.execute(&recognise.on(date(2024, 9, 2)))?;
    clerk.execute(&fund.on(date(2024, 10, 5)))?;

    for row in ledger.fold(tally::Contributions::default())?.rows() {
        println!("{row}");
    }
    let head = ledger.verify()?; // re-hashes every byte
    println!("{} records, root {}", head.size, head.root);
    println!("the ledger is in {}", home.display());
    Ok(())
}
