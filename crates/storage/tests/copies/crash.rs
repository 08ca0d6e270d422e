//! Power losses and kills while a copy is made: it always opens, as a beginning of its ledger, and doing it again completes it.

use crate::ledger::*;
use sovang_core::ErrorKind;
use sovang_core::personal::Opened;
use sovang_core::record::Frame;
use sovang_storage::backup::{BackupOptions, backup};
use sovang_storage::files::{File, Files, Open};
use sovang_storage::salvage::{Named, salvage};
use sovang_storage::sim::SimFiles;
use sovang_storage::store::{Store, View};
use std::collections::HashSet;
use std::io;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::sync::Arc;

/// Images of one moment at most, when not all are looked at.
const IMAGES: u64 = 512;
/// Of the images of a backup one in so many is backed up to once more, and interrupted again.
const SECOND_ONE_IN: usize = 32;

/// Calls `judge` with every image that a power loss or a kill can leave while `work` runs on a disk.
fn images(start: &SimFiles, work: impl FnOnce(&Arc<dyn Files>), judge: &mut dyn FnMut(SimFiles)) -> usize {
    let files = SimFiles::from_disk(start.disk());
    files.record(true);
    let target: Arc<dyn Files> = Arc::new(files.clone());
    work(&target);
    let mut seen = HashSet::new();
    for (index, snapshot) in files.take_snapshots().into_iter().enumerate() {
        let mut look = |files: SimFiles| {
            let files_now: Arc<dyn Files> = Arc::new(files.clone());
            if seen.insert(everything(&*files_now)) {
                judge(files);
            }
        };
        look(SimFiles::from_disk(snapshot.disk.clone()));
        if snapshot.whole {
            for crash in snapshot.disk.crashes(IMAGES, index as u64) {
                look(SimFiles::from_image(&crash.image));
            }
        }
    }
    seen.len()
}

/// The copy opens for a reader and a writer, with a beginning of the ledger between two sizes; personal values read as they should.
fn opens(files: &Arc<dyn Files>, known: &[Frame], between: (u64, u64), with_vault: bool) {
    let view = View::open(Arc::clone(files), None, &options(LARGE)).unwrap();
    let head = view.head();
    assert!(head.size.0 >= between.0 && head.size.0 <= between.1, "{} of {between:?}", head.size);
    assert_eq!(head, head_of(known, head.size.0));
    sound(files);
    for (_, value) in values(&view) {
        assert_eq!(with_vault, value != Opened::Sealed);
    }
    let store = Store::open(Arc::clone(files), options(LARGE), None).unwrap();
    let size = store.view().head().size.0;
    assert!(size >= head.size.0 && size <= between.1);
    assert_eq!(store.view().head(), head_of(known, size));
    for (_, value) in values(store.view()) {
        assert_eq!(with_vault, value != Opened::Sealed);
    }
    let commitments: HashSet<_> = values(store.view()).into_iter().map(|(commitment, _)| commitment.0).collect();
    store.close().unwrap();
    sound(files);
    if with_vault {
        // No value stays behind without its record.
        for row in value_rows(&**files) {
            assert!(commitments.contains(&row), "a row is left without its record");
        }
    }
}

/// Whether the copy is there: before the first time there is no ledger.
fn is_there(files: &Arc<dyn Files>, old: u64) -> bool {
    match View::open(Arc::clone(files), None, &options(LARGE)) {
        Err(e) if old == 0 => {
            assert_eq!(e.kind(), ErrorKind::NotALedger, "{e}");
            false
        }
        Err(e) => panic!("{e}"),
        Ok(_) => true,
    }
}

/// The commitments of the rows that hold a value.
fn value_rows(files: &dyn Files) -> Vec<[u8; 32]> {
    let bytes = read(files, "vault/rows");
    let rows = bytes.chunks_exact(128).skip(32).filter(|row| row.starts_with(b"SOVR\x01\0"));
    rows.map(|row| row[32..64].try_into().unwrap()).collect()
}

/// A sync that is left out, by the path of the file or directory.
#[derive(Clone, Copy, Debug)]
struct Mistake(fn(&str) -> bool);

/// Files that are synced but for one mistake.
struct Careless {
    files: Arc<dyn Files>,
    mistake: Mistake,
}
impl Files for Careless {
    fn open(&self, path: &str, how: Open) -> io::Result<Arc<dyn File>> {
        let file = self.files.open(path, how)?;
        Ok(if (self.mistake.0)(path) { Arc::new(Unsynced(file)) } else { file })
    }
    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.files.list(directory)
    }
    fn create_directory(&self, directory: &str) -> io::Result<()> {
        self.files.create_directory(directory)
    }
    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        if (self.mistake.0)(directory) { Ok(()) } else { self.files.sync_directory(directory) }
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.files.rename(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.files.remove(path)
    }
    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>> {
        self.files.lock(path)
    }
    fn describe(&self, path: &str) -> PathBuf {
        self.files.describe(path)
    }
}
struct Unsynced(Arc<dyn File>);
impl File for Unsynced {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(into, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(bytes, offset)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn allocate(&self, len: u64) -> io::Result<()> {
        self.0.allocate(len)
    }
    fn sync_all(&self) -> io::Result<()> {
        Ok(())
    }
    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }
}

