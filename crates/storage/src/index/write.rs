//! Writing a run: section after section in one pass, each page with its checksum.

use super::footer::{Extent, FENCED, Fence, Footer, SECTIONS, Section, TOPS_MAX, name};
use super::page::{BODY, PAGE, Seed, filter_insert, filter_page, filter_pages};
use super::run::DIRECTORY;
use super::{Answer, IndexError};
use crate::files::{File, Files, Open};
use crate::log::Cursor;
use sovang_core::tree::{Frontier, Hash};
use sovang_core::{Error, ErrorKind, LedgerId, Root};
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes handed to the file at once.
const CHUNK: usize = 64 * PAGE;

/// What a run is about, known before its sections.
pub(super) struct About {
    pub(super) first: u64,
    pub(super) before: Root,
    pub(super) frontier: Frontier,
    pub(super) cursor: Cursor,
    pub(super) batch: u64,
    pub(super) fence: Fence,
    pub(super) segments: Vec<(u32, u64)>,
}

/// One key of a run: its fingerprint, how many positions it has, and the first of them.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) fingerprint: u64,
    pub(super) count: u32,
    pub(super) first: u32,
}

/// Takes one item after the other.
pub(super) type Each<'a, T> = &'a mut dyn FnMut(T) -> Answer<()>;

