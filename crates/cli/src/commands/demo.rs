//! `sovang demo`

use crate::demo::figures::{Compared, Figure, Figures};
use crate::demo::{self, History, paragraph};
use crate::failure::{self, Failure};
use crate::{output, progress, table};
use sovang::recognition::Recognition;
use sovang::recognition::rules::{Flags, WholeOffice};
use sovang::recognition::tally::Bound;
use sovang::{Audit, Clock, ExecuteError, Ledger, Options, Projection, Query, Recorded, UtcDateTime};
use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Seconds by which Hà Nội is before UTC.
const HANOI_SECONDS_EAST: i32 = 7 * 3600;

pub(crate) fn run(dir: Option<&Path>) -> Result<(), Failure> {
    let dir = match dir {
        Some(dir) => dir.to_owned(),
        None => fresh_directory()?,
    };
    let clock = BookClock::default();
    let options = Options::new().clock(clock.clone()).utc_offset(HANOI_SECONDS_EAST);
    let ledger = options.create::<Recognition>(&dir, demo::ORIGIN)?;
    record(&ledger, &clock, demo::history()?)?;

    let (kinds, flags) = &*ledger.fold((ByType::default(), Flags::new()))?;
    say(&recorded(&dir, kinds))?;
    let figures = Figures::of(&ledger)?;
    for asked in &figures.asked {
        say(&format!("\n$ sovang tally {} {}", quoted(&dir), asked.question.arguments()))?;
        table::report(&asked.table)?;
    }
    say(&format!("\n{}\n\n{}", paragraph::english(&figures), paragraph::vietnamese(&figures)))?;

    let compared = figures.compared(&ledger)?;
    say(&comparison(&compared))?;
    say(&coverage(&figures))?;
    for flagged in flags.list() {
        say(&format!("Flagged, not cascaded: {flagged}"))?;
    }
    ledger.close()?;

    verify(&dir)?;
    say(&how_to_go_on(&dir))?;
    verdict(&compared)
}

/// The example is worth nothing unless every published figure comes out of the ledger.
fn verdict(compared: &[Compared]) -> Result<(), Failure> {
    let equal = compared.iter().filter(|figure| figure.is_equal()).count();
    if equal == compared.len() && equal > 0 {
        return Ok(());
    }
    let (differing, all) = (compared.len() - equal, compared.len());
    Err(Failure::new(failure::FOUND, format!("{differing} of {all} published figures differ from the ledger")))
}

/// Tells the time of the books: each was recorded when it was closed, so `--as-of` means something.
#[derive(Clone, Debug, Default)]
struct BookClock(Arc<AtomicI64>);
impl BookClock {
    fn set(&self, now: UtcDateTime) {
        self.0.store(now.unix_timestamp(), Ordering::Relaxed);
    }
}
impl Clock for BookClock {
    fn now(&self) -> UtcDateTime {
        UtcDateTime::from_unix_timestamp(self.0.load(Ordering::Relaxed)).unwrap_or(UtcDateTime::UNIX_EPOCH)
    }
}

