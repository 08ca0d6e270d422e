//! What the record of a receipt says, for people: as the interchange has it, personal fields as commitments.

use sovang::recognition::Recognition;
use sovang::recognition::interchange::{self, Json, Show};
use sovang::record::Frame;
use sovang::{LedgerEvent, Position, Recorded};

/// A record as it is shown. None of it was decided here: the receipt's proof covers its bytes.
pub(crate) struct Shown {
    pub(crate) id: String,
    pub(crate) occurred_on: Option<String>,
    /// What the writer's clock said: proven by nothing.
    pub(crate) recorded_at: Option<String>,
    pub(crate) actor: Option<String>,
    /// The event as in the interchange; none for a record of another office.
    pub(crate) event: Option<Json>,
    /// Kind, version and bytes of the payload, when there is no event.
    pub(crate) kind: (u16, u16, usize),
}

impl Shown {
    pub(crate) fn of(position: Position, frame: &Frame) -> Self {
        let kind = (frame.kind(), frame.version(), frame.payload().len());
        let mut shown = Self { id: frame.id().to_string(), occurred_on: None, recorded_at: None, actor: None, event: None, kind };
        if frame.is_ledger_level() {
            if let Ok(record) = Recorded::<LedgerEvent>::decode(position, frame.clone(), None) {
                shown.take(&record, interchange::ledger_event(&record.event).ok());
            }
        } else if let Ok(record) = Recorded::<Recognition>::decode(position, frame.clone(), None) {
            shown.take(&record, interchange::event(&record, Show::Commitments).ok());
        }
        shown
    }
    fn take<E>(&mut self, record: &Recorded<E>, event: Option<Json>) {
        self.occurred_on = Some(interchange::day(record.occurred_on));
        self.recorded_at = interchange::instant(record.recorded_at).ok();
        self.actor = Some(record.actor.as_str().to_owned());
        self.event = event;
    }
    /// Lines of a key and a value.
    pub(crate) fn lines(&self) -> Vec<(String, String)> {
        let mut lines = vec![("id".to_owned(), self.id.clone())];
        let mut put = |key: &str, value: &Option<String>| lines.extend(value.clone().map(|value| (key.to_owned(), value)));
        put("occurred on", &self.occurred_on);
        put("actor", &self.actor);
        put("recorded at", &self.recorded_at.as_ref().map(|at| format!("{at}, by the writer's clock alone: not proven")));
        match &self.event {
            Some(event) => flatten("", event, &mut lines),
            None => lines.push((
                "payload".to_owned(),
                format!("kind {} version {}, {} bytes: of another program", self.kind.0, self.kind.1, self.kind.2),
            )),
        }
        lines
    }
}

/// An object's members under their paths.
fn flatten(path: &str, value: &Json, lines: &mut Vec<(String, String)>) {
    match value {
        Json::Object(members) => {
            for (key, value) in members {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&path, value, lines);
            }
        }
        Json::Text(text) => lines.push((path.to_owned(), text.clone())),
        other => lines.push((path.to_owned(), other.to_string())),
    }
}
