//! A service's thread pool: many threads record through clones of one handle; the writer groups what is waiting into one
//! sync, and one thread may hold many tickets.
//!
//!     cargo run --release --example service

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use sovang::recognition::{self, Contribution, Field, Recognition, Source, SubjectKind, UnitKind};
use sovang::{Ledger, Ticket, date};
use std::thread;

const THREADS: usize = 8;
const GIFTS: usize = 500;

fn main() -> Result<(), recognition::Refused> {
    let home = std::env::temp_dir().join(format!("sovang-service-{}", std::process::id()));
    let ledger = Ledger::<Recognition>::open_or_create(&home, "example.org/service")?;
    let office = ledger.by("office");
    let ward = recognition::unit_defined("phu-dien", "Phú Diễn", UnitKind::Ward, date(2013, 12, 27));
    office.execute(&ward.on(date(2013, 12, 27)))?;
    let day = date(2024, 3, 1);
    let model = recognition::model_registered("lamp-road", "Lamps", SubjectKind::Collective, "phu-dien", Field::Economy, 2024);
    office.execute(&model.on(day))?;

    let results: Vec<Result<usize, sovang::Error>> = thread::scope(|scope| {
        let pool: Vec<_> = (0..THREADS)
            .map(|worker| {
                let desk = ledger.by(format!("desk:{worker}")).correlation(format!("batch-{worker}"));
                scope.spawn(move || {
                    let tickets = (0..GIFTS)
                        .map(|_| {
                            desk.submit(
                                recognition::model_funded("lamp-road", Contribution::Cash { vnd: 50_000 }, Source::Socialised)
                                    .on(day),
                            )
                        })
                        .collect::<Result<Vec<Ticket>, _>>()?;
                    let mut durable = 0;
                    for ticket in tickets {
                        ticket.wait()?; // Ok means durable
                        durable += 1;
                    }
                    Ok(durable)
                })
            })
            .collect();
        pool.into_iter().map(|worker| worker.join().expect("a worker does not panic")).collect()
    });
    let durable: usize = results.into_iter().sum::<Result<usize, _>>()?;
    let head = ledger.head();
    println!("{durable} gifts by {THREADS} threads are durable; the ledger has {} records, root {}", head.size, head.root);
    println!("go on with: cargo run --release --example auditor -- {}", home.display());
    Ok(())
}
