//! One ledger with everything: three segments, a vault with an erased subject, an index file, a snapshot and a checkpoint. Every
//! bit of every file is flipped, every file cut at every byte, and at random places several things are damaged at once.
//!
//! All bits and cuts are judged with `SOVANG_CRASH_SCALE=16` or more; without it one in 16.

use super::bits::{Sound, Tally, assert_refusal, is_index, is_log, is_vault, judge_index};
use super::judge::seeded;
use super::known::{Item, erase, submission};
use super::*;
use crate::index;
use crate::sim::{Content, Image, Random};

/// So that the records of [`sound`] take three of them.
const SEGMENT_BYTES: u64 = 18_000;
/// Enough for an index file.
const RECORDS: u64 = 280;
/// One bit or cut in so many is judged, unless all are.
const ONE_IN: u64 = 16;
/// And of those one in so many by everything there is. Prime, so that each bit of a byte has its turn.
const WHOLE_ONE_IN: u64 = 211;

fn one_in(most: u64) -> u64 {
    (most / scale()).max(1)
}

/// The ledger, closed, and the ids of its records by position.
fn sound() -> (Sound, Vec<RecordId>) {
    let files = SimFiles::new();
    let store = Store::create(Arc::new(files.clone()), identity(), seeded(SEGMENT_BYTES, 1)).unwrap();
    store.queue.rest_after(Duration::from_secs(3_600));
    // The questions to an index take records of numbers divisible by 7, and not by 50, for plain ones.
    let items: Vec<Item> = (1..=RECORDS).map(|n| if n % 50 == 0 { Item::Personal(n, n) } else { Item::Plain(n) }).collect();
    for batch in items.chunks(20) {
        append(&store, submission(batch, 0)).unwrap();
    }
    erase(&store, RECORDS + 1, 100, &mut |_| {}).unwrap();
    store.put_blob("snapshots/one", b"a snapshot, whose own digest its reader checks").unwrap();
    store.put_blob("checkpoints/one", b"a checkpoint, whose own signature its reader checks").unwrap();
    store.close().unwrap();
    let sound = Sound::of(files.disk().visible(), SEGMENT_BYTES);
    let has = |beginning: &str| sound.image.files.keys().filter(|path| path.starts_with(beginning)).count();
    assert_eq!((has("log/"), has("vault/"), has("index/")), (3, 2, 1), "the ledger has everything");
    let erased = sound.values.iter().filter(|(_, value)| *value == Opened::Erased).count();
    assert_eq!((sound.values.len(), erased), (5, 1));
    (sound, (1..=RECORDS + 1).map(id).collect())
}

impl Sound {
    /// Judges one damage of one file, as far as that file matters.
    fn judge_file(&self, ids: &[RecordId], files: &SimFiles, path: &str, tally: &mut Tally, case: &str) {
        if is_log(path) {
            self.judge_log(files, tally, case);
        } else if is_vault(path) {
            self.judge_beside(files, tally, case);
        } else if is_index(path) {
            tally.cases += 1;
            tally.found += 1;
            assert_eq!(index::check(files, identity().ledger_id).unwrap().len(), 1, "{case} goes unnoticed");
            if tally.cases.is_multiple_of(one_in(WHOLE_ONE_IN)) {
                judge_index(self, ids, Arc::new(files.clone()), case).unwrap();
            }
        } else {
            // Nobody but its reader looks into a blob.
            tally.cases += 1;
            let view = View::open(Arc::new(files.clone()), None, &seeded(self.segment_bytes, 3)).unwrap();
            self.compare(&view, case);
        }
    }

