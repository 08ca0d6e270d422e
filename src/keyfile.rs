//! Key files, and beside each the head that its key has signed last (docs/FORMAT.md §11.1).

mod pem;

use crate::environment::{IdSource, SystemIds};
use crate::places::ledger_around;
use pem::{KEY_FILE_BYTES_MAX, KeyText, Unreadable};
use sovang_core::evidence::{KeyKind, SecretKey, VerifierKey};
use sovang_core::{Error, ErrorKind, Head, Result, Root, Size};
use sovang_storage::blobs::{blob_read, blob_write};
use sovang_storage::disk::DiskFiles;
use sovang_storage::files::Files as _;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const HEAD_FIRST_LINE: &str = "sovang last signed head";

/// A key that signs a ledger's checkpoints, or statements, read from its file. Its bytes are wiped from memory with it.
///
/// Keep the file away from the ledger and from the ledger's backups: whoever has both can write another history and sign it.
/// Beside `KEYFILE` stands `KEYFILE.head`, the head that was signed last: without it nothing is signed, so that a restored
/// older copy of a ledger cannot fork it.
pub struct SigningKey {
    secret: SecretKey,
    path: PathBuf,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, {})", self.vkey(), self.path.display())
    }
}

impl SigningKey {
    /// Draws a key and writes it to a new file, readable by its owner alone, encrypted unless there is no passphrase. For a ledger's
    /// log the name is its origin.
    ///
    /// ```no_run
    /// # use sovang::{Ledger, SigningKey, recognition::Recognition};
    /// let key = SigningKey::create("/media/key/golden-book.key", "example.org/golden-book", Some("correct horse"))?;
    /// let ledger = Ledger::<Recognition>::open("golden-book")?;
    /// println!("{}", ledger.checkpoint(&key)?);
    /// println!("to check it: {}", key.vkey());
    /// # Ok::<(), sovang::Error>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidInput` for a name that is no C2SP key name, an empty passphrase, a file that is there already or a place inside a
    /// ledger; what the system refuses.
    pub fn create(path: impl AsRef<Path>, name: &str, passphrase: Option<&str>) -> Result<Self> {
        Self::create_from(path.as_ref(), name, passphrase, &SystemIds)
    }
    pub(crate) fn create_from(path: &Path, name: &str, passphrase: Option<&str>, random: &dyn IdSource) -> Result<Self> {
        if passphrase.is_some_and(str::is_empty) {
            return Err(Error::new(ErrorKind::InvalidInput, "the passphrase is empty").advise("give one, or ask for none"));
        }
        outside_of_ledgers(path)?;
        let mut seed = Zeroizing::new([0; 32]);
        random.fill_aside(&mut *seed)?;
        let mut draw = Zeroizing::new([0; 32]);
        random.fill_aside(&mut *draw)?;
        let key = Self { secret: SecretKey::from_seed(name, *seed)?, path: path.to_owned() };
        let vkey = key.vkey();
        let text = pem::write(name, &vkey.to_string(), &seed, passphrase.map(|p| (p, &*draw))).map_err(|e| key.unreadable(e))?;
        let (files, head) = key.head_file()?;
        if blob_read(&files, &head)?.is_some() {
            return Err(Error::new(ErrorKind::InvalidInput, "there is a head of another key already")
                .in_file(key.head_path())
                .advise("give another name for the key file; nothing is overwritten"));
        }
        create_owned(path, text.as_bytes())?;
        let first = LastSigned { vkey: vkey.to_string(), head: Head { size: Size::ZERO, root: Root::empty() } };
        // A key without its head signs nothing, so a failure in between leaves nothing dangerous.
        if let Err(error) = blob_write(&files, &head, first.to_string().as_bytes()) {
            let _ = fs::remove_file(path);
            return Err(error);
        }
        Ok(key)
    }
    /// Reads a key that is not encrypted.
    ///
    /// # Errors
    /// As [`Self::open_with`]; `InvalidInput` for one that is encrypted.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, || {
            Err(Error::new(ErrorKind::InvalidInput, Unreadable::Sealed.to_string()).advise("give its passphrase"))
        })
    }
    /// Reads a key. The passphrase is asked for only when the file is encrypted; that it is wrong takes a moment to find out.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` for a file that is no key file, lies inside a ledger, whose vkey is not that of its key, or for a
    /// wrong passphrase; what the system refuses.
    pub fn open_with(path: impl AsRef<Path>, passphrase: impl FnOnce() -> Result<Zeroizing<String>>) -> Result<Self> {
        let path = path.as_ref();
        outside_of_ledgers(path)?;
        let text = read_text(path)?;
        let refuse = |why: Unreadable| unreadable(why, path);
        let key = KeyText::parse(&text).map_err(refuse)?;
        let seed = if key.is_sealed() { key.seed(Some(&*passphrase()?)) } else { key.seed(None) }.map_err(refuse)?;
        let key_of_file = Self { secret: SecretKey::from_seed(&key.name, *seed)?, path: path.to_owned() };
        if key_of_file.vkey().to_string() != key.vkey {
            return Err(Error::new(ErrorKind::InvalidInput, format!("the vkey in the file is not {}", key_of_file.vkey()))
                .in_file(path)
                .advise("the file was changed; restore it from its backup"));
        }
        Ok(key_of_file)
    }
    /// Its name: the origin of the log whose checkpoints it signs.
    #[must_use]
    pub fn name(&self) -> &str {
        self.secret.name()
    }
    /// The public side, to be given to whoever checks.
    #[must_use]
    pub fn vkey(&self) -> VerifierKey {
        self.secret.verifier(KeyKind::Ed25519)
    }
    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
    pub(crate) fn secret(&self) -> &SecretKey {
        &self.secret
    }
    /// The file of the head that was signed last.
    pub(crate) fn head_path(&self) -> PathBuf {
        head_path(&self.path)
    }
    fn unreadable(&self, why: Unreadable) -> Error {
        unreadable(why, &self.path)
    }
    /// The directory of the key file, and the name in it of the head that was signed last.
    fn head_file(&self) -> Result<(DiskFiles, String)> {
        let head = self.head_path();
        let name = head.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let name = name.ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "the name of a key file must be text").in_file(self.path.clone())
        })?;
        Ok((DiskFiles::new(directory_of(&self.path)), name))
    }
    /// Waits for the lock on the key file, so that one process at a time signs with it.
    pub(crate) fn lock(&self) -> Result<LockedKey<'_>> {
        let fail = |e| Error::io(e, "lock the key file", &self.path);
        let file = File::open(&self.path).map_err(fail)?;
        file.lock().map_err(fail)?;
        Ok(LockedKey { key: self, _lock: file })
    }
}

