//! Deciding: a command looks at folded state and answers with entries, which are appended only if nothing it looked at
//! has changed.

use crate::projection::{Plan, Projection};
use crate::run::advance;
use sovang_core::{Condition, Date, Entry, Error, ErrorKind, Event, Position, Query, RecordId, Recorded, Result, Size};
use std::fmt;

/// How often [`execute`] decides, by default, before a conflict is the caller's.
pub const ATTEMPTS_DEFAULT: u32 = 5;
/// How often the state of one decision may ask for more than was folded.
pub const WIDENINGS_MAX: usize = 3;

/// A wish, decided purely on state: no store, no clock, no I/O.
pub trait Command<E: Event> {
    /// What is looked at. Its query is also the guard: what is folded is what must not have changed.
    type State: Projection<E>;
    /// Why the answer may be no.
    type Refusal;
    /// The state before any record; it may know the command's own ids. `()` looks at nothing.
    fn state(&self) -> Self::State;
    /// What is to be recorded, as one batch; nothing is written for an empty one.
    ///
    /// # Errors
    /// The refusal, as the caller is to see it.
    fn decide(&self, state: &Self::State) -> Result<Vec<Entry<E>>, Self::Refusal>;
    /// The id of the first entry it decides on, where the command itself knows it: one that is in the ledger is
    /// answered with its first result before anything is decided.
    fn known_id(&self) -> Option<RecordId> {
        None
    }
    /// This command with `today` in place of a day that it leaves open, when its decision needs one.
    fn dated(&self, _today: Date) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

/// Why a command was not carried out.
pub enum ExecuteError<R> {
    /// The command itself said no.
    Refused(R),
    /// The ledger could not be read or appended to.
    Failed(Error),
}

impl<R> From<Error> for ExecuteError<R> {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
impl<R: fmt::Display> fmt::Display for ExecuteError<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Failed(error) => error.fmt(f),
        }
    }
}
impl<R: fmt::Debug> fmt::Debug for ExecuteError<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Failed(error) => error.fmt(f),
        }
    }
}
impl<R: fmt::Debug + fmt::Display> std::error::Error for ExecuteError<R> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(_) => None,
            Self::Failed(error) => error.source(),
        }
    }
}

/// What [`execute`] needs of a ledger.
pub trait Store<E: Event> {
    /// What an append answers with, for each entry.
    type Appended;
    /// How many records there are now.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn size(&self) -> Result<Size>;
    /// The records from `from` up to `to` that match the query, in position order, amendments also under what they
    /// amend; personal fields sealed.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn read(&self, query: &Query, from: Size, to: Size) -> Result<impl Iterator<Item = Result<Recorded<E>>>>;
    /// What stood in place of an original record just before a position: see [`crate::Before`].
    ///
    /// # Errors
    /// When the ledger cannot be read, or never held that original record.
    fn before(&self, target: RecordId, position: Position) -> Result<Option<Recorded<E>>>;
    /// Appends the entries as one batch if the condition holds.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when it does not hold, and whatever else keeps it from appending.
    fn append(&self, entries: Vec<Entry<E>>, condition: Condition) -> Result<Vec<Self::Appended>>;
}

/// Carries out a command.
///
/// Folds the state; when the state then asks for more than was folded, folds the wider query into a fresh state, at
/// most [`WIDENINGS_MAX`] times; decides, and appends on the condition that nothing that was asked for has come since.
/// On a conflict the tail is folded and the decision taken again, `attempts` times in all (at least once).
///
/// # Errors
/// The command's refusal; the last conflict, once the attempts are used up; and failures of the store.
pub fn execute<E, C, S>(store: &S, command: &C, attempts: u32) -> Result<Vec<S::Appended>, ExecuteError<C::Refusal>>
where
    E: Event,
    C: Command<E>,
    S: Store<E>,
{
    let mut looking = Looking::start(command);
    let mut left = attempts.max(1);
    loop {
        let size = store.size()?;
        looking.look(store, command, size)?;
        let entries = command.decide(&looking.state).map_err(ExecuteError::Refused)?;
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        left -= 1;
        match store.append(entries, looking.plan.query().clone().unchanged_since(size)) {
            Err(error) if error.kind() == ErrorKind::Conflict && left > 0 => {}
            answer => return Ok(answer?),
        }
    }
}

/// A command's state with what it was folded from.
pub(crate) struct Looking<P> {
    pub(crate) state: P,
    plan: Plan,
    size: Size,
}

impl<P> Looking<P> {
    pub(crate) fn start<E: Event, C: Command<E, State = P>>(command: &C) -> Self
    where
        P: Projection<E>,
    {
        let state = command.state();
        Self { plan: state.plan(), state, size: Size::ZERO }
    }

    /// Brings the state up to `size`, with all that it asks for by then.
    pub(crate) fn look<E: Event, C, S>(&mut self, store: &S, command: &C, size: Size) -> Result<()>
    where
        P: Projection<E>,
        C: Command<E, State = P>,
        S: Store<E>,
    {
        self.fold_to(store, size)?;
        for _ in 0..WIDENINGS_MAX {
            let asked = self.state.plan();
            if !asked.has_grown_from(&self.plan) {
                return Ok(());
            }
            // From the start, in position order: what was folded may have to be seen after what was not.
            let plan = std::mem::replace(&mut self.plan, Plan::leaf(Query::none())).with(asked);
            *self = Self { state: command.state(), plan, size: Size::ZERO };
            self.fold_to(store, size)?;
        }
        if self.state.plan().has_grown_from(&self.plan) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("the command's state asked for more records than it had seen {} times", WIDENINGS_MAX + 1),
            )
            .advise("let `query` of the state grow only by what its records name, and in at most three steps"));
        }
        Ok(())
    }

    fn fold_to<E: Event, S: Store<E>>(&mut self, store: &S, size: Size) -> Result<()>
    where
        P: Projection<E>,
    {
        if !self.plan.query().is_none() && self.size < size {
            let records = store.read(self.plan.query(), self.size, size)?;
            advance(&mut self.state, &self.plan, records, &|target, position| store.before(target, position))?;
        }
        self.size = size;
        Ok(())
    }
}