/// What goes into a run: from memory, or from the runs it replaces. Positions are relative to the new run.
pub(super) trait Content {
    fn about(&self) -> &About;
    /// (fingerprint, position) of every record, ascending.
    fn ids(&mut self, each: Each<'_, (u64, u32)>) -> Answer<()>;
    /// Every key, ascending.
    fn keys(&mut self, each: Each<'_, Key>) -> Answer<()>;
    /// The positions of every key with more than one, in the order of the keys, ascending within a key.
    fn postings(&mut self, each: Each<'_, u32>) -> Answer<()>;
    /// Every frame's offset.
    fn offsets(&mut self, each: Each<'_, u32>) -> Answer<()>;
    /// Every batch's first position.
    fn batches(&mut self, each: Each<'_, u32>) -> Answer<()>;
    /// The tree nodes, level after level.
    fn nodes(&mut self, each: Each<'_, Hash>) -> Answer<()>;
}

/// Where runs are written.
pub(super) struct Target<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) ledger: LedgerId,
    /// Asked now and then; false gives the run up.
    pub(super) go_on: &'a dyn Fn() -> bool,
}

/// Writes a run and puts it in place; its name is returned. What fails leaves no run behind.
pub(super) fn write(target: &Target<'_>, content: &mut dyn Content) -> Answer<String> {
    let about = content.about();
    let name = name(about.first, about.cursor.position);
    let path = format!("{DIRECTORY}/{name}");
    let temporary = format!("{path}.tmp");
    let place = target.files.describe(&path);
    let io = |e| Error::io(e, "write a run of the index", &place);
    let seed = Seed::of_last(target.ledger, about.first, about.cursor.position);
    let mut writer = Writer {
        file: target.files.open(&temporary, Open::Create).map_err(io)?,
        place: place.clone(),
        go_on: target.go_on,
        seed: seed.with_root(&about.frontier.root().0),
        chunk: Vec::with_capacity(CHUNK),
        written: 0,
        open: 0,
        sections: [Extent::default(); SECTIONS],
        fences: Vec::new(),
    };
    let done = writer
        .sections(content)
        .and_then(|tops| writer.footer(target.ledger, seed, content.about(), tops))
        // Every page proves itself, but a verification after a power loss should have nothing to say of an empty one.
        .and_then(|()| Ok(writer.file.sync_data().map_err(io)?))
        .and_then(|()| Ok(target.files.rename(&temporary, &path).map_err(io)?));
    if done.is_err() {
        // A leftover is ignored by everyone, so failing to remove it too is no further harm.
        let _ = target.files.remove(&temporary);
    }
    done.map(|()| name)
}

struct Writer<'a> {
    file: Arc<dyn File>,
    place: PathBuf,
    go_on: &'a dyn Fn() -> bool,
    seed: Seed,
    /// Whole pages not yet written, and the open one.
    chunk: Vec<u8>,
    /// Pages in the file.
    written: u32,
    /// Bytes of the open page's body, which is at the end of the chunk.
    open: usize,
    sections: [Extent; SECTIONS],
    /// The first key of each page of the section under way.
    fences: Vec<u64>,
}

impl Writer<'_> {
    fn too_large(&self) -> IndexError {
        Error::new(ErrorKind::TooLarge, "a run of the index has more than 2^32 entries").in_file(&self.place).into()
    }
    /// The number of the page under way.
    fn number(&self) -> Answer<u32> {
        let held = (self.chunk.len() - self.open) / PAGE;
        let number = u32::try_from(held).ok().and_then(|held| self.written.checked_add(held));
        number.ok_or_else(|| self.too_large())
    }
    fn begin(&mut self, section: Section) -> Answer<()> {
        self.fences.clear();
        self.sections[section as usize].page = self.number()?;
        Ok(())
    }
    /// Adds an entry, of the section's width, to the section under way.
    fn put(&mut self, section: Section, entry: &[u8]) -> Answer<()> {
        if self.open + entry.len() > BODY {
            self.close_page()?;
        }
        self.chunk.extend_from_slice(entry);
        self.open += entry.len();
        let extent = &mut self.sections[section as usize];
        match extent.entries.checked_add(1) {
            Some(entries) => extent.entries = entries,
            None => return Err(self.too_large()),
        }
        Ok(())
    }
    /// As [`Self::put`], and notes the key when it is a page's first.
    fn put_fenced(&mut self, section: Section, key: u64, entry: &[u8]) -> Answer<()> {
        if self.open == 0 || self.open + entry.len() > BODY {
            self.fences.push(key);
        }
        self.put(section, entry)
    }
    fn close_page(&mut self) -> Answer<()> {
        let number = self.number()?;
        let start = self.chunk.len() - self.open;
        self.chunk.resize(start + PAGE, 0);
        self.seed.seal(number, &mut self.chunk[start..]);
        self.open = 0;
        if self.chunk.len() >= CHUNK { self.hand_over() } else { Ok(()) }
    }
    fn hand_over(&mut self) -> Answer<()> {
        let at = u64::from(self.written) * PAGE as u64;
        let io = |e| Error::io(e, "write a run of the index", &self.place);
        self.file.write_at(&self.chunk, at).map_err(io)?;
        self.written = self.number()?;
        self.chunk.clear();
        if (self.go_on)() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Closed, "the index was closed before a run was written").into())
    }
    /// Ends the section under way; its entries all have the same width, but for a filter's, which are pages.
    fn end(&mut self, section: Section) -> Answer<()> {
        if self.open > 0 {
            self.close_page()?;
        }
        let next = self.number()?;
        let extent = &mut self.sections[section as usize];
        extent.pages = next - extent.page;
        Ok(())
    }
    /// Ends a fenced section and writes its fences, unless the footer has room for them: what the footer gets.
    fn end_fenced(&mut self, section: Section, fences: Section) -> Answer<Vec<u64>> {
        self.end(section)?;
        let keys = std::mem::take(&mut self.fences);
        self.begin(fences)?;
        if keys.len() as u64 <= TOPS_MAX {
            self.end(fences)?;
            return Ok(keys);
        }
        for key in &keys {
            self.put(fences, &key.to_le_bytes())?;
        }
        self.end(fences)?;
        Ok(keys.iter().step_by(fences.per_page()).copied().collect())
    }
    fn sections(&mut self, content: &mut dyn Content) -> Answer<[Vec<u64>; 3]> {
        let about = content.about();
        let pages = u32::try_from(filter_pages(about.cursor.position - about.first));
        let pages = pages.map_err(|_| self.too_large())?;
        self.begin(Section::IdFilter)?;
        let mut filter = Filter::new(Section::IdFilter, pages);
        content.ids(&mut |(fingerprint, _)| filter.insert(self, fingerprint))?;
        filter.end(self)?;

        self.begin(Section::Ids)?;
        content.ids(&mut |(fingerprint, position)| {
            let mut entry = [0; 12];
            entry[..8].copy_from_slice(&fingerprint.to_le_bytes());
            entry[8..].copy_from_slice(&position.to_le_bytes());
            self.put_fenced(Section::Ids, fingerprint, &entry)
        })?;
        let id_tops = self.end_fenced(FENCED[0].0, FENCED[0].1)?;

        self.begin(Section::Keys)?;
        let mut next = 0u32;
        content.keys(&mut |key| {
            let start = if key.count == 1 { key.first } else { next };
            if key.count > 1 {
                next = next.checked_add(key.count).ok_or_else(|| self.too_large())?;
            }
            let mut entry = [0; 16];
            entry[..8].copy_from_slice(&key.fingerprint.to_le_bytes());
            entry[8..12].copy_from_slice(&key.count.to_le_bytes());
            entry[12..].copy_from_slice(&start.to_le_bytes());
            self.put_fenced(Section::Keys, key.fingerprint, &entry)
        })?;
        let key_tops = self.end_fenced(FENCED[1].0, FENCED[1].1)?;

        let keys = self.sections[Section::Keys as usize].entries;
        let pages = u32::try_from(filter_pages(keys.into())).map_err(|_| self.too_large())?;
        self.begin(Section::KeyFilter)?;
        let mut filter = Filter::new(Section::KeyFilter, pages);
        content.keys(&mut |key| filter.insert(self, key.fingerprint))?;
        filter.end(self)?;

        self.begin(Section::Postings)?;
        content.postings(&mut |p| self.put(Section::Postings, &p.to_le_bytes()))?;
        self.end(Section::Postings)?;
        self.begin(Section::Offsets)?;
        content.offsets(&mut |o| self.put(Section::Offsets, &o.to_le_bytes()))?;
        self.end(Section::Offsets)?;
        self.begin(Section::Batches)?;
        content.batches(&mut |b| self.put_fenced(Section::Batches, b.into(), &b.to_le_bytes()))?;
        let batch_tops = self.end_fenced(FENCED[2].0, FENCED[2].1)?;
        self.begin(Section::Nodes)?;
        content.nodes(&mut |hash| self.put(Section::Nodes, &hash))?;
        self.end(Section::Nodes)?;
        Ok([id_tops, key_tops, batch_tops])
    }
    fn footer(&mut self, ledger: LedgerId, last: Seed, about: &About, tops: [Vec<u64>; 3]) -> Answer<()> {
        let mut footer = Footer {
            first: about.first,
            before: about.before,
            frontier: about.frontier.clone(),
            cursor: about.cursor,
            batch: about.batch,
            fence: about.fence,
            segments: about.segments.clone(),
            sections: self.sections,
            tops,
        };
        self.begin(Section::Overflow)?;
        for byte in footer.overflow() {
            self.put(Section::Overflow, &[byte])?;
        }
        self.end(Section::Overflow)?;
        footer.sections = self.sections;
        let body = footer.to_page(ledger).ok_or_else(|| self.too_large())?;
        self.seed = last;
        self.chunk.extend_from_slice(&body);
        self.open = BODY;
        self.close_page()?;
        if self.chunk.is_empty() { Ok(()) } else { self.hand_over() }
    }
}

/// A filter on its way into the file: fingerprints ascend, so one page is open at a time.
struct Filter {
    section: Section,
    pages: u32,
    page: u32,
    body: Box<[u8; BODY]>,
}
impl Filter {
    fn new(section: Section, pages: u32) -> Self {
        Self { section, pages, page: 0, body: Box::new([0; BODY]) }
    }
    fn insert(&mut self, writer: &mut Writer<'_>, fingerprint: u64) -> Answer<()> {
        let page = filter_page(fingerprint, self.pages);
        self.advance(writer, page)?;
        filter_insert(&mut *self.body, fingerprint);
        Ok(())
    }
    fn advance(&mut self, writer: &mut Writer<'_>, to: u32) -> Answer<()> {
        while self.page < to {
            writer.put(self.section, &*self.body)?;
            self.body.fill(0);
            self.page += 1;
        }
        Ok(())
    }
    fn end(mut self, writer: &mut Writer<'_>) -> Answer<()> {
        let pages = self.pages;
        self.advance(writer, pages)?;
        writer.end(self.section)
    }
}
