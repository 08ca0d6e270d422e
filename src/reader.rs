//! The handle that cannot record.

use crate::audit::Audit;
use crate::live::Live;
use crate::options::Options;
use crate::read::{Read, Records};
use sovang_core::ids::Commitment;
use sovang_core::personal::Opened;
use sovang_core::record::{Frame, Prepared};
use sovang_core::{
    Date, Encoder, Error, ErrorKind, Event, Head, LedgerId, Position, Query, RecordId, Recorded, Result, Size, SubjectId,
    UtcDateTime, calendar,
};
use sovang_projection::{Folded, Merge, Projection, Stored};
use sovang_storage::store::View;
use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

/// A ledger of events `E`, for reading: a report or an auditor cannot write, by type. Cheap to clone, usable from any thread.
///
/// One opened read-only sees what other processes append; one from [`Self::as_of`] has stopped growing.
pub struct Reader<E> {
    view: View,
    options: Options,
    stopped_at: Option<Head>,
    event: PhantomData<fn() -> E>,
}

impl<E> Clone for Reader<E> {
    fn clone(&self) -> Self {
        Self { view: self.view.clone(), options: self.options.clone(), stopped_at: self.stopped_at, event: PhantomData }
    }
}
impl<E> fmt::Debug for Reader<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader({}, {:?})", self.view.identity().origin, self.stopped_at)
    }
}

/// A point in a ledger's history: a size, or an instant or the end of a day, which mean the largest size whose last record was recorded by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// The first so many records.
    Size(Size),
    /// What was recorded by that instant.
    Instant(UtcDateTime),
    /// What was recorded by the end of that day, at the offset of [`Options::utc_offset`].
    EndOf(Date),
}
impl From<Size> for AsOf {
    fn from(size: Size) -> Self {
        Self::Size(size)
    }
}
impl From<UtcDateTime> for AsOf {
    fn from(at: UtcDateTime) -> Self {
        Self::Instant(at)
    }
}
impl From<Date> for AsOf {
    fn from(day: Date) -> Self {
        Self::EndOf(day)
    }
}

