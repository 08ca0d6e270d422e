//! Signing and proving from the library: any size, any process, any position; and key files of other programs.

use crate::loan::{DAY, Loan, ORIGIN, fixed, in_memory, opened, repaid};
use proptest::prelude::*;
use sovang::{
    Checkpoint, Checkpoints, ErrorKind, Event as _, Growth, Ledger, Policy, Position, RawEvent, Receipt, SigningKey, Size, forks,
};
use std::path::{Path, PathBuf};

fn key(dir: &Path, name: &str) -> SigningKey {
    SigningKey::create(dir.join(name), ORIGIN, None).unwrap()
}
fn policy(key: &SigningKey) -> Policy {
    Policy::key(key.vkey()).unwrap()
}
fn grow(ledger: &Ledger<Loan>, records: u64) {
    grow_by(ledger, records, "teller:1");
}
/// The ledgers of these tests draw the same ids at the same time: who records is what sets two histories apart.
fn grow_by(ledger: &Ledger<Loan>, records: u64, teller: &str) {
    let from = ledger.head().size.0;
    let entry = |n: u64| if n.is_multiple_of(3) { opened(&format!("L-{n}"), 9).on(DAY) } else { repaid("L-0", 1).on(DAY) };
    ledger.by(teller).record_all((from..from + records).map(entry)).unwrap();
}
fn kind<T: std::fmt::Debug>(result: sovang::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_proof_holds_and_no_changed_one_does(
        steps in prop::collection::vec(1u64..400, 1..4),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 4),
        change in any::<(prop::sample::Index, u8)>(),
    ) {
        let home = tempfile::tempdir().unwrap();
        let (key, ledger) = (key(home.path(), "k"), in_memory());
        let mut signed: Vec<Checkpoint> = Vec::new();
        for step in steps {
            grow(&ledger, step);
            signed.push(ledger.checkpoint(&key).unwrap());
        }
        let (policy, size) = (policy(&key), ledger.head().size);
        prop_assert_eq!(ledger.checkpoints().unwrap().len(), signed.len());
        for pick in &picks {
            let position = Position(pick.index(usize::try_from(size.0).unwrap()) as u64);
            let proof = ledger.prove(position).unwrap();
            let proven = proof.to_string().parse::<Receipt>().unwrap().verify(&policy).unwrap();
            let record = ledger.get(position).unwrap();
            prop_assert_eq!((proven.position, proven.record_hash, proven.checkpoint.head), (position, Some(record.hash()), ledger.head()));
            let receipt = ledger.receipt(position, Some(&policy)).unwrap();
            prop_assert_eq!(receipt.verify(&policy).unwrap().frame.unwrap().id(), record.id);
            let mut bytes = receipt.to_string().into_bytes();
            let at = change.0.index(bytes.len());
            if bytes[at] != change.1 {
                bytes[at] = change.1;
                prop_assert!(Receipt::parse(&bytes).and_then(|changed| changed.verify(&policy)).is_err(), "byte {at} to {}", change.1);
            }
        }
        for old in &signed {
            let growth = ledger.prove_growth(old.head().size).unwrap();
            let read: Growth = growth.to_string().parse().unwrap();
            prop_assert_eq!(read.verify(old, &policy).unwrap().new.head, ledger.head());
            ledger.extends(old.head()).unwrap();
            prop_assert!(ledger.fork_proof(old).unwrap().is_none());
        }
    }
}

#[test]
fn an_empty_ledger_is_signed_too() {
    let home = tempfile::tempdir().unwrap();
    let (key, ledger) = (key(home.path(), "k"), in_memory());
    let checkpoint = ledger.checkpoint(&key).unwrap();
    assert_eq!(checkpoint.head().size, Size::ZERO);
    assert_eq!(kind(ledger.prove(Position(0))), ErrorKind::NotFound);
    assert!(ledger.prove_growth(Size::ZERO).unwrap().hashes.is_empty());
    grow(&ledger, 2);
    assert_eq!(ledger.checkpoint(&key).unwrap().head().size, Size(2));
}

#[test]
fn two_ledgers_of_one_name_and_key_are_kept_apart() {
    let home = tempfile::tempdir().unwrap();
    let (key, one, two) = (key(home.path(), "k"), in_memory(), in_memory());
    grow(&one, 5);
    let signed = one.checkpoint(&key).unwrap();
    for records in [3, 4] {
        grow_by(&two, records, "teller:2");
        let refused = two.checkpoint(&key).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotProven, "{refused}");
        assert_eq!(refused.path().map(PathBuf::from), Some(home.path().join("k.head")));
    }
    assert!(two.checkpoints().unwrap().is_empty());
    assert_eq!(kind(two.extends(signed.head())), ErrorKind::NotProven);
    grow(&one, 1);
    one.checkpoint(&key).unwrap();
}

