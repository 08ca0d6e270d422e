//! The log as files for a web server.

use crate::book::Book;
use crate::signed::Signed;
use serde_json::json;
use std::path::Path;

fn each_file(directory: &Path, look: &mut dyn FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, look);
        } else {
            look(&path, &std::fs::read(&path).unwrap());
        }
    }
}

#[test]
fn an_export_serves_the_newest_checkpoint_and_says_what_it_did() {
    let signed = Signed::of_office();
    let out = signed.file("public");
    let said = signed.write("tiles", &["--json"], "public").json();
    // Hashes, entries, records, and the checkpoint.
    assert_eq!(
        (&said["size"], &said["written"], &said["compared"], &said["removed"]),
        (&json!(16), &json!(4), &json!(0), &json!(0))
    );
    assert_eq!(said["root"], signed.book.head().root);
    assert_eq!(std::fs::read(out.join("checkpoint")).unwrap(), std::fs::read(signed.file("checkpoint")).unwrap());
    for (file, bytes) in [("tile/0/000.p/16", 16 * 32), ("tile/entries/000.p/16", 16 * 34)] {
        assert_eq!(std::fs::metadata(out.join(file)).unwrap().len(), bytes, "{file}");
    }
    // Nothing of a person.
    let mut names = Vec::new();
    each_file(&out, &mut |path, bytes| {
        for secret in ["Nguyễn Văn A", "P-17", "ngõ 5"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} in {}", path.display());
        }
        names.push(path.file_name().unwrap().to_owned());
    });
    // Those and the lock.
    assert_eq!(names.len(), 4 + 1, "{names:?}");
    let again = signed.write("tiles", &["--json", "--compare"], "public").json();
    assert_eq!((&again["written"], &again["compared"]), (&json!(0), &json!(4)));
    let said = signed.write("tiles", &[], "public").out;
    assert!(said.contains("serves size 16, root "), "{said}");
}

#[test]
fn what_cannot_be_served_is_refused() {
    let signed = Signed::of(Book::of_office());
    let tiles = |out: &Path| signed.book.run("tiles", &["-o", out.to_str().unwrap()]);
    let said = tiles(&signed.file("public"));
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("hint: sign one with `sovang checkpoint"), "{said:?}");
    signed.sign();
    let said = tiles(&signed.book.path().join("public"));
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("inside the ledger"), "{said:?}");
    tiles(&signed.file("public")).done();
    let other = Signed::of_office();
    let said = other.book.run("tiles", &["-o", &signed.path("public")]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("another history"), "{said:?}");
    // A file in the way.
    let file = signed.book.file("file", "");
    assert_eq!(tiles(&file).code, Some(4));
}
