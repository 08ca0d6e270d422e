//! Records as JSON Lines, one object a line: what imports read, exports write and `log` shows.
//!
//! Keys and codes are fixed, unknown and repeated keys are errors, and no number has a fraction. A line is read by
//! [`parse_line`], whose errors name the field; a record is written by [`line`](fn@line), or without its envelope by
//! [`event`]. A line without `id` gets one from [`Numbering`].
//!
//! ```
//! use sovang_recognition::interchange::{Line, Mode, Numbering, parse_line};
//!
//! let text = r#"{"type":"model_continued","occurred_on":"2025-02-01","actor":"clerk","model":"BTL-2024-0001","year":2025}"#;
//! let Line::Event { import, form: Some(form) } = parse_line(text.as_bytes(), Mode::Append)? else { unreachable!() };
//! assert_eq!(import.entry.event().model(), Some("BTL-2024-0001"));
//! let entry = import.entry.with_id(Numbering::new().id(&form));
//!
//! let error = parse_line(text.replace("2025}", "\"2025\"}").as_bytes(), Mode::Append).unwrap_err();
//! assert_eq!(error.to_string(), "year: is text, and should be a whole number");
//! # Ok::<(), sovang_recognition::interchange::LineError>(())
//! ```

mod area;
mod fault;
mod fields;
mod identity;
mod json;
mod persons;
mod read;
mod read_event;
mod write;

pub use area::{square_decimetres, square_metres};
pub use fault::{LineError, Reason};
pub use identity::{Form, LINE_NAMESPACE, Numbering, derived_id};
pub use json::Json;
pub use read::{LedgerLine, Line, Mode, parse_line};
pub use write::{Show, day, event, instant, ledger_event, ledger_line, line};
