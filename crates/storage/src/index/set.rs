//! The runs in use: together they cover every position from 0 to their end, each position by one of them.

use super::run::Run;
use crate::log::{Cursor, Segments};
use sovang_core::tree::Frontier;
use std::cmp::Ordering;
use std::sync::Arc;

/// A run, and from which position on it is asked; below, another one is.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) run: Arc<Run>,
    pub(super) from: u64,
}

/// The members, ascending and without gaps. Never changed: replaced.
#[derive(Clone, Default)]
pub(super) struct Set {
    members: Vec<Member>,
}

impl Set {
    /// What covers the most of these runs: at each place the one that reaches furthest. What comes after a gap, what is covered
    /// by others, and what follows on another history is not in it. With `overlapping`, a run may also begin below the place
    /// it is used from: only for runs known to be of one history, since nothing proves it.
    pub(super) fn cover(runs: impl IntoIterator<Item = Arc<Run>>, overlapping: bool) -> Self {
        let runs: Vec<Arc<Run>> = runs.into_iter().collect();
        let mut set = Self::default();
        loop {
            let (covered, root) = (set.end(), set.frontier().root());
            let fits = |run: &Run| match run.first().cmp(&covered) {
                Ordering::Less => overlapping && run.end() > covered,
                Ordering::Equal => run.footer().before == root,
                Ordering::Greater => false,
            };
            let best = runs.iter().filter(|run| fits(run)).max_by_key(|run| run.end());
            let Some(best) = best else { return set };
            set.members.push(Member { run: Arc::clone(best), from: covered });
        }
    }
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }
    pub(super) fn contains(&self, run: &Arc<Run>) -> bool {
        self.members.iter().any(|m| Arc::ptr_eq(&m.run, run))
    }
    pub(super) fn end(&self) -> u64 {
        self.cursor().position
    }
    pub(super) fn frontier(&self) -> Frontier {
        self.members.last().map_or_else(Frontier::new, |m| m.run.footer().frontier.clone())
    }
    pub(super) fn cursor(&self) -> Cursor {
        self.members.last().map_or_else(Segments::start, |m| m.run.footer().cursor)
    }
    /// The run to ask about a position below the end.
    pub(super) fn at(&self, position: u64) -> Option<&Arc<Run>> {
        let member = self.members.partition_point(|m| m.from <= position).checked_sub(1)?;
        self.members.get(member).map(|m| &m.run).filter(|run| position < run.end())
    }
}
