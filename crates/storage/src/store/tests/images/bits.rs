//! Every bit of every file of a closed ledger is flipped, and every file cut at every byte. Whatever that does: nothing panics, no
//! record and no value is shown that was not written, and what is missing is said. A writer that opens it has every record, and one
//! that refuses it changes nothing.

use super::judge::seeded;
use super::known::{Item, submission};
use super::work::{Base, Op, World, base};
use super::*;
use crate::index;
use crate::log::{Log, LogOptions, LogView, verify};
use crate::sim::Image;
use bytes::Bytes;
use sovang_core::ids::Commitment;

/// A closed ledger, and what it shows while it is sound.
pub(super) struct Sound {
    pub(super) image: Image,
    pub(super) segment_bytes: u64,
    pub(super) head: sovang_core::Head,
    pub(super) frames: Vec<Bytes>,
    pub(super) values: Vec<(Commitment, Opened)>,
}

/// What became of a damaged ledger.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) cases: u64,
    pub(super) refused: u64,
    pub(super) found: u64,
    /// Neither, but told as a note: what a crash leaves as well.
    pub(super) noted: u64,
    pub(super) writers: u64,
}

impl Sound {
    /// Values of three subjects, one of them erased, plain records, a snapshot and a checkpoint; closed.
    fn ledger(segment_bytes: u64) -> Self {
        let judge = super::judge::Judge::new(segment_bytes, effort());
        let mut world = World::new(&judge, &base(segment_bytes, Base::TwoSubjects));
        world.open().unwrap();
        [Op::New, Op::Erase].into_iter().for_each(|op| assert!(world.step(op).unwrap()));
        let files = world.files.clone();
        drop(world);
        let store = Store::open(Arc::new(files.clone()), seeded(segment_bytes, 900), None).unwrap();
        store.put_blob("snapshots/one", b"a snapshot, whose own digest its reader checks").unwrap();
        store.put_blob("checkpoints/one", b"a checkpoint, whose own signature its reader checks").unwrap();
        store.close().unwrap();
        Self::of(files.disk().visible(), segment_bytes)
    }
    pub(super) fn of(image: Image, segment_bytes: u64) -> Self {
        let view = View::open(Arc::new(SimFiles::from_image(&image)), None, &seeded(segment_bytes, 1)).unwrap();
        assert!(view.verify(&mut |_, _| {}).unwrap().findings.is_empty());
        let frames: Vec<_> = view.scan(0..u64::MAX).map(|read| read.unwrap().1).collect();
        let commitments = frames.iter().flat_map(|frame| frame.commitments()).map(|(_, commitment)| commitment);
        let values = commitments.map(|commitment| (commitment, view.open_value(&commitment).unwrap())).collect();
        let frames = frames.iter().map(|frame| Bytes::copy_from_slice(frame.bytes())).collect();
        Self { head: view.head(), frames, values, segment_bytes, image }
    }
    /// The ledger with another content of one file.
    pub(super) fn with(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) -> SimFiles {
        let mut bytes = self.image.files[path].to_vec();
        change(&mut bytes);
        let mut image = self.image.clone();
        image.files.insert(path.to_owned(), crate::sim::Content::new(&bytes));
        SimFiles::from_image(&image)
    }
    pub(super) fn flipped(&self, path: &str, at: u64, bit: u8) -> SimFiles {
        let files = SimFiles::from_image(&self.image);
        files.rot(path, at, bit).unwrap();
        files
    }

