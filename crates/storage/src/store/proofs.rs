//! What proofs are made of, and what comes before a head is signed: the stored tree nodes, a sync that any process can ask for,
//! and the log hashed again.

use super::View;
use super::audit::log_report;
use crate::log;
use sovang_core::tree::{self, Frontier, Hash};
use sovang_core::{Error, ErrorKind, Head, Position, Result, Root, Size};

impl View {
    /// The inclusion proof of a record in the tree of the first `size` records (RFC 6962 §2.1.1): O(log n) lookups and at most 256
    /// records for each end of the tree that is not complete.
    ///
    /// # Errors
    /// `NotFound` for a position at or beyond `size`, or a size beyond the head; `Damaged`, I/O.
    pub fn inclusion_proof(&self, position: Position, size: Size) -> Result<Vec<Hash>> {
        if !size.contains(position) {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no such record at size {size}")).at(position));
        }
        tree::inclusion_proof(position, size, &mut |node| self.node(node, size))
    }
    /// The proof that the tree of the first `new` records extends the one of the first `old` (RFC 6962 §2.1.2); empty when `old` is
    /// 0 or not below `new`.
    ///
    /// # Errors
    /// `NotFound` for a size beyond the head; `Damaged`, I/O.
    pub fn consistency_proof(&self, old: Size, new: Size) -> Result<Vec<Hash>> {
        tree::consistency_proof(old, new, &mut |node| self.node(node, new))
    }
    /// The root over the first `size` records, from the records alone: no index is asked. It reads all of them.
    ///
    /// # Errors
    /// `NotFound` for a size beyond the head; `Damaged`, I/O.
    pub fn root_by_walk(&self, size: Size) -> Result<Root> {
        self.within(size)?;
        let mut frontier = Frontier::new();
        for walked in self.shared.segments.walk(log::Segments::start(), size) {
            let walked = walked?;
            frontier.push(tree::leaf_hash(&walked.frame.hash(walked.position)));
        }
        if frontier.size() == size {
            return Ok(frontier.root());
        }
        Err(Error::new(ErrorKind::Damaged, format!("the log ends at size {} and not at {size}", frontier.size())))
    }
    /// Makes the durable head so firm that no power loss together with damage can hide it (docs/RELIABILITY.md): syncs the last
    /// segment, `HEAD` and their directories. It needs no lock and writes nothing of its own, so any process may ask for it.
    ///
    /// # Errors
    /// I/O.
    pub fn force(&self) -> Result<()> {
        log::force(&*self.shared.files)
    }
    /// Reads every byte of the log again and hashes it, and gives the head it leads to. Index and vault are not looked at. `progress`
    /// is told bytes done and bytes in all.
    ///
    /// # Errors
    /// `Damaged` with the first finding; `NotALedger`, `WrongFormat`, I/O.
    pub fn rehash(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Head> {
        let report = log_report(&self.shared.files, progress)?;
        let Some(finding) = report.findings.into_iter().next() else {
            return Ok(report.head);
        };
        let mut error = Error::new(ErrorKind::Damaged, finding.what);
        if let Some(position) = finding.position {
            error = error.at(position);
        }
        if let Some(file) = finding.file {
            error = error.in_file(file);
        }
        Err(finding.offset.map_or(error.clone(), |offset| error.at_offset(offset)))
    }
}
