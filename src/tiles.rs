//! The log as files that a plain web server can serve (C2SP tlog-tiles, docs/FORMAT.md §11.8).
//!
//! Every hash is computed from the records, and all of them lead to the checkpoint's root before the checkpoint is put in place: what is there is then
//! complete. Nothing personal is in it: a record holds commitments.

use crate::checkpoints::Checkpoints;
use crate::places::ledger_around;
use crate::prove::none_yet;
use crate::reader::Reader;
use sovang_core::evidence::Checkpoint;
use sovang_core::evidence::tiles::{self, Content, TILE_WIDTH, Tile};
use sovang_core::record::Frame;
use sovang_core::tree::{self, Frontier, Hash, Node};
use sovang_core::{Error, ErrorKind, Event, Head, RecordHash, Result, Root, Size, limits};
use sovang_storage::disk::DiskFiles;
use sovang_storage::files::{Files as _, Open};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A tile's hashes are the roots of subtrees of so many tree levels more each level.
const HEIGHT: u32 = 8;
/// The name of the signed head in the export.
const CHECKPOINT: &str = "checkpoint";
/// Empty, and locked by whoever exports. Nobody who reads the log asks for it.
const LOCK: &str = ".lock";

/// What an export did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// The signed head that is served now.
    pub head: Head,
    /// Files written, the checkpoint among them.
    pub written: u64,
    /// Files that were there already and are as they should be.
    pub compared: u64,
    /// Partial tiles and bundles removed, as their full ones are there now.
    pub removed: u64,
}

impl<E: Event> Reader<E> {
    /// Writes the log up to its newest signed checkpoint into a directory that a web server can serve as it is: hashes, entries and records, then the
    /// checkpoint. Repeated, it adds what is new; files of earlier full tiles are not looked at again unless `compare_all`.
    ///
    /// Partial tiles of the sizes of all signed checkpoints are there until the full tile is.
    ///
    /// # Errors
    /// `NotFound` when no checkpoint is signed yet; `InvalidInput` when the directory lies in a ledger; `NotProven` when it belongs to another log or history, or
    /// to a newer copy of this one, or the newest checkpoint is not of this log; `Locked` while another export writes there; what the
    /// system refuses.
    pub fn export_tiles(&self, directory: impl AsRef<Path>, compare_all: bool) -> Result<Exported> {
        let checkpoints = Checkpoints::of(self.view().clone());
        self.newest_signed(&checkpoints)?;
        let mut target = Target::open(directory.as_ref())?;
        // Once more, under the lock: the export that held it may have served a newer one.
        let checkpoint = self.newest_signed(&checkpoints)?;
        let served = self.served(&target, &checkpoint)?;
        let (old, new) = (if compare_all { Size::ZERO } else { served }, checkpoint.head().size);
        let mut levels = self.levels_at(old, new)?;
        self.export_records(old, new, &mut levels, &mut target)?;
        if root_of(&levels, new)? != checkpoint.head().root {
            return Err(Error::new(ErrorKind::Damaged, "the records read do not lead to the checkpoint's root")
                .advise("run `sovang verify` on the ledger; then export into an empty directory"));
        }
        for level in &levels {
            level.write_partial(new, &checkpoints.sizes()?, &mut target)?;
        }
        target.replace_checkpoint(&checkpoint)?;
        Ok(Exported { head: checkpoint.head(), written: target.written, compared: target.compared, removed: target.removed })
    }
    fn newest_signed(&self, checkpoints: &Checkpoints) -> Result<Checkpoint> {
        let checkpoint = checkpoints.newest(|_| true)?.ok_or_else(none_yet)?;
        // After the checkpoint was found: the log has all that was signed by then.
        self.refresh()?;
        self.of_this_log(checkpoint.head())?;
        Ok(checkpoint)
    }
    /// The size that is served already; 0 when nothing is.
    fn served(&self, target: &Target, newest: &Checkpoint) -> Result<Size> {
        let Some(bytes) = target.read(CHECKPOINT, limits::NOTE_BYTES_MAX)? else { return Ok(Size::ZERO) };
        let path = target.files.describe(CHECKPOINT);
        let there = Checkpoint::parse(&bytes).map_err(|error| Error::from(error).in_file(&path))?;
        let foreign = |what: String| Error::new(ErrorKind::NotProven, what).in_file(&path);
        if there.origin() != self.origin() {
            return Err(foreign(format!("the directory serves the log {:?}, not {:?}", there.origin(), self.origin())));
        }
        if there.head().size > newest.head().size {
            return Err(foreign(format!(
                "the directory serves size {}, and the newest checkpoint is of {}",
                there.head().size,
                newest.head().size
            ))
            .advise("this is an older copy of the ledger, or the checkpoints of the newer one are missing here"));
        }
        self.of_this_log(there.head()).map_err(|error| error.in_file(&path))?;
        Ok(there.head().size)
    }
    /// The tiles that are not full at size `old`, as far as they are filled then: what the export continues.
    fn levels_at(&self, old: Size, new: Size) -> Result<Vec<Level>> {
        let mut levels = Vec::new();
        for level in 0.. {
            let whole = old.0.checked_shr(u32::from(level) * HEIGHT).unwrap_or(0);
            let index = whole / u64::from(TILE_WIDTH);
            let mut hashes = Vec::new();
            // Level 0 is read from the records.
            if level > 0 {
                for at in index * u64::from(TILE_WIDTH)..whole {
                    hashes.push(self.view().node(Node { level: u32::from(level) * HEIGHT, index: at }, new)?);
                }
            }
            levels.push(Level { level, index, hashes, ..Level::default() });
            if whole == 0 {
                return Ok(levels);
            }
        }
        Ok(levels)
    }
    /// Reads the records from the first bundle that is not full, and writes every tile that fills up.
    fn export_records(&self, old: Size, new: Size, levels: &mut Vec<Level>, target: &mut Target) -> Result<()> {
        let first = old.0 / u64::from(TILE_WIDTH) * u64::from(TILE_WIDTH);
        for record in self.view().scan(first..new.0) {
            let (position, frame) = record?;
            let hash = frame.hash(position);
            if let Some(lowest) = levels.first_mut() {
                lowest.entries.push(hash);
                lowest.frames.push(frame);
            }
            push(levels, 0, tree::leaf_hash(&hash), target)?;
        }
        Ok(())
    }
}