    /// Judges damage to the log, without vault and index: those have nothing to do with it, and each would start a thread.
    pub(super) fn judge_log(&self, files: &SimFiles, tally: &mut Tally, case: &str) {
        let before = files.disk().visible();
        let shared: Arc<dyn Files> = Arc::new(files.clone());
        let report = verify(&shared, &|_, _| {});
        let view = LogView::open(Arc::clone(&shared));
        assert_eq!(files.disk().visible(), before, "{case}: reading wrote");
        assert!(files.take_counts().read_bytes_max <= 1 << 20, "{case}: a reading asks for more memory");
        let (found, noted) = report.as_ref().map_or((false, false), |r| (!r.findings.is_empty(), !r.notes.is_empty()));
        let mut refused = report.is_err() || view.is_err();
        match &view {
            Err(e) => assert_refusal(e, case),
            Ok(view) => {
                assert!(view.head().size <= self.head.size, "{case}: more is shown than was written");
                for (walked, frame) in view.segments().walk(crate::log::Segments::start(), view.head().size).zip(&self.frames) {
                    match walked {
                        Ok(walked) => assert_eq!(walked.frame.bytes(), &frame[..], "{case}: another record is shown"),
                        Err(e) => {
                            assert_refusal(&e, case);
                            assert!(found, "{case}: a record cannot be read, and verification does not see it");
                        }
                    }
                }
                assert!(view.head() == self.head || found, "{case}: a reader silently shows {}", view.head().size);
            }
        }
        let options = LogOptions { segment_bytes: self.segment_bytes, strict: false };
        match Log::open(shared, options, &|bytes: &mut [u8]| {
            bytes.fill(7);
            Ok(())
        }) {
            Err(e) => {
                assert_refusal(&e, case);
                assert_eq!(files.disk().visible(), before, "{case}: a refusal changed something");
                refused = true;
            }
            // A closed ledger has nothing that could be taken for a batch under way.
            Ok((log, _)) => {
                assert_eq!(log.head(), self.head, "{case}: a writer opens it with less");
                tally.writers += 1;
            }
        }
        tally.cases += 1;
        tally.refused += u64::from(refused);
        tally.found += u64::from(found && !refused);
        tally.noted += u64::from(noted && !found && !refused);
        assert!(refused || found || noted || case.starts_with("lock"), "{case} goes unnoticed");
    }

    /// Judges damage beside the log.
    pub(super) fn judge_beside(&self, files: &SimFiles, tally: &mut Tally, case: &str) {
        let options = || seeded(self.segment_bytes, 2);
        let before = files.disk().visible();
        let view =
            View::open(Arc::new(files.clone()), None, &options()).unwrap_or_else(|e| panic!("{case}: a reader is refused: {e}"));
        assert_eq!(view.head(), self.head, "{case}");
        self.compare(&view, case);
        let report = view.verify(&mut |_, _| {}).unwrap_or_else(|e| panic!("{case}: verifying fails: {e}"));
        assert!(report.findings.iter().all(|finding| !finding.in_log), "{case}: the log is blamed");
        assert_eq!(files.disk().visible(), before, "{case}: reading wrote");
        let found = !report.findings.is_empty();
        let refused = match Store::open(Arc::new(files.clone()), options(), None) {
            Err(e) => {
                assert_refusal(&e, case);
                let after = files.disk().visible();
                let changed =
                    after.files.iter().find(|(path, content)| *path != "HEAD" && before.files.get(*path) != Some(*content));
                assert!(changed.is_none(), "{case}: a refusal changed {changed:?}");
                true
            }
            Ok(store) => {
                assert_eq!(store.view().head(), self.head, "{case}");
                self.compare(store.view(), case);
                tally.writers += 1;
                false
            }
        };
        tally.cases += 1;
        tally.refused += u64::from(refused);
        tally.found += u64::from(found && !refused);
        assert!(refused || found, "{case} goes unnoticed");
    }
    /// What is shown is what was written, or it is refused.
    pub(super) fn compare(&self, view: &View, case: &str) {
        for (number, frame) in self.frames.iter().enumerate() {
            let shown = view.frame(Position(number as u64)).unwrap_or_else(|e| panic!("{case}: record {number}: {e}"));
            assert_eq!(shown.bytes(), &frame[..], "{case}: another record is shown");
        }
        for (commitment, value) in &self.values {
            match view.open_value(commitment) {
                Ok(shown) => assert_eq!(shown, *value, "{case}: another value is shown"),
                Err(e) => assert_refusal(&e, case),
            }
        }
    }
    pub(super) fn files_of(&self, within: fn(&str) -> bool) -> impl Iterator<Item = (&String, u64)> {
        self.image.files.iter().filter(move |(path, _)| within(path)).map(|(path, content)| (path, content.len()))
    }
    /// Every bit and every cut of these files.
    fn every(&self, within: fn(&str) -> bool, judge: fn(&Self, &SimFiles, &mut Tally, &str)) -> [Tally; 2] {
        let (mut flips, mut cuts) = (Tally::default(), Tally::default());
        for (path, len) in self.files_of(within) {
            for at in 0..len {
                for bit in 0..8 {
                    judge(self, &self.flipped(path, at, bit), &mut flips, &format!("{path} byte {at} bit {bit}"));
                }
                let cut = self.with(path, |bytes| bytes.truncate(usize::try_from(at).unwrap()));
                judge(self, &cut, &mut cuts, &format!("{path} cut at {at}"));
            }
        }
        [flips, cuts]
    }
}

