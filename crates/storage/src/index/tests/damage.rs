//! A changed byte is an error or makes no difference; it never hides a record.

use super::*;

fn flip(files: &MemoryFiles, name: &str, at: u64, mask: u8) {
    let file = files.open(&format!("index/{name}"), Open::Write).expect("opens");
    let mut byte = [0];
    assert_eq!(file.read_at(&mut byte, at).expect("reads"), 1);
    file.write_at(&[byte[0] ^ mask], at).expect("writes");
}

/// Checks everything; as a store does, discards what is stale and adds it again. Whether anything was stale.
fn check_as_a_store(index: &Index, log: &Log, step: usize) -> bool {
    log.feed(index);
    for attempt in 0..20 {
        match log.check(index, step) {
            Ok(()) => return attempt > 0,
            Err(IndexError::Stale { first, .. }) => {
                index.discard_from(first);
                log.feed(index);
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("stale again and again");
}

fn three_runs() -> (MemoryFiles, Log) {
    let files = files();
    let mut log = Log::new(100_000);
    let index = open(&files, options(600, true));
    for n in 0..120 {
        log.append((n * 15..n * 15 + 15).map(typical));
        log.feed(&index);
        index.set_durable(Size(log.size()), Some(log.next()));
    }
    index.flush().expect("writes");
    assert_eq!(listing(&files).len(), 3);
    (files, log)
}

#[test]
fn a_flipped_bit_in_any_page_hides_nothing() {
    let (files, log) = three_runs();
    let (mut not_opened, mut found_stale, mut pages) = (0, 0, 0);
    for (name, len) in listing(&files) {
        for page in 0..len / page::PAGE as u64 {
            let damaged = files.fork();
            let at = page * page::PAGE as u64 + (page * 1_237 + 11) % page::PAGE as u64;
            flip(&damaged, &name, at, 1 << (page % 8));
            let index = open(&damaged, options(600, pages % 2 == 0));
            pages += 1;
            not_opened += u32::from(index.size().0 < log.size());
            found_stale += u32::from(check_as_a_store(&index, &log, 1));
        }
    }
    assert!(not_opened >= 3, "a footer is checked on opening");
    assert_eq!(not_opened + found_stale, pages, "every page is read, checked and counts");
}

/// Puts the greatest number in place of the first entry's position, with checksums that hold.
fn forge(files: &MemoryFiles, name: &str, section: footer::Section, at: usize) {
    let run = run::Run::open(files, LEDGER, name, false, &Arc::new(cache::Cache::new(0))).expect("opens");
    let number = run.footer().section(section).page;
    let file = files.open(&format!("index/{name}"), Open::Write).expect("opens");
    let mut bytes = [0; page::PAGE];
    let offset = u64::from(number) * page::PAGE as u64;
    assert_eq!(file.read_at(&mut bytes, offset).expect("reads"), page::PAGE);
    bytes[at..at + 4].fill(0xFF);
    let seed = page::Seed::of_last(LEDGER, run.first(), run.end()).with_root(&run.footer().frontier.root().0);
    seed.seal(number, &mut bytes);
    file.write_at(&bytes, offset).expect("writes");
}

#[test]
fn a_forged_position_is_a_contradiction_also_where_runs_are_merged() {
    use footer::Section;
    for (section, at) in [(Section::Ids, 8), (Section::Keys, 12), (Section::Postings, 0), (Section::Batches, 0)] {
        let (files, mut log) = three_runs();
        forge(&files, &listing(&files)[1].0, section, at);
        let index = open(&files, options(600, true));
        for n in 120..400 {
            log.append((n * 15..n * 15 + 15).map(typical));
            log.feed(&index);
            index.set_durable(Size(log.size()), Some(log.next()));
        }
        // What was to be merged is stale, and is made anew from the log.
        let _ = index.flush();
        check_as_a_store(&index, &log, 7);
    }
}

#[test]
fn every_bit_of_a_footer_counts() {
    let (files, log) = three_runs();
    let (name, len) = listing(&files).remove(2);
    let first = footer::range(&name).expect("is a run").0;
    for at in (len - page::PAGE as u64..len).step_by(7) {
        let damaged = files.fork();
        flip(&damaged, &name, at, 0x10);
        assert_eq!(open(&damaged, options(600, false)).size(), Size(first.min(log.size())));
    }
}

#[test]
fn a_shortened_lengthened_or_renamed_file_is_not_believed() {
    let (files, log) = three_runs();
    let names: Vec<String> = listing(&files).into_iter().map(|f| f.0).collect();
    for (index, name) in names.iter().enumerate() {
        let first = footer::range(name).expect("is a run").0;
        for change in [-4096i64, -1, 1, 4096] {
            let damaged = files.fork();
            let file = damaged.open(&format!("index/{name}"), Open::Write).expect("opens");
            let len = file.len().expect("has a length");
            file.set_len(len.checked_add_signed(change).unwrap()).expect("changes");
            let opened = open(&damaged, options(600, true));
            assert_eq!(opened.size(), Size(first), "file {index} changed by {change}");
            assert!(!listing(&damaged).iter().any(|f| f.0 == *name), "and it is removed");
            check_as_a_store(&opened, &log, 50);
        }
        let damaged = files.fork();
        let other = &names[(index + 1) % names.len()];
        damaged.rename(&format!("index/{other}"), &format!("index/{name}")).expect("renames");
        let missing = footer::range(other).expect("is a run").0;
        assert_eq!(open(&damaged, options(600, false)).size(), Size(first.min(missing)));
    }
    let other = Index::open(Arc::new(files.fork()), LedgerId([8; 16]), options(600, false));
    assert_eq!(other.expect("opens").size(), Size(0), "another ledger's runs");
}

#[test]
fn a_run_of_another_history_does_not_follow() {
    let (files, log) = three_runs();
    let other = self::files();
    let index = open(&other, options(600, true));
    let mut forked = Log::new(100_000);
    for n in 0..120 {
        forked.append((n * 15..n * 15 + 15).map(|n| typical(n + 1)));
    }
    forked.feed(&index);
    index.set_durable(Size(600), Some(forked.records[600].batch_start));
    index.flush().expect("writes");
    drop(index);
    let name = footer::name(0, 600);
    let copy = |from: &MemoryFiles, to: &MemoryFiles| {
        let from = from.open(&format!("index/{name}"), Open::Read).expect("opens");
        let mut bytes = vec![0; usize::try_from(from.len().expect("has a length")).unwrap()];
        from.read_at(&mut bytes, 0).expect("reads");
        let to = to.open(&format!("index/{name}"), Open::Create).expect("creates");
        to.write_at(&bytes, 0).expect("writes");
    };
    copy(&other, &files);
    let index = open(&files, options(600, true));
    assert_eq!(index.size(), Size(600), "the runs after it were written after other records");
    assert_ne!(index.covered().frontier.root(), log.roots[600], "which the store sees, and discards it");
    index.discard_from(Size(0));
    check_as_a_store(&index, &log, 10);
}

#[test]
fn a_damaged_run_is_not_merged_and_told() {
    let (files, mut log) = three_runs();
    let (name, _) = listing(&files).remove(1);
    // A page of ids: the filter is before it.
    flip(&files, &name, 2 * page::PAGE as u64, 1);
    let index = open(&files, options(100, true));
    log.feed(&index);
    for n in 0..100 {
        let from = log.size();
        log.append((from..from + 15).map(typical));
        log.feed(&index);
        index.set_durable(Size(log.size()), Some(log.next()));
        assert!(n < 90 || listing(&files).len() < 30);
    }
    index.flush().expect("goes on");
    assert!(check_as_a_store(&index, &log, 1));
}

#[test]
fn a_check_reads_every_page_and_names_the_bad_one() {
    let (files, _) = three_runs();
    assert!(check(&files, LEDGER).expect("reads").is_empty());
    for (name, len) in listing(&files) {
        for page in 0..len / page::PAGE as u64 {
            let damaged = files.fork();
            flip(&damaged, &name, page * page::PAGE as u64 + 17, 4);
            let found = check(&damaged, LEDGER).expect("reads");
            assert_eq!(found.len(), 1, "{name} page {page}");
            let last = (page + 1) * page::PAGE as u64 == len;
            assert_eq!(found[0].offset(), (!last).then_some(page * page::PAGE as u64), "{name} page {page}");
        }
    }
}
