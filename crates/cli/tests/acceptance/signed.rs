//! A ledger with its keys: the log's, and one for figures.

use crate::book::{Book, Said, run};
use std::path::PathBuf;

pub(crate) const ORIGIN: &str = "example.org/book";

pub(crate) struct Signed {
    pub(crate) book: Book,
    /// The log's verifier key.
    pub(crate) log: String,
    /// That of statements.
    pub(crate) figures: String,
}

impl Signed {
    /// With keys, and nothing signed yet.
    pub(crate) fn of(book: Book) -> Self {
        let signed = Self { book, log: String::new(), figures: String::new() };
        let log = signed.keygen("log.key", ORIGIN);
        let figures = signed.keygen("figures.key", "example.org/book/figures");
        Self { log, figures, ..signed }
    }
    /// With the office's records, and a checkpoint of them in the file `checkpoint`.
    pub(crate) fn of_office() -> Self {
        let signed = Self::of(Book::of_office());
        signed.sign();
        signed
    }
    pub(crate) fn keygen(&self, file: &str, name: &str) -> String {
        let said = run(["keygen", "-o", &self.path(file), "--name", name, "--no-passphrase"]).done();
        said.lines().last().unwrap().to_owned()
    }
    pub(crate) fn sign(&self) {
        self.book.run("checkpoint", &["--key", &self.path("log.key"), "-o", &self.path("checkpoint")]).done();
    }
    /// A file beside the ledger.
    pub(crate) fn path(&self, file: &str) -> String {
        self.file(file).to_str().unwrap().to_owned()
    }
    pub(crate) fn file(&self, file: &str) -> PathBuf {
        self.book.dir.path().join(file)
    }
    /// `sovang COMMAND DIR OPTIONS… -o FILE`
    #[track_caller]
    pub(crate) fn write(&self, command: &str, options: &[&str], file: &str) -> Said {
        let said = self.book.run(command, &[options, &["-o", &self.path(file)]].concat());
        assert_eq!(said.code, Some(0), "{said:?}");
        said
    }
    /// `sovang check FILE --vkey KEY… REST…`
    pub(crate) fn check(&self, file: &str, keys: &[&String], rest: &[&str]) -> Said {
        let file = self.path(file);
        let keys = keys.iter().flat_map(|key| ["--vkey", key.as_str()]);
        run(["check", &file].into_iter().chain(keys).chain(rest.iter().copied()))
    }
}
