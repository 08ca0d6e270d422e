//! What the press published on 14 October 2024, and what an earlier review said: figures that are compared with the
//! ledger's and never added to them.

use super::units::DISTRICT;
use sovang::recognition::{self, Qualifier, Recognition};
use sovang::{Date, Entry, date};

/// Who enters what was published.
pub(super) const ACTOR: &str = "press";
/// The day of the report.
pub(super) const DAY: Date = date(2024, 10, 14);
/// How the ledger names the report.
pub(crate) const REPORT: &str = "report of 14 October 2024";

const ALL_YEARS: &str = "2014/2024";
const LAST_YEAR: &str = "2024";

/// Measure, period, value, and how the value relates to the truth.
const PUBLISHED: [(&str, &str, i64, Qualifier); 11] = [
    ("registered", ALL_YEARS, 6_977, Qualifier::Exact),
    ("wards", ALL_YEARS, 13, Qualifier::Exact),
    ("recognised_collectives", ALL_YEARS, 885, Qualifier::Exact),
    ("recognised_individuals", ALL_YEARS, 748, Qualifier::Exact),
    ("proposed_collectives", ALL_YEARS, 9, Qualifier::Exact),
    ("registered", LAST_YEAR, 549, Qualifier::Exact),
    ("socialised_vnd", LAST_YEAR, 7_000_000_000, Qualifier::MoreThan),
    ("labour_days", LAST_YEAR, 3_000, Qualifier::MoreThan),
    ("commended_collectives", LAST_YEAR, 36, Qualifier::Exact),
    ("commended_individuals", LAST_YEAR, 15, Qualifier::Exact),
    ("medals_individuals", LAST_YEAR, 2, Qualifier::Exact),
];

/// Every figure that was published, as entries.
pub(super) fn figures() -> Vec<Entry<Recognition>> {
    let review = "báo cáo sơ kết 5 năm 2014 - 2018";
    let earlier = recognition::figure_published("registered", DISTRICT, "2014/2018", 3_000, Qualifier::LessThan, review);
    let mut entries = vec![earlier.on(date(2019, 1, 15))];
    for (measure, period, value, qualifier) in PUBLISHED {
        entries.push(recognition::figure_published(measure, DISTRICT, period, value, qualifier, REPORT).on(DAY));
    }
    entries
}
