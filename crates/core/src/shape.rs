//! The shape of every kind's payload, traced through its own decoder: no samples needed, and nothing to keep in step by
//! hand. A file that holds the [`listing`] fails a test when the layout of a published kind changes.
//!
//! A traced decoder asks serde for values as usual. What it asks for is noted, and a default value is handed out, again
//! and again until every variant of every enum was asked for. A decode that branches on a value it took shows only the
//! branch of the default value.

mod walk;

use crate::codec::CodecError;
use crate::event::{Decoder, Event};
use serde::de::DeserializeOwned;
use std::fmt::Write as _;

/// One line for each kind and each of its versions that still decodes, by number and version:
///
/// ```text
/// 2 v1 loan_repaid: (string, i64)
/// 4 v1 member_joined: string, personal 1 string
/// 5 v1 loan_corrected: i32, event
/// 6 v2 loan_secured: { cents: i64, by: enum(Bond | House { area: u32, place: string }), notes: list<string> }
/// ```
///
/// Names of fields and variants are shown, since a swap of two alike would change what old bytes mean; names of types are
/// not. `<refused>` stands behind a value whose default the type refused, `^Name` for a type within itself, `?` for what
/// was not reached. The defaults are zeros and empty texts, and where these are refused ones and `a`.
///
/// # Errors
/// [`CodecError::UnknownKind`] for a kind that is written today and does not decode.
pub fn listing<E: Event>() -> Result<String, CodecError> {
    let mut kinds = E::KINDS.to_vec();
    kinds.sort_unstable();
    let mut lines = String::new();
    for kind in kinds {
        let number = kind.number();
        for version in 1..=kind.version() {
            if let Some(shape) = payload_shape::<E>(number, version) {
                // Writing to a String cannot fail.
                let _ = writeln!(lines, "{number} v{version} {}: {shape}", kind.name());
            } else if version == kind.version() {
                return Err(CodecError::UnknownKind { number, version });
            }
        }
    }
    Ok(lines)
}

/// None when `decode` has no arm for it.
fn payload_shape<E: Event>(number: u16, version: u16) -> Option<String> {
    let mut best: Option<(usize, String)> = None;
    for sample in SAMPLES {
        let mut tracer = Tracer { sample, parts: Vec::new(), refusals: 0, inner: false };
        let decoded = E::decode(number, version, &mut Decoder::tracing(&mut tracer, number, version));
        match decoded {
            Err(CodecError::UnknownKind { number: n, version: v }) if (n, v) == (number, version) => return None,
            Ok(_) => {}
            Err(_) => {
                tracer.refusals += 1;
                tracer.parts.push("<refused; the rest is not traced>".to_owned());
            }
        }
        let refusals = tracer.refusals;
        if best.as_ref().is_none_or(|(fewest, _)| refusals < *fewest) {
            let shape = if tracer.parts.is_empty() { "nothing".to_owned() } else { tracer.parts.join(", ") };
            best = Some((refusals, shape));
        }
        if refusals == 0 {
            break;
        }
    }
    best.map(|(_, shape)| shape)
}

/// The default values handed out.
#[derive(Clone, Copy, Debug)]
struct Sample {
    number: u8,
    text: &'static str,
}
const SAMPLES: [Sample; 2] = [Sample { number: 0, text: "" }, Sample { number: 1, text: "a" }];

/// Notes what a decoder takes.
#[derive(Debug)]
pub struct Tracer {
    sample: Sample,
    parts: Vec<String>,
    refusals: usize,
    /// Within an event inside another one, which is noted as a whole.
    inner: bool,
}

impl Tracer {
    pub(crate) fn take<T: DeserializeOwned>(&mut self) -> Result<T, CodecError> {
        let (value, shape) = self.trace();
        self.parts.push(shape);
        value.ok_or(CodecError::Malformed { what: "a default value was refused" })
    }
    pub(crate) fn personal<T: DeserializeOwned>(&mut self, field: u16) {
        let (_, shape) = self.trace::<T>();
        self.parts.push(format!("personal {field} {shape}"));
    }
    /// The first plain event that default values make.
    pub(crate) fn event<E: Event>(&mut self) -> Result<E, CodecError> {
        self.parts.push("event".to_owned());
        let kinds = if self.inner { &[] } else { E::KINDS };
        kinds
            .iter()
            .find_map(|kind| {
                let mut inner = Self { sample: self.sample, parts: Vec::new(), refusals: 0, inner: true };
                let (number, version) = (kind.number(), kind.version());
                E::decode(number, version, &mut Decoder::tracing(&mut inner, number, version)).ok()
            })
            .ok_or(CodecError::Malformed { what: "no event can be made of default values" })
    }
    fn trace<T: DeserializeOwned>(&mut self) -> (Option<T>, String) {
        let traced = walk::trace(self.sample);
        self.refusals += traced.refusals;
        (traced.value, traced.shape)
    }
}
