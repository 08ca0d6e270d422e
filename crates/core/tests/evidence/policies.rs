//! Policies: the file format of C2SP tlog-policy, and quorums.

use crate::kit::{self, Log};
use proptest::prelude::*;
use sovang_core::evidence::{EvidenceError, KeyKind, Policy, VerifierKey, verify_checkpoint};
use sovang_core::{Error, ErrorKind};

/// The example of C2SP tlog-policy, with keys in.
fn example() -> String {
    let mut file = format!("log {}\n\n", kit::log_vkey());
    for (n, name) in (1u8..).zip(["X1", "X2", "X3", "Y1", "Y2", "Y3"]) {
        file += &format!("witness {name} {}\n", kit::witness_vkey(n));
    }
    file + "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
}
fn met(policy: &Policy, witnesses: &[u8]) -> bool {
    policy.quorum_met(&witnesses.iter().map(|n| kit::witness_vkey(*n)).collect::<Vec<_>>())
}

#[test]
fn the_example_of_the_specification() {
    let policy = Policy::parse(example().as_bytes()).unwrap();
    assert_eq!((policy.logs().len(), policy.witnesses().len(), policy.quorum()), (1, 6, "X-and-Y"));
    for enough in [&[1, 2, 4][..], &[1, 3, 6], &[2, 3, 5], &[1, 2, 3, 4, 5, 6]] {
        assert!(met(&policy, enough), "{enough:?}");
    }
    for short in [&[][..], &[1, 2], &[1, 4], &[4, 5, 6], &[1, 2, 3]] {
        assert!(!met(&policy, short), "{short:?}");
    }
}

#[test]
fn a_quorum_of_one_and_of_none() {
    let (log, w) = (kit::log_vkey(), kit::witness_vkey(1));
    let one = Policy::parse(format!("log {log}\nwitness w {w}\nquorum w\n").as_bytes()).unwrap();
    assert!(met(&one, &[1]) && !met(&one, &[]) && one.has_quorum());
    let none = Policy::parse(format!("quorum none\nlog {log}\nwitness w {w} https://w.example/\n").as_bytes()).unwrap();
    assert!(met(&none, &[]) && !none.has_quorum());
    assert_eq!((none.quorum(), none.witnesses()[0].url.as_deref()), ("none", Some("https://w.example/")));
    assert_eq!(none.not_after(&[(w, 1_750_000_000)]), None);
}

#[test]
fn blanks_comments_and_any_bytes_from_0x80() {
    let log = kit::log_vkey();
    let w = kit::witness_vkey(1);
    let mut file =
        format!("# \u{1F600} a comment\n\t # another\n \t\n\nlog\t{log}  https://x.example/\t\n  witness ").into_bytes();
    file.extend([0xff, 0xfe]);
    file.extend(format!(" {w}\nquorum ").into_bytes());
    file.extend([0xff, 0xfe]);
    // Without a last LF.
    let policy = Policy::parse(&file).unwrap();
    assert!(met(&policy, &[1]) && !met(&policy, &[]));
    assert_eq!(policy.witnesses()[0].name, "\u{fffd}\u{fffd}");
    // Two names that show alike are two.
    let other = kit::witness_vkey(2);
    let mut two = format!("witness \u{4b} {w}\nwitness \u{212a} {other}\nquorum \u{212a}\n").into_bytes();
    two.push(b'\n');
    assert!(met(&Policy::parse(&two).unwrap(), &[2]));
}

