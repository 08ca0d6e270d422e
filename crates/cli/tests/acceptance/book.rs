//! A ledger in a temporary directory, and the program beside it.

use serde_json::Value;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// Sixteen lines of an office: one of almost everything, for bad lines to collide with.
pub(crate) const OFFICE: &str = include_str!("office.jsonl");
/// A line that fits any time: the office's commonest.
pub(crate) const GIFT: &str = r#"{"type":"model_funded","occurred_on":"2024-06-06","actor":"clerk","model":"M-1","contribution":{"kind":"cash","vnd":7},"source":"own"}"#;

/// What the program said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}
impl Said {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
    /// The one JSON document on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e} in {self:?}"))
    }
    /// A JSON document a line.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<Value> {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in {line:?}"))).collect()
    }
    /// Stdout of a command that was to succeed.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }
}

pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_sovang"))
}

pub(crate) fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Said {
    Said::of(program().args(args).stdin(Stdio::null()).output().unwrap())
}

/// Runs with an input on stdin; a program that stops reading early is no failure here.
pub(crate) fn run_with<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>, input: &[u8]) -> Said {
    let mut child: Child =
        program().args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeding = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeding.join().unwrap();
    Said::of(output)
}

/// Size and root, as `head` tells them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) size: u64,
    pub(crate) root: String,
}

/// A ledger with the directory it stands in.
pub(crate) struct Book {
    pub(crate) dir: TempDir,
}
impl Book {
    /// An empty ledger.
    pub(crate) fn new() -> Self {
        let book = Self { dir: tempfile::tempdir().unwrap() };
        run([OsStr::new("init"), book.path().as_os_str(), "--origin".as_ref(), "example.org/book".as_ref()]).done();
        book
    }
    /// A ledger with [`OFFICE`] in it.
    pub(crate) fn of_office() -> Self {
        let book = Self::new();
        book.import(OFFICE.as_bytes()).done();
        book
    }
    /// The ledger's directory.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("book")
    }
    /// A file beside the ledger.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
    /// `sovang COMMAND DIR REST…`
    pub(crate) fn run(&self, command: &str, rest: &[&str]) -> Said {
        run(self.args(command, rest))
    }
    /// Imports from stdin.
    pub(crate) fn import(&self, input: &[u8]) -> Said {
        self.import_with(&["--json"], input)
    }
    pub(crate) fn import_with(&self, options: &[&str], input: &[u8]) -> Said {
        run_with(self.args("import", &[&["-"], options].concat()), input)
    }
    pub(crate) fn args(&self, command: &str, rest: &[&str]) -> Vec<std::ffi::OsString> {
        let mut args = vec![command.into(), self.path().into_os_string()];
        args.extend(rest.iter().map(Into::into));
        args
    }
    pub(crate) fn head(&self) -> Head {
        head(&self.path())
    }
    #[track_caller]
    pub(crate) fn verified(&self) -> Head {
        let report = self.run("verify", &["--json"]).json();
        assert_eq!(report["ok"], true, "{report}");
        Head { size: report["size"].as_u64().unwrap(), root: report["root"].as_str().unwrap().to_owned() }
    }
}

pub(crate) fn head(ledger: &Path) -> Head {
    let head = run([OsStr::new("head"), ledger.as_os_str(), "--json".as_ref()]).json();
    Head { size: head["size"].as_u64().unwrap(), root: head["root"].as_str().unwrap().to_owned() }
}
