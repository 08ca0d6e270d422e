//! The environment says no: exit code 4, and a ledger that has not changed. Reading goes on wherever it can.
#![cfg(unix)]

use crate::book::{Book, GIFT, Said, program};
use std::io::Write as _;
use std::process::{Command, Stdio};

fn many(lines: u32) -> String {
    let gift = |vnd| GIFT.replace("\"vnd\":7", &format!("\"vnd\":{vnd}")) + "\n";
    (1..=lines).map(gift).collect()
}

/// Runs a script of the shell with `sovang` as `$SOVANG`.
fn shell(prefix: &[&str], script: &str, args: &[&str]) -> Said {
    let mut command = Command::new(prefix.first().copied().unwrap_or("sh"));
    command.args(prefix.iter().skip(1));
    if !prefix.is_empty() {
        command.arg("sh");
    }
    command.args(["-c", script, "sh"]).args(args).env("SOVANG", env!("CARGO_BIN_EXE_sovang"));
    Said::of(command.stdin(Stdio::null()).output().unwrap())
}

/// A mount namespace of its own, where one may be made: what is mounted there ends with the process.
fn private_mounts() -> Option<&'static [&'static str]> {
    let prefix: &[&str] = &["unshare", "--mount", "--map-root-user"];
    let works =
        Command::new(prefix[0]).args(&prefix[1..]).args(["sh", "-c", "mkdir -p /tmp && mount -t tmpfs none /tmp"]).output();
    if works.is_ok_and(|output| output.status.success()) {
        return Some(prefix);
    }
    eprintln!("skipped: this needs a mount namespace, which this system does not grant");
    None
}

#[test]
fn a_locked_ledger_is_refused_before_the_input_is_read() {
    let book = Book::of_office();
    let before = book.head();
    let hold = || program().args(book.args("import", &["-"])).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut holder = hold();
    // It takes the lock before it reads: wait for the lock, not for a time.
    let lock = std::fs::File::open(book.path().join("lock")).unwrap();
    while lock.try_lock().is_ok() {
        lock.unlock().unwrap();
        // It may have met this look at the lock, and given up.
        if holder.try_wait().unwrap().is_some() {
            holder = hold();
        }
        std::thread::yield_now();
    }
    let mut stdin = holder.stdin.take().unwrap();
    // The input is no file at all: the lock is looked at first.
    let said = book.run("import", &["/no/such/file"]);
    assert_eq!((said.code, said.out.as_str()), (Some(4), ""), "{said:?}");
    assert!(said.err.contains("another process") && said.err.contains("hint:"), "{said:?}");
    // Reading needs no lock.
    assert_eq!(book.head(), before);
    assert_eq!(book.verified(), before);
    writeln!(stdin, "{GIFT}").unwrap();
    drop(stdin);
    assert!(holder.wait().unwrap().success());
    assert_eq!(book.verified().size, before.size + 1);
}

