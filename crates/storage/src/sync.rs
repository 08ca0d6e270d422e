//! Locks and threads: those of the standard library. Under `--cfg shuttle` they are shuttle's, which runs the threads of a test one at a
//! time in an order that it chooses, so that tests look at thousands of orders (`store/schedules.rs`).
//!
//! Whoever holds a lock across a call to `Files` or across another of these takes it from here: a lock that shuttle does not know
//! would stop all of its threads.

#[cfg(not(shuttle))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
#[cfg(not(shuttle))]
pub(crate) use std::thread;

#[cfg(shuttle)]
pub(crate) use chosen::Condvar;
#[cfg(shuttle)]
pub(crate) use shuttle::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
#[cfg(shuttle)]
pub(crate) use shuttle::thread;

#[cfg(shuttle)]
mod chosen {
    use super::MutexGuard;
    use shuttle::rand::Rng as _;
    use std::sync::{Arc, LockResult, PoisonError};
    use std::time::Duration;

    /// Shuttle's, but for waits with a time, which shuttle lets wait for ever: here the schedule chooses whether the time is up.
    #[derive(Default)]
    pub(crate) struct Condvar(Arc<shuttle::sync::Condvar>);

    pub(crate) struct TimedOut(bool);
    impl TimedOut {
        pub(crate) fn timed_out(&self) -> bool {
            self.0
        }
    }

    impl Condvar {
        pub(crate) fn new() -> Self {
            Self::default()
        }
        pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
            self.0.wait(guard)
        }
        pub(crate) fn wait_timeout<'a, T>(
            &self,
            guard: MutexGuard<'a, T>,
            _time: Duration,
        ) -> LockResult<(MutexGuard<'a, T>, TimedOut)> {
            let is_up = shuttle::rand::thread_rng().gen_bool(0.5);
            if is_up {
                // A clock, which may strike at any moment; whoever else it wakes was woken for nothing, as a wait may be.
                let waiting = Arc::clone(&self.0);
                shuttle::thread::spawn(move || waiting.notify_all());
            }
            let guard = self.0.wait(guard).unwrap_or_else(PoisonError::into_inner);
            Ok((guard, TimedOut(is_up)))
        }
        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }
        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }
    }
}
