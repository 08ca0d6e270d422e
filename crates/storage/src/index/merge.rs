//! One run in place of several adjacent ones: which, and its content, streamed.

use super::Answer;
use super::footer::{Fence, Section};
use super::page::{BODY, PAGE, u32_at, u64_at};
use super::run::{Run, Slice, slice_of};
use super::set::Member;
use super::tree::kept;
use super::write::{About, Content, Each, Key};
use sovang_core::tree::Hash;
use std::ops::Range;
use std::sync::Arc;

/// So many runs of one size become one of the next.
const FACTOR: usize = 8;
/// No merged run has more records: positions within it stay far below 2^32.
const RECORDS_MAX: u64 = 1 << 26;
/// Pages read at once from each run.
const PAGES: usize = 16;

/// The members to merge next, if any: the last ones of a size, once there are [`FACTOR`] of it. Runs of mixed sizes in
/// between are taken along.
pub(super) fn due(members: &[Member], run_records: u64) -> Option<Range<usize>> {
    let level = |member: &Member| {
        let mut level = 0;
        let mut records = member.run.records() / run_records.max(1);
        while records >= FACTOR as u64 {
            (records, level) = (records / FACTOR as u64, level + 1);
        }
        level
    };
    let may = |m: &Member| m.run.own && m.from == m.run.first() && !m.run.is_damaged();
    let mergeable = members.iter().rev().take_while(|m| may(m)).count();
    let own = &members[members.len() - mergeable..];
    let highest = own.iter().map(level).max()?;
    (0..=highest).find_map(|wanted| {
        let last = own.iter().rev().take_while(|m| level(m) <= wanted).count();
        let of = &own[own.len() - last..];
        let records: u64 = of.iter().map(|m| m.run.records()).sum();
        let enough = of.iter().filter(|m| level(m) == wanted).count() >= FACTOR || last >= 2 * FACTOR;
        (enough && records <= RECORDS_MAX).then(|| members.len() - last..members.len())
    })
}

/// The content of adjacent runs as of one.
pub(super) struct Merged {
    runs: Vec<Arc<Run>>,
    about: About,
}

impl Merged {
    /// None when the runs are not adjacent or too many.
    pub(super) fn new(runs: Vec<Arc<Run>>) -> Option<Self> {
        let (first, last) = (runs.first()?, runs.last()?);
        if runs.windows(2).any(|w| w[0].end() != w[1].first() || w[0].footer().cursor.batch != w[1].footer().batch) {
            return None;
        }
        let start = first.first();
        let mut segments = Vec::<(u32, u64)>::new();
        for run in &runs {
            let base = u32::try_from(run.first() - start).ok()?;
            for (position, segment) in &run.footer().segments {
                if segments.last().is_none_or(|s| s.1 != *segment) {
                    segments.push((base.checked_add(*position)?, *segment));
                }
            }
        }
        let about = About {
            first: start,
            before: first.footer().before,
            frontier: last.footer().frontier.clone(),
            cursor: last.footer().cursor,
            batch: first.footer().batch,
            fence: runs.iter().fold(Fence::NONE, |fence, run| fence.join(run.fence())),
            segments,
        };
        Some(Self { runs, about })
    }
    fn base(&self, run: &Run) -> Answer<u32> {
        u32::try_from(run.first() - self.about.first).map_err(|_| run.contradiction())
    }
    /// A position relative to a run, as one relative to all of them.
    fn shifted(&self, run: &Run, position: u32) -> Answer<u32> {
        self.base(run)?.checked_add(position).ok_or_else(|| run.contradiction())
    }
    /// The entries of a section, of all runs by their first 8 bytes.
    fn sorted(&self, section: Section) -> Answer<Sorted> {
        let mut heads = Vec::with_capacity(self.runs.len());
        for run in &self.runs {
            let mut reader = Reader::new(run, section);
            let head = reader.next()?.map(head_of);
            heads.push((reader, head));
        }
        Ok(Sorted { heads })
    }
    /// Hands over the u32 entries of a section, run after run.
    fn in_order(&self, section: Section, each: &mut dyn FnMut(&Run, u32) -> Answer<()>) -> Answer<()> {
        for run in &self.runs {
            let mut reader = Reader::new(run, section);
            while let Some(entry) = reader.next()? {
                let value = u32_at(entry, 0);
                each(run, value)?;
            }
        }
        Ok(())
    }
}

