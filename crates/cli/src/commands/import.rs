//! `sovang import`

use crate::args::ImportArgs;
use crate::failure::{self, Failure};
use crate::{output, progress};
use serde_json::json;
use sovang::recognition::Recognition;
use sovang::recognition::interchange::{Line, LineError, Mode, Numbering, parse_line};
use sovang::recognition::names::{NameWatch, NamesFound};
use sovang::recognition::rules::{Refusal, WholeOffice};
use sovang::{ErrorKind, ExecuteError, Imported, Importer, Ledger, NoRules, Rules, likeness, limits};
use std::convert::Infallible;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

/// The name that stands for what is piped in.
const STDIN: &str = "-";
const BOM: &[u8] = b"\xEF\xBB\xBF";

pub(crate) fn run(args: &ImportArgs) -> Result<(), Failure> {
    // The lock comes before the input is read.
    let ledger = open(&args.dir)?;
    let watch = watch(&ledger)?;
    let mode = if args.migrate { Mode::Migrate } else { Mode::Append };
    let imported = if args.migrate {
        // What was judged once is taken as it is.
        let importer = ledger.importer(NoRules)?.migrating()?;
        take_all(args, with_batch(importer, args), watch, mode)
    } else {
        take_all(args, with_batch(ledger.importer(WholeOffice::new())?, args), watch, mode)
    };
    let imported = imported?;
    ledger.close()?;
    report(args, &imported)
}

fn open(dir: &Path) -> Result<Ledger<Recognition>, Failure> {
    Ok(Ledger::<Recognition>::open(dir)?)
}

/// Knows the names of everybody in the vault.
fn watch(ledger: &Ledger<Recognition>) -> Result<NameWatch, Failure> {
    let mut watch = NameWatch::new();
    ledger.each_personal_value(&mut |field, _, value| {
        if field == Recognition::PERSON_FIELD {
            likeness::texts_of(value).iter().for_each(|name| watch.know(name));
        }
    })?;
    Ok(watch)
}

/// Free text that is somebody's name is no error: it may be meant. But nobody can take it back.
fn point_out(file: &str, found: &NamesFound) {
    for place in &found.first {
        output::tell(&format!(
            "note: {file}: line {}: {}: is the name of a known person, in public text",
            place.line, place.field
        ));
    }
    if found.count > 0 {
        output::tell(&format!(
            "note: {file}: {} texts are names of known persons: no erasure reaches them\nhint: name a person as subject, donor or recipient only",
            found.count
        ));
    }
    if found.is_partial {
        output::tell(&format!("note: {file}: there were too many names or texts to compare all of them"));
    }
}

fn with_batch<R: Rules<Recognition>>(importer: Importer<Recognition, R>, args: &ImportArgs) -> Importer<Recognition, R> {
    match args.batch {
        // A dry run appends nothing, so it keeps everything aside.
        Some(records) if !args.dry_run => importer.batch(usize::try_from(records).unwrap_or(usize::MAX)),
        _ => importer,
    }
}

fn take_all<R>(
    args: &ImportArgs,
    mut importer: Importer<Recognition, R>,
    mut watch: NameWatch,
    mode: Mode,
) -> Result<Imported, Failure>
where
    R: Rules<Recognition>,
    R::Refusal: Refuses,
{
    let bar = progress::count("reading");
    let mut notes = Vec::new();
    for file in &args.files {
        let taken = take_file(file, &mut importer, &mut watch, mode, &bar).and_then(|lines| {
            if lines == 0 && !args.allow_empty {
                return Err(Failure::input(format!(
                    "{}: no event in it\nhint: --allow-empty lets that be no error",
                    shown(file)
                )));
            }
            Ok(())
        });
        if let Err(failure) = taken {
            bar.finish_and_clear();
            return Err(if args.batch.is_some() && !args.dry_run { kept(importer, failure) } else { failure });
        }
        notes.push((shown(file), watch.end_of_file()));
    }
    bar.set_message("appending");
    let imported = if args.dry_run { importer.abandon()? } else { importer.finish()? };
    bar.finish_and_clear();
    notes.iter().for_each(|(file, found)| point_out(file, found));
    Ok(imported)
}

/// What a batched import that breaks off leaves behind: what came before a bad line, or the batches that were committed.
fn kept<R: Rules<Recognition>>(importer: Importer<Recognition, R>, failure: Failure) -> Failure {
    if failure.code() != failure::INPUT {
        return failure.advise("the batches before are in the ledger; the same command goes on from there");
    }
    match importer.finish() {
        Ok(kept) => failure.advise(&format!(
            "the {} events before it are appended, the size is {}; correct the line and run the same command again",
            kept.appended, kept.head.size
        )),
        Err(error) => error.into(),
    }
}