pub(super) fn assert_refusal(error: &Error, case: &str) {
    let kinds = [ErrorKind::Damaged, ErrorKind::NotALedger, ErrorKind::WrongFormat];
    assert!(kinds.contains(&error.kind()), "{case}: damage is reported as {:?}: {error}", error.kind());
    assert!(error.path().is_some(), "{case}: the error names no file: {error}");
}
pub(super) fn is_log(path: &str) -> bool {
    path.starts_with("log/") || matches!(path, "HEAD" | "ledger" | "lock")
}
pub(super) fn is_vault(path: &str) -> bool {
    path.starts_with("vault/")
}
/// Files that storage keeps for others and does not look into.
fn is_blob(path: &str) -> bool {
    path.starts_with("snapshots/") || path.starts_with("checkpoints/")
}
pub(super) fn is_index(path: &str) -> bool {
    path.starts_with("index/")
}

#[test]
fn every_bit_and_every_cut_of_the_log() {
    let [flips, cuts] = Sound::ledger(LARGE).every(is_log, Sound::judge_log);
    println!("log: flips {flips:?}, cuts {cuts:?}");
    assert!(flips.cases > 100_000 && flips.refused > 0 && flips.noted > 0);
}
#[test]
fn every_bit_and_every_cut_of_the_vault() {
    let [flips, cuts] = Sound::ledger(LARGE).every(is_vault, Sound::judge_beside);
    println!("vault: flips {flips:?}, cuts {cuts:?}");
    assert!(flips.cases > 60_000 && flips.found > 0);
}
#[test]
fn no_bit_of_a_blob_matters_to_the_log() {
    let sound = Sound::ledger(LARGE);
    for (path, len) in sound.files_of(is_blob) {
        for at in 0..len {
            let files = sound.flipped(path, at, 3);
            let store = Store::open(Arc::new(files), seeded(LARGE, 3), None).unwrap();
            sound.compare(store.view(), path);
        }
    }
}
#[test]
fn every_bit_and_every_cut_of_a_ledger_of_many_segments() {
    let sound = Sound::ledger(OF_ONE_BATCH);
    assert!(sound.image.files.keys().filter(|path| path.starts_with("log/")).count() >= 3);
    let [flips, cuts] = sound.every(is_log, Sound::judge_log);
    println!("log of many segments: flips {flips:?}, cuts {cuts:?}");
    assert!(flips.cases > 200_000 && flips.refused > 0 && flips.found > 0 && flips.noted > 0);
}

