//! What a projection is, and how several are one.

use serde::{Serialize, de::DeserializeOwned};
use sovang_core::{Event, Head, Query, Recorded};
use std::ops::Deref;

/// A state that is folded from records: a read model, or what a command decides on.
///
/// ```
/// use sovang_core::{CodecError, Decoder, Encoder, Event, Kind, Query, Recorded};
/// use sovang_projection::Projection;
/// # pub struct Repaid { loan: String, cents: i64 }
/// # impl Event for Repaid {
/// #     const SCHEMA: &'static str = "example.org/loans";
/// #     const KINDS: &'static [Kind] = &[Kind::new(2, 1, "loan_repaid")];
/// #     fn kind(&self) -> Kind { Self::KINDS[0] }
/// #     fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> { to.put(&(&self.loan, self.cents)) }
/// #     fn decode(_: u16, _: u16, from: &mut Decoder) -> Result<Self, CodecError> {
/// #         let (loan, cents) = from.take()?;
/// #         Ok(Self { loan, cents })
/// #     }
/// # }
/// #[derive(Default)]
/// pub struct TotalRepaid { cents: i128 }
///
/// impl Projection<Repaid> for TotalRepaid {
///     fn query(&self) -> Query {
///         Query::kind(Repaid::KINDS[0])
///     }
///     fn apply(&mut self, record: &Recorded<Repaid>) {
///         for effect in record.effects() {
///             self.cents += i128::from(effect.weight) * i128::from(effect.event.cents);
///         }
///     }
/// }
/// ```
pub trait Projection<E: Event> {
    /// Which records it is folded from. Asked once when a fold starts; a command's state is asked again after it
    /// was folded, and may then name more (see [`crate::execute`]).
    fn query(&self) -> Query {
        Query::all()
    }
    /// Takes a record that matches the query. It cannot fail: a record is a fact. Loop over
    /// [`Recorded::effects`], and corrections and retractions come out right.
    fn apply(&mut self, record: &Recorded<E>);

    /// Which half of a tuple is asked for what, evaluated once for a fold.
    #[doc(hidden)]
    fn plan(&self) -> Plan {
        Plan::leaf(self.query())
    }
    /// Takes a record if it matches, with the effects that do.
    #[doc(hidden)]
    fn apply_planned(&mut self, plan: &Plan, record: &Recorded<E>) {
        if record.narrow(plan.query()) {
            self.apply(record);
        }
    }
}

/// A projection whose state is kept between runs: see [`crate::Snapshot`].
pub trait Stored<E: Event>: Projection<E> + Serialize + DeserializeOwned {
    /// Its name among the projections of a ledger: 1 to 64 of `a-z`, `0-9`, `_` and `-`, as it names a file.
    const NAME: &'static str;
    /// Raised whenever query, `apply` or the state's layout change: states of other revisions are never used.
    const REVISION: u32;
}

/// A projection whose states of adjacent ranges add up to the state of both: it can be folded in parallel.
pub trait Merge<E: Event>: Projection<E> {
    /// Adds the state of the records that directly follow those of `self`. Must be associative, and give the same
    /// bytes as one fold over both ranges.
    fn merge(&mut self, later: Self);
}

/// A projection's queries, one for each half of a tuple, as they were when a fold started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    query: Query,
    halves: Vec<Self>,
}

impl Plan {
    /// Of one projection.
    #[must_use]
    pub fn leaf(query: Query) -> Self {
        Self { query, halves: Vec::new() }
    }
    /// Of several: what any of them asks for is read.
    #[must_use]
    pub fn several(halves: Vec<Self>) -> Self {
        let query = halves.iter().fold(Query::none(), |all, half| all.or(half.query.clone()));
        Self { query, halves }
    }
    /// What has to be read.
    #[must_use]
    pub fn query(&self) -> &Query {
        &self.query
    }
    /// Whether this asks for something that `before` did not, in any half.
    #[must_use]
    pub fn has_grown_from(&self, before: &Self) -> bool {
        self.query.items().iter().any(|item| !before.query.items().contains(item))
            || self.halves.iter().zip(&before.halves).any(|(now, then)| now.has_grown_from(then))
    }
    /// What this or `other` asks for, half by half: plans of the same projection type.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            query: self.query.or(other.query),
            halves: self.halves.into_iter().zip(other.halves).map(|(a, b)| a.with(b)).collect(),
        }
    }
}

/// A state with the head it was folded up to, so that a figure travels with what proves it. Derefs to the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded<P> {
    /// The log as it was folded: all of its records and no later one.
    pub head: Head,
    state: P,
}

impl<P> Folded<P> {
    /// A state and the head that it was folded up to.
    #[must_use]
    pub fn new(state: P, head: Head) -> Self {
        Self { head, state }
    }
    /// The state, to be folded on: whoever does sets the head as well.
    #[must_use]
    pub fn state_mut(&mut self) -> &mut P {
        &mut self.state
    }
    /// The state alone.
    #[must_use]
    pub fn into_inner(self) -> P {
        self.state
    }
}

impl<P> Deref for Folded<P> {
    type Target = P;
    fn deref(&self) -> &P {
        &self.state
    }
}

/// Nothing to look at.
impl<E: Event> Projection<E> for () {
    fn query(&self) -> Query {
        Query::none()
    }
    fn apply(&mut self, _record: &Recorded<E>) {}
}
impl<E: Event> Merge<E> for () {
    fn merge(&mut self, _later: Self) {}
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),+);)+) => {$(
        /// Several projections in one pass; each sees what it asks for.
        impl<E: Event, $($name: Projection<E>),+> Projection<E> for ($($name,)+) {
            fn query(&self) -> Query {
                self.plan().query
            }
            fn apply(&mut self, record: &Recorded<E>) {
                let plan = self.plan();
                self.apply_planned(&plan, record);
            }
            fn plan(&self) -> Plan {
                Plan::several(vec![$(self.$index.plan()),+])
            }
            fn apply_planned(&mut self, plan: &Plan, record: &Recorded<E>) {
                $(self.$index.apply_planned(&plan.halves[$index], record);)+
            }
        }
        impl<E: Event, $($name: Merge<E>),+> Merge<E> for ($($name,)+) {
            fn merge(&mut self, later: Self) {
                $(self.$index.merge(later.$index);)+
            }
        }
    )+};
}
tuples! {
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, F 4);
    (A 0, B 1, C 2, D 3, F 4, G 5);
    (A 0, B 1, C 2, D 3, F 4, G 5, H 6);
    (A 0, B 1, C 2, D 3, F 4, G 5, H 6, I 7);
}