/// Takes a file's lines and gives the number of those that hold something.
fn take_file<R>(
    name: &str,
    importer: &mut Importer<Recognition, R>,
    watch: &mut NameWatch,
    mode: Mode,
    bar: &indicatif::ProgressBar,
) -> Result<u64, Failure>
where
    R: Rules<Recognition>,
    R::Refusal: Refuses,
{
    let file = shown(name);
    let input: Box<dyn BufRead> = if name == STDIN {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(name).map_err(|e| Failure::file(&e, "open", file))?;
        Box::new(BufReader::with_capacity(1 << 20, opened))
    };
    let mut lines = Lines { input, file, number: 0, line: Vec::new() };
    let mut numbering = Numbering::new();
    let mut taken = 0;
    while lines.advance()? {
        let place = || format!("{file}: line {}", lines.number);
        let line = lines.text();
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        taken += 1;
        bar.set_position(taken);
        let parsed = parse_line(line, mode).map_err(|error| bad_line(&place(), &error))?;
        match parsed {
            Line::Event { mut import, form } => {
                if let Some(form) = form {
                    import.entry = import.entry.with_id(numbering.id(&form));
                }
                let waiver = import.entry.waiver().map(|waiver| waiver.reason.as_str());
                watch.look(lines.number, import.entry.event(), import.envelope.source.as_deref(), waiver);
                let corrects = matches!(import.entry.event(), Recognition::RecordCorrected(_));
                importer.take(import).map_err(|error| refused(&place(), corrects, error))?;
            }
            Line::Ledger(line) => {
                let took = importer.take_ledger_event(&line.event, line.id, line.occurred_on, line.envelope, line.recorded_at);
                took.map_err(|error| Failure::from(error).within(&place()))?;
            }
        }
    }
    Ok(taken)
}

/// A file's name in messages.
fn shown(file: &str) -> &str {
    if file == STDIN { "stdin" } else { file }
}

fn bad_line(place: &str, error: &LineError) -> Failure {
    Failure::input(format!("{place}: {}", output::shortened(&error.to_string())))
}

/// Why a line that could be read is not taken: of a correction, a field may stand in the replacement.
fn refused<R: Refuses>(place: &str, corrects: bool, error: ExecuteError<R>) -> Failure {
    match error {
        ExecuteError::Refused(refusal) => {
            let field = refusal.field();
            let within = if corrects && !matches!(field, "" | "target" | "override") { "replacement." } else { "" };
            Failure::input(format!("{place}: {within}{field}: {}", output::shortened(&refusal.to_string())))
        }
        ExecuteError::Failed(error) if error.kind() == ErrorKind::Codec => Failure::input(format!("{place}: {error}")),
        ExecuteError::Failed(error) => Failure::from(error).within(place),
    }
}

/// A refusal that names the key it is about.
trait Refuses: Display {
    fn field(&self) -> &str;
}
impl Refuses for Refusal {
    fn field(&self) -> &str {
        self.field()
    }
}
impl Refuses for Infallible {
    fn field(&self) -> &str {
        match *self {}
    }
}

/// Lines of a file, of bounded length.
struct Lines<'a> {
    input: Box<dyn BufRead>,
    file: &'a str,
    number: u64,
    line: Vec<u8>,
}

impl Lines<'_> {
    /// Reads the next line; false at the end.
    fn advance(&mut self) -> Result<bool, Failure> {
        self.line.clear();
        // One byte more than a line and its end may have tells that it is too long, without reading all of it.
        let most = limits::IMPORT_LINE_BYTES_MAX as u64 + 3;
        let read = self.input.by_ref().take(most).read_until(b'\n', &mut self.line);
        let read = read.map_err(|e| Failure::file(&e, "read", self.file))?;
        if read == 0 {
            return Ok(false);
        }
        self.number += 1;
        if self.text().len() > limits::IMPORT_LINE_BYTES_MAX {
            return Err(Failure::input(format!(
                "{}: line {}: longer than IMPORT_LINE_BYTES_MAX = {} bytes\nhint: one JSON object a line",
                self.file,
                self.number,
                limits::IMPORT_LINE_BYTES_MAX
            )));
        }
        Ok(true)
    }
    /// The line without its end, and without a byte order mark at the start of the file.
    fn text(&self) -> &[u8] {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.number == 1 { line.strip_prefix(BOM).unwrap_or(line) } else { line }
    }
}

fn report(args: &ImportArgs, imported: &Imported) -> Result<(), Failure> {
    if args.json {
        return output::json(&json!({
            "appended": imported.appended,
            "duplicates": imported.duplicates,
            "size": imported.head.size.0,
            "root": imported.head.root.to_base64(),
        }));
    }
    let verb = if args.dry_run { "would be appended" } else { "appended" };
    output::tell(&format!(
        "{} events {verb}, {} were there already; size {}, root {}",
        imported.appended,
        imported.duplicates,
        imported.head.size,
        imported.head.root.to_base64()
    ));
    if imported.appended == 0 && imported.duplicates > 0 {
        output::tell("nothing new: this was imported before");
    }
    Ok(())
}
