//! Kept projections: a snapshot and the tail after it.

use crate::reader::Reader;
use sovang_core::{Event, Result, Size};
use sovang_projection::{Folded, Snapshot, Stored};
use sovang_storage::store::Store;

/// The newest state that the snapshot of this name proves to be of a prefix of this log, with its size.
///
/// Anything that does not fit (another revision, another ledger, a head that is no prefix, flipped bits) is passed over: a snapshot is derived, and the fold from the start is right by definition.
pub(crate) fn load<E: Event, P: Stored<E>>(reader: &Reader<E>, within: Size) -> Result<Option<(P, Size)>> {
    let Some(bytes) = reader.view().blob(&file_name::<E, P>())? else { return Ok(None) };
    let Ok(snapshot) = Snapshot::from_bytes(&bytes) else { return Ok(None) };
    if snapshot.name != P::NAME || snapshot.revision != P::REVISION || snapshot.ledger_id != reader.ledger_id() || snapshot.head.size > within {
        return Ok(None);
    }
    if reader.view().root_at(snapshot.head.size)? != snapshot.head.root {
        return Ok(None);
    }
    Ok(snapshot.state::<P>().ok().map(|state| (state, snapshot.head.size)))
}

pub(crate) fn save<E: Event, P: Stored<E>>(reader: &Reader<E>, store: &Store, folded: &Folded<P>) -> Result<()> {
    let snapshot = Snapshot::of(P::NAME, P::REVISION, reader.ledger_id(), folded.head, &**folded)?;
    store.put_blob(&file_name::<E, P>(), &snapshot.to_bytes()?)
}

pub(crate) fn project<E: Event, P: Stored<E>>(reader: &Reader<E>, store: Option<&Store>, projection: P) -> Result<Folded<P>> {
    let head = reader.refresh()?;
    let (mut state, from) = load::<E, P>(reader, head.size)?.unwrap_or((projection, Size::ZERO));
    reader.fold_range(&mut state, from, head.size)?;
    let folded = Folded::new(state, head);
    if let Some(store) = store.filter(|_| from < head.size) {
        save(reader, store, &folded)?;
    }
    Ok(folded)
}

/// A name may hold anything; a file's may not.
fn file_name<E: Event, P: Stored<E>>() -> String {
    use std::fmt::Write as _;
    let mut name = String::from("snapshots/");
    for byte in P::NAME.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
            name.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(name, "%{byte:02x}");
        }
    }
    name
}
