//! Whole histories of a store against a plain list: appends, conditions, amendments, repetitions, personal values, erasures, closing, being
//! killed, torn tails.

use crate::fact::{Fact, prepared};
use crate::index_run::store_options;
use crate::{INPUT_BYTES_MAX, at, image};
use arbitrary::{Arbitrary, Unstructured};
use sovang_core::event::LedgerEvent;
use sovang_core::personal::Opened;
use sovang_core::tree::{self, Frontier};
use sovang_core::{Condition, ErrorKind, Event, Personal, Position, Query, RecordId, Result, Root, Size, SubjectId, hash};
use sovang_storage::memory::MemoryFiles;
use sovang_storage::store::{Done, Store, Submission, Ticket, View};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Operations of an input at most.
const OPERATIONS_MAX: usize = 40;

#[derive(Arbitrary, Debug)]
enum Operation {
    /// Several submissions in flight at once: tag and kind of each.
    Append(Vec<(u8, bool)>),
    /// One batch.
    Batch(Vec<(u8, bool)>),
    /// If nothing of a tag came since the size so many before now.
    Conditional { tag: u8, looked_back: u8 },
    /// Replaces or retracts a record.
    Amend { target: u8, retract: bool, tag: u8 },
    /// Sends a record again.
    Repeat(u8),
    /// Sends other content under an id that is there.
    Differ(u8),
    /// A value of a person.
    Member { who: u8, tag: u8 },
    /// Erases a person.
    Erase(u8),
    /// Closes and opens.
    Close,
    /// Goes on from what the files hold, without closing.
    Kill,
    /// As `Kill`, with bytes behind the log's end that no writer wrote.
    Torn(Vec<u8>),
    /// Looks at everything.
    Look,
}

/// Tags are few, so that they meet.
fn few(n: u8) -> u8 {
    n % 5
}

struct Member {
    position: u64,
    who: u8,
    name: String,
}

/// What a record is found under, by the rules as they are written.
#[derive(Clone, Default)]
struct Found {
    kinds: BTreeSet<u16>,
    tags: BTreeSet<u8>,
    about: u64,
}

#[derive(Default)]
struct Model {
    /// None for a record of the ledger itself.
    facts: Vec<Option<Fact>>,
    found: Vec<Found>,
    members: Vec<Member>,
    erased: BTreeSet<u8>,
    roots: Vec<Root>,
}

impl Model {
    fn size(&self) -> u64 {
        self.facts.len() as u64
    }
    fn add(&mut self, fact: Fact) {
        let own = self.size();
        let mut found = Found { about: own, ..Found::default() };
        if let Some(amends) = fact.amends() {
            found.about = (0..own).find(|n| image::id(*n) == amends.target()).expect("amendable");
            for earlier in self.found.iter().filter(|f| f.about == found.about) {
                found.kinds.extend(&earlier.kinds);
                found.tags.extend(&earlier.tags);
            }
        }
        found.kinds.insert(fact.kind().number());
        let keys = sovang_core::Tags::of(&fact).unwrap();
        found.tags.extend((0..5).filter(|tag| keys.contains(&Fact::key(*tag))));
        self.facts.push(Some(fact));
        self.found.push(found);
    }
    fn positions(&self, matches: impl Fn(&Found) -> bool) -> Vec<u64> {
        (0..).zip(&self.found).filter(|(_, f)| matches(f)).map(|(n, _)| n).collect()
    }
}

fn fact((tag, first): (u8, bool), n: u64) -> Fact {
    let text = vec![b'x'; at(n % 7) * 40];
    if first { Fact::A(vec![few(tag)], text) } else { Fact::B(vec![few(tag), 9], text) }
}
fn by_tag(tag: u8) -> Query {
    Query::tag("t", tag.to_string())
}
fn submission(facts: &[Fact], from: u64, condition: Option<Condition>) -> Submission {
    let records = (from..).zip(facts).map(|(n, fact)| prepared(fact, image::id(n))).collect();
    Submission { records, condition, recorded_at: None }
}
fn subject(who: u8) -> SubjectId {
    SubjectId::new(format!("S-{}", who % 4)).unwrap()
}

/// A history under way.
struct History {
    files: MemoryFiles,
    store: Store,
    model: Model,
    openings: u64,
}

/// After every operation the store says what the list says; reopened after a kill it has everything that was acknowledged; in the end a reader
/// of the files agrees, every root is the tree's, and verifying finds nothing.
///
/// # Panics
/// When that does not hold.
pub fn run(bytes: &[u8]) {
    if bytes.len() > INPUT_BYTES_MAX {
        return;
    }
    let mut input = Unstructured::new(bytes);
    let files = MemoryFiles::default();
    let store = Store::create(Arc::new(files.clone()), image::identity(), store_options(1)).unwrap();
    let mut history = History { files, store, model: Model::default(), openings: 1 };
    for _ in 0..OPERATIONS_MAX {
        if input.is_empty() {
            break;
        }
        let Ok(operation) = Operation::arbitrary(&mut input) else { break };
        history.apply(operation);
    }
    history.look();
    history.store.close().expect("closing works");
    history.check(&View::open(Arc::new(history.files.clone()), None, &store_options(9)).expect("a reader opens"), true);
}

