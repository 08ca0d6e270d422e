//! Evidence from outside: keys, signing, checking, anchoring, witnesses, as an office and an auditor use them.

mod anchoring;
mod checking;
mod keys;
mod signing;
mod walk;
mod witnessing;

use crate::book::{Book, GIFT, Said, program};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

pub(super) const ORIGIN: &str = "example.org/book";

/// Runs without a passphrase in the environment, unless one is given.
pub(super) fn run_keyed<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>, passphrase: Option<&str>) -> Said {
    let mut command = program();
    command.args(args).stdin(Stdio::null()).env_remove("SOVANG_KEY_PASSPHRASE");
    if let Some(passphrase) = passphrase {
        command.env("SOVANG_KEY_PASSPHRASE", passphrase);
    }
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    Said::of(command.output().unwrap())
}
pub(super) fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Said {
    run_keyed(args, None)
}

/// A ledger with a key for it, in one temporary directory.
pub(super) struct Signed {
    pub(super) book: Book,
    pub(super) vkey: String,
}

impl Signed {
    /// The office's ledger, not signed yet.
    pub(super) fn new() -> Self {
        let book = Book::of_office();
        let key = book.dir.path().join("book.key");
        let vkey = keygen(&key, ORIGIN);
        std::fs::write(book.dir.path().join("book.vkey"), format!("{vkey}\n")).unwrap();
        Self { book, vkey }
    }
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.book.dir.path().join(name)
    }
    pub(super) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }
    pub(super) fn write(&self, name: &str, content: &str) -> PathBuf {
        self.book.file(name, content)
    }
    /// Words of a command, in which `@x` is a file of the temporary directory and `VKEY` the log's key.
    pub(super) fn sovang(&self, words: &str) -> Said {
        run(words.split_whitespace().map(|word| match word.strip_prefix('@') {
            Some(name) => self.file(name).into_os_string(),
            None if word == "VKEY" => self.vkey.clone().into(),
            None => word.into(),
        }))
    }
    pub(super) fn checkpoint(&self, output: &str) -> Said {
        self.sovang(&format!("checkpoint @book --key @book.key -o @{output}"))
    }
    /// So many more records, unlike those of any other mark.
    pub(super) fn grow(&self, records: usize, mark: &str) {
        grow(&self.book.path(), records, mark);
    }
}

pub(super) fn keygen(path: &Path, name: &str) -> String {
    let said = run([
        OsStr::new("keygen"),
        "-o".as_ref(),
        path.as_os_str(),
        "--name".as_ref(),
        name.as_ref(),
        "--no-passphrase".as_ref(),
    ]);
    said.done().lines().last().unwrap().to_owned()
}

pub(super) fn grow(ledger: &Path, records: usize, mark: &str) {
    let lines: String = (0..records)
        .map(|n| GIFT.replace("\"clerk\"", &format!("\"clerk:{mark}\"")).replace(":7}", &format!(":{n}}}")) + "\n")
        .collect();
    crate::book::run_with([OsStr::new("import"), ledger.as_os_str(), "-".as_ref()], lines.as_bytes()).done();
}

/// A copy of a whole directory, as a backup makes it.
pub(super) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
