//! Kept projections: a snapshot and the tail after it.

use crate::audit::Finding;
use crate::reader::Reader;
use sovang_core::{ErrorKind, Event, Result, Size};
use sovang_projection::{Folded, Snapshot, Stored};
use sovang_storage::store::Store;

const DIRECTORY: &str = "snapshots";

/// The newest state that the snapshot of this name proves to be of a prefix of this log, with its size.
///
/// Anything that does not fit (another revision, another ledger, a head that is no prefix, flipped bits) is passed over: a snapshot is derived, and the fold from the start is right by definition.
pub(crate) fn load<E: Event, P: Stored<E>>(reader: &Reader<E>, within: Size) -> Result<Option<(P, Size)>> {
    let bytes = match reader.view().blob(&file_name::<E, P>()) {
        Ok(Some(bytes)) => bytes,
        Err(error) if error.kind() != ErrorKind::Damaged => return Err(error),
        Ok(None) | Err(_) => return Ok(None),
    };
    let Ok(snapshot) = Snapshot::parse(&bytes) else { return Ok(None) };
    let head = snapshot.head();
    if head.size > within || reader.view().root_at(head.size)? != head.root {
        return Ok(None);
    }
    let state = snapshot.state::<E, P>(reader.ledger_id())?;
    Ok(state.map(|state| (state, head.size)))
}

pub(crate) fn save<E: Event, P: Stored<E>>(reader: &Reader<E>, store: &Store, folded: &Folded<P>) -> Result<()> {
    let snapshot = Snapshot::of::<E, P>(folded, reader.ledger_id(), folded.head)?;
    store.put_blob(&file_name::<E, P>(), &snapshot.to_bytes())
}

/// Snapshots that are damaged, or say of this ledger what its log does not. One of another ledger or of a longer log is stale, and no fault.
pub(crate) fn check<E: Event>(reader: &Reader<E>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let head = reader.refresh()?;
    let beside = |path: &str, what: String| {
        let file = Some(reader.view().describe(path));
        Finding { position: None, file, offset: None, what, in_log: false }
    };
    let names = match reader.view().blob_names(DIRECTORY) {
        Err(error) if error.kind() == ErrorKind::Damaged => return Ok(vec![beside(DIRECTORY, error.message().to_owned())]),
        names => names?,
    };
    for name in names {
        let path = format!("{DIRECTORY}/{name}");
        let bytes = match reader.view().blob(&path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => continue,
            Err(error) if error.kind() == ErrorKind::Damaged => {
                findings.push(beside(&path, error.message().to_owned()));
                continue;
            }
            Err(error) => return Err(error),
        };
        let what = match Snapshot::parse(&bytes) {
            Err(error) => error.message().to_owned(),
            Ok(snapshot) if snapshot.ledger_id() != reader.ledger_id() || snapshot.head().size > head.size => continue,
            Ok(snapshot) if reader.view().root_at(snapshot.head().size)? == snapshot.head().root => continue,
            Ok(_) => "the snapshot's head is not one that the log ever had".to_owned(),
        };
        findings.push(beside(&path, what));
    }
    Ok(findings)
}

pub(crate) fn project<E: Event, P: Stored<E>>(reader: &Reader<E>, store: Option<&Store>, projection: P) -> Result<Folded<P>> {
    let head = reader.refresh()?;
    let (mut state, from) = load::<E, P>(reader, head.size)?.unwrap_or((projection, Size::ZERO));
    reader.fold_range(&mut state, from, head.size)?;
    let folded = Folded::new(state, head);
    if let Some(store) = store.filter(|_| from < head.size) {
        match save(reader, store, &folded) {
            // The writer has ended meanwhile: then the snapshots are the next one's. And a state may be too large to keep.
            Err(error) if matches!(error.kind(), ErrorKind::Closed | ErrorKind::Poisoned | ErrorKind::TooLarge) => {}
            saved => saved?,
        }
    }
    Ok(folded)
}

fn file_name<E: Event, P: Stored<E>>() -> String {
    format!("{DIRECTORY}/{}", P::NAME)
}
