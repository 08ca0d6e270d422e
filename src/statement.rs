//! Stating a figure, and computing a stated one again (docs/FORMAT.md §11.6).

use crate::checkpoints::Checkpoints;
use crate::keyfile::SigningKey;
use crate::prove::none_yet;
use crate::reader::{AsOf, Reader};
use sovang_core::event::LedgerEvent;
use sovang_core::evidence::{Figure, KeyKind, Statement, VerifierKey};
use sovang_core::{Error, ErrorKind, Recorded, Result};
use sovang_recognition::Recognition;
use sovang_recognition::tally::{Name, Request, Tally};

impl Reader<Recognition> {
    /// States a report: it, the question, and the newest signed checkpoint of the log that it comes from, signed by a key that is not the log's.
    /// Whoever has the log can compute it again. Without a point in history it is of all the records that the checkpoint covers.
    ///
    /// ```no_run
    /// use sovang::recognition::{Recognition, tally::{Name, Request}};
    /// use sovang::{Ledger, SigningKey};
    /// let reader = Ledger::<Recognition>::open_read_only("golden-book")?;
    /// let key = SigningKey::open("/media/key/figures.key")?;
    /// let statement = reader.state(&key, Name::Registered, Request::of(Name::Registered), None)?;
    /// std::fs::write("registered.statement", statement.to_string()).expect("written");
    /// # Ok::<(), sovang::Error>(())
    /// ```
    ///
    /// # Errors
    /// `NotFound` when no checkpoint is signed yet; `InvalidInput` when the point in history is beyond it, the key is a log's, or the request does not fit
    /// the tally; `NotProven` when the newest checkpoint is not of this log; when a record cannot be read.
    pub fn state(&self, key: &SigningKey, tally: Name, request: Request, as_of: Option<AsOf>) -> Result<Statement> {
        self.refresh()?;
        let checkpoints = Checkpoints::of(self.view().clone());
        let checkpoint = checkpoints.newest(|_| true)?.ok_or_else(none_yet)?;
        let head = checkpoint.head();
        self.of_this_log(head)?;
        self.check_statement_key(key, &checkpoints)?;
        let then = self.as_of(as_of.unwrap_or(AsOf::Size(head.size)))?;
        if then.head().size > head.size {
            let what = format!("{} records are asked for, and the newest checkpoint covers {}", then.head().size, head.size);
            return Err(Error::new(ErrorKind::InvalidInput, what).advise("sign a newer one: sovang checkpoint DIR --key KEYFILE"));
        }
        let parameters = request.parameters(then.head().size);
        let result = then.figure(tally, request)?;
        let figure = Figure { tally: tally.to_string(), revision: tally.revision(), parameters, result };
        Ok(Statement::sign(key.secret(), figure, &checkpoint)?)
    }
    /// Computes a statement's figure again from this log: its root at the checkpoint's size must be the checkpoint's, by the records alone, and the result
    /// the stated one byte for byte. The signatures are for [`Statement::verify`].
    ///
    /// # Errors
    /// `NotProven` when the log is smaller or another one, or the result differs, with the first row that does; `InvalidInput` when the statement is of a tally,
    /// a revision or parameters that this program does not know; when a record cannot be read.
    pub fn replay(&self, statement: &Statement) -> Result<()> {
        let stated = statement.figure();
        let tally: Name = stated.tally.parse()?;
        if stated.revision != tally.revision() {
            let what = format!(
                "the tally {tally} is stated in its revision {}, and this is revision {}",
                stated.revision,
                tally.revision()
            );
            return Err(Error::new(ErrorKind::InvalidInput, what)
                .advise("replay it with the version of this program that it was stated with"));
        }
        if statement.checkpoint().origin() != self.origin() {
            let (ours, theirs) = (self.origin(), statement.checkpoint().origin());
            return Err(Error::new(
                ErrorKind::NotProven,
                format!("the statement is of the log {theirs:?}, and the ledger is {ours:?}"),
            ));
        }
        let (request, as_of) = Request::of_parameters(tally, &stated.parameters)?;
        let signed = statement.checkpoint().head();
        if self.refresh()?.size < signed.size {
            let what =
                format!("the ledger has {} records, and the statement's checkpoint covers {}", self.head().size, signed.size);
            return Err(Error::new(ErrorKind::NotProven, what).advise("replay it on a newer copy"));
        }
        let root = self.view().root_by_walk(signed.size)?;
        if root != signed.root {
            let (ours, theirs) = (root.to_base64(), signed.root.to_base64());
            let what =
                format!("the ledger is not the log of the statement: its root at size {} is {ours}, not {theirs}", signed.size);
            return Err(Error::new(ErrorKind::NotProven, what));
        }
        let result = self.as_of(as_of)?.figure(tally, request)?;
        if result == stated.result {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotProven, format!("the log gives another figure: {}", difference(&stated.result, &result))))
    }
    fn figure(&self, tally: Name, request: Request) -> Result<String> {
        let folded = self.fold(Tally::new(tally, request)?)?;
        Ok(folded.table().result(folded.head))
    }
    /// A log's key signs checkpoints and nothing else: neither this log's, nor one that it had or has beside its checkpoints.
    fn check_statement_key(&self, key: &SigningKey, checkpoints: &Checkpoints) -> Result<()> {
        let refused = |why: String| {
            Err(Error::new(ErrorKind::InvalidInput, why)
                .in_file(key.path())
                .advise("a statement has a key of its own: sovang keygen -o FIGURES_KEY --name ORIGIN/figures"))
        };
        if key.name() == self.origin() {
            return refused(format!("the key bears the log's name, {:?}", key.name()));
        }
        let vkey = key.vkey();
        for checkpoint in checkpoints.all()? {
            let text = checkpoint.note().text();
            let has_signed = checkpoint.note().signatures().iter().any(|line| {
                VerifierKey::new(&line.name, KeyKind::Ed25519, *vkey.public_key())
                    .is_ok_and(|key| line.verify(&key, text).is_ok())
            });
            if has_signed {
                return refused(format!("the key has signed this log's checkpoint of size {}", checkpoint.head().size));
            }
        }
        if self.rotated_keys()?.iter().any(|log| log.public_key() == vkey.public_key()) {
            return refused("the key is, or was, this log's".to_owned());
        }
        Ok(())
    }
    /// Every key that the log says it was or is to be signed with.
    fn rotated_keys(&self) -> Result<Vec<VerifierKey>> {
        let mut keys = Vec::new();
        for record in self.view().scan(0..self.head().size.0) {
            let (position, frame) = record?;
            if frame.kind() != LedgerEvent::KEY_ROTATED.number() {
                continue;
            }
            let record =
                Recorded::<LedgerEvent>::decode(position, frame, None).map_err(|error| Error::from(error).at(position))?;
            if let LedgerEvent::KeyRotated { old, new } = record.event {
                // What is no vkey is no key either.
                keys.extend(old.iter().chain([&new]).filter_map(|text| text.parse::<VerifierKey>().ok()));
            }
        }
        Ok(keys)
    }
}

