//! Conditions, and what amendments are found under.

use super::*;

#[test]
fn amendments_are_found_under_what_they_amend() {
    let (files, store) = memory();
    append(&store, one(&a(&[("loan", "1")], "as first said"), 1)).unwrap();
    let moved = Ev::Replace(id(1), Box::new(a(&[("loan", "2")], "other loan")));
    append(&store, one(&moved, 2)).unwrap();
    append(&store, one(&b(&[("loan", "3")], ""), 3)).unwrap();
    append(&store, one(&Ev::Retract(id(1)), 4)).unwrap();
    let check = |view: &View| {
        assert_eq!(selected(view, &Query::tag("loan", "1")), [0, 1, 3]);
        assert_eq!(selected(view, &Query::tag("loan", "2")), [1, 3]);
        assert_eq!(selected(view, &Query::tag("loan", "3")), [2]);
        assert_eq!(selected(view, &Query::kind(Ev::A_KIND)), [0, 1, 3]);
        assert_eq!(selected(view, &Query::kind(Ev::A_KIND).tagged("loan", "2")), [1, 3]);
        assert_eq!(selected(view, &Query::kind(Ev::REPLACE)), [1, 3]);
        assert_eq!(selected(view, &Query::record(id(1))), [0, 1, 3]);
        assert_eq!(view.amendments(id(1), Position(u64::MAX)).unwrap(), [Position(1), Position(3)]);
        assert_eq!(view.amendments(id(1), Position(3)).unwrap(), [Position(1)]);
    };
    check(store.view());
    let conflict = append(&store, all(&[(&a(&[], ""), 5)], Some(Query::tag("loan", "1").unchanged_since(Size(1))))).unwrap_err();
    assert_eq!(conflict.conflict().unwrap().position, Position(3));
    for wrong in [Ev::Retract(id(77)), Ev::Retract(id(2)), Ev::Retract(id(6))] {
        let error = append(&store, one(&wrong, 6)).unwrap_err();
        assert_eq!((error.kind(), error.ids()), (ErrorKind::AmendmentTarget, &[id(6)][..]));
    }
    store.close().unwrap();
    check(&View::open(Arc::new(files.clone()), None, &options()).unwrap());
    // Without an index the same is derived again.
    for name in files.list("index").unwrap_or_default() {
        files.remove(&format!("index/{name}")).unwrap();
    }
    check(&View::open(Arc::new(files.clone()), None, &options()).unwrap());
    check(Store::open(Arc::new(files), options(), None).unwrap().view());
}

#[test]
fn amendments_within_one_group_derive_from_each_other() {
    let (_files, store) = memory();
    let original = a(&[("loan", "1")], "");
    let moved = Ev::Replace(id(1), Box::new(a(&[("loan", "2")], "")));
    let retracted = Ev::Retract(id(1));
    let of_another_kind = Ev::Replace(id(1), Box::new(b(&[("loan", "2")], "")));
    let refused = append(&store, all(&[(&original, 1), (&of_another_kind, 2)], None)).unwrap_err();
    assert_eq!((refused.kind(), refused.ids()), (ErrorKind::AmendmentTarget, &[id(2)][..]));
    append(&store, all(&[(&original, 1), (&moved, 2), (&retracted, 3)], None)).unwrap();
    assert_eq!(selected(store.view(), &Query::tag("loan", "1")), [0, 1, 2]);
    assert_eq!(selected(store.view(), &Query::tag("loan", "2")), [1, 2]);
    // In flight together: the condition sees what the retraction is found under.
    let first = store.submit(one(&a(&[("loan", "9")], ""), 10)).unwrap();
    let second = store.submit(one(&Ev::Retract(id(10)), 11)).unwrap();
    let third = store.submit(all(&[(&a(&[], ""), 12)], Some(Query::tag("loan", "9").unchanged_since(Size(4))))).unwrap();
    assert!(first.wait().is_ok() && second.wait().is_ok());
    assert_eq!(third.wait().unwrap_err().conflict().unwrap().position, Position(4));
}

#[test]
fn conditions_see_log_and_group() {
    let (_files, store) = memory();
    append(&store, one(&a(&[("m", "1")], ""), 1)).unwrap();
    let absent = |tag: &str| Some(Query::tag("m", tag).absent());
    let error = append(&store, all(&[(&a(&[("m", "1")], "x"), 2)], absent("1"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.conflict().map(|c| (c.position, c.looked_at)), Some((Position(0), Size(0))));
    append(&store, all(&[(&a(&[("m", "2")], "x"), 3)], absent("2"))).unwrap();
    // Many in flight, so that groups form: of each pair exactly one wins.
    let tickets: Vec<Ticket> = (0..400)
        .map(|n| {
            let tag = format!("pair-{}", n / 2);
            store.submit(all(&[(&a(&[("m", &tag)], ""), 100 + n)], absent(&tag))).unwrap()
        })
        .collect();
    let won: Vec<bool> = tickets.into_iter().map(|t| t.wait().map(|d| d.repeated).map_err(|e| e.kind()) == Ok(false)).collect();
    assert!(won.chunks(2).all(|pair| pair == [true, false]));
    assert_eq!(store.view().head().size, Size(202));
    let everything = |size| Some(Query::all().unchanged_since(Size(size)));
    assert_eq!(kind(append(&store, all(&[(&b(&[], ""), 900)], everything(201)))), ErrorKind::Conflict);
    append(&store, all(&[(&b(&[], ""), 900)], everything(202))).unwrap();
    assert_eq!(kind(append(&store, all(&[(&b(&[], ""), 901)], everything(204)))), ErrorKind::InvalidInput);
    let no_b = Some(Query::kind(Ev::B_KIND).absent());
    assert_eq!(kind(append(&store, all(&[(&b(&[], ""), 902)], no_b))), ErrorKind::Conflict);
}