impl<E: Event> Reader<E> {
    pub(crate) fn new(view: View, options: Options) -> Self {
        Self { view, options, stopped_at: None, event: PhantomData }
    }
    pub(crate) fn view(&self) -> &View {
        &self.view
    }
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }
    /// Whether nothing will come any more.
    pub(crate) fn has_stopped(&self) -> bool {
        self.stopped_at.is_some()
    }

    /// The largest checkpoint that the ledger keeps, when that is larger than its log: then the ledger is older than its last signed head,
    /// because it was rolled back or restored from an older copy. What is recorded now makes another history than the one that was signed.
    ///
    /// Where a checkpoint is larger than what this handle has seen, it looks again whether the log has grown.
    ///
    /// # Errors
    /// I/O.
    pub fn signed_beyond(&self) -> Result<Option<Size>> {
        let Some(largest) = self.view.checkpoint_sizes()?.pop().filter(|size| *size > self.view.head().size) else {
            return Ok(None);
        };
        Ok((largest > self.view.refresh()?.size).then_some(largest))
    }
    /// The ledger's name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.view.identity().origin
    }
    /// The name of its events' schema.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.view.identity().schema
    }
    /// The random id it was created with.
    #[must_use]
    pub fn ledger_id(&self) -> LedgerId {
        self.view.identity().ledger_id
    }
    /// Size and root of what is durable, as far as this handle has looked: see [`Self::refresh`].
    #[must_use]
    pub fn head(&self) -> Head {
        self.stopped_at.unwrap_or_else(|| self.view.head())
    }
    /// Looks again at what other processes have appended. Reads and folds do so by themselves.
    ///
    /// # Errors
    /// `Damaged` when what was durable is no longer there.
    pub fn refresh(&self) -> Result<Head> {
        match self.stopped_at {
            Some(head) => Ok(head),
            None => self.view.refresh(),
        }
    }
    /// The records that a query names, in position order, with personal values where the vault has them.
    #[must_use]
    pub fn read(&self, query: Query) -> Read<E> {
        Read::new(self.clone(), query)
    }
    /// The record at a position.
    ///
    /// # Errors
    /// `NotFound` at or beyond the head; `Codec` for a record of the ledger itself, which only a `RawEvent` shows.
    pub fn get(&self, position: Position) -> Result<Recorded<E>> {
        let size = self.refresh()?.size;
        if !size.contains(position) {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no record: the ledger's size is {size}")).at(position));
        }
        self.decode(position, self.view.frame(position)?)
    }
    /// The record with this id, if it is there.
    ///
    /// # Errors
    /// When the log cannot be read; `Codec` for a record of the ledger itself, as for [`Self::get`].
    pub fn find(&self, id: RecordId) -> Result<Option<Recorded<E>>> {
        let size = self.refresh()?.size;
        match self.view.find(id)? {
            Some(position) if size.contains(position) => Ok(Some(self.decode(position, self.view.frame(position)?)?)),
            _ => Ok(None),
        }
    }
    /// Meets every personal value that can still be read here: its field's number, whose it is, and the value as it was encoded
    /// ([`sovang_core::likeness::texts_of`] gives its texts). None without a vault; what is damaged is passed over. It reads all of
    /// the vault.
    ///
    /// # Errors
    /// I/O, and why a vault that is there could not be opened.
    pub fn each_personal_value(&self, each: &mut dyn FnMut(u16, &SubjectId, &[u8])) -> Result<()> {
        self.view.each_value(each)
    }
    /// What this copy of the ledger knows of a personal value: for an export, which must carry the salts too.
    ///
    /// # Errors
    /// `Damaged` when the vault's row is missing or does not match.
    pub fn open_value(&self, commitment: &Commitment) -> Result<Opened> {
        self.view.open_value(commitment)
    }
    /// This ledger as it was: a reader that has stopped growing.
    ///
    /// ```no_run
    /// # use sovang::{Ledger, Size, date, recognition::Recognition};
    /// # let ledger = Ledger::<Recognition>::open("golden-book")?;
    /// let then = ledger.as_of(Size(1_000))?;
    /// let as_known_at_new_year = ledger.as_of(date(2019, 12, 31))?;
    /// # Ok::<(), sovang::Error>(())
    /// ```
    ///
    /// # Errors
    /// `NotFound` for a size beyond the head.
    pub fn as_of(&self, point: impl Into<AsOf>) -> Result<Self> {
        let head = self.refresh()?;
        let size = match point.into() {
            AsOf::Size(size) => size,
            AsOf::Instant(at) => self.view.size_at(calendar::micros_of(at))?.min(head.size),
            AsOf::EndOf(day) => {
                let next = (i64::from(calendar::days_of(day)) + 1) * calendar::DAY_MICROS - self.options.offset_micros();
                self.view.size_at(next - 1)?.min(head.size)
            }
        };
        if size > head.size {
            return Err(Error::new(ErrorKind::NotFound, format!("the ledger's size is {}, not yet {size}", head.size)));
        }
        let root = if size == head.size { head.root } else { self.view.root_at(size)? };
        Ok(Self { stopped_at: Some(Head { size, root }), ..self.clone() })
    }
    /// Folds the log into a projection.
    ///
    /// # Errors
    /// When a record cannot be read; there is no lenient mode.
    pub fn fold<P: Projection<E>>(&self, mut projection: P) -> Result<Folded<P>> {
        let head = self.refresh()?;
        self.fold_range(&mut projection, Size::ZERO, head.size)?;
        Ok(Folded::new(projection, head))
    }
    /// Folds adjacent ranges of the log on so many threads and merges them: byte-equal to [`Self::fold`].
    ///
    /// # Errors
    /// As [`Self::fold`].
    pub fn fold_parallel<P, M>(&self, make: M, threads: usize) -> Result<Folded<P>>
    where
        P: Merge<E> + Send,
        M: Fn() -> P + Sync,
    {
        let head = self.refresh()?;
        // More ranges than threads even out the work.
        let pieces = u64::try_from(threads.max(1)).unwrap_or(1) * 4;
        let step = head.size.0.div_ceil(pieces).max(1);
        let ranges: Vec<std::ops::Range<u64>> =
            (0..pieces).map(|i| i * step..((i + 1) * step).min(head.size.0)).filter(|range| range.start < range.end).collect();
        let state = sovang_projection::fold_parallel(
            make,
            &ranges,
            threads,
            |plan, range| Ok(self.records_between(plan.query(), Size(range.start), Size(range.end))),
            |target, position| self.standing_before(target, position),
        )?;
        Ok(Folded::new(state, head))
    }
    /// As [`crate::Ledger::project`], but nothing is written: a snapshot that a writer saved makes it short.
    ///
    /// # Errors
    /// When a record or a snapshot cannot be read.
    pub fn project<P: Stored<E>>(&self, projection: P) -> Result<Folded<P>> {
        crate::snapshot::project(self, None, projection)
    }
    /// A projection that a thread of its own keeps up to date. It begins with the snapshot, where a writer saved one.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn live<P: Stored<E> + Send + Sync + 'static>(&self, projection: P) -> Result<Live<P>> {
        Live::start(self.clone(), None, projection)
    }
    /// Re-hashes every byte and checks everything that is kept: an error at the first finding.
    ///
    /// The result is consistent, not anchored: only a checkpoint from elsewhere shows that this is the history others saw. A reader
    /// that has stopped growing verifies all that is there, and answers with the head at which it stopped.
    ///
    /// # Errors
    /// `Damaged` with position, file and offset.
    pub fn verify(&self) -> Result<Head> {
        let audit = self.audit()?;
        if let Some(finding) = audit.findings.first() {
            return Err(finding.to_error());
        }
        match self.stopped_at {
            None => Ok(audit.head),
            Some(then) if self.view.root_at(then.size)? == then.root => Ok(then),
            Some(then) => {
                Err(Error::new(ErrorKind::Damaged, format!("the log has another root at size {} than before", then.size)))
            }
        }
    }
    /// Re-hashes every byte and checks everything that is kept: all findings.
    ///
    /// # Errors
    /// Only when the files cannot be read at all.
    pub fn audit(&self) -> Result<Audit> {
        self.audit_with(&mut |_, _| {})
    }
    /// As [`Self::audit`], telling `progress` bytes done and bytes in all.
    ///
    /// # Errors
    /// As [`Self::audit`].
    pub fn audit_with(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Audit> {
        let mut audit = Audit::of(self.view.verify(progress)?);
        audit.findings.extend(crate::snapshot::check(self)?);
        audit.findings.extend(crate::Checkpoints::of(self.view.clone()).check()?);
        Ok(audit)
    }

    /// Decodes a frame for a user: personal values opened, and an amendment resolved, so that its effects can be told.
    pub(crate) fn decode(&self, position: Position, frame: Frame) -> Result<Recorded<E>> {
        let mut record = self.decode_opened(position, frame)?;
        if let Some(target) = record.amends() {
            let before = self.standing(target, position)?.map(|(position, frame)| self.decode_opened(position, frame));
            record.resolve(before.transpose()?);
        }
        Ok(record)
    }
    fn decode_opened(&self, position: Position, frame: Frame) -> Result<Recorded<E>> {
        // What the vault or the log refuses is told as it is, not as a record that cannot be decoded.
        let refused = RefCell::new(None);
        let opener = |commitment: &Commitment| {
            self.view.open_value(commitment).inspect_err(|error| {
                refused.replace(Some(error.clone()));
            })
        };
        Recorded::decode(position, frame, Some(&opener)).map_err(|error| match refused.take() {
            Some(error) if error.position().is_some() => error,
            Some(error) => error.at(position),
            None => Error::from(error).at(position),
        })
    }
    /// Decodes a frame for a fold: personal fields sealed, so that an erasure changes no figure and no decision.
    pub(crate) fn decode_sealed(&self, position: Position, frame: Frame) -> Result<Recorded<E>> {
        Recorded::decode(position, frame, None).map_err(|e| Error::from(e).at(position))
    }
    /// What stood for the original record `target` just before `before`, for a fold.
    pub(crate) fn standing_before(&self, target: RecordId, before: Position) -> Result<Option<Recorded<E>>> {
        self.standing(target, before)?.map(|(position, frame)| self.decode_sealed(position, frame)).transpose()
    }
    /// The last amendment of the original record `target` before `before`, or itself; nothing once retracted.
    fn standing(&self, target: RecordId, before: Position) -> Result<Option<(Position, Frame)>> {
        let mut standing = match self.view.find(target)?.filter(|position| *position < before) {
            None => return Ok(None),
            Some(position) => (position, self.view.frame(position)?),
        };
        for amendment in self.view.amendments(target, before)? {
            let frame = self.view.frame(amendment)?;
            // A retraction is final, whatever came after.
            if frame.is_retraction() {
                return Ok(None);
            }
            standing = (amendment, frame);
        }
        Ok(Some(standing))
    }
    /// Sealed records that match, for folds and decisions.
    pub(crate) fn records_between(&self, query: &Query, from: Size, to: Size) -> Records<E> {
        Records::sealed(self.clone(), query, from, to)
    }
    /// Folds a range of the log into a projection, in place. After an error the projection is between two records.
    pub(crate) fn fold_range<P: Projection<E>>(&self, projection: &mut P, from: Size, to: Size) -> Result<()> {
        let plan = projection.plan();
        if plan.query().is_none() {
            return Ok(());
        }
        for record in self.records_between(plan.query(), from, to) {
            sovang_projection::step(projection, &plan, record?, &|target, position| self.standing_before(target, position))?;
        }
        Ok(())
    }
}

