//! Random events: through the codec and through JSON, there and back.

use crate::records::{Kept, import};
use proptest::prelude::*;
use sovang_core::{Actor, Date, Envelope, Event, Personal, RecordId, date};
use sovang_recognition::interchange::{Mode, parse_line};
use sovang_recognition::{
    self as recognition, Contribution, Decision, Extent, Field, Form, Ground, LandKind, Level, Qualifier, Recipient, Recognition,
    RemovalReason, Source, SubjectKind, UnitKind,
};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z|\\\\\"/ ]{1,8}",
        "\\PC{1,12}",
        Just("Cổ Nhuế 1".to_owned()),
        Just("Co\u{302}\u{309}".to_owned()),
        Just("😀".to_owned())
    ]
    .prop_filter("no control characters", |text| !text.chars().any(char::is_control))
}
fn lines() -> impl Strategy<Value = String> {
    (text(), text()).prop_map(|(a, b)| format!("{a}\n{b}"))
}
fn day() -> impl Strategy<Value = Date> {
    (1..=9999i32, 1..=366u16).prop_map(|(year, day)| Date::from_ordinal_date(year, day).unwrap_or(date(year, 1, 1)))
}
fn any_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    proptest::sample::select(all)
}
fn decision() -> impl Strategy<Value = Decision> {
    (text(), text(), day()).prop_map(|(issuer, number, date)| recognition::decision(issuer, number, date))
}
fn person() -> impl Strategy<Value = Personal<String>> {
    prop_oneof![Just(Personal::None), ("[A-Z]{1,3}", text()).prop_map(|(id, name)| Personal::of(id, name)),]
}
fn recipient() -> impl Strategy<Value = Recipient> {
    let who = prop_oneof![
        text().prop_map(Recipient::collective),
        person().prop_map(Recipient::individual),
        person().prop_map(Recipient::household),
    ];
    (who, proptest::option::of(text())).prop_map(|(who, unit)| match unit {
        Some(unit) => who.of_unit(unit),
        None => who,
    })
}
fn contribution() -> impl Strategy<Value = Contribution> {
    prop_oneof![
        (0..=i64::MAX).prop_map(|vnd| Contribution::Cash { vnd }),
        (0..=i64::MAX).prop_map(|days| Contribution::Labour { days }),
        ((0..=i64::MAX), any_of(LandKind::ALL))
            .prop_map(|(square_decimetres, land)| { Contribution::Land { square_decimetres, land } }),
        ((0..=i64::MAX), proptest::option::of(lines())).prop_map(|(vnd, description)| Contribution::InKind { vnd, description }),
    ]
}
fn field() -> impl Strategy<Value = Field> {
    prop_oneof![Just("economy"), Just("culture_society"), Just("defence_security"), Just("political_system"), Just("green_2")]
        .prop_map(|code| code.parse().expect("a field"))
}

/// Half of the optional fields are set.
fn maybe<T, V: std::fmt::Debug>(
    event: impl Strategy<Value = T>,
    value: impl Strategy<Value = V>,
    set: fn(T, V) -> T,
) -> impl Strategy<Value = T>
where
    T: std::fmt::Debug,
{
    (event, proptest::option::of(value)).prop_map(move |(event, value)| match value {
        Some(value) => set(event, value),
        None => event,
    })
}

