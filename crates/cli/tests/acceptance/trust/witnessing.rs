//! Cosignatures: by files that somebody carries, and over the network from a witness of our own.

use super::Signed;
use sovang::evidence::{KeyKind, SecretKey};
use sovang::{Checkpoint, Growth, Policy, evidence};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

const TIME: u64 = 1_700_000_000;

fn key() -> SecretKey {
    SecretKey::from_seed("w.example/one", [7; 32]).unwrap()
}

/// What a witness knows of the log, and how it misbehaves.
#[derive(Default)]
struct Memory {
    seen: Option<sovang::Head>,
    requests: Vec<String>,
    /// Given instead of what is due: a status and a body.
    instead: Option<(u16, String)>,
}

/// A witness as C2SP's tlog-witness describes it, for one log, over loopback.
struct Witness {
    url: String,
    memory: Arc<Mutex<Memory>>,
}

impl Witness {
    fn start(log: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/sub", listener.local_addr().unwrap());
        let memory = Arc::<Mutex<Memory>>::default();
        let (policy, shared) = (Policy::key(log.parse().unwrap()).unwrap(), Arc::clone(&memory));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(&mut stream.unwrap(), &policy, &mut shared.lock().unwrap());
            }
        });
        Self { url, memory }
    }
    fn policy(&self, log: &str) -> String {
        format!("log {log}\nwitness one {} {}\nquorum one\n", key().verifier(KeyKind::Cosignature), self.url)
    }
    fn instead(&self, status: u16, body: &str) {
        self.memory.lock().unwrap().instead = Some((status, body.to_owned()));
    }
    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.memory.lock().unwrap().requests)
    }
}