/// The first row in which two results differ.
fn difference(stated: &str, replayed: &str) -> String {
    let (stated_rows, replayed_rows) = (rows(stated), rows(replayed));
    for number in 0..stated_rows.len().max(replayed_rows.len()) {
        let (stated, replayed) = (stated_rows.get(number), replayed_rows.get(number));
        if stated != replayed {
            let shown = |row: Option<&&str>| row.map_or_else(|| "no such row".to_owned(), |row| (*row).to_owned());
            return format!("row {}: stated {}, replayed {}", number + 1, shown(stated), shown(replayed));
        }
    }
    "the rows are equal, but not what is around them".to_owned()
}

/// The rows of a result in canonical JSON: the objects within its list, which have no objects in them.
fn rows(result: &str) -> Vec<&str> {
    let Some(start) = result.find(r#""rows":["#) else { return Vec::new() };
    let mut rows = Vec::new();
    let (mut opened, mut is_text, mut is_escaped) = (None, false, false);
    for (at, byte) in result.bytes().enumerate().skip(start + r#""rows":["#.len()) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'{' => opened = Some(at),
            b'}' => rows.extend(opened.take().and_then(|from| result.get(from..=at))),
            b']' => break,
            _ => {}
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::{difference, rows};

    const STATED: &str =
        r#"{"as_of":3,"root":"","rows":[{"count":1,"unit":"a}\"]{"},{"count":2,"unit":null}],"size":3,"tally":"registered"}"#;

    #[test]
    fn a_result_is_taken_apart_into_its_rows() {
        assert_eq!(rows(STATED), [r#"{"count":1,"unit":"a}\"]{"}"#, r#"{"count":2,"unit":null}"#]);
        assert_eq!(rows(r#"{"rows":[],"size":0}"#), [""; 0]);
        assert_eq!(rows("{}"), [""; 0]);
    }

    #[test]
    fn the_first_row_that_differs_is_named() {
        let other = STATED.replace("\"count\":2", "\"count\":3");
        assert_eq!(difference(STATED, &other), r#"row 2: stated {"count":2,"unit":null}, replayed {"count":3,"unit":null}"#);
        let shorter = STATED.replace(r#",{"count":2,"unit":null}"#, "");
        assert_eq!(difference(STATED, &shorter), r#"row 2: stated {"count":2,"unit":null}, replayed no such row"#);
        assert_eq!(
            difference(STATED, &STATED.replace("\"size\":3", "\"size\":4")),
            "the rows are equal, but not what is around them"
        );
    }
}