/// A ledger large enough for an index file.
fn indexed() -> (Sound, Vec<RecordId>) {
    let files = SimFiles::new();
    let store = Store::create(Arc::new(files.clone()), identity(), seeded(1 << 20, 1)).unwrap();
    let items: Vec<Item> = (1..=300).map(|n| if n % 50 == 0 { Item::Personal(n, n) } else { Item::Plain(n) }).collect();
    for batch in items.chunks(20) {
        append(&store, submission(batch, 0)).unwrap();
    }
    store.close().unwrap();
    let sound = Sound::of(files.disk().visible(), 1 << 20);
    (sound, items.iter().map(|item| id(item.number())).collect())
}
/// A damaged index never changes an answer: neither where a record is, nor that there is none.
pub(super) fn judge_index(sound: &Sound, ids: &[RecordId], files: Arc<dyn Files>, case: &str) -> Result<(), String> {
    let view = View::open(files, None, &seeded(sound.segment_bytes, 2)).map_err(|e| format!("{case}: {e}"))?;
    for (position, id) in (0..).zip(ids) {
        let found = view.find(*id).map_err(|e| format!("{case}: {e}"))?;
        if found != Some(Position(position)) {
            return Err(format!("{case}: record {position} is found at {found:?}"));
        }
        let number = position + 1;
        if number % 50 != 0 && number % 7 == 0 {
            let query = Query::tag("n", number.to_string());
            let found: Vec<_> = view.select(&query, 0..u64::MAX, false).map(|r| r.map(|(position, _)| position.0)).collect();
            if !matches!(&found[..], [Ok(at)] if *at == position) {
                return Err(format!("{case}: by its tag record {position} is found at {found:?}"));
            }
        }
    }
    Ok(())
}
#[test]
fn every_bit_and_every_cut_of_an_index_is_found_and_none_changes_an_answer() {
    let (sound, ids) = indexed();
    let ledger = identity().ledger_id;
    let (mut flips, mut asked) = (0u64, 0u64);
    let names: Vec<_> = sound.files_of(is_index).collect();
    assert!(!names.is_empty(), "there is an index file");
    for (path, len) in names {
        for at in 0..len {
            for bit in 0..8 {
                let files = sound.flipped(path, at, bit);
                flips += 1;
                let case = format!("{path} byte {at} bit {bit}");
                assert_eq!(index::check(&files, ledger).unwrap().len(), 1, "{case} goes unnoticed");
                if flips.is_multiple_of(211 / scale().min(211)) {
                    asked += 1;
                    judge_index(&sound, &ids, Arc::new(files), &case).unwrap();
                }
            }
            let cut = sound.with(path, |bytes| bytes.truncate(usize::try_from(at).unwrap()));
            let case = format!("{path} cut at {at}");
            assert_eq!(index::check(&cut, ledger).unwrap().len(), 1, "{case} goes unnoticed");
            if at % 97 == 0 || len - at < 64 {
                judge_index(&sound, &ids, Arc::new(cut), &case).unwrap();
            }
        }
    }
    println!("index: {flips} flips, of which {asked} under all questions");
}

/// What a reader sees that does not look at the checksum of an index page: with the flipped bit in it, it holds (docs/FORMAT.md §6.1).
fn believed(sound: &Sound, path: &str, at: u64, bit: u8) -> SimFiles {
    const PAGE: usize = 4_096;
    sound.with(path, |bytes| {
        let at = usize::try_from(at).unwrap();
        bytes[at] ^= 1 << bit;
        let (first, end) = path["index/".len()..path.len() - ".run".len()].split_once('-').unwrap();
        let range = [first, end].map(|number| number.parse::<u64>().unwrap().to_le_bytes());
        let (number, last) = (at / PAGE, bytes.len() / PAGE - 1);
        let root = if number == last { Vec::new() } else { bytes[last * PAGE + 48..last * PAGE + 80].to_vec() };
        let seed =
            [&identity().ledger_id.0[..], &range[0], &range[1], &root, &u32::try_from(number).unwrap().to_le_bytes()].concat();
        let page = &mut bytes[number * PAGE..(number + 1) * PAGE];
        let (body, sum) = page.split_at_mut(PAGE - 4);
        sum.copy_from_slice(&crc32c::crc32c(&[&seed, &*body].concat()).to_le_bytes());
    })
}
/// The judge of the index is tested: an index that trusts a bad page is found out, and more than once.
#[test]
fn an_index_that_trusts_a_bad_page_is_found_out() {
    let (sound, ids) = indexed();
    let (path, len) = sound.files_of(is_index).next().unwrap();
    let mut missed = 0;
    for at in (0..len).step_by(61) {
        let bit = u8::try_from(at % 8).unwrap();
        let case = format!("{path} byte {at} bit {bit}, believed");
        let wrong = judge_index(&sound, &ids, Arc::new(believed(&sound, path, at, bit)), &case);
        missed += u64::from(wrong.is_err_and(|what| what.contains("is found at")));
        judge_index(&sound, &ids, Arc::new(sound.flipped(path, at, bit)), &case).unwrap();
    }
    println!("an index that trusts a bad page gives {missed} wrong answers");
    assert!(missed > 3, "{missed}");
}

