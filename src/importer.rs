//! Taking many entries at once, with their own ids and actors.

use crate::ledger::Ledger;
use crate::spool::{Spool, Spooled};
use sovang_core::event::LedgerEvent;
use sovang_core::record::{Frame, PersonalRow, Prepared};
use sovang_core::{
    Date, Envelope, Error, ErrorKind, Event, Head, Import, Position, Query, RecordId, Recorded, Result, Size, UtcDateTime,
    calendar, limits,
};
use sovang_projection::{ExecuteError, Projection};
use sovang_storage::store::{Store, Submission, Ticket};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// Records of one batch of an import at most.
const BATCH_RECORDS: usize = 1024;
/// Bytes after which a batch is closed.
const BATCH_BYTES: usize = limits::BATCH_BYTES_MAX / 4;
/// Batches on their way to the disk at one time.
const BATCHES_IN_FLIGHT: usize = 4;
/// Bytes set aside for one record beyond its frame: checksum, its share of a batch and of the index (docs/FORMAT.md §2.3, §6).
const OVERHEAD_BYTES_A_RECORD: u64 = 72;
/// Bytes that a personal value takes in the vault, beyond its own and its subject's id: a slot for a new subject, the row's
/// header, what is encrypted with the value, and the padding (docs/FORMAT.md §7).
const OVERHEAD_BYTES_A_VALUE: u64 = 128 + 112 + 34 + 16 + 127;
/// Bytes by which the ledger's files may end within a page of the disk.
const PAGES_BYTES: u64 = 32 << 10;

/// Rules that judge entry after entry in memory: a state of the whole log, kept up to date with what was taken since.
pub trait Rules<E: Event>: Projection<E> {
    /// Why an entry is refused.
    type Refusal;
    /// Judges an entry on the log and on all that was admitted before, and on success counts it as admitted.
    ///
    /// `names` tells what an id names in the log or in this import: an amendment is judged by what its target does.
    ///
    /// # Errors
    /// `Refused` by a rule, or `Failed` when the log cannot be read.
    fn admit(&mut self, import: &Import<E>, id: RecordId, names: Names<'_, E>) -> Result<(), ExecuteError<Self::Refusal>>;
}

/// Tells what an id names.
pub type Names<'a, E> = &'a dyn Fn(RecordId) -> Result<Named<E>>;

/// What an id names, for an amendment to be judged.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a value that is looked at once")]
pub enum Named<E> {
    /// No record.
    Nothing,
    /// An amendment.
    Amendment,
    /// An original record that was retracted.
    Retracted,
    /// An original record, or the last correction of it: see [`sovang_core::Event::amends`].
    Standing(Recorded<E>),
}

/// No rules: for domains that have none, and for migrations of what was judged before.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRules;
impl<E: Event> Projection<E> for NoRules {
    fn query(&self) -> Query {
        Query::none()
    }
    fn apply(&mut self, _record: &Recorded<E>) {}
}
impl<E: Event> Rules<E> for NoRules {
    type Refusal = std::convert::Infallible;
    fn admit(&mut self, _: &Import<E>, _: RecordId, _: Names<'_, E>) -> Result<(), ExecuteError<Self::Refusal>> {
        Ok(())
    }
}

/// What became of an entry that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It will be appended.
    New,
    /// It is in the ledger or in this import already, with the same content.
    Duplicate,
}

/// What an import did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// Records appended; of a check, those that would be.
    pub appended: u64,
    /// Entries that were there already, with the same content.
    pub duplicates: u64,
    /// The ledger's size and root afterwards.
    pub head: Head,
}

/// Takes entries with their own ids and actors; decides each on the log and on what it has already taken, keeps them
/// in a temporary file, and appends all of them at the end or none. With [`Self::batch`] it appends as it goes.
///
/// Memory: the rules' state, and about 20 bytes a record taken and not yet appended, 75 an amendment.
pub struct Importer<E, R> {
    ledger: Ledger<E>,
    rules: R,
    spool: RefCell<Spool>,
    batch: Option<usize>,
    migrating: bool,
    spooled_bytes: u64,
    last_recorded_at: i64,
    looked_at: Size,
    appended: u64,
    duplicates: u64,
    /// Why nothing can be appended any more.
    failed: Option<Error>,
}

impl<E, R> fmt::Debug for Importer<E, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Importer({} taken, {} duplicates)", self.spool.borrow().len(), self.duplicates)
    }
}

