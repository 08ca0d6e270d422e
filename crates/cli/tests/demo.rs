//! `sovang demo` from outside: the paragraph, the figures that `tally` gives of what it recorded, and what it refuses.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

const ENGLISH: &str = "From 2014 to 2024 the 13 wards of Bắc Từ Liêm district registered 6,977 \"skilful mobilisation\" models. The \
    district recognised 885 collectives and 748 individuals, and proposed 9 collectives to the city for a diploma of merit. In 2024 \
    alone 549 models were registered in all fields of social life, with more than 7 billion đồng of socialised funding and more than \
    3,000 labour days; the district commended 36 collectives and 15 individuals, and 2 individuals received a commemorative medal \
    from the central body.";
const VIETNAMESE: &str = "Từ năm 2014 đến năm 2024, 13 phường của quận Bắc Từ Liêm đã đăng ký 6.977 mô hình \"Dân vận khéo\". Quận \
    công nhận 885 tập thể và 748 cá nhân, đề nghị Thành phố tặng Bằng khen cho 9 tập thể. Riêng năm 2024 có 549 mô hình được đăng ký \
    trên tất cả các lĩnh vực của đời sống xã hội, huy động xã hội hoá hơn 7 tỷ đồng và hơn 3.000 ngày công; quận khen thưởng 36 tập \
    thể và 15 cá nhân, 2 cá nhân được Trung ương tặng Kỷ niệm chương.";

