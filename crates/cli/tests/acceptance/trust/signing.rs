//! Signing: the head as a checkpoint, and every reason to sign nothing.

use super::{ORIGIN, Signed, copy, grow, keygen, run};
use crate::book::program;
use std::io::Write as _;
use std::process::Stdio;

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn the_head_is_signed_kept_and_remembered_beside_the_key() {
    let signed = Signed::new();
    let head = signed.book.head();
    let printed = signed.sovang("checkpoint @book --key @book.key").done();
    assert_eq!(lines(&printed)[..4], [ORIGIN, &head.size.to_string(), &head.root, ""]);
    assert_eq!(lines(&printed).len(), 5);
    assert_eq!(signed.text(&format!("book/checkpoints/{}", head.size)), printed);
    assert_eq!(lines(&signed.text("book.key.head"))[2..], [head.size.to_string(), head.root]);
    assert_eq!(signed.checkpoint("again").code, Some(0), "the same head may be signed again");
    assert_eq!(signed.text("again"), printed, "with the same bytes");
    signed.grow(300, "more");
    let silent = signed.checkpoint("later");
    assert_eq!((silent.code, silent.out.as_str()), (Some(0), ""), "{silent:?}");
    assert_eq!(lines(&signed.text("later"))[1], (head.size + 300).to_string());
    assert_eq!(signed.book.verified().size, head.size + 300);
}

#[test]
fn only_the_logs_own_key_signs_and_only_with_its_head() {
    let signed = Signed::new();
    keygen(&signed.file("other.key"), "example.org/other");
    let other = signed.sovang("checkpoint @book --key @other.key");
    assert_eq!(other.code, Some(2), "{other:?}");
    assert!(other.err.contains("example.org/book"), "{other:?}");
    keygen(&signed.file("second.key"), ORIGIN);
    let head = signed.text("book.key.head");
    std::fs::remove_file(signed.file("book.key.head")).unwrap();
    let missing = signed.sovang("checkpoint @book --key @book.key");
    assert_eq!((missing.code, missing.out.as_str()), (Some(2), ""), "{missing:?}");
    assert!(missing.err.contains("missing") && missing.err.contains("hint:"), "{missing:?}");
    for bad in [signed.text("second.key.head"), head.replace("\n0\n", "\n00\n"), format!("{head}more\n")] {
        signed.write("book.key.head", &bad);
        let said = signed.sovang("checkpoint @book --key @book.key");
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{bad}: {said:?}");
    }
    assert!(!signed.file("book/checkpoints").join(signed.book.head().size.to_string()).exists());
    signed.write("book.key.head", &head);
    signed.checkpoint("now").done();
}

#[test]
fn an_older_copy_is_not_signed() {
    let signed = Signed::new();
    copy(&signed.book.path(), &signed.file("older"));
    let before = signed.book.head();
    signed.grow(5, "late");
    signed.checkpoint("signed").done();
    let after = signed.book.head();
    let remembered = signed.text("book.key.head");
    // The copy has no checkpoints of its own: only the place beside the key knows.
    let said = signed.sovang("checkpoint @older --key @book.key");
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said:?}");
    for told in [&before.size.to_string(), &before.root, &after.size.to_string(), &after.root] {
        assert!(said.err.contains(told), "{told} in {said:?}");
    }
    assert!(said.err.contains("rolled back") && said.err.contains("hint:"), "{said:?}");
    // It grows beyond what was signed, with other records.
    grow(&signed.file("older"), 9, "elsewhere");
    let said = signed.sovang("checkpoint @older --key @book.key");
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said:?}");
    assert!(said.err.contains("another history") && said.err.contains(&after.root), "{said:?}");
    assert_eq!(signed.text("book.key.head"), remembered);
    assert!(!signed.file("older/checkpoints/25").exists());
    signed.checkpoint("signed").done();
}

#[test]
fn a_kept_checkpoint_of_another_history_stops_signing_and_is_found() {
    let signed = Signed::new();
    let other = signed.file("other");
    copy(&signed.book.path(), &other);
    grow(&other, 3, "elsewhere");
    let stolen = signed.file("stolen");
    std::fs::create_dir(&stolen).unwrap();
    for name in ["book.key", "book.key.head"] {
        std::fs::copy(signed.file(name), stolen.join(name)).unwrap();
    }
    signed.sovang("checkpoint @other --key @stolen/book.key").done();
    signed.grow(3, "here");
    std::fs::create_dir_all(signed.file("book/checkpoints")).unwrap();
    std::fs::copy(other.join("checkpoints/19"), signed.file("book/checkpoints/19")).unwrap();
    let said = signed.checkpoint("new");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("checkpoints/19") && said.err.contains("another history"), "{said:?}");
    let verified = signed.sovang("verify @book --json");
    assert_eq!(verified.code, Some(1), "{verified:?}");
    assert!(verified.out.contains("another history"), "{verified:?}");
    for (content, told) in [("nonsense\n", "not a"), (&*signed.text("book.vkey"), "not a")] {
        std::fs::write(signed.file("book/checkpoints/19"), content).unwrap();
        let said = signed.checkpoint("new");
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.err.contains(told), "{said:?}");
        assert_eq!(signed.sovang("verify @book").code, Some(1));
    }
    // What is not named after a size is none of its business.
    std::fs::rename(signed.file("book/checkpoints/19"), signed.file("book/checkpoints/19.away")).unwrap();
    signed.checkpoint("new").done();
    signed.sovang("verify @book").done();
}