fn answer(stream: &mut TcpStream, policy: &Policy, memory: &mut Memory) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut line, mut length, mut first) = (String::new(), 0, String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if first.is_empty() {
            first = line.trim().to_owned();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    assert_eq!(first, "POST /sub/add-checkpoint HTTP/1.1");
    let (status, text) = memory.instead.clone().unwrap_or_else(|| judge(&body, policy, memory));
    memory.requests.push(body);
    let kind = if status == 409 { "text/x.tlog.size" } else { "text/plain" };
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
    .unwrap();
}

/// The checks of add-checkpoint, in the specification's order.
fn judge(body: &str, policy: &Policy, memory: &mut Memory) -> (u16, String) {
    let say = |status, text: &str| (status, text.to_owned());
    let Ok(growth) = body.parse::<Growth>() else { return say(400, "malformed") };
    if growth.checkpoint.origin() != policy.logs()[0].origin {
        return say(404, "unknown origin");
    }
    if evidence::verify_checkpoint(&growth.checkpoint, policy).is_err() {
        return say(403, "no valid signature");
    }
    let seen = memory.seen.unwrap_or(sovang::Head { size: sovang::Size::ZERO, root: sovang::Root::empty() });
    if growth.old != seen.size {
        return say(409, &format!("{}\n", seen.size));
    }
    if growth.extends(&seen).is_err() {
        return say(422, "the proof does not verify");
    }
    memory.seen = Some(growth.checkpoint.head());
    (200, format!("{}\n", key().cosign(&growth.checkpoint, TIME)))
}

#[test]
fn a_request_is_carried_and_its_answer_brought_back() {
    let signed = Signed::new();
    let witness = Witness::start(&signed.vkey);
    signed.write("policy", &witness.policy(&signed.vkey));
    let none = signed.sovang("witness @book --policy @policy --request-out @request");
    assert_eq!(none.code, Some(2), "nothing is signed yet: {none:?}");
    let signed_now = |name: &str| signed.checkpoint(name).done();
    signed_now("c16");
    signed.sovang("witness @book --policy @policy --request-out @request").done();
    assert!(signed.text("request").starts_with("old 0\n\nexample.org/book\n16\n"), "{}", signed.text("request"));
    let request: Growth = signed.text("request").parse().unwrap();
    signed.write("answer", &format!("{}\n", key().cosign(&request.checkpoint, TIME)));
    // Meanwhile the log goes on; the answer finds its checkpoint all the same.
    signed.grow(4, "more");
    signed_now("c20");
    signed.sovang("witness @book --policy @policy --response @answer").done();
    let kept: Checkpoint = signed.text("book/checkpoints/16").parse().unwrap();
    assert_eq!(kept.note().signatures().len(), 2);
    signed.sovang("check @book/checkpoints/16 --policy @policy").done();
    signed.sovang("receipt @book --position 3 --policy @policy -o @receipt").done();
    signed.sovang("check @receipt --policy @policy").done();
    // From here the next request starts.
    signed.sovang("witness @book --policy @policy --request-out @request").done();
    assert!(signed.text("request").starts_with("old 16\n"), "{}", signed.text("request"));
    signed.sovang("check @c16 @request --vkey VKEY").done();
    // A cosigned checkpoint is an anchor in time: what comes after it was recorded after its cosignatures.
    signed.sovang("anchor @book --policy @policy").done();
    signed.sovang("anchor @book").done();
    signed.grow(3, "later");
    signed.checkpoint("c25").done();
    for position in [19, 20, 24] {
        signed.sovang(&format!("receipt @book --position {position} -o @r{position}")).done();
    }
    signed.write("log-and-witness", &signed.text("policy").replace("quorum one", "quorum none"));
    let said = signed.sovang("check @r19 @r24 @r20 --policy @log-and-witness --json");
    assert!(
        said.json()["files"].as_array().unwrap().iter().all(|file| file["not_before"].is_null()),
        "without a quorum nobody vouches"
    );
    let request: Growth = {
        signed.sovang("witness @book --policy @policy --request-out @request").done();
        signed.text("request").parse().unwrap()
    };
    signed.write("answer", &format!("{}\n", key().cosign(&request.checkpoint, TIME + 9)));
    signed.sovang("witness @book --policy @policy --response @answer").done();
    for position in [19, 20, 24] {
        signed.sovang(&format!("receipt @book --position {position} -o @r{position} --policy @policy")).done();
    }
    let said = signed.sovang("check @r19 @r24 @r20 --policy @policy --json").json();
    let bounds: Vec<_> = (0..3).map(|n| said["files"][n]["not_before"].clone()).collect();
    assert_eq!(bounds, [serde_json::Value::Null, TIME.into(), TIME.into()]);
    let alone = signed.sovang("check @r24 --policy @policy --json").json();
    assert!(alone["files"][0]["not_before"].is_null(), "{alone}");
}

#[test]
fn an_answer_that_does_not_verify_is_not_kept() {
    let signed = Signed::new();
    signed.write("policy", &format!("log {}\nwitness one {}\nquorum one\n", signed.vkey, key().verifier(KeyKind::Cosignature)));
    signed.checkpoint("c16").done();
    let before = signed.text("book/checkpoints/16");
    let checkpoint: Checkpoint = before.parse().unwrap();
    let good = key().cosign(&checkpoint, TIME).to_string();
    let other = SecretKey::from_seed("w.example/one", [8; 32]).unwrap().cosign(&checkpoint, TIME).to_string();
    let of_nothing =
        key().cosign(&Checkpoint::sign(&SecretKey::from_seed(super::ORIGIN, [1; 32]).unwrap(), checkpoint.head()).unwrap(), TIME);
    assert_eq!(of_nothing.to_string(), good, "a cosignature covers the text alone");
    let elsewhere = Checkpoint::unsigned("example.org/elsewhere", checkpoint.head());
    let elsewhere: Checkpoint = format!("{elsewhere}\n{}\n", good).parse().unwrap();
    for (what, answer) in [
        ("of a stranger", format!("{other}\n")),
        ("without its line feed", good.clone()),
        ("of another log", format!("{}\n", key().cosign(&elsewhere, TIME))),
        ("of a time long ago", format!("{}\n", key().cosign(&checkpoint, 1_000))),
        ("of a time to come", format!("{}\n", key().cosign(&checkpoint, 9_000_000_000))),
        ("nothing", String::new()),
        ("something else", "<html>\n".to_owned()),
    ] {
        signed.write("answer", &answer);
        let said = signed.sovang("witness @book --policy @policy --response @answer");
        assert_eq!(said.code, Some(1), "{what}: {said:?}");
        assert_eq!(signed.text("book/checkpoints/16"), before, "{what}");
    }
    signed.write("answer", &format!("{other}\n{good}\n"));
    signed.sovang("witness @book --policy @policy --response @answer").done();
    assert!(!signed.text("book/checkpoints/16").contains(&other), "a stranger's line is not kept");
    for words in ["--response @none", "", "--witness two --request-out @request"] {
        let said = signed.sovang(&format!("witness @book --policy @policy {words}"));
        assert_eq!(said.code, Some(2), "{words}: {said:?}");
    }
}

#[test]
fn a_witness_is_asked_over_the_network_from_where_it_is() {
    let signed = Signed::new();
    let witness = Witness::start(&signed.vkey);
    signed.write("policy", &witness.policy(&signed.vkey));
    let post = || signed.sovang("witness @book --policy @policy --post");
    signed.checkpoint("c16").done();
    post().done();
    signed.grow(300, "more");
    signed.checkpoint("c316").done();
    assert_eq!(signed.sovang("check @book/checkpoints/316 --policy @policy").code, Some(1));
    post().done();
    signed.sovang("check @book/checkpoints/316 --policy @policy").done();
    let requests = witness.requests();
    let sizes: Vec<&str> = requests.iter().map(|request| request.lines().next().unwrap()).collect();
    assert_eq!(sizes, ["old 0", "old 16"]);
    // What is kept here is lost; the witness says where it stands, and is asked once more from there.
    for size in ["16", "316"] {
        let path = signed.file("book/checkpoints").join(size);
        let text = std::fs::read_to_string(&path).unwrap();
        let alone: String = text.lines().filter(|line| !line.contains("w.example")).map(|line| format!("{line}\n")).collect();
        std::fs::write(path, alone).unwrap();
    }
    signed.grow(5, "later");
    signed.checkpoint("c321").done();
    post().done();
    let requests = witness.requests();
    let sizes: Vec<&str> = requests.iter().map(|request| request.lines().next().unwrap()).collect();
    assert_eq!(sizes, ["old 0", "old 316"]);
    signed.sovang("check @book/checkpoints/321 --policy @policy").done();
}

#[test]
fn a_witness_that_has_seen_more_is_never_asked_for_less() {
    let signed = Signed::new();
    let witness = Witness::start(&signed.vkey);
    signed.write("policy", &witness.policy(&signed.vkey));
    signed.checkpoint("c16").done();
    let before = signed.text("book/checkpoints/16");
    witness.instead(409, "99\n");
    let said = signed.sovang("witness @book --policy @policy --post");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("99") && said.err.contains("rolled back") && said.err.contains("hint:"), "{said:?}");
    assert_eq!(witness.requests().len(), 1, "asked once");
    assert_eq!(signed.text("book/checkpoints/16"), before);
    let by_hand = signed.sovang("witness @book --policy @policy --request-out @request --since 99");
    assert_eq!(by_hand.code, Some(1), "{by_hand:?}");
}