fn backups_survive(segment: u64, options: BackupOptions, mistake: Option<Mistake>) -> (usize, usize) {
    let mut book = Book::create(memory(), segment);
    let copy = |source: &Arc<dyn Files>, target: &Arc<dyn Files>| backup(source, target, options, &mut |_, _| {});
    let mut disk = SimFiles::new();
    let (mut images_seen, mut second) = (0, 0);
    let mut judged: usize = 0;
    let mut old = 0;
    for round in 0..3 {
        for _ in 0..if segment == SMALL { 4 } else { 2 } {
            book.append(2);
        }
        if round == 1 {
            book.erase("citizen:3");
        }
        let (known, new) = (frames(book.store.view()), book.head());
        let source = Arc::clone(&book.files);
        let mut after = None;
        images_seen += images(
            &disk,
            |target| {
                let files = Arc::clone(target);
                let target = match mistake {
                    Some(mistake) => Arc::new(Careless { files, mistake }) as Arc<dyn Files>,
                    None => files,
                };
                assert_eq!(copy(&source, &target).unwrap().head, new);
            },
            &mut |image| {
                let untouched = SimFiles::from_disk(image.disk());
                let files: Arc<dyn Files> = Arc::new(image);
                if is_there(&files, old) {
                    opens(&files, &known, (old, new.size.0), options.with_vault);
                }
                judged += 1;
                if judged.is_multiple_of(SECOND_ONE_IN) {
                    let again = |target: &Arc<dyn Files>| drop(copy(&source, target).unwrap());
                    second += images(&untouched, again, &mut |image| {
                        let files: Arc<dyn Files> = Arc::new(image);
                        if is_there(&files, old) {
                            opens(&files, &known, (old, new.size.0), options.with_vault);
                        }
                        assert_eq!((copy(&source, &files).unwrap().head, sound(&files)), (new, new));
                    });
                }
                // Made again, on what was left and on what a writer made of it, it is complete.
                for files in [files, Arc::new(untouched.clone()) as Arc<dyn Files>] {
                    let done = copy(&source, &files).unwrap();
                    assert_eq!((done.head, sound(&files)), (new, new));
                    opens(&files, &known, (new.size.0, new.size.0), options.with_vault);
                }
                after = Some(untouched);
            },
        );
        // The last image is what the whole run left.
        let files: Arc<dyn Files> = Arc::new(after.clone().unwrap());
        copy(&source, &files).unwrap();
        disk = after.unwrap();
        old = new.size.0;
    }
    (images_seen, second)
}

#[test]
fn an_interrupted_backup_opens_and_is_completed() {
    let plain = BackupOptions::default();
    let (large, small) = (backups_survive(LARGE, plain, None), backups_survive(SMALL, plain, None));
    let (seen, second) = (large.0 + small.0, large.1 + small.1);
    println!("{seen} different images of a backup, {second} of a second one");
    assert!(seen > 100 && second > 100, "{seen} {second}");
}

#[test]
fn an_interrupted_backup_with_personal_values_opens_and_is_completed() {
    let with_vault = BackupOptions { with_vault: true, full: false };
    let (large, small) = (backups_survive(LARGE, with_vault, None), backups_survive(SMALL, with_vault, None));
    let (seen, second) = (large.0 + small.0, large.1 + small.1);
    println!("{seen} different images of a backup with its vault, {second} of a second one");
    assert!(seen > 100 && second > 100, "{seen} {second}");
}

#[test]
fn a_sync_that_is_left_out_is_found_out() {
    let mistakes: [(&str, Mistake); 4] = [
        ("a segment", Mistake(|path| path.starts_with("log/") && path.ends_with(".tmp"))),
        ("the names of segments", Mistake(|path| path == "log")),
        ("rows of the vault", Mistake(|path| path == "vault/rows")),
        ("keys of the vault", Mistake(|path| path == "vault/keys")),
    ];
    for (name, mistake) in mistakes {
        let with_vault = BackupOptions { with_vault: name.ends_with("vault"), full: false };
        let judged = catch_unwind(|| backups_survive(SMALL, with_vault, Some(mistake)));
        assert!(judged.is_err(), "nobody noticed that {name} were not synced");
    }
}

#[test]
fn an_interrupted_salvage_is_no_ledger_or_the_whole_one() {
    let mut book = Book::create(memory(), SMALL);
    (0..8).for_each(|_| book.append(2));
    book.erase("citizen:3");
    let head = book.head();
    let source = book.close();
    let mut complete = 0;
    let seen = images(
        &SimFiles::new(),
        |target| {
            salvage(&[Arc::clone(&source)], target, &Named::default(), &mut |_, _| {}).unwrap();
        },
        &mut |image| {
            let files: Arc<dyn Files> = Arc::new(image);
            match View::open(Arc::clone(&files), None, &options(LARGE)) {
                // Segments without the file `ledger` are no ledger, or one that lost it.
                Err(e) => assert!(matches!(e.kind(), ErrorKind::NotALedger | ErrorKind::Damaged), "{e}"),
                Ok(view) => {
                    assert_eq!(view.head(), head);
                    sound(&files);
                    complete += 1;
                }
            }
        },
    );
    println!("{seen} different images of a salvage");
    assert!(complete > 0 && seen > 50, "{complete} of {seen}");
}