impl Content for Merged {
    fn about(&self) -> &About {
        &self.about
    }
    fn ids(&mut self, each: Each<'_, (u64, u32)>) -> Answer<()> {
        let mut sorted = self.sorted(Section::Ids)?;
        while let Some(least) = sorted.least() {
            sorted.take(least, &mut |reader, head| each((least, self.shifted(&reader.run, u32_at(&head, 8))?)))?;
        }
        Ok(())
    }
    fn keys(&mut self, each: Each<'_, Key>) -> Answer<()> {
        let mut sorted = self.sorted(Section::Keys)?;
        while let Some(fingerprint) = sorted.least() {
            let mut key = Key { fingerprint, count: 0, first: 0 };
            sorted.take(fingerprint, &mut |reader, head| {
                let slice = slice_of(&head);
                if let (Slice::One(position), 0) = (slice, key.count) {
                    key.first = self.shifted(&reader.run, position)?;
                }
                let count = key.count.checked_add(slice.len());
                key.count = count.ok_or_else(|| reader.run.contradiction())?;
                Ok(())
            })?;
            each(key)?;
        }
        Ok(())
    }
    fn postings(&mut self, each: Each<'_, u32>) -> Answer<()> {
        let mut sorted = self.sorted(Section::Keys)?;
        let mut postings: Vec<Reader> = self.runs.iter().map(|run| Reader::new(run, Section::Postings)).collect();
        while let Some(least) = sorted.least() {
            let alone = sorted.is_one(least);
            sorted.take(least, &mut |reader, head| {
                let (start, count) = match slice_of(&head) {
                    Slice::One(_) if alone => return Ok(()),
                    Slice::One(position) => return each(self.shifted(&reader.run, position)?),
                    Slice::Many { start, count } => (start, count),
                };
                let of = postings.iter_mut().find(|p| Arc::ptr_eq(&p.run, &reader.run));
                let of = of.filter(|p| p.taken == start).ok_or_else(|| reader.run.contradiction())?;
                for _ in 0..count {
                    let entry = of.next()?.map(|entry| u32_at(entry, 0));
                    let position = entry.ok_or_else(|| reader.run.contradiction())?;
                    each(self.shifted(&reader.run, position)?)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }
    fn offsets(&mut self, each: Each<'_, u32>) -> Answer<()> {
        self.in_order(Section::Offsets, &mut |_, offset| each(offset))
    }
    fn batches(&mut self, each: Each<'_, u32>) -> Answer<()> {
        self.in_order(Section::Batches, &mut |run, first| each(self.shifted(run, first)?))
    }
    fn nodes(&mut self, each: Each<'_, Hash>) -> Answer<()> {
        let mut readers: Vec<Reader> = self.runs.iter().map(|run| Reader::new(run, Section::Nodes)).collect();
        for (level, _, _) in kept(self.about.first, self.about.cursor.position) {
            for reader in &mut readers {
                let count = kept(reader.run.first(), reader.run.end()).find(|k| k.0 == level);
                for _ in 0..count.map_or(0, |k| k.2) {
                    let mut hash = [0; 32];
                    match reader.next()? {
                        Some(entry) => hash.copy_from_slice(entry),
                        None => return Err(reader.run.contradiction()),
                    }
                    each(hash)?;
                }
            }
        }
        Ok(())
    }
}

/// An entry of ids or keys, the shorter one padded.
type Entry = [u8; 16];
fn head_of(bytes: &[u8]) -> Entry {
    let mut entry = [0; 16];
    entry[..bytes.len()].copy_from_slice(bytes);
    entry
}

/// The entries of several runs, merged by their fingerprints; within one, in the order of the runs.
struct Sorted {
    heads: Vec<(Reader, Option<Entry>)>,
}
impl Sorted {
    fn least(&self) -> Option<u64> {
        self.heads.iter().filter_map(|(_, head)| head.map(|h| u64_at(&h, 0))).min()
    }
    /// Whether the entries with this fingerprint, which is the least, make up one position.
    fn is_one(&self, fingerprint: u64) -> bool {
        let of = self.heads.iter().filter_map(|(_, head)| *head);
        let counts = of.filter(|h| u64_at(h, 0) == fingerprint).map(|h| slice_of(&h).len());
        counts.map(u64::from).sum::<u64>() == 1
    }
    /// Hands over all entries with this fingerprint, which is the least.
    fn take(&mut self, fingerprint: u64, each: &mut dyn FnMut(&Reader, Entry) -> Answer<()>) -> Answer<()> {
        for (reader, head) in &mut self.heads {
            while let Some(entry) = head.filter(|h| u64_at(h, 0) == fingerprint) {
                each(reader, entry)?;
                *head = reader.next()?.map(head_of);
                if head.is_some_and(|h| u64_at(&h, 0) < fingerprint) {
                    return Err(reader.run.contradiction());
                }
            }
        }
        Ok(())
    }
}

/// Reads a section of a run from its first entry to its last, past the cache.
struct Reader {
    run: Arc<Run>,
    section: Section,
    /// Entries handed over.
    taken: u32,
    /// Pages of the section, the first of which is `from`.
    pages: Vec<u8>,
    from: usize,
}
impl Reader {
    fn new(run: &Arc<Run>, section: Section) -> Self {
        Self { run: Arc::clone(run), section, taken: 0, pages: Vec::new(), from: 0 }
    }
    fn next(&mut self) -> Answer<Option<&[u8]>> {
        let extent = self.run.footer().section(self.section);
        if self.taken == extent.entries {
            return Ok(None);
        }
        let per_page = self.section.per_page();
        let (page, within) = (self.taken as usize / per_page, self.taken as usize % per_page);
        if page >= self.from + self.pages.len() / PAGE {
            let more = (extent.pages as usize - page).min(PAGES);
            self.pages.resize(more * PAGE, 0);
            // A section's pages are numbered by u32.
            let number = u32::try_from(page).unwrap_or(u32::MAX);
            self.run.read_pages(extent.page + number, &mut self.pages)?;
            self.from = page;
        }
        self.taken += 1;
        let at = (page - self.from) * PAGE + within * self.section.width();
        debug_assert!(within * self.section.width() < BODY);
        Ok(Some(&self.pages[at..at + self.section.width()]))
    }
}
