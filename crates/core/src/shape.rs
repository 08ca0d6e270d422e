//! The shape of a kind's payload, traced through its decoder (helper implements: see below).
use crate::codec::CodecError;
use serde::de::DeserializeOwned;

/// Records what a decoder asks for.
#[derive(Debug, Default)]
pub struct Tracer {}
impl Tracer {
    pub(crate) fn take<T: DeserializeOwned>(&mut self) -> Result<T, CodecError> {
        Err(CodecError::Malformed { what: "tracing" })
    }
    pub(crate) fn personal<T: DeserializeOwned>(&mut self, _field: u16) -> Result<(), CodecError> {
        Ok(())
    }
    pub(crate) fn nested_event(&mut self) {}
}
