//! Time bounds by cosignatures: over the counted quorum, with times that can be.

use crate::kit::{self, Log};
use sovang_core::evidence::verify::{AHEAD_SECONDS_MAX, TIME_MAX, TIME_MIN};
use sovang_core::evidence::{Checkpoint, EvidenceError, verify_checkpoint};

fn at(times: &[u64]) -> Checkpoint {
    let mut checkpoint = Log::of(5).checkpoint(5);
    for (n, time) in (1u8..).zip(times) {
        checkpoint.add(kit::witness(n).cosign(&checkpoint, *time)).unwrap();
    }
    checkpoint
}
const T: u64 = 1_750_000_000;

#[test]
fn bounds_are_those_of_the_quorum() {
    let checkpoint = at(&[T + 10, T, T + 20]);
    for (threshold, not_after, not_before) in [("any", T, T + 20), ("2", T + 10, T + 10), ("all", T + 20, T)] {
        let verified = verify_checkpoint(&checkpoint, &kit::policy(3, threshold)).unwrap();
        assert_eq!((verified.not_after, verified.not_before), (Some(not_after), Some(not_before)), "{threshold}");
    }
    let verified = verify_checkpoint(&checkpoint, &kit::trusting()).unwrap();
    assert_eq!((verified.not_after, verified.ignored), (None, 3));
}

#[test]
fn absurd_times_are_refused() {
    let policy = kit::policy(1, "any");
    for time in [TIME_MIN, TIME_MAX] {
        assert!(verify_checkpoint(&at(&[time]), &policy).is_ok(), "{time}");
    }
    for time in [0, 1, TIME_MIN - 1, TIME_MAX + 1, i64::MAX.unsigned_abs(), 1 << 63, u64::MAX] {
        assert!(matches!(verify_checkpoint(&at(&[time]), &policy), Err(EvidenceError::Time { .. })), "{time}");
        // A witness that nobody knows may say what it likes.
        assert!(verify_checkpoint(&at(&[time]), &kit::trusting()).is_ok(), "{time}");
    }
    let present = |now: u64| kit::policy(1, "any").with_now(now);
    assert!(verify_checkpoint(&at(&[T]), &present(T - AHEAD_SECONDS_MAX)).is_ok());
    assert!(matches!(verify_checkpoint(&at(&[T]), &present(T - AHEAD_SECONDS_MAX - 1)), Err(EvidenceError::Time { .. })));
    // One absurd time among enough others is not passed over either.
    assert!(matches!(verify_checkpoint(&at(&[T, 7]), &kit::policy(2, "any")), Err(EvidenceError::Time { .. })));
}

#[test]
fn every_time_of_a_witness_is_looked_at_and_the_earliest_counts() {
    let twice = |times: [u64; 2]| {
        let mut checkpoint = Log::of(5).checkpoint(5);
        for time in times {
            checkpoint.add(kit::witness(1).cosign(&checkpoint, time)).unwrap();
        }
        verify_checkpoint(&checkpoint, &kit::policy(1, "all"))
    };
    let verified = twice([T + 5, T]).unwrap();
    assert_eq!((verified.not_after, verified.not_before, verified.ignored), (Some(T), Some(T), 0));
    for absurd in [7, TIME_MAX + 1] {
        assert!(matches!(twice([T, absurd]), Err(EvidenceError::Time { seconds, .. }) if seconds == absurd));
    }
}

#[test]
fn a_stale_checkpoint_is_refused() {
    let checkpoint = at(&[T + 10, T, T + 20]);
    let aged = |threshold: &str, seconds: u64, now: u64| {
        verify_checkpoint(&checkpoint, &kit::policy(3, threshold).with_max_age(seconds, now))
    };
    assert!(aged("all", 100, T + 100).is_ok());
    assert_eq!(aged("all", 100, T + 101), Err(EvidenceError::Stale { cosigned: Some(T), oldest: T + 1 }));
    assert!(aged("2", 100, T + 110).is_ok());
    assert!(aged("2", 100, T + 111).is_err());
    assert!(aged("any", 0, T + 20).is_ok());
    assert!(aged("any", u64::MAX, T + 20).is_ok());
    // Without a quorum there is no time.
    let untimed = verify_checkpoint(&checkpoint, &kit::trusting().with_max_age(u64::MAX, T));
    assert_eq!(untimed, Err(EvidenceError::Stale { cosigned: None, oldest: 0 }));
}