impl<E: Event> Reader<E> {
    /// Whether the record at `there` says what `prepared` says: kind, day, metadata, payload and, while the vault has them, personal values.
    pub(crate) fn same_content(&self, prepared: &Prepared, there: Position) -> Result<bool> {
        let frame = self.view.frame(there)?;
        let same = match prepared.same_public_content(&frame) {
            Some(same) => same,
            None => same_decoded::<E>(prepared, &frame)?,
        };
        if !same {
            return Ok(false);
        }
        for (row, (_, commitment)) in prepared.personal().iter().zip(frame.commitments()) {
            if let (Some(new), Opened::Known { subject, value, .. }) = (&row.value, self.view.open_value(&commitment)?)
                && (new.subject != subject || new.value != value)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether a prepared record says the same as one that another version of the program wrote: its event, as this one would write it.
pub(crate) fn same_decoded<E: Event>(prepared: &Prepared, there: &Frame) -> Result<bool> {
    let recorded: Recorded<E> = Recorded::decode(Position(0), there.clone(), None)?;
    let mut encoder = Encoder::new();
    recorded.event.encode(&mut encoder)?;
    let ours = Frame::parse(bytes::Bytes::copy_from_slice(prepared.bytes()))?;
    Ok(encoder.payload() == ours.payload() && there.metadata()? == ours.metadata()?)
}
