//! The ids of lines without one.

use sovang_recognition::interchange::{Form, Line, Mode, Numbering, parse_line};

fn form(line: &str) -> Form {
    match parse_line(line.as_bytes(), Mode::Append) {
        Ok(Line::Event { form: Some(form), .. }) => form,
        other => panic!("{line}: {other:?}"),
    }
}

const GIFT: &str = r#"{"type":"model_funded","occurred_on":"2024-05-05","actor":"clerk","model":"BTL-2024-0001","contribution":{"kind":"cash","vnd":9007199254740993},"source":"socialised","donor":{"id":"P-17","name":"Nguyễn Văn A"}}"#;

#[test]
fn golden() {
    let form = form(GIFT);
    assert_eq!(
        form.as_str(),
        r#"{"actor":"clerk","contribution":{"kind":"cash","vnd":9007199254740993},"model":"BTL-2024-0001","occurred_on":"2024-05-05","source":"socialised","type":"model_funded"}"#
    );
    assert_eq!(form.id(0).to_string(), "f88863e3-b2f3-5247-ae64-7d28c7d727e3");
    assert_eq!(form.id(1).to_string(), "4395c114-f89f-573f-b7f9-683df4e70b9e");
}

#[test]
fn equal_lines_of_one_file_are_different_records_and_the_same_ones_next_time() {
    let mut first = Numbering::new();
    let mut second = Numbering::new();
    let lines = [GIFT, GIFT, &GIFT.replace("2024-05-05", "2024-05-06"), GIFT];
    let ids: Vec<_> = lines.iter().map(|line| first.id(&form(line))).collect();
    assert_eq!(ids, [form(GIFT).id(0), form(GIFT).id(1), form(lines[2]).id(0), form(GIFT).id(2)]);
    assert_eq!(ids, lines.iter().map(|line| second.id(&form(line))).collect::<Vec<_>>());
}

#[test]
fn a_form_is_what_is_public() {
    let same = |a: &str, b: &str| assert_eq!(form(a), form(b), "{a} {b}");
    let differ = |a: &str, b: &str| assert_ne!(form(a), form(b), "{a} {b}");
    same(GIFT, &format!(" {GIFT}\r"));
    same(GIFT, &GIFT.replace("P-17", "P-18"));
    same(GIFT, &GIFT.replace(r#","donor":{"id":"P-17","name":"Nguyễn Văn A"}"#, ""));
    same(GIFT, &GIFT.replace(r#""actor""#, r#" "recorded_at":"x", "private":{"donor":"x"}, "actor""#));
    same(GIFT, &GIFT.replace("cash", r"\u0063ash"));
    differ(GIFT, &GIFT.replace("clerk", "clerk:lan"));
    differ(GIFT, &GIFT.replace(r#""actor""#, r#""correlation":"x","actor""#));
    differ(GIFT, &GIFT.replace("9007199254740993", "9007199254740992"));

    let registered = r#"{"type":"model_registered","occurred_on":"2024-02-01","actor":"clerk","model":"M","title":"T","subject_kind":"individual","subject":{"id":"P","name":"N"},"address":"Tổ 5","unit":"u","field":"economy","year":2024}"#;
    same(registered, &registered.replace("Tổ 5", "Tổ 6"));
    let public = registered.replace(r#""subject":{"id":"P","name":"N"},"#, "");
    differ(&public, &public.replace("Tổ 5", "Tổ 6"));

    let awarded = r#"{"type":"commendation_proposed","occurred_on":"2024-09-01","actor":"clerk","commendation":"C","recipient":{"kind":"individual","subject":{"id":"P","name":"N"},"unit":"u"},"form":"medal","level":"city"}"#;
    same(awarded, &awarded.replace(r#""id":"P""#, r#""id":"Q""#));
    differ(awarded, &awarded.replace(r#""unit":"u""#, r#""unit":"v""#));

    let inner = registered.replace(r#""actor":"clerk","#, "");
    let corrected = format!(
        r#"{{"type":"record_corrected","occurred_on":"2024-03-01","actor":"clerk","target":"0192d7a0-5c1e-7000-8000-000000000001","reason":"r","replacement":{inner}}}"#
    );
    same(&corrected, &corrected.replace(r#""name":"N""#, r#""name":"O""#).replace("Tổ 5", "Tổ 6"));
    differ(&corrected, &corrected.replace("economy", "green_living"));
}

#[test]
fn a_line_with_an_id_has_no_form() {
    let line = GIFT.replace(r#""actor""#, r#""id":"0192D7A0-5c1e-7000-8000-000000000001","actor""#);
    let Ok(Line::Event { import, form: None }) = parse_line(line.as_bytes(), Mode::Append) else { panic!("a line") };
    assert_eq!(import.entry.id().expect("an id").to_string(), "0192d7a0-5c1e-7000-8000-000000000001");
}
