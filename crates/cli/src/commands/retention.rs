//! `sovang retention`

use crate::args::RetentionArgs;
use crate::failure::Failure;
use crate::{output, table};
use serde::{Serialize, Serializer};
use sovang::recognition::Recognition;
use sovang::recognition::interchange::day;
use sovang::recognition::retention::{Classes, Ended, Ends, Retention, Term};
use sovang::{Date, Head, Ledger, Query, UtcDateTime};
use std::io::Write as _;
use std::path::Path;
use time::macros::format_description;

pub(crate) fn run(args: &RetentionArgs) -> Result<(), Failure> {
    let (Some(dir), false) = (&args.dir, args.example) else { return example() };
    let as_of = args.as_of.as_deref().map_or(Ok(UtcDateTime::now().date()), date)?;
    let classes = args.classes.as_deref().map_or(Ok(Classes::example()), read)?;
    // One state of the log for both passes.
    let reader = Ledger::<Recognition>::open_read_only(dir)?;
    let reader = reader.as_of(reader.refresh()?.size)?;
    let ends = reader.fold(Ends::default())?;
    let retention = Retention::new(&classes, &ends);
    let (mut ended, mut unclassed) = (Vec::new(), 0u64);
    for record in reader.read(Query::all()) {
        let record = record?;
        unclassed += u64::from(retention.term(&record) == Term::Unclassed);
        ended.extend(retention.ended(&record, as_of));
    }
    if args.json {
        output::json(&document(as_of, reader.head(), &ended, unclassed))?;
    } else {
        print(&ended)?;
    }
    tell(args, as_of, &ended, unclassed);
    Ok(())
}

fn example() -> Result<(), Failure> {
    let mut out = output::stdout();
    out.write_all(Classes::EXAMPLE.as_bytes())?;
    Ok(out.flush()?)
}
fn date(text: &str) -> Result<Date, Failure> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .map_err(|_| Failure::input(format!("{text:?} is no day\nhint: --as-of 2035-01-01")))
}
fn read(path: &Path) -> Result<Classes, Failure> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|e| Failure::file(&e, "read", &shown))?;
    Classes::parse(&bytes).map_err(|error| {
        Failure::input(format!("{shown}: {}", output::shortened(&error.to_string())))
            .advise("`sovang retention --example` prints a file of the right form")
    })
}

/// The document of `--json`; rows are written one by one, for there may be as many as records.
#[derive(Serialize)]
struct Document<'a> {
    as_of: String,
    size: u64,
    root: String,
    unclassed: u64,
    #[serde(serialize_with = "one_by_one")]
    rows: &'a [Ended<'a>],
}

#[derive(Serialize)]
struct Row<'a> {
    class: &'a str,
    position: u64,
    id: String,
    #[serde(rename = "type")]
    kind: &'a str,
    occurred_on: String,
    ended_on: String,
    personal_readable: bool,
}

fn one_by_one<S: Serializer>(rows: &[Ended<'_>], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(rows.iter().map(|row| Row {
        class: &row.class.name,
        position: row.position.0,
        id: row.id.to_string(),
        kind: row.kind,
        occurred_on: day(row.occurred_on),
        ended_on: day(row.ended_on),
        personal_readable: row.is_readable,
    }))
}

fn document<'a>(as_of: Date, head: Head, rows: &'a [Ended<'a>], unclassed: u64) -> Document<'a> {
    Document { as_of: day(as_of), size: head.size.0, root: head.root.to_base64(), unclassed, rows }
}

fn print(ended: &[Ended<'_>]) -> Result<(), Failure> {
    let header = ["class", "position", "id", "type", "occurred on", "ended on", "personal data"].map(str::to_owned).to_vec();
    let rows = ended
        .iter()
        .map(|row| {
            vec![
                row.class.name.clone(),
                row.position.to_string(),
                row.id.to_string(),
                row.kind.to_owned(),
                day(row.occurred_on),
                day(row.ended_on),
                if row.is_readable { "readable" } else { "none" }.to_owned(),
            ]
        })
        .collect();
    let mut out = output::stdout();
    writeln!(out, "{}", table::plain(header, rows, usize::MAX).trim_fmt())?;
    Ok(out.flush()?)
}

fn tell(args: &RetentionArgs, as_of: Date, ended: &[Ended<'_>], unclassed: u64) {
    if args.classes.is_none() {
        output::tell("note: the terms are an example's, and invented: give the office's own with --classes FILE");
    }
    if unclassed > 0 {
        output::tell(&format!("note: {unclassed} records belong to no class and are not judged"));
    }
    let readable = ended.iter().filter(|row| row.is_readable).count();
    output::tell(&format!("note: the term of {} records ended before {}; nothing was deleted", ended.len(), day(as_of)));
    if readable > 0 {
        output::tell(&format!(
            "hint: {readable} of them have personal data that can still be read: sovang erase DIR --subject ID --basis TEXT destroys a person's, in all records"
        ));
    }
}