    /// Judges any damage of any files by all that can be asked: a verification, a reader, a writer.
    fn judge_whole(&self, ids: &[RecordId], files: &SimFiles, tally: &mut Tally, case: &str) {
        let before = files.disk().visible();
        let shared: Arc<dyn Files> = Arc::new(files.clone());
        let (found, noted) = match verify(&shared, &mut |_, _| {}) {
            Ok(report) => (!report.findings.is_empty(), !report.notes.is_empty()),
            Err(e) => {
                assert_refusal(&e, case);
                (true, false)
            }
        };
        let mut refused = match View::open(Arc::clone(&shared), None, &seeded(self.segment_bytes, 2)) {
            Ok(view) => {
                assert!(view.head().size <= self.head.size, "{case}: more is shown than was written");
                let is_said = found || noted && self.is_hidden(&before);
                assert!(view.head() == self.head || is_said, "{case}: a reader silently shows {}", view.head().size);
                self.assert_right_or_refused(&view, ids, case);
                false
            }
            Err(e) => {
                assert_refusal(&e, case);
                true
            }
        };
        assert_eq!(files.disk().visible(), before, "{case}: reading wrote");
        assert!(files.take_counts().read_bytes_max <= 1 << 20, "{case}: a reading asks for more memory");
        match Store::open(shared, seeded(self.segment_bytes, 2), None) {
            Err(e) => {
                assert_refusal(&e, case);
                let after = files.disk().visible();
                // Before the vault is found to be damaged HEAD is brought up to date, a damaged seal is written again as it was,
                // and the index built again.
                let is_relied_on = |path: &str| path != "HEAD" && !is_index(path);
                let changed = before.files.iter().find(|(path, old)| {
                    let new = after.files.get(*path);
                    is_relied_on(path) && new != Some(*old) && new != self.image.files.get(*path)
                });
                assert!(changed.is_none(), "{case}: a refusal changed {changed:?}");
                refused = true;
            }
            Ok(store) => {
                let is_said = noted && self.is_hidden(&before);
                assert!(store.view().head() == self.head || is_said, "{case}: a writer opens it with less");
                self.assert_right_or_refused(store.view(), ids, case);
                tally.writers += 1;
            }
        }
        tally.cases += 1;
        tally.refused += u64::from(refused);
        tally.found += u64::from(found && !refused);
        tally.noted += u64::from(noted && !found && !refused);
        assert!(refused || found || noted, "{case} goes unnoticed");
    }
    /// Whether none of the slots of `HEAD` is left that say where the log ends: two do after a closing. What then stands at the
    /// very end looks like a batch under way.
    fn is_hidden(&self, image: &Image) -> bool {
        const SLOT_BYTES: usize = 4_096;
        let (sound, left) = (self.image.files["HEAD"].to_vec(), image.files.get("HEAD").map(Content::to_vec).unwrap_or_default());
        let says_so = |slot: &&[u8]| slot[32..40] == self.head.size.0.to_le_bytes();
        let slots: Vec<&[u8]> = sound.chunks_exact(SLOT_BYTES).filter(says_so).collect();
        assert_eq!(slots.len(), 2, "one damaged slot hides nothing");
        !left.chunks_exact(SLOT_BYTES).any(|slot| slots.contains(&slot))
    }
    /// Every record, every value and every place of an id is what was written, or it is refused.
    fn assert_right_or_refused(&self, view: &View, ids: &[RecordId], case: &str) {
        for ((position, frame), id) in (0..view.head().size.0).map(Position).zip(&self.frames).zip(ids) {
            match view.frame(position) {
                Ok(shown) => assert_eq!(shown.bytes(), &frame[..], "{case}: another record is shown"),
                Err(e) => assert_refusal(&e, case),
            }
            match view.find(*id) {
                Ok(found) => assert_eq!(found, Some(position), "{case}: record {position} is found elsewhere"),
                Err(e) => assert_refusal(&e, case),
            }
        }
        for (commitment, value) in &self.values {
            match view.open_value(commitment) {
                Ok(shown) => assert_eq!(shown, *value, "{case}: another value is shown"),
                Err(e) => assert_refusal(&e, case),
            }
        }
    }
}

/// Judges the cases whose turn it is, of all files together.
struct Turns<'s> {
    sound: &'s Sound,
    ids: &'s [RecordId],
    next: u64,
    judged: Tally,
    whole: Tally,
}
impl Turns<'_> {
    fn take(&mut self, path: &str, case: &str, damaged: impl Fn() -> SimFiles) {
        self.next += 1;
        if self.next.is_multiple_of(one_in(ONE_IN)) {
            self.sound.judge_file(self.ids, &damaged(), path, &mut self.judged, case);
        }
        let is_blob = !(is_log(path) || is_vault(path) || is_index(path));
        if !is_blob && self.next.is_multiple_of(WHOLE_ONE_IN * one_in(ONE_IN) / 4) {
            self.sound.judge_whole(self.ids, &damaged(), &mut self.whole, case);
        }
    }
}