#[test]
fn refusals_are_told_apart() {
    let signed = Signed::new();
    let witness = Witness::start(&signed.vkey);
    signed.write("policy", &witness.policy(&signed.vkey));
    signed.checkpoint("c16").done();
    let checkpoint: Checkpoint = signed.text("c16").parse().unwrap();
    let mut forged = key().cosign(&checkpoint, TIME);
    forged.signature[40] ^= 1;
    for (status, body, code, requests) in [
        (404, "unknown", 2, 1),
        (403, "who?", 1, 1),
        (422, "no", 1, 1),
        (400, "bad", 1, 1),
        (500, "later", 4, 1),
        (302, "elsewhere", 4, 1),
        (409, "x\n", 1, 1),
        (409, "0\n", 1, 1),
        (409, "5\n", 4, 2),
        (200, &format!("{forged}\n"), 1, 1),
        (200, "hello\n", 1, 1),
    ] {
        witness.instead(status, body);
        let said = signed.sovang("witness @book --policy @policy --post");
        assert_eq!(said.code, Some(code), "{status} {body:?}: {said:?}");
        assert_eq!(witness.requests().len(), requests, "{status} {body:?}");
        assert_eq!(signed.text("book/checkpoints/16"), signed.text("c16"));
    }
    // Nobody listens at a client's end of a connection, and nobody else gets that port while it is open.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let deaf = client.local_addr().unwrap();
    let policy = format!("log {}\nwitness one {} http://{deaf}\nquorum one\n", signed.vkey, key().verifier(KeyKind::Cosignature));
    signed.write("policy", &policy);
    let said = signed.sovang("witness @book --policy @policy --post");
    assert_eq!(said.code, Some(4), "{said:?}");
}