impl History {
    fn append(&self, submission: Submission) -> Result<Done> {
        self.store.submit(submission).and_then(Ticket::wait)
    }
    fn apply(&mut self, operation: Operation) {
        let next = self.model.size();
        match operation {
            Operation::Append(kinds) => {
                let facts: Vec<Fact> = (next..).zip(kinds).take(6).map(|(n, of)| fact(of, n)).collect();
                let send = |(n, fact): (u64, &Fact)| self.store.submit(submission(std::slice::from_ref(fact), n, None)).unwrap();
                let tickets: Vec<Ticket> = (next..).zip(&facts).map(send).collect();
                for (n, ticket) in (next..).zip(tickets) {
                    assert_eq!(positions(&ticket.wait().unwrap()), [n]);
                }
                facts.into_iter().for_each(|fact| self.model.add(fact));
            }
            Operation::Batch(kinds) if !kinds.is_empty() => {
                let facts: Vec<Fact> = (next..).zip(kinds).take(9).map(|(n, of)| fact(of, n)).collect();
                let done = self.append(submission(&facts, next, None)).unwrap();
                assert_eq!(positions(&done), (next..next + facts.len() as u64).collect::<Vec<_>>());
                facts.into_iter().for_each(|fact| self.model.add(fact));
            }
            Operation::Conditional { tag, looked_back } => self.conditional(few(tag), next.saturating_sub(looked_back.into())),
            Operation::Amend { target, retract, tag } if next > 0 => self.amend(u64::from(target) % next, retract, few(tag)),
            Operation::Repeat(n) if next > 0 => self.repeat(u64::from(n) % next),
            Operation::Differ(n) if next > 0 => {
                let n = u64::from(n) % next;
                let done = self.append(submission(&[Fact::A(vec![8], b"differs".to_vec())], n, None));
                assert_eq!(done.unwrap_err().kind(), ErrorKind::ContentDiffers);
            }
            Operation::Member { who, tag } => self.member(who % 4, few(tag)),
            Operation::Erase(who) => self.erase(who % 4),
            Operation::Close => {
                self.store.close().unwrap();
                self.open();
            }
            Operation::Kill => {
                self.files = self.files.fork();
                self.open();
            }
            Operation::Torn(garbage) => self.torn(garbage),
            Operation::Look => self.look(),
            _ => {}
        }
        assert_eq!(self.store.view().head().size, Size(self.model.size()));
        self.note_root();
    }
    fn note_root(&mut self) {
        let head = self.store.view().head();
        // Sizes within a batch were never a head.
        self.model.roots.resize(at(head.size.0) + 1, Root::empty());
        self.model.roots[at(head.size.0)] = head.root;
    }
    fn open(&mut self) {
        self.openings += 1;
        self.store = Store::open(Arc::new(self.files.clone()), store_options(self.openings), None).expect("it opens again");
    }
    fn conditional(&mut self, tag: u8, looked_at: u64) {
        let event = Fact::A(vec![tag], b"c".to_vec());
        let condition = by_tag(tag).unchanged_since(Size(looked_at));
        let in_the_way = self.model.positions(|f| f.tags.contains(&tag)).last().copied().filter(|p| *p >= looked_at);
        match self.append(submission(std::slice::from_ref(&event), self.model.size(), Some(condition))) {
            Ok(_) => {
                assert_eq!(in_the_way, None);
                self.model.add(event);
            }
            Err(error) => assert_eq!(error.conflict().map(|c| c.position.0), in_the_way, "{error}"),
        }
    }
    fn amend(&mut self, target: u64, retract: bool, tag: u8) {
        let by = Box::new(Fact::A(vec![tag], b"new".to_vec()));
        let event = if retract { Fact::Retract(image::id(target)) } else { Fact::Replace(image::id(target), by) };
        let done = self.append(submission(std::slice::from_ref(&event), self.model.size(), None));
        let amendable = self.model.facts[at(target)]
            .as_ref()
            .is_some_and(|original| original.amends().is_none() && (retract || original.kind() == Fact::A_KIND));
        if amendable {
            done.unwrap();
            self.model.add(event);
        } else {
            assert_eq!(done.unwrap_err().kind(), ErrorKind::AmendmentTarget);
        }
    }
    fn repeat(&mut self, n: u64) {
        let Some(event) = &self.model.facts[at(n)] else { return };
        let done = self.append(submission(std::slice::from_ref(event), n, None)).unwrap();
        assert!(done.repeated, "the same again is answered");
        assert_eq!(positions(&done), [n]);
    }
    fn member(&mut self, who: u8, tag: u8) {
        let position = self.model.size();
        let name = format!("Name {position}");
        let event = Fact::Member(tag, Personal::of(subject(who).as_str(), name.clone()));
        let done = self.append(submission(std::slice::from_ref(&event), position, None));
        if self.model.erased.contains(&who) {
            assert_eq!(done.unwrap_err().kind(), ErrorKind::ErasedSubject);
            return;
        }
        done.unwrap();
        self.model.add(event);
        self.model.members.push(Member { position, who, name });
    }
    fn erase(&mut self, who: u8) {
        let id = image::id(self.model.size());
        let done = self.store.erase(&subject(who), |handle| {
            Ok(prepared(&LedgerEvent::SubjectErased { handle, basis: "a request".to_owned() }, id))
        });
        let known = self.model.members.iter().any(|member| member.who == who);
        match done {
            Err(error) => assert!(error.kind() == ErrorKind::NotFound && !known, "{error}"),
            Ok(done) => {
                assert!(known);
                assert_eq!(done.repeated, !self.model.erased.insert(who));
                if !done.repeated {
                    self.model.facts.push(None);
                    self.model.found.push(Found { about: u64::MAX, ..Found::default() });
                }
            }
        }
    }
    /// Bytes behind the log's end, which no header can be forged in: the segment's salt is not known to whoever chose them.
    fn torn(&mut self, garbage: Vec<u8>) {
        let files = self.files.fork();
        let mut log = image::read(&files, "log/0");
        let used = log.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
        // A trailer's checksum may end in zeros.
        log.truncate((used + 8).min(log.len()));
        log.extend_from_slice(&garbage[..garbage.len().min(300)]);
        image::write(&files, "log/0", &log);
        self.files = files;
        self.open();
    }
    fn look(&self) {
        self.check(self.store.view(), false);
        self.check(&View::open(Arc::new(self.files.clone()), None, &store_options(8)).expect("a reader opens"), false);
    }
    /// Whether a view says what the list says. A reader shows what is proven: all of it once the writer closed.
    fn check(&self, view: &View, closed: bool) {
        let model = &self.model;
        let size = view.refresh().expect("a reader is never refused").size.0;
        assert!(size == model.size() || (!closed && size < model.size()));
        let cut = |positions: Vec<u64>| positions.into_iter().filter(|p| *p < size).collect::<Vec<_>>();
        for tag in 0..5 {
            assert_eq!(selected(view, &by_tag(tag)), cut(model.positions(|f| f.tags.contains(&tag))));
            let of_kind = Query::kind(Fact::A_KIND).tagged("t", tag.to_string());
            assert_eq!(selected(view, &of_kind), cut(model.positions(|f| f.tags.contains(&tag) && f.kinds.contains(&1))));
        }
        let mut frontier = Frontier::new();
        for n in 0..size {
            assert_eq!(view.find(image::id(n)).unwrap(), Some(Position(n)));
            let frame = view.frame(Position(n)).unwrap();
            frontier.push(tree::leaf_hash(&frame.hash(Position(n))));
            let noted = model.roots.get(at(n + 1)).copied().unwrap_or(Root::empty());
            assert!(noted == Root::empty() || noted == frontier.root(), "the root at {}", n + 1);
            assert_eq!(view.root_at(Size(n + 1)).unwrap(), frontier.root());
        }
        assert_eq!(view.find(nowhere()).unwrap(), None);
        for member in model.members.iter().filter(|member| member.position < size) {
            self.check_member(view, member, size);
        }
        if closed {
            let report = view.verify(&mut |_, _| {}).expect("verifying works");
            assert!(report.findings.is_empty(), "{:?}", report.findings);
        }
    }
    fn check_member(&self, view: &View, member: &Member, size: u64) {
        let commitment = view.frame(Position(member.position)).unwrap().commitments()[0].1;
        match view.open_value(&commitment).expect("the vault answers") {
            Opened::Known { subject: of, salt, value } => {
                // A reader that does not see the erasure yet may show the value.
                assert!(!self.model.erased.contains(&member.who) || size < self.model.size());
                assert_eq!(of, subject(member.who));
                assert_eq!(sovang_core::codec::decode::<String>(&value).unwrap(), member.name);
                assert_eq!(hash::commitment(&salt, 1, &value), commitment);
            }
            Opened::Erased => assert!(self.model.erased.contains(&member.who)),
            Opened::Sealed => panic!("the vault is there"),
        }
    }
}

fn nowhere() -> RecordId {
    RecordId::from_bytes([0xEE; 16])
}
fn positions(done: &Done) -> Vec<u64> {
    done.records.iter().map(|r| r.position.0).collect()
}
fn selected(view: &View, query: &Query) -> Vec<u64> {
    let all = |backwards| view.select(query, 0..u64::MAX, backwards).map(|r| r.unwrap().0.0).collect::<Vec<u64>>();
    let (forwards, mut backwards) = (all(false), all(true));
    backwards.reverse();
    assert_eq!(forwards, backwards);
    forwards
}
