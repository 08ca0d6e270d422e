//! One run: an immutable, self-checking file that knows a range of positions.

use super::cache::Cache;
use super::footer::{self, Extent, FENCED, Fence, Footer, Section};
use super::page::{self, BODY, Of, PAGE, Page, Seed, filter_may_hold, filter_page, u32_at, u64_at};
use super::{Answer, IndexError};
use crate::files::{File, Files, Open, why_no_file};
use crate::log::{Cursor, Location};
use sovang_core::tree::{Hash, Node};
use sovang_core::{Error, ErrorKind, LedgerId, RecordId, Size};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The directory of the runs.
pub(super) const DIRECTORY: &str = "index";

/// Bytes of a batch before its first frame (docs/FORMAT.md §2.3).
pub(super) const BATCH_HEADER_BYTES: u64 = 128;

/// Names runs in the cache; a run opened twice has two.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// An open run.
pub(super) struct Run {
    pub(super) name: String,
    /// Whether this index wrote it and may remove it.
    pub(super) own: bool,
    footer: Footer,
    place: PathBuf,
    file: Arc<dyn File>,
    serial: u64,
    seed: Seed,
    cache: Arc<Cache>,
    /// Set when a page fails: from then on the whole run answers nothing.
    damaged: AtomicBool,
}

/// Where a key's positions are: in the postings, or the one itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slice {
    One(u32),
    Many { start: u32, count: u32 },
}
impl Slice {
    pub(super) fn len(self) -> u32 {
        match self {
            Self::One(_) => 1,
            Self::Many { count, .. } => count,
        }
    }
}

