//! The state of a simulated disk: what is durable, what a process sees, and the effects between the two, each of which a
//! power loss keeps or drops on its own.
//!
//! Assumed of a disk is only what the design states: a sector write happens or not, and harms no other byte. Beyond
//! that everything may be reordered: sectors of one write, lengths, and names within and across directories.

use super::content::{Content, SECTOR, Shared, bytes_of, sector_of, sectors_in, shared};
use super::random::Random;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The whole content of a disk at rest: what is found after a power loss, or put there before a test.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Image {
    /// The directories; `""` is the ledger's own.
    pub directories: BTreeSet<String>,
    /// The files by path.
    pub files: BTreeMap<String, Content>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    File(usize),
    Directory(usize),
}

/// A change of names in one directory.
#[derive(Clone, Debug)]
pub(super) enum NameChange {
    Link(String, Node),
    Rename(String, String, Node),
    Unlink(String),
}
impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, Node>) {
        match self {
            Self::Link(name, node) => {
                names.insert(name.clone(), *node);
            }
            Self::Rename(from, to, node) => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
            Self::Unlink(name) => {
                names.remove(name);
            }
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    pub(super) durable: BTreeMap<String, Node>,
    pub(super) visible: BTreeMap<String, Node>,
    pub(super) pending: Vec<NameChange>,
}
impl Directory {
    pub(super) fn change(&mut self, change: NameChange) {
        change.apply(&mut self.visible);
        self.pending.push(change);
    }
    /// Makes the pending changes durable that `kept` says, all of them settled either way.
    pub(super) fn sync(&mut self, kept: impl Fn(usize) -> bool) {
        for (n, change) in std::mem::take(&mut self.pending).iter().enumerate() {
            if kept(n) {
                change.apply(&mut self.durable);
            }
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    /// Durable bytes; the durable length is apart, as sectors beyond it can be durable.
    pub(super) durable: Content,
    pub(super) durable_len: u64,
    pub(super) visible: Content,
    /// Sector -> its versions since it was last durable, oldest first; any of them may have reached the disk.
    pub(super) pending: BTreeMap<u64, Vec<Shared>>,
    /// The lengths since the durable one.
    pub(super) pending_lens: Vec<u64>,
    /// End of the written data: what a data-only sync must make reachable.
    pub(super) data_end: u64,
}

impl Inode {
    fn durable(content: Content) -> Self {
        Self {
            durable_len: content.len(),
            data_end: content.len(),
            visible: content.clone(),
            durable: content,
            ..Self::default()
        }
    }
    pub(super) fn set_visible_len(&mut self, len: u64) {
        let before = self.visible.len();
        if before == len {
            return;
        }
        let lost: Vec<u64> = self.visible.sectors_from(sector_of(len)).collect();
        self.visible.set_len(len);
        self.pending_lens.push(len);
        if len < before {
            self.data_end = self.data_end.min(len);
            // What was cut off is zero if the file grows again; until that is durable the old bytes may come back.
            for sector in lost {
                self.note(sector);
            }
        }
    }
    pub(super) fn write(&mut self, bytes: &[u8], offset: u64, end: u64) {
        if self.visible.len() < end {
            self.set_visible_len(end);
        }
        self.visible.write(bytes, offset);
        self.data_end = self.data_end.max(end);
        for sector in sector_of(offset)..sectors_in(end) {
            self.note(sector);
        }
    }
    /// Notes a sector's visible bytes as its newest version, unless they are that already.
    fn note(&mut self, sector: u64) {
        let new = self.visible.sector(sector);
        let before = self.pending.get(&sector).and_then(|versions| versions.last().cloned());
        if before.unwrap_or_else(|| self.durable.sector(sector)) != new {
            self.pending.entry(sector).or_default().push(new);
        }
    }
    pub(super) fn sync_all(&mut self) {
        self.settle_sectors(|_| true);
        self.durable_len = self.visible.len();
        self.pending_lens.clear();
    }
    /// POSIX: what is needed to read the data back; a length that is not may stay pending.
    pub(super) fn sync_data(&mut self) {
        self.settle_sectors(|_| true);
        let needed = self.data_end.min(self.visible.len());
        let mut lens = vec![self.durable_len];
        lens.append(&mut self.pending_lens);
        lens.retain(|&len| len >= needed);
        lens.dedup();
        if lens.last() != Some(&self.visible.len()) {
            lens.push(self.visible.len());
        }
        self.durable_len = lens.remove(0);
        self.pending_lens = lens;
    }
    /// A sync that fails: the sectors that `kept` says reached the disk, the others did not, and all count as clean from
    /// then on. That is what Linux does.
    pub(super) fn sync_fails(&mut self, kept: impl Fn(usize) -> bool, len_kept: bool) {
        self.settle_sectors(kept);
        if len_kept {
            self.durable_len = self.visible.len();
        } else {
            // A file system shows zeros beyond the old end when the file grows later.
            self.durable.set_len(self.durable_len);
        }
        self.pending_lens.clear();
    }
    fn settle_sectors(&mut self, kept: impl Fn(usize) -> bool) {
        for (n, (sector, mut versions)) in std::mem::take(&mut self.pending).into_iter().enumerate() {
            if let (true, Some(newest)) = (kept(n), versions.pop()) {
                self.durable.put(sector, newest);
            }
        }
    }
    /// What a reader may be shown once everything has left the cache without having been written.
    pub(super) fn shown_stale(&self) -> Content {
        let mut content = self.durable.clone();
        content.set_len(self.durable_len);
        content
    }
    /// Flips bits of a byte in every version of its sector. False when there is no such byte.
    pub(super) fn rot(&mut self, offset: u64, mask: u8) -> bool {
        if offset >= self.visible.len() {
            return false;
        }
        let at = super::content::to_usize(offset % SECTOR as u64);
        let flip = |old: &Shared| {
            let mut bytes = bytes_of(old);
            bytes[at] ^= mask;
            shared(bytes)
        };
        let sector = sector_of(offset);
        self.visible.put(sector, flip(&self.visible.sector(sector)));
        self.durable.put(sector, flip(&self.durable.sector(sector)));
        for version in self.pending.get_mut(&sector).into_iter().flatten() {
            *version = flip(version);
        }
        true
    }
    /// Clean sectors leave the cache, so that what is durable shows again: those whose number in order `gone` names.
    pub(super) fn evict(&mut self, gone: impl Fn(usize) -> bool, len_gone: bool) {
        if len_gone && self.pending_lens.is_empty() && self.durable_len != self.visible.len() {
            self.visible.set_len(self.durable_len);
        }
        let len = self.visible.len();
        let sectors: BTreeSet<u64> = self.visible.sectors_from(0).chain(self.durable.sectors_from(0)).collect();
        let differs = |s: &u64| !self.pending.contains_key(s) && self.visible.sector(*s) != self.durable.sector(*s);
        let stale: Vec<u64> = sectors.into_iter().filter(|s| *s < sectors_in(len) && differs(s)).collect();
        for (n, sector) in stale.into_iter().enumerate() {
            if gone(n) {
                self.visible.put(sector, self.durable.sector(sector));
            }
        }
        self.visible.set_len(len);
    }
}

/// A simulated disk: durable and visible state and the effects pending between them. A clone is a snapshot.
#[derive(Clone, Debug)]
pub struct Disk {
    pub(super) inodes: Vec<Inode>,
    pub(super) directories: Vec<Directory>,
}

/// The directory above the ledger's own; its only entry, if any, is `""`, the ledger's.
pub(super) const ABOVE: usize = 0;

impl Default for Disk {
    fn default() -> Self {
        Self { inodes: Vec::new(), directories: vec![Directory::default()] }
    }
}

/// One independent effect that a power loss decides about.
#[derive(Clone, Copy, Debug)]
enum Effect {
    Name { directory: usize, change: usize },
    Sector { inode: usize, sector: u64, versions: usize },
    Len { inode: usize, lens: usize },
}
impl Effect {
    /// How many outcomes there are; outcome 0 is that nothing of it reached the disk.
    fn outcomes(self) -> usize {
        1 + match self {
            Self::Name { .. } => 1,
            Self::Sector { versions, .. } => versions,
            Self::Len { lens, .. } => lens,
        }
    }
}

/// What a power loss left, and of which effects.
#[derive(Clone, Debug)]
pub struct Crash {
    /// What is found on the disk afterwards.
    pub image: Image,
    outcomes: Vec<(Effect, usize)>,
    torn: Option<Tear>,
}
impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (n, (effect, outcome)) in self.outcomes.iter().enumerate() {
            let of = effect.outcomes() - 1;
            if let (Some(tear), Effect::Sector { inode, sector, .. }) = (self.torn.filter(|tear| tear.effect == n), effect) {
                let how = if tear.new_first { "new, then old" } else { "old, then new" };
                write!(f, "{separator}file {inode} sector {sector}: torn at byte {}, {how}", tear.at)?;
                separator = ", ";
                continue;
            }
            match effect {
                Effect::Name { directory, change } => {
                    write!(f, "{separator}directory {directory} change {change}: {outcome}/{of}")?;
                }
                Effect::Sector { inode, sector, .. } => {
                    write!(f, "{separator}file {inode} sector {sector}: {outcome}/{of}")?;
                }
                Effect::Len { inode, .. } => write!(f, "{separator}file {inode} length: {outcome}/{of}")?,
            }
            separator = ", ";
        }
        Ok(())
    }
}

impl Disk {
    /// A disk at rest, with these files.
    #[must_use]
    pub fn at_rest(image: &Image) -> Self {
        let mut disk = Self::default();
        let mut numbers = BTreeMap::new();
        for path in &image.directories {
            numbers.insert(path.as_str(), disk.directories.len());
            disk.directories.push(Directory::default());
        }
        for (path, &number) in &numbers {
            let parent = if path.is_empty() { Some(ABOVE) } else { numbers.get(crate::files::split_path(path).0).copied() };
            let name = crate::files::split_path(path).1;
            if let Some(parent) = parent {
                disk.directories[parent].durable.insert(name.to_owned(), Node::Directory(number));
            }
        }
        for (path, content) in &image.files {
            let (parent, name) = crate::files::split_path(path);
            if let Some(&parent) = numbers.get(parent) {
                disk.directories[parent].durable.insert(name.to_owned(), Node::File(disk.inodes.len()));
                disk.inodes.push(Inode::durable(content.clone()));
            }
        }
        for directory in &mut disk.directories {
            directory.visible = directory.durable.clone();
        }
        disk
    }
    /// What a process sees, and what is left when only the process dies.
    #[must_use]
    pub fn visible(&self) -> Image {
        let mut image = Image::default();
        self.walk(ABOVE, "", &|d| &self.directories[d].visible, &|i| self.inodes[i].visible.clone(), &mut image);
        image
    }
    /// What is left when nothing that is pending reaches the disk.
    #[must_use]
    pub fn durable(&self) -> Image {
        self.crash(&[], &|_| 0, None).image
    }
    fn walk<'n>(
        &self,
        directory: usize,
        path: &str,
        names: &dyn Fn(usize) -> &'n BTreeMap<String, Node>,
        content: &dyn Fn(usize) -> Content,
        image: &mut Image,
    ) {
        for (name, node) in names(directory) {
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            match *node {
                Node::File(inode) => {
                    image.files.insert(path, content(inode));
                }
                Node::Directory(number) => {
                    image.directories.insert(path.clone());
                    self.walk(number, &path, names, content, image);
                }
            }
        }
    }
    /// Every independent effect that is pending on something that a name can still lead to.
    fn effects(&self) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut reachable = vec![false; self.inodes.len()];
        for (number, directory) in self.directories.iter().enumerate() {
            let changes = directory.pending.iter().filter_map(|change| match change {
                NameChange::Link(_, node) | NameChange::Rename(_, _, node) => Some(node),
                NameChange::Unlink(_) => None,
            });
            for node in directory.durable.values().chain(directory.visible.values()).chain(changes) {
                if let Node::File(inode) = *node {
                    reachable[inode] = true;
                }
            }
            effects.extend((0..directory.pending.len()).map(|change| Effect::Name { directory: number, change }));
        }
        for (number, inode) in self.inodes.iter().enumerate().filter(|(number, _)| reachable[*number]) {
            for (&sector, versions) in &inode.pending {
                effects.push(Effect::Sector { inode: number, sector, versions: versions.len() });
            }
            if !inode.pending_lens.is_empty() {
                effects.push(Effect::Len { inode: number, lens: inode.pending_lens.len() });
            }
        }
        effects
    }
    /// What a power loss now can leave: every combination of the pending effects if they are at most `limit`, otherwise
    /// `limit` of them: none, all, each alone, each missing, then some drawn by `seed`.
    #[must_use]
    pub fn crashes(&self, limit: u64, seed: u64) -> Crashes<'_> {
        let effects = self.effects();
        let total = effects.iter().try_fold(1u64, |total, e| total.checked_mul(u64::try_from(e.outcomes()).ok()?));
        let exhaustive = total.is_some_and(|total| total <= limit);
        let count = if exhaustive { total.unwrap_or(limit) } else { limit };
        Crashes { disk: self, effects, exhaustive, count, next: 0, random: Random::new(seed) }
    }
    /// What a power loss now can leave when a sector may be torn as well: in each image one pending sector has its newest bytes
    /// up to a byte and its durable ones from there on, or the other way round, and of everything else either nothing or all
    /// reached the disk. All of these if they are at most `limit`, otherwise `limit` of them, drawn by `seed`, with everything
    /// else drawn too. A tear that would leave the old or the new sector is none.
    ///
    /// A disk that does this is worse than the one assumed (docs/RELIABILITY.md): the log withstands it all the same, since
    /// it never writes over a durable byte with another one, but for a slot of `HEAD` beside a better one.
    #[must_use]
    pub fn torn(&self, limit: u64, seed: u64) -> Torn<'_> {
        let effects = self.effects();
        let tears: Vec<Tears> = (0..).zip(&effects).filter_map(|(n, effect)| self.tears(n, *effect)).collect();
        let total = tears.iter().map(Tears::count).sum::<u64>();
        let (exhaustive, count) = (total <= limit, total.min(limit));
        Torn { disk: self, effects, tears, exhaustive, count, next: 0, random: Random::new(seed) }
    }
    /// Where a sector can be torn: between the first and the last byte that differ.
    fn tears(&self, number: usize, effect: Effect) -> Option<Tears> {
        let Effect::Sector { inode, sector, .. } = effect else { return None };
        let old = bytes_of(&self.inodes[inode].durable.sector(sector));
        let new = bytes_of(self.inodes[inode].pending[&sector].last()?);
        let differs = |at: &usize| old[*at] != new[*at];
        let (first, last) = ((0..SECTOR).find(differs)?, (0..SECTOR).rev().find(differs)?);
        (first < last).then_some(Tears { effect: number, from: first + 1, to: last + 1 })
    }
    /// One power loss, drawn by `seed`: each effect is kept or dropped on its own, or all are, or none; now and then a sector is
    /// torn, if `tear` allows it.
    #[must_use]
    pub fn crash_by(&self, seed: u64, tear: bool) -> Crash {
        let mut random = Random::new(seed);
        let effects = self.effects();
        let how = random.below(8);
        let outcomes: Vec<usize> = effects
            .iter()
            .map(|effect| match how {
                0 => 0,
                1 => effect.outcomes() - 1,
                _ => random.below(effect.outcomes()),
            })
            .collect();
        let tears: Vec<Tears> = (0..).zip(&effects).filter_map(|(n, effect)| self.tears(n, *effect)).collect();
        let torn = (tear && !tears.is_empty() && random.below(4) == 0).then(|| {
            let of = &tears[random.below(tears.len())];
            Tear { effect: of.effect, at: of.from + random.below(of.to - of.from), new_first: random.below(2) == 0 }
        });
        self.crash(&effects, &|n| outcomes[n], torn)
    }
    fn crash(&self, effects: &[Effect], outcome: &dyn Fn(usize) -> usize, torn: Option<Tear>) -> Crash {
        let mut names: Vec<_> = self.directories.iter().map(|directory| Cow::Borrowed(&directory.durable)).collect();
        let mut contents: BTreeMap<usize, Content> = BTreeMap::new();
        let mut lens: BTreeMap<usize, u64> = BTreeMap::new();
        let mut outcomes = Vec::with_capacity(effects.len());
        for (n, &effect) in effects.iter().enumerate() {
            let outcome = outcome(n);
            let tear = torn.filter(|tear| tear.effect == n);
            outcomes.push((effect, outcome));
            let version = match (outcome.checked_sub(1), tear) {
                (None, None) => continue,
                (version, _) => version.unwrap_or_default(),
            };
            match effect {
                Effect::Name { directory, change } => {
                    self.directories[directory].pending[change].apply(names[directory].to_mut());
                }
                Effect::Sector { inode, sector, .. } => {
                    let of = &self.inodes[inode];
                    let content = contents.entry(inode).or_insert_with(|| of.durable.clone());
                    let bytes = match (tear, of.pending[&sector].last()) {
                        (Some(tear), Some(new)) => tear.apply(&of.durable.sector(sector), new),
                        _ => of.pending[&sector][version].clone(),
                    };
                    content.put(sector, bytes);
                }
                Effect::Len { inode, .. } => {
                    lens.insert(inode, self.inodes[inode].pending_lens[version]);
                }
            }
        }
        let content = |inode: usize| {
            let mut content = contents.get(&inode).unwrap_or(&self.inodes[inode].durable).clone();
            content.set_len(lens.get(&inode).copied().unwrap_or(self.inodes[inode].durable_len));
            content
        };
        let mut image = Image::default();
        self.walk(ABOVE, "", &|directory| &names[directory], &content, &mut image);
        Crash { image, outcomes, torn }
    }
}