/// Adds a hash to a level; a tile that is full is written, and its root goes one level up.
fn push(levels: &mut Vec<Level>, at: usize, hash: Hash, target: &mut Target) -> Result<()> {
    if levels.len() == at {
        levels.push(Level { level: u8::try_from(at).unwrap_or(u8::MAX), ..Level::default() });
    }
    let Some(level) = levels.get_mut(at) else { return Ok(()) };
    level.hashes.push(hash);
    if level.hashes.len() < usize::from(TILE_WIDTH) {
        return Ok(());
    }
    level.write(TILE_WIDTH, target)?;
    let above = tree::perfect_root(&level.hashes);
    level.index += 1;
    level.hashes.clear();
    level.entries.clear();
    level.frames.clear();
    push(levels, at + 1, above, target)
}

/// The root to which the tiles that are not full lead.
fn root_of(levels: &[Level], size: Size) -> Result<Root> {
    let mut peaks = Vec::new();
    for level in levels.iter().rev() {
        let mut from = 0;
        for bit in (0..HEIGHT).rev() {
            let width = 1usize << bit;
            if level.hashes.len() & width != 0 {
                peaks.push(tree::perfect_root(&level.hashes[from..from + width]));
                from += width;
            }
        }
    }
    Frontier::from_hashes(size.0, peaks)
        .map(|frontier| frontier.root())
        .map_err(|_| Error::new(ErrorKind::Damaged, "the records read are not as many as the checkpoint covers"))
}