/// A key that no other process signs with at the same time.
pub(crate) struct LockedKey<'a> {
    key: &'a SigningKey,
    _lock: File,
}

impl LockedKey<'_> {
    pub(crate) fn key(&self) -> &SigningKey {
        self.key
    }
    /// The head that was signed last.
    pub(crate) fn last_signed(&self) -> Result<Head> {
        let (files, name) = self.key.head_file()?;
        let refuse = |what: &str, hint: &str| {
            Err(Error::new(ErrorKind::InvalidInput, what.to_owned()).in_file(self.key.head_path()).advise(hint))
        };
        const LOST: &str = "restore it from where the key is kept; if it is lost for good, make a new key and tell those who check: without it \
            nobody can know that the next checkpoint continues the last one";
        let Some(bytes) = blob_read(&files, &name)? else {
            return refuse("the head that this key has signed last is missing, so nothing is signed", LOST);
        };
        match std::str::from_utf8(&bytes).ok().and_then(LastSigned::parse) {
            Some(last) if last.vkey == self.key.vkey().to_string() => Ok(last.head),
            Some(_) => refuse("the file is of another key", "restore the one that belongs to this key"),
            None => refuse("the file does not say which head was signed last, so nothing is signed", LOST),
        }
    }
    /// Says, durably, that this head is about to be signed.
    pub(crate) fn advance(&self, head: Head) -> Result<()> {
        let (files, name) = self.key.head_file()?;
        let next = LastSigned { vkey: self.key.vkey().to_string(), head };
        blob_write(&files, &name, next.to_string().as_bytes())
    }
}

/// The content of `KEYFILE.head`.
#[derive(Debug, PartialEq, Eq)]
struct LastSigned {
    vkey: String,
    head: Head,
}
impl LastSigned {
    /// Takes exactly what [`fmt::Display`] gives.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let vkey = lines.nth(1)?.to_owned();
        let size = Size(lines.next()?.parse().ok()?);
        let root = Root::from_base64(lines.next()?)?;
        let last = Self { vkey, head: Head { size, root } };
        let whole = size.0 <= i64::MAX.unsigned_abs() && (size > Size::ZERO || root == Root::empty());
        (whole && last.to_string() == text).then_some(last)
    }
}
impl fmt::Display for LastSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD_FIRST_LINE}\n{}\n{}\n{}", self.vkey, self.head.size, self.head.root.to_base64())
    }
}

fn head_path(key: &Path) -> PathBuf {
    let mut name = key.file_name().unwrap_or_default().to_owned();
    name.push(".head");
    key.with_file_name(name)
}
fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
fn unreadable(why: Unreadable, path: &Path) -> Error {
    let error = Error::new(ErrorKind::InvalidInput, why.to_string()).in_file(path);
    match why {
        Unreadable::Passphrase | Unreadable::Sealed => error.advise("give the passphrase that it was made with"),
        _ => error.advise("a key file is what `sovang keygen` writes; restore it from its backup"),
    }
}