impl<E: Event, R: Rules<E>> Importer<E, R> {
    pub(crate) fn new(ledger: Ledger<E>, mut rules: R) -> Result<Self> {
        let head = ledger.refresh()?;
        ledger.fold_range(&mut rules, Size::ZERO, head.size)?;
        Ok(Self {
            rules,
            spool: RefCell::new(Spool::new()?),
            batch: None,
            migrating: false,
            spooled_bytes: 0,
            last_recorded_at: i64::MIN,
            looked_at: head.size,
            appended: 0,
            duplicates: 0,
            failed: None,
            ledger,
        })
    }
    /// Appends every `records` entries, and so keeps what came before a bad one.
    #[must_use]
    pub fn batch(mut self, records: usize) -> Self {
        self.batch = Some(records.max(1));
        self
    }
    /// Takes over another ledger's export: recorded times, salts and commitments come from the entries.
    ///
    /// # Errors
    /// `NotEmpty` unless the ledger is empty.
    pub fn migrating(mut self) -> Result<Self> {
        if self.looked_at != Size::ZERO {
            return Err(Error::new(
                ErrorKind::NotEmpty,
                format!("a migration needs an empty ledger; this one has {} records", self.looked_at),
            )
            .advise("create a new ledger and migrate into it"));
        }
        self.migrating = true;
        Ok(self)
    }