/// A sector of which a part is old and a part new.
#[derive(Clone, Copy, Debug)]
struct Tear {
    effect: usize,
    at: usize,
    new_first: bool,
}
impl Tear {
    fn apply(self, old: &Shared, new: &Shared) -> Shared {
        let (old, new) = (bytes_of(old), bytes_of(new));
        let (mut bytes, from) = if self.new_first { (new, old) } else { (old, new) };
        bytes[self.at..].copy_from_slice(&from[self.at..]);
        shared(bytes)
    }
}
/// The bytes at which one sector can be torn.
#[derive(Clone, Copy, Debug)]
struct Tears {
    effect: usize,
    from: usize,
    to: usize,
}
impl Tears {
    /// Each byte, either part new, nothing or all of the rest.
    fn count(&self) -> u64 {
        4 * u64::try_from(self.to - self.from).expect("at most a sector")
    }
}

/// The crashes of a disk that tears sectors, from [`Disk::torn`].
#[derive(Debug)]
pub struct Torn<'a> {
    disk: &'a Disk,
    effects: Vec<Effect>,
    tears: Vec<Tears>,
    exhaustive: bool,
    count: u64,
    next: u64,
    random: Random,
}
impl Torn<'_> {
    /// Whether these are all there can be.
    #[must_use]
    pub fn is_exhaustive(&self) -> bool {
        self.exhaustive
    }
    fn drawn(&mut self) -> (Tear, Vec<usize>) {
        let of = self.tears[self.random.below(self.tears.len())];
        let at = of.from + self.random.below(of.to - of.from);
        let tear = Tear { effect: of.effect, at, new_first: self.random.below(2) == 0 };
        let random = &mut self.random;
        (tear, self.effects.iter().map(|effect| random.below(effect.outcomes())).collect())
    }
    fn numbered(&self, n: u64) -> Option<(Tear, Vec<usize>)> {
        let mut rest = n;
        let of = self.tears.iter().find(|tears| {
            let is_here = rest < tears.count();
            rest -= if is_here { 0 } else { tears.count() };
            is_here
        })?;
        let all = digit(&mut rest, 2) == 1;
        let new_first = digit(&mut rest, 2) == 1;
        let tear = Tear { effect: of.effect, at: of.from + digit(&mut rest, SECTOR), new_first };
        Some((tear, self.effects.iter().map(|effect| if all { effect.outcomes() - 1 } else { 0 }).collect()))
    }
}
impl Iterator for Torn<'_> {
    type Item = Crash;
    fn next(&mut self) -> Option<Crash> {
        if self.next == self.count {
            return None;
        }
        let (tear, outcomes) = if self.exhaustive { self.numbered(self.next)? } else { self.drawn() };
        self.next += 1;
        Some(self.disk.crash(&self.effects, &|n| outcomes[n], Some(tear)))
    }
}