/// The last tile of a level, while it fills up.
#[derive(Default)]
struct Level {
    level: u8,
    index: u64,
    hashes: Vec<Hash>,
    /// At level 0 the entries and records below the hashes.
    entries: Vec<RecordHash>,
    frames: Vec<Frame>,
}
impl Level {
    /// Writes the first `width` of it, at level 0 with the entries and records.
    fn write(&self, width: u16, target: &mut Target) -> Result<()> {
        let count = usize::from(width);
        let tile = |content| Tile { content, index: self.index, width };
        target.put(tile(Content::Hashes { level: self.level }), &tiles::encode_hashes(&self.hashes[..count]))?;
        if self.level == 0 {
            target.put(tile(Content::Entries), &tiles::encode_entries(&self.entries[..count]))?;
            let frames = self.frames[..count].iter().map(|frame| frame.bytes().as_ref());
            target.put(tile(Content::Records), &tiles::encode_records(frames)?)?;
        }
        Ok(())
    }
    /// Writes it as it is at `size`, and as it was at each smaller size of which a checkpoint is signed, where it is not full at `size`.
    fn write_partial(&self, size: Size, signed: &[Size], target: &mut Target) -> Result<()> {
        let mut widths = BTreeSet::new();
        for signed in signed.iter().filter(|signed| **signed <= size) {
            let tile = Tile::at(Content::Hashes { level: self.level }, self.index, *signed);
            widths.extend(tile.map(|tile| tile.width));
        }
        widths.into_iter().try_for_each(|width| self.write(width, target))
    }
}

/// The directory that is exported to, locked. Paths in it are relative, with `/`.
struct Target {
    directory: PathBuf,
    files: DiskFiles,
    /// Directories in which a name may not be durable yet.
    touched: BTreeSet<String>,
    /// Full tiles, whose partial ones are to go.
    full: Vec<String>,
    written: u64,
    compared: u64,
    removed: u64,
    _lock: Box<dyn Send + Sync>,
}
impl Target {
    fn open(directory: &Path) -> Result<Self> {
        outside_of_ledgers(directory)?;
        let files = DiskFiles::new(directory);
        let path = files.describe(LOCK);
        files.create_directory("").map_err(|e| Error::io(e, "create", directory))?;
        files.open(LOCK, Open::Ensure).map_err(|e| Error::io(e, "create", &path))?;
        let lock = files.lock(LOCK).map_err(|e| match e.kind() {
            io::ErrorKind::WouldBlock => Error::new(ErrorKind::Locked, "another export is writing into this directory")
                .in_file(&path)
                .advise("export again when it has ended"),
            _ => Error::io(e, "lock", &path),
        })?;
        Ok(Self {
            directory: directory.to_owned(),
            files,
            touched: BTreeSet::new(),
            full: Vec::new(),
            written: 0,
            compared: 0,
            removed: 0,
            _lock: lock,
        })
    }
    /// A file's bytes, of a longer one only so many that one sees it is longer; none when it is not there.
    fn read(&self, path: &str, bytes_max: usize) -> Result<Option<Vec<u8>>> {
        let fail = |e| Error::io(e, "read", self.files.describe(path));
        let file = match self.files.open(path, Open::Read) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(fail(e)),
        };
        let mut bytes = vec![0; bytes_max + 1];
        let got = file.read_at(&mut bytes, 0).map_err(fail)?;
        bytes.truncate(got);
        Ok(Some(bytes))
    }
    /// Writes a tile or bundle, or finds it there: it never changes.
    fn put(&mut self, tile: Tile, bytes: &[u8]) -> Result<()> {
        let path = tile.to_string();
        match self.read(&path, bytes.len())? {
            Some(there) if there == bytes => self.compared += 1,
            Some(_) => {
                return Err(Error::new(
                    ErrorKind::NotProven,
                    "the file there is not the one of this log, and such a file never changes",
                )
                .in_file(self.files.describe(&path))
                .advise("the directory belongs to another history, or was damaged: export into an empty one"));
            }
            None => self.write(&path, bytes)?,
        }
        // Also of what is there: whoever wrote it may not have come to the sync.
        self.touch(&path);
        if tile.is_full() {
            self.full.push(path);
        }
        Ok(())
    }
    /// Remembers to sync where a name, and those of the directories above it, stand.
    fn touch(&mut self, path: &str) {
        let mut path = path;
        while !path.is_empty() {
            path = path.rsplit_once('/').map_or("", |(directory, _)| directory);
            if !self.touched.insert(path.to_owned()) {
                return;
            }
        }
    }
    /// Serves the checkpoint, now that all is there that it needs.
    fn replace_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let text = checkpoint.to_string();
        let there = self.read(CHECKPOINT, limits::NOTE_BYTES_MAX)?;
        if there.is_none() {
            // What is exported for the first time may stand in new directories.
            self.sync_directory("..")?;
        }
        self.settle()?;
        if there.is_some_and(|there| there == text.as_bytes()) {
            self.compared += 1;
        } else {
            self.write(CHECKPOINT, text.as_bytes())?;
        }
        self.sync_directory("")
    }
    /// Makes the names of tiles durable, and only then removes the partial ones of full tiles: the checkpoint that is served may need them.
    fn settle(&mut self) -> Result<()> {
        for directory in std::mem::take(&mut self.touched) {
            self.sync_directory(&directory)?;
        }
        std::mem::take(&mut self.full).iter().try_for_each(|path| self.remove_partials(path))
    }
    fn sync_directory(&self, directory: &str) -> Result<()> {
        self.files.sync_directory(directory).map_err(|e| Error::io(e, "sync", self.files.describe(directory)))
    }
    /// A temporary file of our own, synced, then renamed: a file that is there is whole.
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let place = self.files.describe(path);
        let parent = place.parent().unwrap_or(&self.directory);
        fs::create_dir_all(parent).map_err(|e| Error::io(e, "create", parent))?;
        let temporary = format!("{path}.tmp");
        let write = || {
            let file = self.files.open(&temporary, Open::Create)?;
            file.write_at(bytes, 0)?;
            file.sync_all()?;
            self.files.rename(&temporary, path)
        };
        write().map_err(|e| Error::io(e, "write", &place))?;
        self.written += 1;
        Ok(())
    }
    /// A reader that wants the partial tile finds the full one (C2SP tlog-tiles, "Partial Tiles").
    fn remove_partials(&mut self, path: &str) -> Result<()> {
        let directory = self.files.describe(&format!("{path}.p"));
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(Error::io(e, "list", directory)),
        };
        self.removed += u64::try_from(entries.count()).unwrap_or(u64::MAX);
        fs::remove_dir_all(&directory).map_err(|e| Error::io(e, "remove", directory))
    }
}

