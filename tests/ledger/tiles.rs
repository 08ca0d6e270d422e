//! The export for a web server, read as a stranger reads it: files, SHA-256 and C2SP tlog-tiles.

use crate::loan::{DAY, Loan, ORIGIN, fixed, opened};
use sha2::{Digest as _, Sha256};
use sovang::{Checkpoint, Checkpoints, Event as _, Exported, Ledger, SigningKey};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

type Hash = [u8; 32];

/// A book with its key beside it, and where its tiles go.
struct Office {
    home: tempfile::TempDir,
    ledger: Option<Ledger<Loan>>,
    key: SigningKey,
    size: usize,
}
impl Office {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let ledger = Some(fixed().0.create::<Loan>(home.path().join("book"), ORIGIN).unwrap());
        let key = SigningKey::create(home.path().join("key"), ORIGIN, None).unwrap();
        Self { home, ledger, key, size: 0 }
    }
    fn ledger(&self) -> &Ledger<Loan> {
        self.ledger.as_ref().unwrap()
    }
    fn grow_to(&mut self, size: usize) {
        let entries: Vec<_> = (self.size..size).map(|n| opened(&format!("L-{n}"), 1).on(DAY)).collect();
        for batch in entries.chunks(1_000) {
            self.ledger().by("teller:1").record_all(batch.iter().cloned()).unwrap();
        }
        self.size = size;
    }
    fn sign(&self) -> Checkpoint {
        self.ledger().checkpoint(&self.key).unwrap()
    }
    fn out(&self) -> PathBuf {
        self.home.path().join("public")
    }
    fn export(&self) -> Exported {
        self.ledger().export_tiles(self.out(), false).unwrap()
    }
    fn refused(&self, compare_all: bool) -> sovang::Error {
        self.ledger().export_tiles(self.out(), compare_all).unwrap_err()
    }
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}
/// RFC 6962 §2.1, as written.
fn tree_hash(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => *leaf,
        _ => {
            let split = 1 << (leaves.len() - 1).ilog2();
            node(&tree_hash(&leaves[..split]), &tree_hash(&leaves[split..]))
        }
    }
}
/// `x001/x234/067`, and `.p/W`.
fn place(index: usize, width: usize) -> String {
    let mut groups = vec![format!("{:03}", index % 1000)];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.insert(0, format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.join("/") + &if width == 256 { String::new() } else { format!(".p/{width}") }
}
/// The files that hold `count` things, 256 a file, and how many each holds.
fn places(count: usize) -> impl Iterator<Item = (String, usize)> {
    (0..count.div_ceil(256)).map(move |index| {
        let width = (count - index * 256).min(256);
        (place(index, width), width)
    })
}
fn files(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

/// Reads all that a log of this checkpoint must serve; gives the leaf hashes and the files that were needed.
fn read(out: &Path) -> (Checkpoint, Vec<Hash>, BTreeSet<String>) {
    let mut needed = BTreeSet::from(["checkpoint".to_owned(), ".lock".to_owned()]);
    let checkpoint = Checkpoint::parse(&std::fs::read(out.join("checkpoint")).unwrap()).unwrap();
    let size = usize::try_from(checkpoint.head().size.0).unwrap();
    let mut load = |path: String| {
        let bytes = std::fs::read(out.join(&path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        needed.insert(path);
        bytes
    };
    let mut leaves: Vec<Hash> = Vec::new();
    for (path, width) in places(size) {
        let entries = load(format!("tile/entries/{path}"));
        assert_eq!(entries.len(), width * 34, "{path}");
        for entry in entries.chunks(34) {
            assert_eq!(entry[..2], [0, 32]);
            leaves.push(Sha256::new().chain_update([0]).chain_update(&entry[2..]).finalize().into());
        }
        let mut records = load(format!("records/{path}")).as_slice().to_vec();
        for _ in 0..width {
            let length = u32::from_be_bytes(records[..4].try_into().unwrap());
            records.drain(..4 + usize::try_from(length).unwrap());
        }
        assert!(records.is_empty(), "{path}");
    }
    let (mut level, mut hashes) = (0, leaves.clone());
    while !hashes.is_empty() {
        let mut served = Vec::new();
        for (path, width) in places(hashes.len()) {
            let tile = load(format!("tile/{level}/{path}"));
            assert_eq!(tile.len(), width * 32, "{path}");
            served.extend(tile.chunks(32).map(|hash| Hash::try_from(hash).unwrap()));
        }
        assert_eq!(served, hashes, "level {level}");
        hashes = hashes.chunks_exact(256).map(tree_hash).collect();
        level += 1;
    }
    assert_eq!(tree_hash(&leaves), checkpoint.head().root.0);
    (checkpoint, leaves, needed)
}

#[test]
fn every_size_at_which_a_tile_fills_up_can_be_served() {
    let mut office = Office::new();
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 513, 700] {
        office.grow_to(size);
        let signed = office.sign();
        let exported = office.export();
        assert_eq!(exported.head, signed.head());
        let (checkpoint, leaves, needed) = read(&office.out());
        assert_eq!((checkpoint.to_string(), leaves.len()), (signed.to_string(), size));
        // Nothing is there but that, and the partial tiles of earlier checkpoints whose full tile is not there yet.
        for file in files(&office.out()).difference(&needed) {
            let (full, width) = file.split_once(".p/").unwrap_or_else(|| panic!("{file} is not needed"));
            assert!(!office.out().join(full).exists(), "{file} is served beside the full tile");
            assert!(
                [1, 2, 255, 256, 257, 511, 512, 513]
                    .iter()
                    .any(|size| size % 256 == width.parse::<usize>().unwrap() || size / 256 == width.parse::<usize>().unwrap())
            );
        }
        // Again: nothing is to be done.
        let again = office.export();
        assert_eq!((again.written, again.removed), (0, 0), "{size}");
    }
    let partial = |path: &str| office.out().join(path).exists();
    assert!(partial("tile/0/002.p/1") && partial("tile/0/002.p/188") && partial("tile/1/000.p/1") && partial("tile/1/000.p/2"));
    assert!(!partial("tile/0/000.p") && !partial("tile/entries/001.p") && !partial("records/001.p"));
}

#[test]
fn a_third_level_is_served_and_continued() {
    let mut office = Office::new();
    office.grow_to(65_700);
    office.sign();
    let first = office.export();
    read(&office.out());
    office.grow_to(66_000);
    office.sign();
    let second = office.export();
    let (_, leaves, needed) = read(&office.out());
    assert!(needed.contains("tile/2/000.p/1") && needed.contains("tile/1/001.p/1"));
    assert!(first.written > 700 && second.written < 20, "{first:?} {second:?}");

    // An inclusion proof from tiles alone, for a record of each export.
    let root = office.ledger().head().root;
    for position in [3, 65_650, 65_999] {
        let mut hash = leaves[position];
        for (sibling, is_left) in path_from_tiles(&office.out(), position, 66_000) {
            hash = if is_left { node(&sibling, &hash) } else { node(&hash, &sibling) };
        }
        assert_eq!(hash, root.0, "position {position}");
    }
}

/// The audit path of RFC 6962 §2.1.1, each hash computed from the tiles that hold it.
fn path_from_tiles(out: &Path, position: usize, size: usize) -> Vec<(Hash, bool)> {
    fn range_hash(out: &Path, from: usize, to: usize, size: usize) -> Hash {
        let width = to - from;
        if width.is_power_of_two() && from.is_multiple_of(width) {
            let level = usize::try_from(width.ilog2() / 8).unwrap();
            let unit = 256usize.pow(u32::try_from(level).unwrap());
            let (first, count) = (from / unit, width / unit);
            let served = (size / unit - first / 256 * 256).min(256);
            let tile = std::fs::read(out.join(format!("tile/{level}/{}", place(first / 256, served)))).unwrap();
            let hashes: Vec<Hash> = tile.chunks(32).map(|hash| hash.try_into().unwrap()).collect();
            return tree_hash(&hashes[first % 256..][..count]);
        }
        let split = from + (1 << (width - 1).ilog2());
        node(&range_hash(out, from, split, size), &range_hash(out, split, to, size))
    }
    let (mut from, mut to, mut path) = (0, size, Vec::new());
    while to - from > 1 {
        let split = from + (1 << (to - from - 1).ilog2());
        if position < split {
            path.push((range_hash(out, split, to, size), false));
            to = split;
        } else {
            path.push((range_hash(out, from, split, size), true));
            from = split;
        }
    }
    path.reverse();
    path
}

#[test]
fn sizes_signed_between_two_exports_have_their_partial_tiles() {
    let mut office = Office::new();
    for size in [3, 5, 9] {
        office.grow_to(size);
        office.sign();
    }
    office.export();
    for width in [3, 5, 9] {
        for folder in ["tile/0", "tile/entries", "records"] {
            assert!(office.out().join(format!("{folder}/000.p/{width}")).exists(), "{folder} {width}");
        }
    }
}

#[test]
fn more_cosignatures_are_served_and_an_interrupted_export_goes_on() {
    let mut office = Office::new();
    office.grow_to(300);
    let signed = office.sign();
    office.export();
    std::fs::remove_file(office.out().join("checkpoint")).unwrap();
    std::fs::remove_file(office.out().join("tile/1/000.p/1")).unwrap();
    std::fs::write(office.out().join("tile/1/000.p/1.tmp"), b"half").unwrap();
    let again = office.export();
    assert_eq!(again.written, 2);
    let witness = sovang::evidence::SecretKey::from_seed("example.org/witness", [7; 32]).unwrap();
    let mut cosigned = signed;
    cosigned.add(witness.cosign(&cosigned, 1_790_000_000)).unwrap();
    Checkpoints::of_directory(office.home.path().join("book")).unwrap().add(&cosigned).unwrap();
    assert_eq!(office.export().written, 1);
    assert_eq!(read(&office.out()).0, cosigned);
}

#[test]
fn one_export_at_a_time_writes_into_a_directory() {
    let mut office = Office::new();
    office.grow_to(3);
    office.sign();
    // What a killed export left, and still has open.
    let partial = office.out().join("tile/0/000.p");
    std::fs::create_dir_all(&partial).unwrap();
    let mut other = std::fs::File::create(partial.join("3.tmp")).unwrap();
    office.export();
    std::io::Write::write_all(&mut other, b"late").unwrap();
    let (served, ..) = read(&office.out());

    let lock = std::fs::File::open(office.out().join(".lock")).unwrap();
    lock.lock().unwrap();
    office.grow_to(300);
    office.sign();
    let error = office.refused(false);
    assert_eq!(error.kind(), sovang::ErrorKind::Locked, "{error}");
    assert_eq!(read(&office.out()).0, served);
    drop(lock);
    assert_eq!(office.export().head.size.0, 300);
    read(&office.out());
}

#[cfg(unix)]
#[test]
fn a_file_of_any_length_in_a_tiles_place_is_refused() {
    let mut office = Office::new();
    office.grow_to(3);
    office.sign();
    office.export();
    for name in ["checkpoint", "records/000.p/3"] {
        let path = office.out().join(name);
        let sound = std::fs::read(&path).unwrap();
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1 << 42).unwrap();
        let error = office.refused(true);
        assert!(error.kind() == sovang::ErrorKind::NotProven && error.path() == Some(path.as_path()), "{error}");
        std::fs::write(&path, sound).unwrap();
    }
    office.export();
}

#[test]
fn a_directory_of_another_history_is_refused() {
    let mut office = Office::new();
    assert_eq!(office.refused(false).kind(), sovang::ErrorKind::NotFound);
    office.grow_to(300);
    office.sign();
    office.export();

    // A changed full tile: met when everything is compared, or when an export meets it again.
    let tile = office.out().join("tile/0/000");
    let good = std::fs::read(&tile).unwrap();
    let mut bad = good.clone();
    bad[5] ^= 1;
    std::fs::write(&tile, &bad).unwrap();
    let error = office.refused(true);
    assert!(error.to_string().contains("tile/0/000") && error.to_string().contains("never changes"), "{error}");
    assert_eq!((error.kind(), std::fs::read(&tile).unwrap()), (sovang::ErrorKind::NotProven, bad));
    std::fs::write(&tile, good).unwrap();
    assert_eq!(office.ledger().export_tiles(office.out(), true).unwrap().written, 0);

    // Another log, and another history of this one.
    let mut other = Office::new();
    other.grow_to(299);
    other.ledger().by("teller:2").record(opened("L-other", 2).on(DAY)).unwrap();
    other.grow_to(301);
    other.sign();
    let error = other.ledger().export_tiles(office.out(), false).unwrap_err();
    assert!(error.to_string().contains("another history"), "{error}");
    let before = files(&office.out());
    assert_eq!(files(&office.out()), before);

    // A newer copy's.
    office.grow_to(310);
    office.sign();
    office.export();
    std::fs::remove_file(office.home.path().join("book/checkpoints/310")).unwrap();
    let error = office.refused(false);
    assert!(error.to_string().contains("serves size 310"), "{error}");
}

#[test]
fn tiles_stand_outside_of_the_ledger() {
    let mut office = Office::new();
    office.grow_to(3);
    office.sign();
    for inside in ["book", "book/public", "book/log/public"] {
        let error = office.ledger().export_tiles(office.home.path().join(inside), false).unwrap_err();
        assert!(error.to_string().contains("inside the ledger"), "{error}");
        assert!(inside == "book" || !office.home.path().join(inside).exists());
    }
}
