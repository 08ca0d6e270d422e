//! `sovang tally`

use crate::args::{Format, QuestionArgs, TallyArgs};
use crate::failure::Failure;
use crate::{output, table};
use serde::Serialize;
use sovang::recognition::Recognition;
use sovang::recognition::tally::{Name, Request, Row, Tally};
use sovang::{AsOf, Ledger, Size, UtcDateTime};
use std::io::Write as _;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The document of `--format json`.
#[derive(Serialize)]
struct Document<'a> {
    tally: &'a str,
    size: u64,
    root: String,
    as_of: u64,
    rows: &'a [Row],
}

pub(crate) fn run(args: &TallyArgs) -> Result<(), Failure> {
    let (Some(name), false) = (&args.name, args.list) else { return list() };
    let name: Name = name.parse()?;
    let request = args.question.request(name)?;
    let as_of = args.question.point()?;
    let reader = Ledger::<Recognition>::open_read_only(&args.dir)?;
    let reader = match as_of {
        Some(point) => reader.as_of(point)?,
        None => reader,
    };
    let folded = reader.fold(Tally::new(name, request)?)?;
    let report = folded.table();
    match args.format {
        Format::Table => table::report(&report),
        Format::Csv => table::csv(&report),
        Format::Json => output::json(&Document {
            tally: name.as_str(),
            size: folded.head.size.0,
            root: folded.head.root.to_base64(),
            as_of: folded.head.size.0,
            rows: &report.rows,
        }),
    }
}

impl QuestionArgs {
    /// What is asked of this tally.
    pub(crate) fn request(&self, name: Name) -> Result<Request, Failure> {
        Ok(Request::parse(name, self.by.as_deref(), &self.filters, self.from.as_deref(), self.to.as_deref())?)
    }
    /// As known when.
    pub(crate) fn point(&self) -> Result<Option<AsOf>, Failure> {
        self.as_of.as_deref().map(point).transpose()
    }
}

fn point(text: &str) -> Result<AsOf, Failure> {
    if let Ok(size) = text.parse() {
        return Ok(AsOf::Size(Size(size)));
    }
    match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(at) => Ok(AsOf::Instant(UtcDateTime::from(at))),
        Err(_) => Err(Failure::input(format!(
            "{text:?} is neither a size nor an RFC 3339 time\nhint: --as-of 1000, or --as-of 2019-12-31T23:59:59+07:00"
        ))),
    }
}

fn list() -> Result<(), Failure> {
    let names = |dimensions: &[sovang::recognition::tally::Dimension]| {
        dimensions.iter().map(|d| d.as_str()).collect::<Vec<_>>().join(", ")
    };
    let rows = Name::ALL
        .iter()
        .map(|name| {
            vec![
                name.as_str().to_owned(),
                names(name.default_dimensions()),
                names(name.further_dimensions()),
                name.measures().join(", "),
            ]
        })
        .collect();
    let header = ["tally", "by default by", "further dimensions", "measures"].map(str::to_owned).to_vec();
    let mut out = output::stdout();
    writeln!(out, "{}", table::plain(header, rows, usize::MAX).trim_fmt())?;
    Ok(out.flush()?)
}
