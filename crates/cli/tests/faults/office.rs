//! A small office: input of every kind, and what a ledger must be after something went wrong.

use crate::book::{Book, OFFICE, Said, run};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Events of a batch.
pub(crate) const BATCH: u64 = 4;

/// The office, and then models, persons and gifts, so that log, vault and index are all written.
pub(crate) fn lines(models: u32) -> String {
    let mut lines = OFFICE.to_owned();
    for n in 0..models {
        let (kind, subject) = match n % 2 {
            0 => ("individual", format!(r#""subject":{{"id":"S-{}","name":"Người {n}"}},"#, n / 3)),
            _ => ("collective", String::new()),
        };
        writeln!(lines, r#"{{"type":"model_registered","occurred_on":"2024-02-01","actor":"clerk","model":"K-{n}","title":"Mô hình {n}","subject_kind":"{kind}",{subject}"unit":"phu-dien","field":"economy","year":2024}}"#).unwrap();
        writeln!(lines, r#"{{"type":"model_funded","occurred_on":"2024-05-05","actor":"clerk","model":"K-{n}","contribution":{{"kind":"cash","vnd":{n}}},"source":"own"}}"#).unwrap();
    }
    lines
}

/// The ledger that comes of an input when nothing goes wrong, and one that has only the first part of it.
pub(crate) struct Office {
    dir: TempDir,
    /// The input, and its first part.
    pub(crate) all: PathBuf,
    /// Lines that were acknowledged before anything goes wrong.
    pub(crate) acknowledged: u64,
    whole: Vec<Value>,
}

impl Office {
    /// `before` lines are imported before anything goes wrong.
    pub(crate) fn new(models: u32, before: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let input = lines(models);
        let (all, first) = (dir.path().join("all.jsonl"), dir.path().join("first.jsonl"));
        std::fs::write(&all, &input).unwrap();
        std::fs::write(&first, input.lines().take(before).collect::<Vec<_>>().join("\n")).unwrap();
        let book = Book::new();
        book.run("import", &[all.to_str().unwrap()]).done();
        let whole = records(&book.path());
        let base = dir.path().join("base");
        run(["init".as_ref(), base.as_os_str(), "--origin".as_ref(), "example.org/base".as_ref()]).done();
        if before > 0 {
            run(["import".as_ref(), base.as_os_str(), first.as_os_str()]).done();
        }
        Self { dir, all, acknowledged: before as u64, whole }
    }
    /// A copy of the ledger as it was before anything went wrong.
    pub(crate) fn copy(&self) -> Copy {
        let dir = tempfile::tempdir_in(self.dir.path()).unwrap();
        let ledger = dir.path().join("book");
        copy_all(&self.dir.path().join("base"), &ledger);
        Copy { _dir: dir, ledger }
    }
    /// That a ledger is sound and has what was acknowledged and no part of a batch; that the same import completes it.
    #[track_caller]
    pub(crate) fn judge(&self, copy: &Copy, context: &str) {
        let verified = copy.run("verify", &["--json"]);
        assert_eq!(verified.code, Some(0), "{context}: {verified:?}");
        let size = verified.json()["size"].as_u64().unwrap();
        let all = self.whole.len() as u64;
        let since = size.checked_sub(self.acknowledged);
        assert!(since.is_some(), "{context}: {size} records after {} were acknowledged", self.acknowledged);
        assert!(size == all || since.unwrap().is_multiple_of(BATCH), "{context}: {size} is no end of a batch");
        self.judge_prefix(copy, size, context);
        let again = copy.import(self, &["--json"]);
        assert_eq!(again.code, Some(0), "{context}: {again:?}");
        let again = again.json();
        let found = again["duplicates"].as_u64().unwrap();
        // A batch that was whole and not yet proven is shown by no reader, and kept by the next writer.
        assert!(found >= size && again["size"] == all, "{context}: {size} shown, then {again}");
        self.judge_prefix(copy, all, context);
        let verified = copy.run("verify", &["--json"]);
        assert_eq!(verified.code, Some(0), "{context}: {verified:?}");
    }
    /// That a ledger has all of the input.
    #[track_caller]
    pub(crate) fn judge_whole(&self, copy: &Copy) {
        self.judge_prefix(copy, self.whole.len() as u64, "whole");
    }
    fn judge_prefix(&self, copy: &Copy, size: u64, context: &str) {
        let there = records(&copy.ledger);
        assert_eq!(there.len() as u64, size, "{context}");
        assert_eq!(there, self.whole[..there.len()], "{context}: the records are those of the input, with their persons");
    }
}

/// The id and the event of each record, personal values shown.
fn records(ledger: &Path) -> Vec<Value> {
    let log = run(["log".as_ref(), ledger.as_os_str(), "--json".as_ref(), "--with-personal".as_ref()]);
    log.lines().into_iter().map(|record| Value::Array(vec![record["id"].clone(), record["event"].clone()])).collect()
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A ledger to do something to.
pub(crate) struct Copy {
    _dir: TempDir,
    pub(crate) ledger: PathBuf,
}
impl Copy {
    pub(crate) fn run(&self, command: &str, rest: &[&str]) -> Said {
        run([&[command, self.ledger.to_str().unwrap()], rest].concat())
    }
    pub(crate) fn import(&self, office: &Office, rest: &[&str]) -> Said {
        let batch = BATCH.to_string();
        self.run("import", &[&[office.all.to_str().unwrap(), "--batch", &batch], rest].concat())
    }
    /// The arguments of an import of everything, in batches.
    pub(crate) fn import_args(&self, office: &Office) -> Vec<String> {
        let (ledger, all) = (self.ledger.to_str().unwrap(), office.all.to_str().unwrap());
        ["import", ledger, all, "--batch", &BATCH.to_string(), "--json"].map(str::to_owned).to_vec()
    }
}