fn sovang(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sovang")).args(args).output().expect("the binary runs")
}
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}
fn demo(dir: &Path) -> String {
    let output = sovang(&["demo", dir.to_str().expect("a path")]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

/// The rows of a tally; `arguments` are separated by spaces, and `""` is an empty one.
fn tally(dir: &Path, arguments: &str) -> Vec<Value> {
    let mut args = vec!["tally", dir.to_str().expect("a path")];
    args.extend(arguments.split(' ').map(|argument| if argument == "\"\"" { "" } else { argument }));
    args.extend(["--format", "json"]);
    let output = sovang(&args);
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    document["rows"].as_array().expect("rows").clone()
}
/// What a measure adds up to in the rows that have this text anywhere.
fn sum(rows: &[Value], of: &str, measure: &str) -> i64 {
    let is = |row: &&Value| of.is_empty() || row.as_object().is_some_and(|row| row.values().any(|value| value == of));
    rows.iter().filter(is).map(|row| row[measure].as_i64().expect("an integer")).sum()
}

#[test]
fn the_ledger_gives_the_published_figures() {
    let parent = tempfile::tempdir().expect("a directory");
    let dir = parent.path().join("new").join("book");
    let printed = demo(&dir);
    assert!(printed.contains(ENGLISH) && printed.contains(VIETNAMESE), "{printed}");
    assert!(printed.contains("11 of 11 figures are equal") && !printed.contains("DIFFERS"), "{printed}");

    let count = |arguments: &str, of: &str| sum(&tally(&dir, arguments), of, "count");
    assert_eq!(count("registered --by \"\"", ""), 6_977);
    assert_eq!(count("registered --where year=2024 --by \"\"", ""), 549);
    assert_eq!(tally(&dir, "registered --where year=2024 --by field").len(), 4);
    assert_eq!(count("commendations --where form=commemorative_medal --by level,recipient_kind", "individual"), 2);
    assert_eq!(count("commendations --where form=commemorative_medal --by level,recipient_kind", "central"), 2);

    let wards: Vec<_> = tally(&dir, "registered --by unit").into_iter().map(|row| row["unit"].clone()).collect();
    let log = sovang(&["log", dir.to_str().expect("a path"), "--type", "unit_defined", "--json"]);
    let units: Vec<Value> = text(&log.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(wards.len(), 13);
    for ward in &wards {
        let defined = units.iter().find(|record| record["event"]["unit"] == *ward).expect("a definition");
        assert_eq!((&defined["event"]["kind"], &defined["event"]["parent"]), (&"ward".into(), &"bac-tu-liem".into()));
    }
    assert_eq!(tally(&dir, "registered --by unit --where year=2024").len(), 13);

    for (arguments, measure) in [
        ("recognised --by subject_kind --where level=district", "count"),
        ("recognised --by subject_kind --where level=district", "distinct_models"),
    ] {
        let rows = tally(&dir, arguments);
        let of = |kind| sum(&rows, kind, measure);
        assert_eq!((of("collective"), of("individual"), of("")), (885, 748, 885 + 748), "{measure}");
    }
    let commended = tally(&dir, "commendations --where year=2024 --where level=district --by recipient_kind");
    let of = |kind| sum(&commended, kind, "count");
    assert_eq!((of("collective"), of("individual"), of("")), (36, 15, 51));
    let proposed = tally(&dir, "proposals --where form=diploma_of_merit --by level,recipient_kind");
    assert_eq!((sum(&proposed, "collective", "proposed"), sum(&proposed, "city", "proposed"), proposed.len()), (9, 9, 1));

    for source in ["--where source=socialised", "--where land="] {
        let given = tally(&dir, &format!("contributions --by kind --where year=2024 {source}"));
        let (cash, labour) = (sum(&given, "cash", "vnd"), sum(&given, "labour", "labour_days"));
        assert!((7_000_000_001..8_000_000_000).contains(&cash) && (3_001..4_000).contains(&labour), "{cash} {labour}");
        assert!(sum(&given, "", "vnd") < 8_000_000_000);
        let bound = |kind: &str, bound: &str| given.iter().find(|row| row["kind"] == kind).map(|row| row[bound].clone());
        assert_eq!(bound("cash", "vnd_bound"), Some("more_than".into()));
        assert_eq!(bound("labour", "labour_days_bound"), Some("more_than".into()));
    }
    assert_eq!(tally(&dir, "amendments").len(), 4, "amendments of every kind");

    let verified = sovang(&["verify", dir.to_str().expect("a path")]);
    assert_eq!(verified.status.code(), Some(0));
}

#[test]
fn what_was_known_then_is_not_what_is_known_now() {
    let parent = tempfile::tempdir().expect("a directory");
    let dir = parent.path().join("book");
    demo(&dir);
    let of_2017 = |as_of: &str| {
        let arguments = format!("recognised --by subject_kind --where level=district --where year=2017{as_of}");
        sum(&tally(&dir, &arguments), "collective", "count")
    };
    assert_eq!(of_2017(""), 83);
    assert_ne!(of_2017(" --as-of 2017-12-31T23:59:59+07:00"), 83, "a decision of 2017 was annulled in 2018");
}

#[test]
fn a_directory_that_is_not_empty_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = demo(dir.path());
    assert!(first.contains("sound, root "), "an empty directory is taken: {first}");
    let head = || sovang(&["head", dir.path().to_str().expect("a path"), "--json"]).stdout;
    let before = head();
    let again = sovang(&["demo", dir.path().to_str().expect("a path")]);
    assert_eq!((again.status.code(), text(&again.stdout)), (Some(2), ""), "{}", text(&again.stderr));
    assert_eq!(head(), before);

    let other = tempfile::tempdir().expect("a directory");
    std::fs::write(other.path().join("notes.txt"), "mine").expect("a file");
    let refused = sovang(&["demo", other.path().to_str().expect("a path")]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    assert_eq!(std::fs::read_dir(other.path()).expect("a directory").count(), 1);
}

#[test]
fn two_runs_give_the_same_tallies() {
    let parent = tempfile::tempdir().expect("a directory");
    let (one, other) = (parent.path().join("one"), parent.path().join("other"));
    demo(&one);
    demo(&other);
    for name in ["registered", "recognised", "contributions", "plaques", "commendations", "proposals", "continuity", "amendments"]
    {
        let rows = tally(&one, name);
        assert!(!rows.is_empty(), "{name}");
        assert_eq!(rows, tally(&other, name), "{name}");
    }
}

#[test]
fn without_a_directory_one_is_made_and_left() {
    let parent = tempfile::tempdir().expect("a directory");
    let run = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sovang"));
        let output =
            command.arg("demo").env("TMPDIR", parent.path()).env("TEMP", parent.path()).output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout).to_owned()
    };
    let (first, second) = (run(), run());
    let made: Vec<_> =
        std::fs::read_dir(parent.path()).expect("a directory").map(|entry| entry.expect("an entry").path()).collect();
    assert_eq!(made.len(), 2);
    for dir in made {
        let shown = dir.display().to_string();
        assert!(first.contains(&shown) || second.contains(&shown), "{shown}");
        assert_eq!(sovang(&["verify", dir.to_str().expect("a path")]).status.code(), Some(0));
    }
}
