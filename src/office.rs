//! The recognition office's rules at the importer's desk.

use crate::importer::{Named, Names, Rules};
use sovang_core::{Import, RecordId};
use sovang_projection::ExecuteError;
use sovang_recognition::Recognition;
use sovang_recognition::rules::{Refusal, Target, WholeOffice};

impl Rules<Recognition> for WholeOffice {
    type Refusal = Refusal;
    fn admit(
        &mut self,
        import: &Import<Recognition>,
        id: RecordId,
        names: Names<'_, Recognition>,
    ) -> Result<(), ExecuteError<Refusal>> {
        use sovang_core::Event as _;
        let target = match import.entry.event().amends() {
            None => Target::Missing,
            Some(amends) => match names(amends.target())? {
                Named::Nothing => Target::Missing,
                Named::Amendment => Target::Amendment,
                Named::Retracted => Target::Retracted,
                Named::Standing(record) => match record.event {
                    Recognition::RecordCorrected(correction) => {
                        Target::Standing { event: correction.replacement, occurred_on: correction.replacement_on }
                    }
                    event => Target::Standing { event: Box::new(event), occurred_on: record.occurred_on },
                },
            },
        };
        WholeOffice::admit(self, &import.entry, id, &target).map_err(ExecuteError::Refused)
    }
}