#[test]
fn what_is_no_policy_is_refused_with_its_line() {
    let (log, w1, w2) = (kit::log_vkey(), kit::witness_vkey(1), kit::witness_vkey(2));
    let log_as_witness = kit::log_key().verifier(KeyKind::Cosignature);
    let renamed_log = kit::secret("example.org/other", 1).verifier(KeyKind::Ed25519);
    let head = format!("log {log}\nwitness a {w1}\nwitness b {w2}\n");
    let cases = [
        (4, format!("{head}quorum c\n")),
        (4, format!("{head}quorum a b\n")),
        (4, format!("{head}quorum\n")),
        (5, format!("{head}quorum a\nquorum a\n")),
        (5, format!("{head}quorum a\nquorum none\n")),
        (0, head.clone()),
        (0, String::new()),
        (4, format!("{head}Quorum a\n")),
        (4, format!("{head}policy a\nquorum a\n")),
        (4, format!("{head}group g all\nquorum a\n")),
        (4, format!("{head}group g 0 a b\nquorum a\n")),
        (4, format!("{head}group g 3 a b\nquorum a\n")),
        (4, format!("{head}group g 01 a b\nquorum a\n")),
        (4, format!("{head}group g two a b\nquorum a\n")),
        (4, format!("{head}group g 1 a a\nquorum g\n")),
        (4, format!("{head}group g all a g\nquorum g\n")),
        (4, format!("{head}group g all a none\nquorum g\n")),
        (4, format!("{head}group none all a\nquorum none\n")),
        (4, format!("{head}group a all b\nquorum a\n")),
        (5, format!("{head}group g any a\ngroup h any a b\nquorum g\n")),
        (6, format!("{head}group g any a\ngroup h any g b\ngroup i all g\nquorum h\n")),
        (4, format!("{head}witness a {}\nquorum a\n", kit::witness_vkey(3))),
        (4, format!("{head}witness none {}\nquorum a\n", kit::witness_vkey(3))),
        (4, format!("{head}witness c {w1}\nquorum a\n")),
        (4, format!("{head}witness c {log_as_witness}\nquorum a\n")),
        (4, format!("{head}witness c {log}\nquorum a\n")),
        (4, format!("{head}log {}\nquorum a\n", kit::witness_vkey(3))),
        (4, format!("{head}log {log}\nquorum a\n")),
        (4, format!("{head}log {renamed_log}\nquorum a\n")),
        (2, format!("witness w {log_as_witness}\nlog {log}\nquorum w\n")),
        (4, format!("{head}log {log} https://x.example/ more\nquorum a\n")),
        (4, format!("{head}log\nquorum a\n")),
        (4, format!("{head}witness c\nquorum a\n")),
        (1, format!("log {log}\r\nquorum none\n")),
        (2, format!("log {log}\n# \u{7f}\nquorum none\n")),
        (1, "\u{feff}quorum none\n".into()),
        (1, format!("log {}x\nquorum none\n", log)),
    ];
    for (line, file) in cases {
        match Policy::parse(file.as_bytes()) {
            Err(EvidenceError::Policy { line: at, why }) => assert_eq!(at, line, "{why}: {file}"),
            other => panic!("{file}: {other:?}"),
        }
    }
    let error: Error = Policy::parse(b"quorum x\n").unwrap_err().into();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn keys_that_cannot_be_verified_are_refused_not_passed_over() {
    use base64::Engine as _;
    let ml_dsa = base64::engine::general_purpose::STANDARD.encode([&[6u8][..], &[1; 1312]].concat());
    let file = format!("log {}\nwitness m m.example+01234567+{ml_dsa}\nquorum none\n", kit::log_vkey());
    let error = Policy::parse(file.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("line 2") && error.to_string().contains("ML-DSA-44"), "{error}");
}

#[test]
fn limits() {
    let witnesses = |n: u16| -> String {
        let key = |n: u16| {
            let mut seed = [77; 32];
            seed[..2].copy_from_slice(&n.to_be_bytes());
            sovang_core::evidence::SecretKey::from_seed(&format!("w{n}"), seed).unwrap().verifier(KeyKind::Cosignature)
        };
        (0..n).map(|n| format!("witness w{n} {}\n", key(n))).collect()
    };
    let groups = |n: u16| -> String {
        (0..n).map(|n| format!("group g{n} all {}\n", if n == 0 { "w0".into() } else { format!("g{}", n - 1) })).collect()
    };
    assert!(Policy::parse(format!("{}{}quorum g255\n", witnesses(256), groups(256)).as_bytes()).is_ok());
    for over in [format!("{}quorum none\n", witnesses(257)), format!("{}{}quorum none\n", witnesses(1), groups(257))] {
        assert!(Policy::parse(over.as_bytes()).unwrap_err().to_string().contains("POLICY_ITEMS_MAX"));
    }
    let long = format!("#{}\nquorum none\n", "x".repeat(2 << 20));
    assert!(matches!(Policy::parse(long.as_bytes()), Err(EvidenceError::TooLarge { .. })));
}

#[test]
fn built_by_hand() {
    let witness = kit::witness_vkey(1);
    assert!(Policy::key(witness).is_err());
    assert!(kit::trusting().with_log(kit::log_vkey(), "other").is_err());
    for origin in ["", "a\nb"] {
        assert!(kit::trusting().with_origin(origin).is_err(), "{origin:?}");
    }
    let verified = verify_checkpoint(&Log::of(2).checkpoint(2), &kit::trusting().with_origin("another").unwrap());
    assert!(matches!(verified, Err(EvidenceError::UnknownOrigin { .. })));
}

#[test]
fn a_quorum_that_is_not_met_names_who_signed() {
    let checkpoint = Log::of(5).cosigned(5, 2);
    assert_eq!(verify_checkpoint(&checkpoint, &kit::policy(3, "2")).unwrap().witnesses.len(), 2);
    let error = verify_checkpoint(&checkpoint, &kit::policy(3, "all")).unwrap_err();
    assert_eq!(error.to_string(), "the quorum some is not met: cosigned by w1, w2");
    let error = verify_checkpoint(&Log::of(5).checkpoint(5), &kit::policy(3, "any")).unwrap_err();
    assert_eq!(error.to_string(), "the quorum some is not met: no witness of the policy has cosigned");
}

/// A tree of groups over witnesses, each used once, and the same as a file.
#[derive(Clone, Debug)]
enum Tree {
    Witness,
    Group(Vec<Tree>, usize),
}
fn tree() -> impl Strategy<Value = Tree> {
    Just(Tree::Witness).prop_recursive(4, 10, 4, |inner| {
        (proptest::collection::vec(inner, 1..4), any::<prop::sample::Index>()).prop_map(|(members, k)| {
            let k = 1 + k.index(members.len());
            Tree::Group(members, k)
        })
    })
}
impl Tree {
    /// Writes itself, and gives its name.
    fn write(&self, witnesses: &mut Vec<VerifierKey>, lines: &mut String, groups: &mut usize) -> String {
        match self {
            Self::Witness => {
                let key = kit::witness_vkey(witnesses.len() as u8 + 1);
                let name = format!("w{}", witnesses.len());
                *lines += &format!("witness {name} {key}\n");
                witnesses.push(key);
                name
            }
            Self::Group(members, k) => {
                let names: Vec<String> = members.iter().map(|m| m.write(witnesses, lines, groups)).collect();
                *groups += 1;
                let name = format!("g{groups}");
                *lines += &format!("group {name} {k} {}\n", names.join(" "));
                name
            }
        }
    }
    fn holds(&self, next: &mut usize, signed: &[bool]) -> bool {
        match self {
            Self::Witness => {
                *next += 1;
                signed[*next - 1]
            }
            Self::Group(members, k) => members.iter().filter(|m| m.holds(next, signed)).count() >= *k,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn quorums_and_times_are_those_of_the_tree(tree in tree(), bits in any::<u32>(), times in proptest::collection::vec(1u64..6, 32)) {
        let (mut witnesses, mut file) = (Vec::new(), String::new());
        let name = tree.write(&mut witnesses, &mut file, &mut 0);
        let policy = Policy::parse(format!("{file}quorum {name}\n").as_bytes()).unwrap();
        let signed: Vec<bool> = (0..witnesses.len()).map(|n| bits >> n & 1 == 1).collect();
        let cosigned: Vec<(VerifierKey, u64)> = witnesses.iter().zip(&signed).zip(&times).filter(|((_, signed), _)| **signed).map(|((key, _), time)| (key.clone(), *time)).collect();
        let keys: Vec<VerifierKey> = cosigned.iter().map(|(key, _)| key.clone()).collect();
        prop_assert_eq!(policy.quorum_met(&keys), tree.holds(&mut 0, &signed));
        let by = |bound: u64| tree.holds(&mut 0, &signed.iter().zip(&times).map(|(s, t)| *s && *t <= bound).collect::<Vec<_>>());
        prop_assert_eq!(policy.not_after(&cosigned), (0..10).find(|bound| by(*bound)));
        let since = |bound: u64| tree.holds(&mut 0, &signed.iter().zip(&times).map(|(s, t)| *s && *t >= bound).collect::<Vec<_>>());
        prop_assert_eq!(policy.not_before(&cosigned), (0..10).rev().find(|bound| since(*bound)));
    }
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), lines in proptest::collection::vec("(log|witness|group|quorum|#)?[ \t]{0,2}[a-z0-9 ]{0,12}", 0..6)) {
        let _ = Policy::parse(&bytes);
        let _ = Policy::parse(lines.join("\n").as_bytes());
    }
}
