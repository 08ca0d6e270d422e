//! The README's walk, word for word.

use super::{Signed, run};
use std::process::Command;

/// The commands of the README under "Prove it", one a line.
fn commands() -> Vec<String> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let section = readme.split("\n## Prove it\n").nth(1).unwrap().split("\n## ").next().unwrap().to_owned();
    section.lines().filter_map(|line| line.strip_prefix("    $ sovang ")).map(str::to_owned).collect()
}

#[test]
fn the_readmes_walk_works() {
    let signed = Signed::new();
    std::fs::rename(signed.book.path(), signed.file("golden-book")).unwrap();
    std::fs::create_dir(signed.file("key")).unwrap();
    let commands = commands();
    assert!(commands.len() >= 6, "{commands:?}");
    for command in commands {
        let command = command.split(" #").next().unwrap().trim().replace("example.org/golden-book", super::ORIGIN);
        let (command, into) = match command.split_once(" > ") {
            Some((command, into)) => (command.to_owned(), Some(into.trim().to_owned())),
            None => (command, None),
        };
        let output = Command::new(env!("CARGO_BIN_EXE_sovang"))
            .args(command.split_whitespace())
            .current_dir(signed.book.dir.path())
            .env("SOVANG_KEY_PASSPHRASE", "correct horse")
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
        if let Some(into) = into {
            std::fs::write(signed.file(&into), output.stdout).unwrap();
        }
    }
}

#[test]
fn every_command_about_evidence_shows_an_example() {
    for command in [
        "keygen",
        "checkpoint",
        "prove",
        "receipt",
        "check",
        "witness",
        "rotate-key",
        "anchor",
        "verify",
        "state",
        "tiles",
        "stamp",
    ] {
        let help = run([command, "--help"]).done();
        assert!(help.contains(&format!("sovang {command}")) && help.contains("Example:"), "{help}");
    }
}