#[test]
fn bits_and_cuts_of_three_segments_with_a_vault_and_an_index() {
    let (sound, ids) = sound();
    let turns = || Turns { sound: &sound, ids: &ids, next: 0, judged: Tally::default(), whole: Tally::default() };
    let (mut flips, mut cuts) = (turns(), turns());
    for (path, len) in sound.files_of(|_| true) {
        for at in 0..len {
            for bit in 0..8 {
                flips.take(path, &format!("{path} byte {at} bit {bit}"), || sound.flipped(path, at, bit));
            }
            let cut = || sound.with(path, |bytes| bytes.truncate(usize::try_from(at).unwrap()));
            cuts.take(path, &format!("{path} cut at {at}"), cut);
        }
    }
    for (name, turns) in [("flips", &flips), ("cuts", &cuts)] {
        println!("{name}: {} in all, judged {:?}, by everything {:?}", turns.next, turns.judged, turns.whole);
    }
    assert!(flips.next > 500_000 && flips.judged.refused > 0 && flips.judged.writers > 0 && flips.whole.found > 0);
}

/// One of several things that happen to a ledger at once.
#[derive(Clone, Copy, Debug)]
enum Harm {
    /// A byte is another one.
    Byte,
    /// Up to a sector of bytes is another one: noise, or zeros.
    Noise,
    Zeros,
    /// A piece is what another place of the same file has.
    Moved,
    /// The file ends earlier.
    Cut,
    /// The file is not there.
    Missing,
}

/// Damages a file somewhere, and says how.
fn harm(image: &mut Image, random: &mut Random) -> String {
    let named: Vec<String> =
        image.files.iter().filter(|(_, content)| !content.is_empty()).map(|(path, _)| path.clone()).collect();
    let path = named[random.below(named.len())].clone();
    let mut bytes = image.files[&path].to_vec();
    let (at, from) = (random.below(bytes.len()), random.below(bytes.len()));
    let len = 1 + random.below(512.min(bytes.len() - at.max(from)));
    // What is harmed most often stands first and several times.
    let how = [Harm::Byte, Harm::Byte, Harm::Byte, Harm::Noise, Harm::Zeros, Harm::Moved, Harm::Cut, Harm::Missing];
    let how = how[random.below(how.len())];
    match how {
        Harm::Byte => bytes[at] ^= random.draw().to_le_bytes()[0].max(1),
        Harm::Noise => bytes[at..at + len].iter_mut().for_each(|byte| *byte = random.draw().to_le_bytes()[0]),
        Harm::Zeros => bytes[at..at + len].fill(0),
        Harm::Moved => bytes.copy_within(from..from + len, at),
        Harm::Cut => bytes.truncate(at),
        Harm::Missing => {
            image.files.remove(&path);
            return format!("{path} is missing");
        }
    }
    image.files.insert(path.clone(), Content::new(&bytes));
    format!("{how:?} at {at} of {path}, {len} bytes, from {from}")
}

/// Two to eight things at once, drawn from a seed that is printed with what goes wrong.
#[test]
fn several_damages_at_once_are_refused_or_found() {
    let (sound, ids) = sound();
    let (mut judged, mut unchanged) = (Tally::default(), 0);
    for seed in 0..2_000 * scale() {
        let mut random = Random::new(seed);
        let mut image = sound.image.clone();
        let how: Vec<String> = (0..2 + random.below(7)).map(|_| harm(&mut image, &mut random)).collect();
        let blobs_alone = image.files.iter().all(|(path, content)| {
            sound.image.files.get(path) == Some(content) || path.starts_with("snapshots/") || path.starts_with("checkpoints/")
        });
        if blobs_alone {
            unchanged += 1;
            continue;
        }
        sound.judge_whole(&ids, &SimFiles::from_image(&image), &mut judged, &format!("seed {seed}: {how:?}"));
    }
    println!("several damages at once: {judged:?}, {unchanged} without effect");
    assert!(judged.refused > 0 && judged.found > 0 && judged.writers > 0, "{judged:?}");
}
