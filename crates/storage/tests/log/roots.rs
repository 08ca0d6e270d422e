//! The same records give the same root however they were batched, rotated and reopened.

use crate::common::*;
use proptest::prelude::*;
use sovang_storage::log::{LogOptions, LogView};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn one_root(
        lengths in proptest::collection::vec(0usize..600, 1..40),
        cuts in proptest::collection::vec((1usize..9, 0u8..8), 1..40),
        segment_bytes in 0u64..20_000,
        strict in any::<bool>(),
    ) {
        let all: Vec<_> = (0..).zip(&lengths).map(|(n, len)| match len % 3 {
            0 => private_record(n, *len),
            _ => record(n, *len),
        }).collect();
        let options = LogOptions { segment_bytes, strict };
        let files = new_ledger();
        let mut log = open(&files, options);
        let mut rest = &all[..];
        for (count, between) in cuts.iter().cycle() {
            if rest.is_empty() { break }
            let (batch, after) = rest.split_at((*count).min(rest.len()));
            rest = after;
            log.append(batch).unwrap();
            match between {
                0 => { log.close().unwrap(); log = open(&files, options) }
                1 => { drop(log); log = open(&files, options) }
                2 => log.idle().unwrap(),
                _ => {}
            }
        }
        let head = head_of(&all);
        prop_assert_eq!(log.head(), head);
        let view = LogView::open(files.clone()).unwrap();
        prop_assert_eq!(view.head(), head);
        let walked = walk(view.segments(), head).unwrap();
        prop_assert_eq!(walked.len(), all.len());
        for (walked, record) in walked.iter().zip(&all) {
            prop_assert_eq!(&walked.frame.bytes()[..], record.bytes());
            let frame = view.segments().frame(walked.location, walked.position).unwrap();
            prop_assert_eq!(&frame, &walked.frame);
        }
        prop_assert_eq!(sound(&files).head, head);
    }
}
