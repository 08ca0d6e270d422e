//! Key files: made once, kept apart, opened with their passphrase only.

use super::{ORIGIN, Signed, run, run_keyed};
use crate::book::Book;

#[test]
fn a_key_is_made_with_its_head_and_told_by_its_vkey() {
    let signed = Signed::new();
    assert!(signed.vkey.starts_with("example.org/book+"), "{}", signed.vkey);
    let file = signed.text("book.key");
    assert!(file.starts_with(&format!("name: {ORIGIN}\nvkey: {}\n-----BEGIN PRIVATE KEY-----\n", signed.vkey)), "{file}");
    let head = signed.text("book.key.head");
    assert_eq!(head, format!("sovang last signed head\n{}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", signed.vkey));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(signed.file("book.key")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = signed.sovang("keygen -o @book.key --name example.org/book --no-passphrase");
    assert_eq!(again.code, Some(2), "{again:?}");
    assert_eq!(signed.text("book.key"), file, "nothing is overwritten");
}

#[test]
fn a_key_is_refused_inside_a_ledger_and_under_a_bad_name() {
    let signed = Signed::new();
    for place in ["@book/my.key", "@book/log/my.key", "@book/checkpoints.key"] {
        let said = signed.sovang(&format!("keygen -o {place} --name {ORIGIN} --no-passphrase"));
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("inside the ledger"), "{said:?}");
    }
    for name in ["with+plus", "with\u{a0}space", ""] {
        let path = signed.file("other.key");
        let said = run(["keygen", "-o", path.to_str().unwrap(), "--name", name, "--no-passphrase"]);
        assert_eq!(said.code, Some(2), "{said:?}");
    }
    assert_eq!(signed.sovang("keygen -o @no/such/place.key --name a --no-passphrase").code, Some(2));
    // Moved there later, it does not sign.
    std::fs::rename(signed.file("book.key"), signed.file("book/book.key")).unwrap();
    std::fs::rename(signed.file("book.key.head"), signed.file("book/book.key.head")).unwrap();
    let said = signed.sovang("checkpoint @book --key @book/book.key");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert_eq!(said.out, "");
}

#[test]
fn a_passphrase_opens_a_key_and_nothing_else_does() {
    let book = Book::of_office();
    let key = book.dir.path().join("book.key");
    let (key, dir) = (key.to_str().unwrap(), book.path());
    let dir = dir.to_str().unwrap();
    let none = run(["keygen", "-o", key, "--name", ORIGIN]);
    assert_eq!(none.code, Some(2), "there is no terminal to ask on: {none:?}");
    assert!(none.err.contains("SOVANG_KEY_PASSPHRASE"), "{none:?}");
    run_keyed(["keygen", "-o", key, "--name", ORIGIN], Some("ngựa đúng")).done();
    assert!(std::fs::read_to_string(key).unwrap().contains("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    for (passphrase, code) in [(Some("ngựa sai"), 2), (None, 2), (Some(""), 2), (Some("ngựa đúng"), 0)] {
        let said = run_keyed(["checkpoint", dir, "--key", key], passphrase);
        assert_eq!(said.code, Some(code), "{passphrase:?}: {said:?}");
        assert_eq!(said.out.is_empty(), code != 0);
    }
}

#[test]
fn a_changed_key_file_signs_nothing() {
    let signed = Signed::new();
    let good = signed.text("book.key");
    for bad in [
        good.replace("example.org/book\n", "example.org/look\n"),
        good.replace("vkey: ", "vkez: "),
        format!("{good}\n"),
        good.replace("MC4CAQAw", "MC4CAQEw"),
        String::new(),
    ] {
        signed.write("book.key", &bad);
        let said = signed.sovang("checkpoint @book --key @book.key");
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{bad}: {said:?}");
    }
    let missing = signed.sovang("checkpoint @book --key @none.key");
    assert_eq!(missing.code, Some(2), "{missing:?}");
}
