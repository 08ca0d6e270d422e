//! Bytes, memory and pages at sizes that matter.

use super::*;

/// An event's share of the index, of the 230 bytes that all files together may take (design §8): a frame of 100 encoded bytes
/// takes 40 + 3 + 100 + 2 * 16, and a checksum of 4.
const BYTES_MAX: u64 = 230 - (40 + 3 + 100 + 32 + 4);

fn fill(index: &Index, log: &mut Log, records: u64, batch: u64) {
    while log.size() < records {
        let from = log.size();
        log.append((from..from + batch).map(typical));
        log.feed(index);
        index.set_durable(Size(log.size()), Some(log.next()));
    }
}

#[test]
fn an_event_takes_its_share_of_bytes() {
    for (batch, max) in [(100, BYTES_MAX), (1, BYTES_MAX)] {
        let files = files();
        let index = open(&files, options(IndexOptions::default().run_records, true));
        let mut log = Log::new(64 << 20);
        fill(&index, &mut log, 100_000, batch);
        index.flush().expect("writes");
        let bytes: u64 = listing(&files).iter().map(|f| f.1).sum();
        let per_event = bytes.div_ceil(log.size());
        assert!(per_event <= max, "{per_event} bytes an event in batches of {batch}");
        assert!(per_event > 20, "{per_event} bytes an event: is everything there?");
    }
}

fn bytes_of(files: &MemoryFiles, name: &str) -> Vec<u8> {
    let file = files.open(&format!("index/{name}"), Open::Read).expect("opens");
    let mut bytes = vec![0; usize::try_from(file.len().expect("has a length")).unwrap()];
    file.read_at(&mut bytes, 0).expect("reads");
    bytes
}

#[test]
fn the_same_records_are_the_same_bytes() {
    let mut whole = Log::new(200_000);
    let at_once = files();
    let index = open(&at_once, options(10_000, true));
    fill(&index, &mut whole, 3_200, 40);
    index.flush().expect("writes");
    let merged = files();
    let index = open(&merged, options(400, true));
    fill(&index, &mut Log::new(200_000), 3_200, 40);
    let name = footer::name(0, 3_200);
    assert_eq!(listing(&merged), listing(&at_once));
    let bytes = bytes_of(&at_once, &name);
    assert!(bytes == bytes_of(&merged, &name));
    // A change of format changes this: docs/FORMAT.md §6 as well, then, and the magic.
    assert_eq!(blake3::hash(&bytes).to_hex().as_str(), "25ba9d43df99f36d975612ee8c304afb94833b1530941d8684ee5706684d9da0");
}

#[test]
fn two_hundred_thousand_records_in_bounded_memory() {
    let files = files();
    let chosen = IndexOptions { cache_bytes: 256 << 10, background: true, ..options(4_096, true) };
    let index = open(&files, chosen);
    let mut log = Log::new(64 << 20);
    fill(&index, &mut log, 200_000, 500);
    let in_memory = log.size() - index.covered().cursor.position;
    assert!(in_memory <= 10 * 4_096, "{in_memory} records in memory");
    index.flush().expect("writes");
    log.check(&index, 997).expect("answers");
    assert!(index.cached_bytes() <= 256 << 10);
    assert!(listing(&files).len() <= 14, "{:?}", listing(&files));
    drop(index);
    let index = open(&files, chosen);
    assert_eq!(index.size(), Size(200_000));
    assert_eq!(index.cached_bytes(), 0, "opening reads footers only");
    log.check(&index, 997).expect("answers");
}

#[test]
fn a_new_id_is_known_to_be_new_without_reading() {
    let files = files();
    let index = open(&files, options(4_096, true));
    let mut log = Log::new(64 << 20);
    fill(&index, &mut log, 60_000, 500);
    index.flush().expect("writes");
    let index = open(&files, options(4_096, true));
    for n in 0..1_000u64 {
        let later = RecordId::v7(1_000_000 + n, [5; 10]);
        assert_eq!(index.find(later).expect("answers"), []);
    }
    assert_eq!(index.cached_bytes(), 0, "the time fence excludes every run");
}

/// How many pages of a section the only run has.
fn pages(index: &Index, section: footer::Section) -> u32 {
    let state = index.keeper.read();
    let [only] = state.set.members() else { panic!("one run") };
    only.run.footer().section(section).pages
}

#[test]
fn a_hit_reads_few_pages() {
    // The footer of the first run does not fit in its last page; the second needs fence pages.
    for (records, large) in [(150_000, footer::Section::Overflow), (200_000, footer::Section::IdFences)] {
        let files = files();
        let chosen = options(200_000, true);
        let index = open(&files, chosen);
        let mut log = Log::new(64 << 20);
        fill(&index, &mut log, records, 500);
        index.flush().expect("writes");
        let reopened = open(&files, chosen);
        assert!(pages(&reopened, large) > 0);
        assert_eq!(reopened.covered().cursor, log.next());
        log.check(&reopened, 1_009).expect("answers");
        for position in (0..log.size()).step_by(40_009) {
            let index = open(&files, chosen);
            let id = log.records[usize::try_from(position).unwrap()].id;
            assert_eq!(index.find(id).expect("answers"), [Position(position)]);
            // Filter, perhaps a fence page, and one or two of ids.
            let bytes = index.cached_bytes();
            assert!(bytes <= 4 * page::PAGE, "{bytes} bytes read");
        }
    }
}