/// The crashes of a disk, from [`Disk::crashes`].
#[derive(Debug)]
pub struct Crashes<'a> {
    disk: &'a Disk,
    effects: Vec<Effect>,
    exhaustive: bool,
    count: u64,
    next: u64,
    random: Random,
}
impl Crashes<'_> {
    /// Whether these are all there can be.
    #[must_use]
    pub fn is_exhaustive(&self) -> bool {
        self.exhaustive
    }
    fn outcomes(&mut self, n: u64) -> Vec<usize> {
        let none = || self.effects.iter().map(|_| 0);
        let all = || self.effects.iter().map(|effect| effect.outcomes() - 1);
        if self.exhaustive {
            let mut rest = n;
            return self.effects.iter().map(|effect| digit(&mut rest, effect.outcomes())).collect();
        }
        let (effect, missing) = (usize::try_from(n / 2).unwrap_or(usize::MAX).wrapping_sub(1), n % 2 == 1);
        match n {
            0 => none().collect(),
            1 => all().collect(),
            _ if effect < self.effects.len() => {
                let mut outcomes: Vec<usize> = if missing { all().collect() } else { none().collect() };
                outcomes[effect] = if missing { 0 } else { self.effects[effect].outcomes() - 1 };
                outcomes
            }
            _ => {
                let outcomes: Vec<usize> = self.effects.iter().map(|effect| effect.outcomes()).collect();
                outcomes.into_iter().map(|outcomes| digit(&mut self.random.draw(), outcomes)).collect()
            }
        }
    }
}
impl Iterator for Crashes<'_> {
    type Item = Crash;
    fn next(&mut self) -> Option<Crash> {
        if self.next == self.count {
            return None;
        }
        let outcomes = self.outcomes(self.next);
        self.next += 1;
        Some(self.disk.crash(&self.effects, &|n| outcomes[n], None))
    }
}

/// Takes the last digit of a number in that base.
fn digit(number: &mut u64, base: usize) -> usize {
    let wide = u64::try_from(base).expect("a count in memory fits in u64");
    let digit = *number % wide;
    *number /= wide;
    usize::try_from(digit).expect("a digit is less than its base")
}
