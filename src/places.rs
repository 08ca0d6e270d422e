//! Where a path leads, and which ledger it lies in.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

/// What every ledger's `ledger` file starts with.
const LEDGER_MAGIC: &[u8] = b"SOVLEDGR";

/// The ledger, if any, in whose directory a path lies, or would lie once it is made: where it stands and, when it is a link, where it
/// leads. `path` may be the ledger's directory itself; a damaged ledger counts.
///
/// Keys, disclosed values and whatever is served to the public belong outside: a backup of the ledger would carry them, and an erasure would not
/// reach them. [`SigningKey`](crate::SigningKey) and [`Reader::export_tiles`](crate::Reader::export_tiles) refuse such places themselves.
///
/// ```
/// # let home = tempfile::tempdir().unwrap();
/// # let book = home.path().join("golden-book");
/// # sovang::Ledger::<sovang::recognition::Recognition>::create(&book, "example.org/golden-book")?.close()?;
/// assert!(sovang::ledger_around(book.join("notes/book.key")).is_some());
/// assert!(sovang::ledger_around(book.join("../book.key")).is_none());
/// # Ok::<(), sovang::Error>(())
/// ```
#[must_use]
pub fn ledger_around(path: impl AsRef<Path>) -> Option<PathBuf> {
    let path = path.as_ref();
    let stands = path.file_name().and_then(|name| Some(resolve(path.parent()?)?.join(name)));
    let places = stands.into_iter().chain(resolve(path));
    places.into_iter().find_map(|place| place.ancestors().find(|directory| is_ledger(directory)).map(Path::to_owned))
}

/// Whether a directory is a ledger's, be it a damaged one.
fn is_ledger(directory: &Path) -> bool {
    let mut magic = [0; LEDGER_MAGIC.len()];
    let path = directory.join("ledger");
    // To open a pipe would wait for its other end.
    if !path.is_file() {
        return path.symlink_metadata().is_ok() && directory.join("log").is_dir();
    }
    match File::open(path) {
        Ok(mut file) => {
            let is_ours = file.read_exact(&mut magic).is_ok() && magic == LEDGER_MAGIC;
            is_ours || directory.join("log").is_dir()
        }
        Err(_) => false,
    }
}

/// Where a path leads that need not exist: the part that exists, resolved, and the rest as it is said.
pub(crate) fn resolve(path: &Path) -> Option<PathBuf> {
    // The working directory, which `absolute` refuses to find behind an empty path.
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let absolute = std::path::absolute(path).ok()?;
    let there = absolute.ancestors().find_map(|ancestor| Some((ancestor, fs::canonicalize(ancestor).ok()?)));
    let (ancestor, mut real) = there?;
    for part in absolute.strip_prefix(ancestor).ok()?.components() {
        match part {
            Component::ParentDir => {
                real.pop();
            }
            part => real.push(part),
        }
    }
    Some(real)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A home with a directory `book`, whose `ledger` file is as damaged as can be.
    fn home() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let home = fs::canonicalize(dir.path()).unwrap();
        fs::create_dir_all(home.join("book/log")).unwrap();
        fs::write(home.join("book/ledger"), "what is left of it").unwrap();
        (dir, home)
    }

    #[test]
    fn what_lies_in_a_ledger_is_found_wherever_it_is_said_to_be() {
        let (_dir, home) = home();
        for inside in ["book", "book/a.key", "book/log/00", "book/not/yet/there", "x/../book/a", "book/log/../a"] {
            assert_eq!(ledger_around(home.join(inside)), Some(home.join("book")), "{inside}");
        }
        for outside in ["", "a.key", "book.key", "books/a", "book/../a.key", "not/there/../../a"] {
            assert_eq!(ledger_around(home.join(outside)), None, "{outside}");
        }
        // Only the magic is left.
        fs::remove_dir(home.join("book/log")).unwrap();
        assert_eq!(ledger_around(home.join("book/a")), None);
        fs::write(home.join("book/ledger"), LEDGER_MAGIC).unwrap();
        assert_eq!(ledger_around(home.join("book/a")), Some(home.join("book")));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_hides_no_ledger() {
        use std::os::unix::fs::symlink;
        let (_dir, home) = home();
        fs::write(home.join("book/a.key"), "").unwrap();
        fs::write(home.join("b.key"), "").unwrap();
        symlink(home.join("book"), home.join("link")).unwrap();
        symlink(home.join("book/a.key"), home.join("to-a.key")).unwrap();
        symlink(home.join("b.key"), home.join("book/to-b.key")).unwrap();
        for inside in ["link/new.key", "link/not/there", "to-a.key", "book/to-b.key"] {
            assert_eq!(ledger_around(home.join(inside)), Some(home.join("book")), "{inside}");
        }
    }
}
