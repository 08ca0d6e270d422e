//! Reports as tables for people, and as CSV for spreadsheets.

use crate::failure::Failure;
use crate::output;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use sovang::recognition::tally::{self, Bound, Measure, Value};
use std::io::Write as _;

/// A borderless table that is readable without colour; the columns from `numbers` on are aligned to the right.
pub(crate) fn plain(header: Vec<String>, rows: Vec<Vec<String>>, numbers: usize) -> Table {
    let columns = header.len();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header).add_rows(rows);
    for index in numbers..columns {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A report for people: a figure that is a bound says so.
pub(crate) fn report(report: &tally::Table) -> Result<(), Failure> {
    let header =
        report.dimensions.iter().map(ToString::to_string).chain(report.measures.iter().map(ToString::to_string)).collect();
    let rows = report
        .rows
        .iter()
        .map(|row| row.dimensions.iter().map(|(_, value)| value.to_string()).chain(row.measures.iter().map(figure)).collect())
        .collect();
    let mut out = output::stdout();
    writeln!(out, "{}", plain(header, rows, report.dimensions.len()).trim_fmt())?;
    Ok(out.flush()?)
}

fn figure(measure: &Measure) -> String {
    let sign = match measure.bound {
        None => "",
        Some(Bound::MoreThan) => "> ",
        Some(Bound::LessThan) => "< ",
        Some(Bound::About) => "~ ",
    };
    format!("{sign}{}", grouped(measure.value))
}

/// Digits in groups of three, with a thin gap that no locale reads as a decimal mark.
pub(crate) fn grouped(value: i128) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut out = String::from(if value < 0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// A report for spreadsheets: plain digits, and a column for each measure's bound.
pub(crate) fn csv(report: &tally::Table) -> Result<(), Failure> {
    let mut out = csv::Writer::from_writer(output::stdout());
    let bounded = |name: &str| report.rows.iter().any(|row| row.measure(name).is_some_and(|m| m.bound.is_some()));
    let bounds: Vec<&str> = report.measures.iter().copied().filter(|name| bounded(name)).collect();
    let header = report.dimensions.iter().map(ToString::to_string);
    let header =
        header.chain(report.measures.iter().map(ToString::to_string)).chain(bounds.iter().map(|name| format!("{name}_bound")));
    out.write_record(header)?;
    for row in &report.rows {
        let dimensions =
            row.dimensions.iter().map(|(_, value)| if *value == Value::Null { String::new() } else { value.to_string() });
        let measures = row.measures.iter().map(|m| m.value.to_string());
        let bounds = bounds.iter().map(|name| row.measure(name).and_then(|m| m.bound).map_or("", Bound::as_str).to_owned());
        out.write_record(dimensions.chain(measures).chain(bounds))?;
    }
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn groups_of_three() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(6_977), "6 977");
        assert_eq!(grouped(-1_234_567), "-1 234 567");
        assert_eq!(grouped(i128::MAX).len(), 39 + 12);
    }
}