#[test]
fn a_damaged_log_is_not_signed() {
    let signed = Signed::new();
    let path = signed.file("book/log/0");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096 + 300] ^= 4;
    std::fs::write(&path, bytes).unwrap();
    let said = signed.sovang("checkpoint @book --key @book.key");
    assert_eq!((said.code, said.out.as_str()), (Some(3), ""), "{said:?}");
}

#[test]
fn signers_beside_one_another_and_a_writer_all_sign_one_history() {
    let signed = Signed::new();
    let mut writer = program()
        .args(signed.book.args("import", &["-", "--batch", "10"]))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut feed = writer.stdin.take().unwrap();
    for round in 0..3 {
        for n in 0..20 {
            writeln!(feed, "{}", crate::book::GIFT.replace(":7}", &format!(":{}}}", 100 * round + n))).unwrap();
        }
        feed.flush().unwrap();
        let signers: Vec<_> = (0..3)
            .map(|_| {
                let args = ["checkpoint".into(), signed.book.path(), "--key".into(), signed.file("book.key")];
                std::thread::spawn(move || run(args.map(std::path::PathBuf::into_os_string)))
            })
            .collect();
        for signer in signers {
            signer.join().unwrap().done();
        }
    }
    drop(feed);
    assert!(writer.wait().unwrap().success());
    signed.checkpoint("last").done();
    assert_eq!(signed.book.verified(), signed.book.head(), "every checkpoint kept is one of this log");
}

#[test]
fn keys_are_handed_over_with_both_signatures() {
    let signed = Signed::new();
    signed.checkpoint("before").done();
    let new = keygen(&signed.file("new.key"), ORIGIN);
    let size = signed.book.head().size;
    signed.sovang("rotate-key @book --old @book.key --new @new.key -o @handover").done();
    assert_eq!(signed.book.head().size, size + 1);
    signed.sovang("check @handover --vkey VKEY").done();
    run(["check".into(), signed.file("handover").into_os_string(), "--vkey".into(), new.clone().into()]).done();
    let record = signed.book.run("log", &["--json", "--from", &size.to_string()]).lines().remove(0);
    assert_eq!((&record["event"]["type"], &record["event"]["new"]), (&"key_rotated".into(), &new.as_str().into()), "{record}");
    // Again: it was recorded, so it is only signed.
    signed.sovang("rotate-key @book --old @book.key --new @new.key -o @again").done();
    assert_eq!(signed.book.head().size, size + 1);
    let same = signed.sovang("rotate-key @book --old @book.key --new @book.key");
    assert_eq!(same.code, Some(2), "{same:?}");
    keygen(&signed.file("stranger.key"), "example.org/stranger");
    let stranger = signed.sovang("rotate-key @book --old @book.key --new @stranger.key");
    assert_eq!(stranger.code, Some(2), "{stranger:?}");
    assert_eq!(signed.book.head().size, size + 1, "nothing was recorded");
}

#[test]
fn a_fresh_value_is_recorded_and_a_checkpoint_only_when_cosigned() {
    let signed = Signed::new();
    let size = signed.book.head().size;
    let none = signed.sovang("anchor @book");
    assert_eq!(none.code, Some(2), "{none:?}");
    signed.checkpoint("alone").done();
    assert_eq!(signed.sovang("anchor @book").code, Some(2), "the log's own signature is no witness");
    signed.sovang("anchor @book --value 00000000000000000001c9f1 --source block-924837").done();
    let record = signed.book.run("log", &["--json", "--from", &size.to_string()]).lines().remove(0);
    assert_eq!(record["event"]["type"], "time_anchored", "{record}");
    assert_eq!(signed.sovang("anchor @book --value x").code, Some(2), "a value has a source");
}

#[test]
fn the_key_remembers_what_was_about_to_be_signed() {
    let signed = Signed::new();
    let head = signed.book.head();
    // The ledger takes no checkpoint: its lock cannot be had.
    std::fs::create_dir_all(signed.file("book/checkpoints/lock")).unwrap();
    let said = signed.sovang("checkpoint @book --key @book.key");
    assert_eq!((said.code, said.out.as_str()), (Some(4), ""), "{said:?}");
    assert_eq!(lines(&signed.text("book.key.head"))[2..], [head.size.to_string(), head.root]);
    std::fs::remove_dir(signed.file("book/checkpoints/lock")).unwrap();
    signed.checkpoint("now").done();
}