#[test]
fn a_file_size_limit_refuses_all_of_an_import() {
    let book = Book::of_office();
    let before = book.head();
    let file = book.file("many.jsonl", many(4000));
    let (dir, file) = (book.path(), file.to_str().unwrap().to_owned());
    for kib in [0, 1, 8, 64, 400] {
        // Blocks of `ulimit -f` are 512 bytes in some shells and 1024 in others: either refuses.
        let said =
            shell(&[], r#"ulimit -f "$1"; exec "$SOVANG" import "$2" "$3""#, &[&kib.to_string(), dir.to_str().unwrap(), &file]);
        assert_eq!((said.code, said.out.as_str()), (Some(4), ""), "{kib}: {said:?}");
        assert!(said.err.starts_with("error: "), "{kib}: {said:?}");
        assert_eq!(book.head(), before, "{kib}");
    }
    assert_eq!(book.verified(), before);
    let done = book.run("import", &[&file, "--json"]).json();
    assert_eq!(done["appended"], 4000);
    assert_eq!(book.verified().size, before.size + 4000);
}

#[test]
fn a_full_disk_refuses_all_of_an_import_and_of_batches_keeps_a_prefix() {
    let Some(mounts) = private_mounts() else { return };
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("many.jsonl");
    std::fs::write(&file, crate::book::OFFICE.to_owned() + &many(9000)).unwrap();
    let office = outside.path().join("office.jsonl");
    std::fs::write(&office, crate::book::OFFICE).unwrap();
    // The temporary file of the import is elsewhere: the ledger's disk is what is full.
    let script = r#"
        set -u; mkdir "$1/small" "$1/temporary"; mount -t tmpfs -o size=1m none "$1/small"; L="$1/small/book"; export TMPDIR="$1/temporary"
        "$SOVANG" init "$L" --origin example.org/book && "$SOVANG" import "$L" "$3" || exit 90
        "$SOVANG" head "$L" --json
        "$SOVANG" import "$L" "$2"; [ $? = 4 ] || exit 91
        "$SOVANG" head "$L" --json
        "$SOVANG" verify "$L" >&2 || exit 92
        "$SOVANG" import "$L" "$2" --batch 500; [ $? = 4 ] || exit 93
        "$SOVANG" head "$L" --json
        "$SOVANG" verify "$L" >&2 || exit 94
        mount -o remount,size=16m "$1/small" || exit 95
        "$SOVANG" import "$L" "$2" || exit 96
        "$SOVANG" head "$L" --json
        "$SOVANG" verify "$L" >&2 || exit 97
    "#;
    let outside = outside.path().to_str().unwrap();
    let said = shell(mounts, script, &[outside, file.to_str().unwrap(), office.to_str().unwrap()]);
    let heads = said.lines();
    let size = |index: usize| heads[index]["size"].as_u64().unwrap();
    assert_eq!(heads[0], heads[1], "refused as a whole: {said:?}");
    assert!(said.err.contains("No space left") && said.err.contains("hint:"), "{said:?}");
    // The office's lines are there already, so that batches hold 500 of the others.
    assert!(size(2) > size(0) && (size(2) - size(0)).is_multiple_of(500), "a prefix of whole batches: {said:?}");
    assert_eq!(size(3), size(0) + 9000, "the same command completes it: {said:?}");
}

/// Registrations of so many people, each with an address: the vault grows more than the log.
fn people(count: u32) -> String {
    let person = |n: u32| {
        format!(
            r#"{{"type":"model_registered","occurred_on":"2024-02-01","actor":"clerk","model":"N-{n}","title":"Vườn","subject_kind":"individual","subject":{{"id":"N-{n}","name":"Người {n}"}},"address":"Ngõ {n}","unit":"phu-dien","field":"economy","year":2024}}"#
        ) + "\n"
    };
    (0..count).map(person).collect()
}

#[test]
fn personal_data_is_imported_as_a_whole_or_not_at_all_however_little_space_there_is() {
    let Some(mounts) = private_mounts() else { return };
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("people.jsonl");
    std::fs::write(&file, people(2500)).unwrap();
    let office = outside.path().join("office.jsonl");
    std::fs::write(&office, crate::book::OFFICE).unwrap();
    let script = r#"
        set -u; mkdir "$1/small" "$1/temporary"; export TMPDIR="$1/temporary"; L="$1/small/book"
        for size in 600 1000 1400 1700 1900 2000 2100 2200 2300 2400 2500 2600 2800 3000 3300 6000; do
            mount -t tmpfs -o size=${size}k none "$1/small"
            "$SOVANG" init "$L" --origin example.org/book && "$SOVANG" import "$L" "$3" || exit 90
            before=$("$SOVANG" head "$L" --json)
            "$SOVANG" import "$L" "$2" >&2; code=$?
            after=$("$SOVANG" head "$L" --json)
            "$SOVANG" verify "$L" >&2 || exit 92
            if [ "$before" = "$after" ]; then same=true; else same=false; fi
            echo "{\"size\":$size,\"code\":$code,\"same\":$same}"
            umount "$1/small"
        done
    "#;
    let said = shell(mounts, script, &[outside.path().to_str().unwrap(), file.to_str().unwrap(), office.to_str().unwrap()]);
    let rounds = said.lines();
    for round in &rounds {
        let expected = if round["same"] == true { 4 } else { 0 };
        assert_eq!(round["code"], expected, "all or nothing: {round} of {said:?}");
    }
    let done = rounds.iter().filter(|round| round["code"] == 0).count();
    assert!((1..rounds.len()).contains(&done), "both happened: {said:?}");
}

#[test]
fn on_read_only_media_reading_works_and_writing_is_refused() {
    let Some(mounts) = private_mounts() else { return };
    let book = Book::of_office();
    let before = book.head();
    let script = r#"
        mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 90
        ( : > "$1/probe" ) 2>/dev/null && exit 91
        "$SOVANG" head "$1" --json && "$SOVANG" verify "$1" --json && "$SOVANG" log "$1" --json --limit 1 || exit 92
        "$SOVANG" tally "$1" contributions --format json && "$SOVANG" export "$1" >"$2" || exit 93
        echo '{}' | "$SOVANG" import "$1" -; [ $? = 4 ] || exit 94
        "$SOVANG" init "$1/new" --origin example.org/new; [ $? = 4 ] || exit 95
    "#;
    let export = book.dir.path().join("export.jsonl");
    let said = shell(mounts, script, &[book.path().to_str().unwrap(), export.to_str().unwrap()]);
    let said_json = said.lines();
    assert_eq!((&said_json[0]["root"], &said_json[1]["ok"]), (&before.root.as_str().into(), &true.into()), "{said:?}");
    assert!(said.err.contains("Read-only file system"), "{said:?}");
    assert_eq!(std::fs::read_to_string(export).unwrap().lines().count(), crate::book::OFFICE.lines().count());
}

#[test]
fn what_may_not_be_read_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let book = Book::of_office();
    let segment = book.path().join("log/0");
    std::fs::set_permissions(&segment, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::File::open(&segment).is_ok() {
        eprintln!("skipped: no permission stops this user");
        return;
    }
    let said = book.run("head", &[]);
    assert_eq!((said.code, said.out.as_str()), (Some(4), ""), "{said:?}");
}
