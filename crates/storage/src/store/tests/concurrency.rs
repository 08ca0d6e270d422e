//! Many threads, a live writer's readers, a full queue, tickets.

use super::*;

#[test]
fn readers_follow_a_live_writer_and_waiters_are_woken() {
    let (files, store) = memory();
    let reader = View::open(Arc::new(files), None, &options()).unwrap();
    let view = store.view().clone();
    let waiter = std::thread::spawn(move || {
        view.wait_beyond(Size(0), Duration::from_secs(60));
        view.head().size
    });
    for n in 0..300 {
        append(&store, one(&a(&[("n", &n.to_string())], ""), n)).unwrap();
        if n % 50 == 0 {
            assert_eq!(reader.refresh().unwrap().size, Size(n + 1));
            assert_eq!(selected(&reader, &Query::tag("n", n.to_string())), [n]);
            assert_eq!(reader.root_at(Size(n + 1)).unwrap(), store.view().head().root);
        }
    }
    assert!(waiter.join().unwrap() >= Size(1));
    assert_eq!(reader.refresh().unwrap(), store.view().head());
    for size in [0, 1, 7, 255, 256, 257, 299] {
        assert_eq!(reader.root_at(Size(size)).unwrap(), store.view().root_at(Size(size)).unwrap());
    }
    assert_eq!(kind(reader.root_at(Size(301))), ErrorKind::NotFound);
}

#[test]
fn a_full_queue_blocks_or_says_busy_and_a_ticket_is_a_future() {
    let files = SimFiles::new();
    let mut small = options();
    small.queue = 1;
    let store = Arc::new(Store::create(Arc::new(files), identity(), small).unwrap());
    let mut busy = 0;
    let mut tickets = Vec::new();
    for n in 0..2_000 {
        match store.try_submit(one(&a(&[], ""), n)) {
            Ok(ticket) => tickets.push(ticket),
            Err(error) => {
                assert_eq!((error.kind(), error.ids()), (ErrorKind::Busy, &[id(n)][..]));
                busy += 1;
            }
        }
    }
    let taken = tickets.len();
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    assert_eq!((store.view().head().size, busy), (Size(taken as u64), 2_000 - taken));
    let threads: Vec<_> = (0..8)
        .map(|t| {
            let store = Arc::clone(&store);
            std::thread::spawn(move || {
                (0..100).for_each(|n| drop(append(&store, one(&a(&[], ""), 10_000 + t * 1_000 + n)).unwrap()))
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
    assert_eq!(store.view().head().size, Size(taken as u64 + 800));
    let mut ticket = store.submit(one(&a(&[], ""), 99_999)).unwrap();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let answer = loop {
        match std::future::Future::poll(std::pin::Pin::new(&mut ticket), &mut context) {
            std::task::Poll::Ready(answer) => break answer,
            std::task::Poll::Pending => std::thread::yield_now(),
        }
    };
    assert!(!answer.unwrap().repeated);
}

#[test]
fn threads_append_while_others_read_and_runs_are_written() {
    const THREADS: u64 = 4;
    const EACH: u64 = 60;
    const BATCH: u64 = 100;
    let (files, store) = memory();
    let reader = View::open(Arc::new(files.clone()), None, &options()).unwrap();
    let view = store.view();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..THREADS)
            .map(|t| {
                let store = &store;
                scope.spawn(move || {
                    for k in 0..EACH {
                        let batch = t * EACH + k;
                        let event = a(&[("batch", &batch.to_string()), ("thread", &t.to_string())], "x");
                        let events: Vec<_> = (0..BATCH).map(|n| (&event, batch * BATCH + n)).collect();
                        let fresh = Query::tag("batch", batch.to_string()).absent();
                        let done = append(store, all(&events, Some(fresh))).unwrap();
                        let first = done.records[0].position.0;
                        assert_eq!(positions(&done), (first..first + BATCH).collect::<Vec<_>>());
                        assert_eq!(store.view().find(id(batch * BATCH + 7)).unwrap(), Some(Position(first + 7)));
                    }
                })
            })
            .collect();
        let looking = scope.spawn(|| {
            for view in [view, &reader].into_iter().cycle() {
                let size = view.refresh().unwrap().size.0;
                let newest: Vec<u64> = view.select(&Query::all(), 0..size, true).take(3).map(|r| r.unwrap().0.0).collect();
                assert!(newest.first().is_none_or(|p| p + 1 == size));
                let of_thread = view.select(&Query::tag("thread", "1"), 0..size, false).count() as u64;
                assert_eq!(of_thread % BATCH, 0, "batches are atomic");
                if size == THREADS * EACH * BATCH {
                    break;
                }
            }
        });
        writers.into_iter().for_each(|w| w.join().unwrap());
        looking.join().unwrap();
    });
    let size = THREADS * EACH * BATCH;
    store.close().unwrap();
    assert!(!files.list("index").unwrap().is_empty());
    let again = Store::open(Arc::new(files), options(), None).unwrap();
    for view in [store.view(), &reader, again.view()] {
        assert_eq!(view.refresh().unwrap(), store.view().head());
        for n in (0..size).step_by(997) {
            let position = view.find(id(n)).unwrap().unwrap();
            assert_eq!(view.frame(position).unwrap().id(), id(n));
        }
        for batch in (0..THREADS * EACH).step_by(23) {
            assert_eq!(selected(view, &Query::tag("batch", batch.to_string())).len() as u64, BATCH);
        }
    }
    assert_eq!(again.view().root_at(Size(12_345)).unwrap(), reader.root_at(Size(12_345)).unwrap());
    assert!(again.view().verify(&mut |_, _| {}).unwrap().findings.is_empty());
}