    /// Takes one entry; one without an id gets a new one.
    ///
    /// # Errors
    /// `Refused` by a rule; `Failed` for content that differs under an id that is there, an amendment of what is not there, or
    /// what cannot be prepared: then nothing of the entry is kept, and others may still be taken. With [`Self::batch`] also what
    /// [`Self::finish`] says; then the import is over.
    pub fn take(&mut self, import: Import<E>) -> Result<Taken, ExecuteError<R::Refusal>> {
        let id = match import.entry.id() {
            Some(id) => id,
            None => self.ledger.options().fresh_id()?,
        };
        let prepared = self.prepare(&import, id)?;
        if self.is_duplicate(&prepared)? {
            return Ok(Taken::Duplicate);
        }
        self.check_people(&prepared)?;
        let recorded_at = self.recorded_at(import.recorded_at)?;
        let amendable = self.check_target(&prepared);
        // Rules judge by the day it is, where the writer is to set it.
        let import = Import { entry: import.entry.dated(self.ledger.options().today()?), ..import };
        let (ledger, spool) = (&self.ledger, &self.spool);
        self.rules.admit(&import, id, &|target| named(ledger, spool, target))?;
        // Rules that look at targets have said better what is wrong.
        amendable?;
        self.keep(&prepared, recorded_at)?;
        Ok(Taken::New)
    }
    /// Whether the same is there or was taken.
    fn is_duplicate(&mut self, prepared: &Prepared) -> Result<bool> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let id = prepared.id();
        let same = if let Some(there) = self.ledger.view().find(id)? {
            if !self.ledger.same_content(prepared, there)? {
                return Err(differs(id).at(there));
            }
            true
        } else if let Some(earlier) = self.spool.get_mut().get(id)? {
            if !prepared.same_as(&earlier.record) {
                return Err(differs(id));
            }
            true
        } else {
            false
        };
        self.duplicates += u64::from(same);
        Ok(same)
    }
    /// What the writer would refuse only at the end, when it comes to personal data.
    fn check_people(&self, prepared: &Prepared) -> Result<()> {
        let refused = |kind, what| Err(Error::new(kind, what).with_ids([prepared.id()]));
        if !prepared.personal().is_empty() && !self.ledger.view().has_vault() {
            return refused(ErrorKind::InvalidInput, "this copy of the ledger has no vault, so it takes no personal data");
        }
        for value in prepared.personal().iter().filter_map(|row| row.value.as_ref()) {
            if self.ledger.view().is_erased(&value.subject)? {
                let named = Error::new(ErrorKind::ErasedSubject, "the entry names a person whose data was erased");
                return Err(named.with_ids([prepared.id()]).advise("leave the person out, or leave the entry out"));
            }
        }
        Ok(())
    }
    /// What the writer would refuse only at the end, when it comes to amendments.
    fn check_target(&self, prepared: &Prepared) -> Result<()> {
        let Some(target) = prepared.target() else { return Ok(()) };
        let spooled = self.spool.borrow_mut().get(target)?;
        let (kind, is_amendment) = match spooled {
            Some(Spooled { record, .. }) => (record.kind(), record.target().is_some()),
            None => match self.ledger.view().find(target)? {
                Some(position) => {
                    let frame = self.ledger.view().frame(position)?;
                    (frame.kind(), frame.is_amendment())
                }
                None => return Err(not_amendable(prepared, target, "to be amended is not in the ledger")),
            },
        };
        if is_amendment || kind >= limits::LEDGER_KIND_FIRST {
            return Err(not_amendable(prepared, target, "to be amended is no original event"));
        }
        if prepared.replacement_kind().is_some_and(|replacement| replacement != kind) {
            return Err(not_amendable(prepared, target, "is of another kind than what is to replace it"));
        }
        Ok(())
    }
    /// Takes a record of the ledger itself, in a migration.
    ///
    /// # Errors
    /// `InvalidInput` outside a migration; else as [`Self::take`].
    pub fn take_ledger_event(
        &mut self,
        event: &LedgerEvent,
        id: RecordId,
        occurred_on: Date,
        envelope: Envelope,
        recorded_at: Option<UtcDateTime>,
    ) -> Result<Taken> {
        if !self.migrating {
            return Err(Error::new(ErrorKind::InvalidInput, "a record of the ledger itself is taken only by a migration"));
        }
        let mut no_salt = || Err(Error::new(ErrorKind::InvalidInput, "a record of the ledger itself has no personal fields"));
        let prepared = Prepared::new(event, id, Some(calendar::days_of(occurred_on)), envelope, None, &[], &mut no_salt)?;
        if self.is_duplicate(&prepared)? {
            return Ok(Taken::Duplicate);
        }
        let recorded_at = self.recorded_at(recorded_at)?;
        self.keep(&prepared, recorded_at)?;
        Ok(Taken::New)
    }
    fn prepare(&self, import: &Import<E>, id: RecordId) -> Result<Prepared> {
        let entry = &import.entry;
        let mut envelope = import.envelope.clone();
        if let Some(source) = entry.given_source() {
            envelope.source = Some(source.to_owned());
        }
        let given = if self.migrating { import.given.as_slice() } else { &[] };
        let mut salt = || {
            let mut salt = [0; 32];
            self.ledger.options().fill(&mut salt)?;
            Ok(salt)
        };
        let on = entry.occurred_on().map(calendar::days_of);
        Prepared::new(entry.event(), id, on, envelope, entry.waiver().cloned(), given, &mut salt).map_err(|e| e.with_ids([id]))
    }
    fn recorded_at(&self, given: Option<UtcDateTime>) -> Result<Option<i64>> {
        if !self.migrating {
            return Ok(None);
        }
        let Some(at) = given.map(calendar::micros_of) else {
            return Err(Error::new(ErrorKind::InvalidInput, "a migration needs the recorded_at of every record"));
        };
        if at < self.last_recorded_at {
            return Err(Error::new(ErrorKind::InvalidInput, "recorded_at goes back behind the record before"));
        }
        Ok(Some(at))
    }
    fn keep(&mut self, prepared: &Prepared, recorded_at: Option<i64>) -> Result<()> {
        self.spooled_bytes +=
            prepared.len() as u64 + OVERHEAD_BYTES_A_RECORD + prepared.personal().iter().map(in_vault).sum::<u64>();
        let spool = self.spool.get_mut();
        spool.push(prepared, recorded_at)?;
        self.last_recorded_at = recorded_at.unwrap_or(self.last_recorded_at);
        if self.batch.is_some_and(|records| spool.len() >= records) {
            self.append()?;
        }
        Ok(())
    }
    /// Appends what was taken: room for log, vault and index is set aside first, so that a lack of space refuses all of it.
    ///
    /// Another handle's record, a failure or a kill in the midst of more than one batch leaves a prefix on a batch boundary,
    /// which the same import completes.
    ///
    /// # Errors
    /// `NoSpace` with nothing appended; `Conflict` when another handle recorded in between; else as [`crate::Recorder::record_all`].
    pub fn finish(mut self) -> Result<Imported> {
        self.append()?;
        Ok(Imported { appended: self.appended, duplicates: self.duplicates, head: self.ledger.refresh()? })
    }
    /// Ends without appending what is still kept aside, and says what would have been: for a dry run, or after a bad entry.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn abandon(self) -> Result<Imported> {
        let kept = self.spool.borrow().len() as u64;
        Ok(Imported { appended: self.appended + kept, duplicates: self.duplicates, head: self.ledger.refresh()? })
    }
    fn append(&mut self) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.spool.get_mut().len() == 0 {
            return Ok(());
        }
        let store = Arc::clone(self.ledger.store());
        let reserved = store.reserve(self.spooled_bytes + PAGES_BYTES)?;
        let mut sending = Sending::new(&store, self.looked_at);
        let sent = self
            .spool
            .get_mut()
            .drain(|spooled| sending.add(spooled))
            .and_then(|()| sending.send())
            .and_then(|()| sending.land(0));
        drop(reserved);
        self.appended += sending.appended;
        self.duplicates += sending.repeated;
        self.looked_at = sending.looked_at;
        self.spooled_bytes = 0;
        // The spool is half empty then.
        sent.inspect_err(|error| self.failed = Some(error.clone()))
    }
}