impl Run {
    /// Opens a run and reads its footer: one or two reads. None when it is not there; an error when it cannot be believed.
    pub(super) fn open(files: &dyn Files, ledger: LedgerId, name: &str, own: bool, cache: &Arc<Cache>) -> Result<Self, Error> {
        let path = format!("{DIRECTORY}/{name}");
        let place = files.describe(&path);
        let io = |e| Error::io(e, "read a run of the index", &place);
        let bad = || unsound("the footer of a run of the index is not valid", &place);
        let (first, end) = footer::range(name).ok_or_else(bad)?;
        let file = files.open(&path, Open::Read).map_err(|e| match why_no_file(&e) {
            // One that is gone is told by the cause.
            Some(what) if e.kind() != std::io::ErrorKind::NotFound => unsound(what, &place),
            _ => io(e),
        })?;
        let len = file.len().map_err(io)?;
        let pages = len / PAGE as u64;
        let last = u32::try_from(pages.checked_sub(1).ok_or_else(bad)?).map_err(|_| bad())?;
        if len % PAGE as u64 != 0 {
            return Err(bad());
        }
        let seed = Seed::of_last(ledger, first, end);
        let mut bytes = [0; PAGE];
        let at = u64::from(last) * PAGE as u64;
        let read = file.read_at(&mut bytes, at).map_err(io)?;
        if read != PAGE || !seed.holds(last, &bytes) {
            return Err(bad());
        }
        let page = Footer::last_page(&bytes, ledger, first, end).ok_or_else(bad)?;
        let seed = seed.with_root(&page.root);
        let mut overflow = Vec::new();
        let extent = page.overflow;
        if extent.pages > 0 {
            if u64::from(extent.page) + u64::from(extent.pages) != u64::from(last) {
                return Err(bad());
            }
            // Page by page: what is not there is not made room for, however many pages there are said to be.
            let mut more = [0; PAGE];
            for number in extent.page..last {
                let read = file.read_at(&mut more, u64::from(number) * PAGE as u64).map_err(io)?;
                if read != PAGE || !seed.holds(number, &more) {
                    return Err(bad());
                }
                overflow.extend_from_slice(&more[..BODY]);
            }
        }
        let footer = page.footer(&overflow, pages).ok_or_else(bad)?;
        Ok(Self {
            name: name.to_owned(),
            own,
            footer,
            place,
            file,
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            seed,
            cache: Arc::clone(cache),
            damaged: AtomicBool::new(false),
        })
    }
    pub(super) fn first(&self) -> u64 {
        self.footer.first
    }
    pub(super) fn end(&self) -> u64 {
        self.footer.end()
    }
    pub(super) fn records(&self) -> u64 {
        self.end() - self.first()
    }
    pub(super) fn footer(&self) -> &Footer {
        &self.footer
    }
    pub(super) fn fence(&self) -> Fence {
        self.footer.fence
    }
    /// Reads every page again, past the cache: the first one whose checksum does not hold.
    pub(super) fn first_bad_page(&self) -> Result<Option<Error>, Error> {
        const AT_ONCE: usize = 64;
        let io = |e| Error::io(e, "read a run of the index", &self.place);
        // The last page was checked when the run was opened.
        let last = self.file.len().map_err(io)? / PAGE as u64 - 1;
        let mut bytes = vec![0; AT_ONCE * PAGE];
        let mut number = 0;
        while u64::from(number) < last {
            let wanted = usize::try_from(last - u64::from(number)).map_or(AT_ONCE, |left| left.min(AT_ONCE));
            let read = self.file.read_at(&mut bytes[..wanted * PAGE], u64::from(number) * PAGE as u64).map_err(io)?;
            for page in bytes[..wanted * PAGE].chunks_exact(PAGE) {
                let short = read < wanted * PAGE;
                if short || !self.seed.holds(number, page) {
                    let offset = u64::from(number) * PAGE as u64;
                    return Ok(Some(unsound("a page of the index is damaged", &self.place).at_offset(offset)));
                }
                number += 1;
            }
        }
        Ok(None)
    }
    pub(super) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }
    /// The whole run answers nothing any more.
    pub(super) fn distrust(&self, cause: Error) -> IndexError {
        self.damaged.store(true, Ordering::Relaxed);
        IndexError::Stale { first: Size(self.first()), cause }
    }
    /// An error that says that what a sound page says cannot be.
    pub(super) fn contradiction(&self) -> IndexError {
        self.distrust(unsound("a run of the index contradicts itself", &self.place))
    }
    fn check_sound(&self) -> Answer<()> {
        if self.is_damaged() {
            return Err(self.distrust(unsound("a run of the index was damaged before", &self.place)));
        }
        Ok(())
    }

    /// Reads pages past the cache and checks them.
    pub(super) fn read_pages(&self, from: u32, into: &mut [u8]) -> Answer<()> {
        self.check_sound()?;
        let at = u64::from(from) * PAGE as u64;
        let read = self.file.read_at(into, at);
        let read = read.map_err(|e| self.distrust(Error::io(e, "read a run of the index", &self.place)))?;
        for (number, page) in (from..).zip(into.chunks_exact(PAGE)) {
            if read != into.len() || !self.seed.holds(number, page) {
                let at = u64::from(number) * PAGE as u64;
                let error = unsound("the checksum of a page of the index fails", &self.place);
                return Err(self.distrust(error.at_offset(at)));
            }
        }
        Ok(())
    }
    fn page(&self, number: u32) -> Answer<Arc<Page>> {
        self.check_sound()?;
        if let Some(page) = self.cache.get((self.serial, number)) {
            return Ok(page);
        }
        let mut bytes = [0; PAGE];
        self.read_pages(number, &mut bytes)?;
        let page = Arc::new(bytes);
        self.cache.insert((self.serial, number), &page);
        Ok(page)
    }
    /// The page of a section that holds an entry, and where in it.
    fn entry(&self, section: Section, entry: u64) -> Answer<(Arc<Page>, usize)> {
        let extent = self.footer.section(section);
        let per_page = section.per_page() as u64;
        let within = usize::try_from(entry % per_page).unwrap_or(0);
        match u32::try_from(entry / per_page) {
            Ok(page) if entry < extent.entries.into() => Ok((self.page(extent.page + page)?, within * section.width())),
            _ => Err(self.contradiction()),
        }
    }
    fn u32_of(&self, section: Section, entry: u64) -> Answer<u32> {
        let (page, at) = self.entry(section, entry)?;
        Ok(u32_at(&*page, at))
    }
    /// How many entries a page of a section holds.
    fn entries_of(extent: Extent, section: Section, page: u32) -> usize {
        let before = page as usize * section.per_page();
        (extent.entries as usize).saturating_sub(before).min(section.per_page())
    }

    /// The page of a fenced section to begin with: the last one whose first key is `before`, or else the first.
    fn fenced_page(&self, fenced: usize, before: impl Fn(u64) -> bool) -> Answer<u32> {
        let (of, fences) = FENCED[fenced];
        let tops = &self.footer.tops[fenced];
        let top = tops.partition_point(|t| before(*t)).saturating_sub(1);
        let top = u32::try_from(top).map_err(|_| self.contradiction())?;
        let extent = self.footer.section(fences);
        if extent.pages == 0 {
            return Ok(top);
        }
        let page = self.page(extent.page + top)?;
        let entries = Self::entries_of(extent, fences, top);
        let under = partition_point(entries, |i| before(u64_at(&*page, 8 * i)));
        let found = top as usize * fences.per_page() + under.saturating_sub(1);
        match u32::try_from(found) {
            Ok(found) if found < self.footer.section(of).pages => Ok(found),
            _ => Err(self.contradiction()),
        }
    }
    /// Whether the filter lets a fingerprint through.
    fn may_hold(&self, filter: Section, fingerprint: u64) -> Answer<bool> {
        let extent = self.footer.section(filter);
        if extent.pages == 0 {
            return Ok(false);
        }
        let page = self.page(extent.page + filter_page(fingerprint, extent.pages))?;
        Ok(filter_may_hold(&page[..BODY], fingerprint))
    }
    /// Hands over the entries of this fingerprint, in the file's order.
    fn entries_with(&self, fenced: usize, fingerprint: u64, each: &mut dyn FnMut(&[u8])) -> Answer<()> {
        let section = FENCED[fenced].0;
        let extent = self.footer.section(section);
        let width = section.width();
        let mut number = self.fenced_page(fenced, |first| first < fingerprint)?;
        while number < extent.pages {
            let page = self.page(extent.page + number)?;
            let entries = Self::entries_of(extent, section, number);
            let from = partition_point(entries, |i| u64_at(&*page, i * width) < fingerprint);
            for i in from..entries {
                if u64_at(&*page, i * width) != fingerprint {
                    return Ok(());
                }
                each(&page[i * width..(i + 1) * width]);
            }
            number += 1;
        }
        Ok(())
    }

    /// Adds the positions of an id that is not fenced out, descending.
    pub(super) fn find(&self, id: RecordId, from: u64, found: &mut Vec<u64>) -> Answer<()> {
        if !self.fence().may_hold(id) {
            return Ok(());
        }
        let fingerprint = page::fingerprint(Of::Id, &id.to_bytes());
        if !self.may_hold(Section::IdFilter, fingerprint)? {
            return Ok(());
        }
        let before = found.len();
        self.entries_with(0, fingerprint, &mut |entry| {
            found.push(self.first() + u64::from(u32_at(entry, 8)));
        })?;
        found[before..].reverse();
        let mut kept = before;
        for i in before..found.len() {
            if found[i] >= self.end() {
                return Err(self.contradiction());
            }
            if found[i] >= from {
                found[kept] = found[i];
                kept += 1;
            }
        }
        found.truncate(kept);
        Ok(())
    }
    /// Where a key's positions are.
    pub(super) fn slice(&self, fingerprint: u64) -> Answer<Option<Slice>> {
        if !self.may_hold(Section::KeyFilter, fingerprint)? {
            return Ok(None);
        }
        let mut found = None;
        self.entries_with(1, fingerprint, &mut |entry| found = Some(slice_of(entry)))?;
        match found {
            Some(Slice::Many { start, count })
                if u64::from(start) + u64::from(count) > u64::from(self.footer.section(Section::Postings).entries) =>
            {
                Err(self.contradiction())
            }
            found => Ok(found),
        }
    }
    /// The position in a place of the postings.
    pub(super) fn posting(&self, at: u32, held: &mut Option<(u32, Arc<Page>)>) -> Answer<u64> {
        let per_page = u32::try_from(Section::Postings.per_page()).unwrap_or(u32::MAX);
        let (number, within) = (at / per_page, (at % per_page) as usize);
        let page = match held {
            Some((held, page)) if *held == number => &*page,
            _ => {
                let page = self.page(self.footer.section(Section::Postings).page + number)?;
                &held.insert((number, page)).1
            }
        };
        self.absolute(u32_at(&**page, 4 * within))
    }
    /// A position from one relative to the run.
    pub(super) fn absolute(&self, relative: u32) -> Answer<u64> {
        let position = self.first() + u64::from(relative);
        if position < self.end() { Ok(position) } else { Err(self.contradiction()) }
    }

    /// The ordinal of the batch of a position within the run, and its first position.
    fn batch(&self, position: u64) -> Answer<(u64, u64)> {
        let relative = position - self.first();
        let section = Section::Batches;
        let extent = self.footer.section(section);
        let number = self.fenced_page(2, |first| first <= relative)?;
        let page = self.page(extent.page + number)?;
        let entries = Self::entries_of(extent, section, number);
        let under = partition_point(entries, |i| u64::from(u32_at(&*page, 4 * i)) <= relative);
        let within = under.checked_sub(1).ok_or_else(|| self.contradiction())?;
        let ordinal = number as usize * section.per_page() + within;
        Ok((ordinal as u64, self.absolute(u32_at(&*page, 4 * within))?))
    }
    /// Where the frame at a position of the run is.
    pub(super) fn location(&self, position: u64) -> Answer<Location> {
        let relative = position - self.first();
        let segments = &self.footer.segments;
        let segment = segments.partition_point(|s| u64::from(s.0) <= relative).saturating_sub(1);
        Ok(Location {
            segment: segments.get(segment).ok_or_else(|| self.contradiction())?.1,
            offset: self.u32_of(Section::Offsets, relative)?.into(),
            batch: self.footer.batch + self.batch(position)?.0,
        })
    }
    /// Where the batch of a position of the run starts.
    pub(super) fn batch_start(&self, position: u64) -> Answer<Cursor> {
        let (_, first) = self.batch(position)?;
        before_batch(first, self.location(first)?).ok_or_else(|| self.contradiction())
    }
    /// The tree node of a kept level whose last leaf is within the run.
    pub(super) fn node(&self, node: Node) -> Answer<Hash> {
        let mut before = 0;
        for (level, index, count) in super::tree::kept(self.first(), self.end()) {
            if level == node.level && (index..index + count).contains(&node.index) {
                let (page, at) = self.entry(Section::Nodes, before + node.index - index)?;
                let mut hash = [0; 32];
                hash.copy_from_slice(&page[at..at + 32]);
                return Ok(hash);
            }
            before += count;
        }
        Err(self.contradiction())
    }
    /// The part of a key's postings that is within `range`, as places in the postings.
    pub(super) fn clip(&self, start: u32, count: u32, range: &Range<u64>) -> Answer<Range<u32>> {
        let mut held = None;
        let mut under = |bound: u64| {
            if bound <= self.first() {
                return Ok(0);
            }
            if bound >= self.end() {
                return Ok(count);
            }
            let (mut low, mut high) = (0, count);
            while low < high {
                let middle = low + (high - low) / 2;
                if self.posting(start + middle, &mut held)? < bound {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            Ok::<_, IndexError>(low)
        };
        let (low, high) = (under(range.start)?, under(range.end)?);
        Ok(start + low..start + high.max(low))
    }
}

/// Where a batch starts whose first record is at `first` in `location`.
pub(super) fn before_batch(first: u64, location: Location) -> Option<Cursor> {
    let offset = location.offset.checked_sub(BATCH_HEADER_BYTES)?;
    Some(Cursor { segment: location.segment, offset, batch: location.batch, position: first })
}

/// A key's entry: (fingerprint, count, start), where a count of 1 has the position in place of the start.
pub(super) fn slice_of(entry: &[u8]) -> Slice {
    match (u32_at(entry, 8), u32_at(entry, 12)) {
        (1, position) => Slice::One(position),
        (count, start) => Slice::Many { start, count },
    }
}

/// As for slices: how many of the first ones satisfy `under`.
fn partition_point(len: usize, under: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = low + (high - low) / 2;
        if under(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

pub(super) fn unsound(what: &str, place: &std::path::Path) -> Error {
    Error::new(ErrorKind::Io, what).in_file(place).advise("the index is derived and is built again from the log")
}