/// A ledger's directory holds a ledger: what a web server serves stands elsewhere.
fn outside_of_ledgers(directory: &Path) -> Result<()> {
    let Some(ledger) = ledger_around(directory) else { return Ok(()) };
    Err(Error::new(ErrorKind::InvalidInput, format!("the directory lies inside the ledger {}", ledger.display()))
        .in_file(directory)
        .advise("export into a directory of its own"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile(width: u16) -> Tile {
        Tile { content: Content::Entries, index: 0, width }
    }

    /// The names of the full tiles are durable only then.
    #[test]
    fn partial_tiles_stay_until_the_full_one_is_durable() {
        let dir = tempfile::tempdir().unwrap();
        let mut target = Target::open(&dir.path().join("public")).unwrap();
        target.put(tile(3), b"part").unwrap();
        target.settle().unwrap();
        let partial = dir.path().join("public").join(tile(3).to_string());
        target.put(tile(TILE_WIDTH), b"all of it").unwrap();
        assert_eq!((std::fs::read(&partial).unwrap(), target.removed), (b"part".to_vec(), 0));
        target.settle().unwrap();
        assert_eq!((partial.exists(), target.removed), (false, 1));
    }

    #[test]
    fn names_are_synced_up_to_the_directory_also_of_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let mut target = Target::open(dir.path()).unwrap();
        for _ in 0..2 {
            target.put(tile(3), b"part").unwrap();
            assert_eq!(
                target.touched.iter().map(String::as_str).collect::<Vec<_>>(),
                ["", "tile", "tile/entries", "tile/entries/000.p"]
            );
            target.settle().unwrap();
        }
        assert_eq!((target.written, target.compared), (1, 1));
    }
}