#[test]
fn an_older_copy_signs_nothing_and_a_longer_one_proves_the_fork() {
    let home = tempfile::tempdir().unwrap();
    let (stolen, mine) = (home.path().join("stolen"), home.path().join("mine"));
    std::fs::create_dir_all(&stolen).unwrap();
    std::fs::create_dir_all(&mine).unwrap();
    let key = key(&mine, "k");
    for name in ["k", "k.head"] {
        std::fs::copy(mine.join(name), stolen.join(name)).unwrap();
    }
    let thief = SigningKey::open(stolen.join("k")).unwrap();
    let (one, two) = (in_memory(), in_memory());
    grow(&one, 21);
    grow_by(&two, 34, "teller:2");
    let (a, b) = (one.checkpoint(&key).unwrap(), two.checkpoint(&thief).unwrap());
    // The ledger with the larger checkpoint has what the proof takes; the other one has not.
    let proof = two.fork_proof(&a).unwrap().expect("two histories");
    let fork = proof.verify(&policy(&key)).unwrap();
    assert_eq!((fork.a.head, fork.b.head), (a.head(), b.head()));
    assert!(one.fork_proof(&b).unwrap().is_none());
    // From files alone: the growth of the larger one since the smaller one's size.
    let growth = two.prove_growth(Size(21)).unwrap();
    let same = forks::between(&b, &a, [&growth]).expect("the growth says its root at size 21");
    assert_eq!(same.to_string(), proof.to_string());
    assert!(forks::between(&a, &b, []).is_none());
}

#[test]
fn any_process_signs_beside_the_writer() {
    let home = tempfile::tempdir().unwrap();
    let (dir, key) = (home.path().join("book"), key(home.path(), "k"));
    let ledger = fixed().0.create::<Loan>(&dir, ORIGIN).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let outside = Checkpoints::of_directory(&dir).unwrap();
                for _ in 0..4 {
                    outside.sign(&[&key]).unwrap();
                }
            });
        }
        for _ in 0..30 {
            grow(&ledger, 7);
        }
    });
    let last = ledger.checkpoint(&key).unwrap();
    assert_eq!(last.head(), ledger.head());
    let reader = Ledger::<RawEvent>::open_read_only(&dir).unwrap();
    for checkpoint in reader.checkpoints().unwrap() {
        reader.extends(checkpoint.head()).unwrap();
    }
    assert!(reader.audit().unwrap().is_sound());
    assert_eq!(reader.prove(Position(3)).unwrap().proof().checkpoint, last);
}

/// Made once with OpenSSL 3.0 from the seed of 32 times 0x07: `openssl pkcs8 -topk8`, with `-v2 aes-256-cbc`, with `-scrypt`, and
/// `openssl pkey`. It reads ours as well: `openssl pkey -in KEYFILE -text`.
#[test]
fn key_files_of_openssl_are_read() {
    let plain = include_str!("keys/openssl-plain.key");
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("k");
    std::fs::write(&path, plain).unwrap();
    let vkey = SigningKey::open(&path).unwrap().vkey();
    assert_eq!(vkey.to_string(), "example.org/loans+6b9cdcfe+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs");
    for sealed in [include_str!("keys/openssl-pbkdf2.key"), include_str!("keys/openssl-scrypt.key")] {
        std::fs::write(&path, sealed).unwrap();
        let open = |passphrase: &'static str| SigningKey::open_with(&path, || Ok(passphrase.to_owned().into()));
        assert_eq!(open("correct horse").unwrap().vkey(), vkey);
        assert_eq!(kind(open("wrong horse")), ErrorKind::InvalidInput);
        assert_eq!(kind(SigningKey::open(&path)), ErrorKind::InvalidInput);
    }
    // Read or not, without its head it signs nothing.
    std::fs::write(&path, plain).unwrap();
    let ledger = in_memory();
    assert_eq!(kind(ledger.checkpoint(&SigningKey::open(&path).unwrap())), ErrorKind::InvalidInput);
    assert!(ledger.checkpoints().unwrap().is_empty());
}