/// Batches under way; each is appended only if nothing but the ones before it came since the import looked at the log.
struct Sending<'a> {
    store: &'a Store,
    looked_at: Size,
    records: Vec<Prepared>,
    times: Vec<i64>,
    bytes: usize,
    /// With the size that each is to bring about.
    flying: VecDeque<(Ticket, Size)>,
    appended: u64,
    repeated: u64,
}
impl<'a> Sending<'a> {
    fn new(store: &'a Store, looked_at: Size) -> Self {
        let (records, times, flying) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { store, looked_at, records, times, bytes: 0, flying, appended: 0, repeated: 0 }
    }
    fn add(&mut self, Spooled { record, recorded_at }: Spooled) -> Result<()> {
        if self.records.len() == BATCH_RECORDS || self.bytes + record.len() > BATCH_BYTES {
            self.send()?;
        }
        self.bytes += record.len();
        self.records.push(record);
        self.times.extend(recorded_at);
        Ok(())
    }
    fn send(&mut self) -> Result<()> {
        if self.records.is_empty() {
            return Ok(());
        }
        let records = std::mem::take(&mut self.records);
        let times = std::mem::take(&mut self.times);
        let condition = Some(Query::all().unchanged_since(self.looked_at));
        self.looked_at = Size(self.looked_at.0 + records.len() as u64);
        self.bytes = 0;
        let recorded_at = if times.is_empty() { None } else { Some(times) };
        let is_first = self.appended + self.repeated == 0 && self.flying.is_empty();
        self.flying.push_back((self.store.submit(Submission { records, condition, recorded_at })?, self.looked_at));
        // The first one shows whether the ledger itself recorded something meanwhile, which is in nobody's way.
        self.land(if is_first { 0 } else { BATCHES_IN_FLIGHT })
    }
    fn land(&mut self, still_flying: usize) -> Result<()> {
        while self.flying.len() > still_flying {
            if let Some((ticket, expected)) = self.flying.pop_front() {
                let done = ticket.wait()?;
                let records = done.records.len() as u64;
                if done.repeated {
                    self.repeated += records;
                } else {
                    self.appended += records;
                }
                let reached = done.records.last().map_or(expected, |last| last.position.next());
                self.looked_at.0 += reached.0.saturating_sub(expected.0);
            }
        }
        Ok(())
    }
}

fn not_amendable(prepared: &Prepared, target: RecordId, why: &str) -> Error {
    Error::new(ErrorKind::AmendmentTarget, format!("the record {target} {why}")).with_ids([prepared.id()])
}

/// The most that a personal field takes in the vault.
fn in_vault(row: &PersonalRow) -> u64 {
    let value = row.value.as_ref().map_or(0, |value| value.value.len() + value.subject.as_str().len());
    OVERHEAD_BYTES_A_VALUE + value as u64
}

fn differs(id: RecordId) -> Error {
    Error::new(ErrorKind::ContentDiffers, format!("the id {id} is there already, with other content"))
        .advise("send a correction instead, or give the new record its own id")
        .with_ids([id])
}

/// What an id names, in the spool or in the log.
fn named<E: Event>(ledger: &Ledger<E>, spool: &RefCell<Spool>, id: RecordId) -> Result<Named<E>> {
    let mut spool = spool.borrow_mut();
    let newest = match spool.last_amendment(id) {
        Some(amendment) => spool.get(amendment)?,
        None => spool.get(id)?,
    };
    drop(spool);
    let Some(Spooled { record, .. }) = newest else { return in_log(ledger, id) };
    let frame = Frame::parse(bytes::Bytes::copy_from_slice(record.bytes()))?;
    if frame.is_retraction() && frame.id() != id {
        return Ok(Named::Retracted);
    }
    if frame.is_amendment() && frame.id() == id {
        return Ok(Named::Amendment);
    }
    // It has no position yet; nothing that judges asks for one.
    Ok(Named::Standing(ledger.decode_sealed(Position(u64::MAX), frame)?))
}

fn in_log<E: Event>(ledger: &Ledger<E>, id: RecordId) -> Result<Named<E>> {
    let Some(position) = ledger.view().find(id)? else { return Ok(Named::Nothing) };
    if ledger.view().frame(position)?.is_amendment() {
        return Ok(Named::Amendment);
    }
    Ok(ledger.standing_before(id, Position(u64::MAX))?.map_or(Named::Retracted, Named::Standing))
}
