//! RFC 3161 time stamps over a checkpoint's text: the request to send, and the check of what came back, offline.
//!
//! A token says that its authority saw the text at its time: the checkpoint, and so every record below it, was there by then. The authority's
//! certificate is given by whoever checks. Whether it has been revoked is not looked at: that needs the network.

mod certificate;
mod fields;
mod token;

pub(crate) use certificate::Certificates;
pub(crate) use token::{Response, request};

use std::fmt;

/// Why something is no token of the text, or not to be trusted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused(String);
impl Refused {
    fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