/// Where the records of a log's first batch of two are: each one's offset, length, position and batch.
fn two_in_a_batch(sound: &Sound) -> [(usize, usize, u64, u64); 2] {
    let view = LogView::open(Arc::new(SimFiles::from_image(&sound.image))).unwrap();
    let walked: Vec<_> = view.segments().walk(crate::log::Segments::start(), view.head().size).map(|w| w.unwrap()).collect();
    let of = |w: &crate::log::Walked| {
        (usize::try_from(w.location.offset).unwrap(), w.frame.bytes().len(), w.position.0, w.location.batch)
    };
    let pair =
        walked.windows(2).find(|pair| pair[0].location.batch == pair[1].location.batch && of(&pair[0]).1 == of(&pair[1]).1);
    pair.map(|pair| [of(&pair[0]), of(&pair[1])]).expect("two records of one length are in one batch")
}
/// Two records in each other's place: with the checksums they had, or with those that a checksum without a place would have kept
/// valid (docs/FORMAT.md §2.2).
fn swapped(sound: &Sound, placeless: bool) -> SimFiles {
    let [(one, len, ..), (other, ..)] = two_in_a_batch(sound);
    sound.with("log/0", |bytes| {
        for at in 0..len + 4 {
            bytes.swap(one + at, other + at);
        }
        let seed = [&bytes[16..32], &0u64.to_le_bytes(), &bytes[40..56]].concat();
        for (at, len, position, batch) in two_in_a_batch(sound).into_iter().filter(|_| placeless) {
            let place = [at as u64, position, batch].map(u64::to_le_bytes).concat();
            let sum = crc32c::crc32c(&[&seed, &place, &bytes[at..at + len]].concat());
            bytes[at + len..at + len + 4].copy_from_slice(&sum.to_le_bytes());
        }
    })
}
/// The judge of damage is tested: it finds out a log whose checksums do not tell places apart, and one that cuts itself short instead
/// of refusing.
#[test]
fn a_careless_reading_of_damage_is_found_out() {
    let judged = |sound: &Sound, files: &SimFiles| {
        let judge = || sound.judge_log(files, &mut Tally::default(), "a case");
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(judge)).err()?;
        panic.downcast_ref::<String>().cloned()
    };
    let files = SimFiles::new();
    let store = Store::create(Arc::new(files.clone()), identity(), seeded(LARGE, 1)).unwrap();
    append(&store, submission(&[Item::Plain(11), Item::Plain(12)], 0)).unwrap();
    append(&store, submission(&[Item::Plain(13)], 0)).unwrap();
    store.close().unwrap();
    let sound = Sound::of(files.disk().visible(), LARGE);

    assert_eq!(judged(&sound, &swapped(&sound, false)), None, "the places are told apart");
    let found = judged(&sound, &swapped(&sound, true)).expect("a checksum without its place is found out");
    assert!(found.contains("another record is shown"), "{found}");

    let shorter = sound.with("log/0", |bytes| bytes.truncate(bytes.len() - 1));
    assert_eq!(judged(&sound, &shorter), None, "the cut is refused");
    // The disk as a log sees it that takes HEAD for no evidence: HEAD is as creation left it.
    let fresh = SimFiles::new();
    drop(Store::create(Arc::new(fresh.clone()), identity(), seeded(LARGE, 1)).unwrap());
    let mut image = shorter.disk().visible();
    image.files.insert("HEAD".to_owned(), fresh.disk().visible().files["HEAD"].clone());
    let found = judged(&sound, &SimFiles::from_image(&image)).expect("cutting instead of refusing is found out");
    assert!(found.contains("a reader silently shows"), "{found}");
}