/// Books go through the importer, what came one by one through its actor's desk: both keep the rules.
fn record(ledger: &Ledger<Recognition>, clock: &BookClock, history: History) -> Result<(), Failure> {
    let bar = progress::count("recording");
    for book in history.books {
        clock.set(book.closed_at);
        let mut importer = ledger.importer(WholeOffice::new())?;
        for import in book.entries {
            importer.take(import).map_err(refused)?;
            bar.inc(1);
        }
        importer.finish()?;
    }
    for single in history.singles {
        if let Some(at) = single.recorded_at() {
            clock.set(at);
        }
        ledger.by(single.actor).execute(&single.entry).map_err(refused)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

fn refused<R: Display>(error: ExecuteError<R>) -> Failure {
    match error {
        ExecuteError::Refused(refusal) => Failure::input(format!("the rules refuse an entry of the example: {refusal}")),
        ExecuteError::Failed(error) => Failure::from(error),
    }
}

/// How many records of each type there are.
#[derive(Default)]
struct ByType(BTreeMap<&'static str, u64>);
impl Projection<Recognition> for ByType {
    fn query(&self) -> Query {
        Query::all()
    }
    fn apply(&mut self, record: &Recorded<Recognition>) {
        *self.0.entry(record.event.type_name()).or_default() += 1;
    }
}

fn recorded(dir: &Path, kinds: &ByType) -> String {
    let total: u64 = kinds.0.values().sum();
    let rows = kinds.0.iter().map(|(kind, count)| vec![(*kind).to_owned(), table::grouped((*count).into())]).collect();
    let table = table::plain(vec!["type".to_owned(), "records".to_owned()], rows, 1);
    format!("Recorded {} records in {}\n{}", table::grouped(total.into()), dir.display(), table.trim_fmt())
}

fn comparison(compared: &[Compared]) -> String {
    let rows = compared
        .iter()
        .map(|figure| {
            vec![
                figure.measure.clone(),
                figure.period.clone(),
                if figure.is_equal() { "equal" } else { "DIFFERS" }.to_owned(),
                written(figure.published),
                figure.stated.map_or_else(|| "-".to_owned(), written),
            ]
        })
        .collect();
    let header = ["measure", "period", "", "published", "from the ledger"].map(str::to_owned).to_vec();
    let equal = compared.iter().filter(|figure| figure.is_equal()).count();
    format!(
        "\nCompared with the {} (figure_published records; no tally counts them)\n{}\n{equal} of {} figures are equal. \
         Money is said in whole billions and labour in whole thousands, rounded down: what is cut off makes it \"more than\".",
        demo::REPORT,
        table::plain(header, rows, 3).trim_fmt(),
        compared.len(),
    )
}

fn written(figure: Figure) -> String {
    let sign = match figure.bound {
        None => "",
        Some(Bound::MoreThan) => "> ",
        Some(Bound::LessThan) => "< ",
        Some(Bound::About) => "~ ",
    };
    format!("{sign}{}", table::grouped(figure.value))
}

fn coverage(figures: &Figures) -> String {
    let (first, last) = figures.years.unwrap_or_default();
    format!(
        "Coverage: registrations from {first} to {last}. The report's headline says 15 years (2009-2024); the district was created on \
         27 December 2013, and this ledger knows of no registration before."
    )
}

fn verify(dir: &Path) -> Result<(), Failure> {
    let audit = Audit::of_directory(dir, &mut |_, _| ())?;
    if let Some(finding) = audit.findings.first() {
        let code = if audit.findings.iter().any(|f| f.in_log) { failure::DAMAGED } else { failure::FOUND };
        return Err(Failure::new(code, format!("the verification found: {finding}")));
    }
    let head = audit.head;
    say(&format!("Verified: {} records re-hashed, sound, root {}", table::grouped(head.size.0.into()), head.root.to_base64()))
}

fn how_to_go_on(dir: &Path) -> String {
    let dir = quoted(dir);
    let mut text = String::from("\nGo on with:");
    for (command, what) in [
        (format!("tally {dir} --list"), "what can be asked"),
        (format!("tally {dir} registered --by year,unit"), ""),
        (format!("tally {dir} recognised --where level=district --as-of 2017-12-31T23:59:59+07:00"), "as known then"),
        (format!("log {dir} --model BTL-2024-0032"), "a model that was entered for the wrong ward"),
        (format!("log {dir} --type record_corrected --limit 5"), ""),
        (format!("verify {dir}"), ""),
        (format!("head {dir} --json"), ""),
        (format!("export {dir} > golden-book.jsonl"), ""),
    ] {
        let remark = if what.is_empty() { String::new() } else { format!("    # {what}") };
        // Writing to a String does not fail.
        let _ = write!(text, "\n  sovang {command}{remark}");
    }
    text
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn say(text: &str) -> Result<(), Failure> {
    let mut out = output::stdout();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// A new directory under the system's temporary one: it is left there.
fn fresh_directory() -> Result<PathBuf, Failure> {
    let parent = std::env::temp_dir();
    for number in 1..=u32::MAX {
        let dir = parent.join(format!("sovang-demo-{number}"));
        match std::fs::create_dir(&dir) {
            Ok(()) => return Ok(dir),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                let message = format!("cannot create {}: {error}\nhint: name a directory: sovang demo DIR", dir.display());
                return Err(Failure::new(failure::ENVIRONMENT, message));
            }
        }
    }
    Err(Failure::input(format!("{} is full of earlier examples", parent.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_differs_fails_the_example() {
        let figure = |value| Figure { value, bound: None };
        let compared = |stated: Option<i128>| Compared {
            measure: "registered".to_owned(),
            period: "2024".to_owned(),
            published: figure(549),
            stated: stated.map(figure),
        };
        let code = |compared: &[Compared]| verdict(compared).map_err(|failure| failure.code());
        assert_eq!(code(&[compared(Some(549))]), Ok(()));
        for differing in [vec![compared(Some(549)), compared(Some(548))], vec![compared(None)], vec![]] {
            assert_eq!(code(&differing), Err(failure::FOUND));
        }
    }

    #[test]
    fn paths_are_quoted_for_a_shell() {
        assert_eq!(quoted(Path::new("/tmp/sovang-demo-1")), "/tmp/sovang-demo-1");
        assert_eq!(quoted(Path::new("so vàng's")), "'so vàng'\\''s'");
        assert_eq!(quoted(Path::new("")), "''");
    }
}