fn plain() -> impl Strategy<Value = Recognition> {
    use recognition as r;
    let unit = (text(), text(), any_of(UnitKind::ALL), day()).prop_map(|(u, n, k, d)| r::unit_defined(u, n, k, d));
    let unit = maybe(maybe(unit, text(), |e, t| e.parent(t)), day(), |e, d| e.valid_to(d));
    let succeeded =
        (text(), text(), day(), text(), any_of(Extent::ALL)).prop_map(|(f, t, d, a, e)| r::unit_succeeded(f, t, d, a, e));
    let registered =
        (text(), text(), any_of(SubjectKind::ALL), text(), field(), 1..=9999u16, person()).prop_map(|(m, t, k, u, f, y, p)| {
            let event = r::model_registered(m, t, k, u, f, y);
            if k == SubjectKind::Collective { event } else { event.subject(p) }
        });
    let registered = maybe(maybe(registered, text(), |e, t| e.target(t)), text(), |e, a| e.address(a));
    let recognised = (text(), any_of(Level::ALL), decision()).prop_map(|(m, l, d)| r::model_recognised(m, l, d));
    let recognised = maybe(maybe(recognised, text(), |e, t| e.tier(t)), text(), |e, t| e.period(t));
    let funded = (text(), contribution(), any_of(Source::ALL), proptest::option::of(any_of(Qualifier::ALL)), person()).prop_map(
        |(m, c, s, q, d)| {
            let event = r::model_funded(m, c, s).donor(d);
            if let Some(q) = q { event.qualifier(q) } else { event }
        },
    );
    let mounted = (text(), text(), any_of(Level::ALL), text()).prop_map(|(p, m, l, w)| r::plaque_mounted(p, m, l, w));
    let mounted =
        maybe(maybe(maybe(mounted, decision(), |e, d| e.decision(d)), text(), |e, t| e.occasion(t)), lines(), |e, t| {
            e.inscription(t)
        });
    let proposed = (text(), recipient(), any_of(Form::ALL), any_of(Level::ALL))
        .prop_map(|(c, w, f, l)| r::commendation_proposed(c, w, f, l));
    let awarded = (text(), recipient(), any_of(Form::ALL), any_of(Level::ALL), decision())
        .prop_map(|(c, w, f, l, d)| r::commendation_awarded(c, w, f, l, d));
    let awarded = maybe(maybe(awarded, 0..=i64::MAX, |e, v| e.bonus_vnd(v)), lines(), |e, t| e.achievement(t));
    let annulled = (decision(), any_of(Ground::ALL), decision()).prop_map(|(d, g, b)| r::decision_annulled(d, g, b));
    let annulled = maybe(maybe(annulled, text(), |e, t| e.artefact(t)), 0..=i64::MAX, |e, v| e.bonus_recovered_vnd(v));
    let figure = (text(), text(), text(), 0..=i64::MAX, any_of(Qualifier::ALL), text())
        .prop_map(|(m, u, p, v, q, s)| r::figure_published(m, u, p, v, q, s));
    let figure = maybe(figure, any::<[u8; 32]>(), |e, digest| e.statement(digest));
    prop_oneof![
        unit.prop_map(Recognition::from),
        maybe(succeeded, lines(), |e, t| e.note(t)).prop_map(Recognition::from),
        registered.prop_map(Recognition::from),
        (text(), 1..=9999u16).prop_map(|(m, y)| r::model_continued(m, y).into()),
        (text(), text()).prop_map(|(m, c)| r::model_replicated(m, c).into()),
        (text(), lines()).prop_map(|(m, w)| r::model_withdrawn(m, w).into()),
        recognised.prop_map(Recognition::from),
        funded.prop_map(Recognition::from),
        mounted.prop_map(Recognition::from),
        (text(), any_of(RemovalReason::ALL)).prop_map(|(p, w)| r::plaque_removed(p, w).into()),
        maybe(proposed, lines(), |e, t| e.achievement(t)).prop_map(Recognition::from),
        awarded.prop_map(Recognition::from),
        annulled.prop_map(Recognition::from),
        figure.prop_map(Recognition::from),
    ]
}

fn any_event() -> impl Strategy<Value = Recognition> {
    let target = any::<[u8; 16]>().prop_map(RecordId::from_bytes);
    let corrected = (target.clone(), plain(), day(), lines()).prop_map(|(t, e, d, w)| recognition::record_corrected(t, e, d, w));
    let retracted = (target, lines()).prop_map(|(t, w)| recognition::record_retracted(t, w));
    prop_oneof![
        6 => plain(),
        1 => maybe(corrected, text(), |e, t| e.authority(t)).prop_map(Recognition::from),
        1 => maybe(retracted, text(), |e, t| e.authority(t)).prop_map(Recognition::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn events_go_through_the_codec_and_through_json(event in any_event(), on in day(), id in any::<[u8; 16]>(), with_personal in any::<bool>()) {
        prop_assert_eq!(event.validate(), Ok(()));
        let entry = event.clone().on(on).with_id(RecordId::from_bytes(id));
        let kept = Kept::of_entry(entry, Envelope::by(Actor::new("clerk").expect("an actor")));
        prop_assert_eq!(&kept.read().event, &event);

        let text = kept.export(with_personal).to_string();
        let read = import(&text, Mode::Migrate);
        prop_assert_eq!(&Kept::of(&read, true).frame, &kept.frame);
        if with_personal {
            prop_assert_eq!(read.entry.event(), &event);
            let appended = import(&text, Mode::Append);
            prop_assert_eq!(appended.entry.event(), &event);
        }
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        prop_assert_eq!(&value["type"], event.kind().name());
    }

    #[test]
    fn changed_lines_never_panic(event in any_event(), at in any::<prop::sample::Index>(), by in any::<char>()) {
        let entry = event.on(date(2024, 1, 1)).with_id(RecordId::from_bytes([1; 16]));
        let text = Kept::of_entry(entry, Envelope::by(Actor::new("clerk").expect("an actor"))).export(true).to_string();
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        chars[at] = by;
        let _ = parse_line(chars.into_iter().collect::<String>().as_bytes(), Mode::Migrate);
    }
}