fn read_text(path: &Path) -> Result<Zeroizing<String>> {
    let fail = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => Error::new(ErrorKind::NotFound, "there is no such key file").in_file(path),
        _ => Error::io(e, "read the key file", path),
    };
    // With room for all of it, so that no copy of the key stays behind where it grew.
    let mut text = Zeroizing::new(String::with_capacity(KEY_FILE_BYTES_MAX));
    let limit = u64::try_from(KEY_FILE_BYTES_MAX).unwrap_or(u64::MAX);
    match File::open(path).map_err(fail)?.take(limit).read_to_string(&mut text) {
        Ok(read) if read < KEY_FILE_BYTES_MAX => Ok(text),
        Err(e) if e.kind() != io::ErrorKind::InvalidData => Err(fail(e)),
        _ => Err(unreadable(Unreadable::Lines, path)),
    }
}

/// Writes a file that must not be there yet, for its owner alone, and makes it durable.
fn create_owned(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            return Err(Error::new(ErrorKind::InvalidInput, "there is such a file already")
                .in_file(path)
                .advise("give another name; nothing is overwritten"));
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(Error::new(ErrorKind::NotFound, "there is no directory for the key file").in_file(path));
        }
        Err(e) => return Err(Error::io(e, "create the key file", path)),
    };
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let durable = written.and_then(|()| DiskFiles::new(directory_of(path)).sync_directory(""));
    durable.map_err(|e| {
        let _ = fs::remove_file(path);
        Error::io(e, "write the key file", path)
    })
}

/// Refuses a place inside a ledger's directory: a copy or backup of the ledger must not carry the key.
fn outside_of_ledgers(path: &Path) -> Result<()> {
    let Some(ledger) = ledger_around(path) else { return Ok(()) };
    Err(Error::new(ErrorKind::InvalidInput, format!("the key file lies inside the ledger {}", ledger.display()))
        .in_file(path)
        .advise("keep the key elsewhere, on another medium: a backup of the ledger must not carry it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededIds;
    use proptest::prelude::*;

    fn last() -> LastSigned {
        LastSigned { vkey: "example.org/a+00000000+AQ==".to_owned(), head: Head { size: Size(7), root: Root([9; 32]) } }
    }

    #[test]
    fn a_last_signed_head_is_read_as_written_and_no_other_way() {
        let text = last().to_string();
        assert_eq!(LastSigned::parse(&text), Some(last()));
        let more = format!("{text}\n");
        let windows = text.replace('\n', "\r\n");
        for bad in ["", text.trim_end(), &more, &windows, &text.replace("\n7\n", "\n07\n"), &text.replace("last", "first")] {
            assert_eq!(LastSigned::parse(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_changed_byte_of_a_last_signed_head_is_seen(at in 0usize..200, to in any::<u8>()) {
            let text = last().to_string();
            let mut bytes = text.clone().into_bytes();
            let at = at % bytes.len();
            bytes[at] = to;
            let read = std::str::from_utf8(&bytes).ok().and_then(LastSigned::parse);
            prop_assert!(read.is_none_or(|read| read != last() || bytes == text.as_bytes()));
        }
    }

    #[test]
    fn a_key_is_never_overwritten_and_never_inside_a_ledger() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("book.key");
        let random = SeededIds::new(3);
        let create = |path: &Path| SigningKey::create_from(path, "example.org/book", None, &random);
        let key = create(&path).unwrap();
        assert_eq!(SigningKey::open(&path).unwrap().vkey(), key.vkey());
        assert_eq!(create(&path).unwrap_err().kind(), ErrorKind::InvalidInput);
        // Its head alone is reason enough.
        fs::rename(&path, dir.path().join("moved")).unwrap();
        assert_eq!(create(&path).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert!(!path.exists());
        let ledger = dir.path().join("ledger-dir");
        fs::create_dir_all(ledger.join("log")).unwrap();
        fs::write(ledger.join("ledger"), "whatever is left of it").unwrap();
        for inside in ["book.key", "log/book.key"] {
            let error = create(&ledger.join(inside)).unwrap_err();
            assert!(error.message().contains("inside the ledger"), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_a_key_and_a_link_hides_no_ledger() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("book.key");
        SigningKey::create(&path, "example.org/book", None).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let ledger = dir.path().join("book");
        fs::create_dir(&ledger).unwrap();
        fs::write(ledger.join("ledger"), "SOVLEDGR").unwrap();
        symlink(&ledger, dir.path().join("link")).unwrap();
        assert!(SigningKey::create(dir.path().join("link/new.key"), "example.org/book", None).is_err());
        fs::rename(&path, ledger.join("book.key")).unwrap();
        symlink(ledger.join("book.key"), &path).unwrap();
        assert!(SigningKey::open(&path).unwrap_err().message().contains("inside the ledger"));
    }
}
