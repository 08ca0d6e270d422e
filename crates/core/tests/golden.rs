//! Golden vectors of docs/FORMAT.md §3, computed from its words with another BLAKE3 binding. A change here is a change of
//! the format: every ledger written before would read differently.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test program")]

mod common;

use common::{Club, counting};
use sovang_core::event::LedgerEvent;
use sovang_core::hash::{self, RecordDigest, context};
use sovang_core::ids::Commitment;
use sovang_core::personal::Given;
use sovang_core::record::{Frame, Prepared};
use sovang_core::{Actor, Envelope, Event, Override, Personal, Position, RecordId, date};

const SALT_NAME: [u8; 32] = counting_salt(0);
const SALT_OWES: [u8; 32] = counting_salt(1);
const C_NAME: &str = "d7f826752bf6db26f35460491c912127eaf65f3b500d0d56bd7014e83370d237";
const C_OWES: &str = "e93902ec90e1f1e32a5e65daef49b29bd2a545ba9992059c1fae0ccb9d17f972";
const RECORDED_AT: i64 = 1_728_900_000_123_456;

const fn counting_salt(start: u8) -> [u8; 32] {
    let mut salt = [0; 32];
    let mut n = 0u8;
    while n < 32 {
        salt[n as usize] = start + n;
        n += 1;
    }
    salt
}
fn bytes32(hex: &str) -> [u8; 32] {
    hex::decode(hex).expect("hex").try_into().expect("32 bytes")
}

#[test]
fn every_context() {
    let golden = [
        (context::RECORD, "sovang 2026-11 record v1", "5f3bf3ca8f9de70f1fb6f622bfab2d7b74b0ba713718c5c541f6ae584c6a9576"),
        (context::BODY, "sovang 2026-11 body v1", "803768b1d0e95139dcbed62902d1aa31fb6ccf6952d9e044c111e1c74144cffb"),
        (
            context::PRIVATE_ROOT,
            "sovang 2026-11 private root v1",
            "08a08369eac280197b874bbcd83a948cb029894f24122fd3e7b54858b31294be",
        ),
        (context::PERSONAL, "sovang 2026-11 personal v1", "fd87f321746a301ada705189bb8dbc4ff34671c0fb3e6456a5552529b6ac57d3"),
        (context::TAG, "sovang 2026-11 tag v1", "8290f423f82ef025dca4e6b111fc840a4ded1db1a8d0ee9138690281bfdf8f9c"),
        (context::SEGMENT, "sovang 2026-11 segment v1", "1715565d7c11af1f5bfd987452327d698d882b712281d11c2d3386fda99dcac4"),
        (context::STATE, "sovang 2026-11 state v1", "633aa7e4b303b318e564b3197c73c77e5eb3b0be266225382794413dc72a35b3"),
        (context::SNAPSHOT, "sovang 2026-11 snapshot v1", "a8d9a8a759d4fe0148642b1b9a4d88d543e39897fa97ea3b16f2abe0d6777eb5"),
        (
            context::ERASED_SUBJECT,
            "sovang 2026-11 erased subject v1",
            "444724e6da68e865ecf800efe84149d9349e4ede7c2ce2d0e3d5a86ba6c16ab0",
        ),
        (
            context::STATEMENT_RESULT,
            "sovang 2026-11 statement result v1",
            "b90f24431ee5232e2391e65250b8dbc910a22de00da5e6775b13e8ff60044c7e",
        ),
        (context::STATEMENT, "sovang 2026-11 statement v1", "e3c48701da360b7f9c14d44b179c0dc1f70db719f66c1a95d7db7c17f279e4c7"),
    ];
    for (context, text, of_abc) in golden {
        assert_eq!(context, text);
        let mut hasher = blake3::Hasher::new_derive_key(context);
        hasher.update(b"abc");
        assert_eq!(hasher.finalize().to_hex().as_str(), of_abc, "{context}");
    }
    let mut segment = hash::segment_hasher();
    segment.update(b"abc");
    assert_eq!(segment.finalize().to_hex().as_str(), golden[5].2);
    assert_eq!(hex::encode(hash::state_digest(b"abc")), golden[6].2);
    assert_eq!(hex::encode(hash::snapshot_digest(b"abc")), golden[7].2);
    assert_eq!(hex::encode(hash::statement_result_digest(b"abc")), golden[9].2);
    assert_eq!(hex::encode(hash::statement_digest(b"abc")), golden[10].2);
}

#[test]
fn body_digests() {
    let golden = [
        (0, "9b5ced888ef4cd7d90068fde327186cefd6c50502c1ef2b9fdf88ecca962fc7a"),
        (1, "b4a517f7f6ad2ee8f81fa1386d441484952a4cd4bfdde368d9dd860fe758038e"),
        (64, "a8277eb5d6150ec60a8f9de22604c57a7ddaecb378b43c7d2db118ea6689ef5d"),
        (65, "c285487f15a5800d3d6418dd40f6ac9eb41c37b66256241becdf8547f9fa6365"),
    ];
    for (len, digest) in golden {
        let body: Vec<u8> = (0..len).collect();
        assert_eq!(hex::encode(hash::body_digest(&body)), digest, "{len} bytes");
    }
}

#[test]
fn tag_keys() {
    assert_eq!(hex::encode(hash::tag_key("model", "C\u{1ED5} Nhu\u{1EBF} 1").0), "8875ee8c164b8947da688375d7ca0fac");
    assert_eq!(hex::encode(hash::tag_key("club", "C-1").0), "1ae321e0e4eb97ebdd7e8f086cea07f6");
    assert_eq!(hex::encode(hash::tag_key("level", "X\u{E3}").0), "1ce169c7494541d36bf28c1ebfbf13d9");
}

#[test]
fn commitments_and_the_private_root() {
    let name = sovang_core::codec::encode("Tr\u{1EA7}n Th\u{1ECB} B").unwrap();
    let owes = sovang_core::codec::encode(&-2i32).unwrap();
    assert_eq!(hash::commitment(&SALT_NAME, 1, &name), Commitment(bytes32(C_NAME)));
    assert_eq!(hash::commitment(&SALT_OWES, 0x0109, &owes), Commitment(bytes32(C_OWES)));
    let fields = [(1, Commitment(bytes32(C_NAME))), (0x0109, Commitment(bytes32(C_OWES)))];
    assert_eq!(hex::encode(hash::private_root(&fields)), "ae0db095e7d5ae0293f85d04faa6c41b52e1c66b353ee484f167d27590ba2fb2");
    assert_eq!(hash::private_root(&[]), [0; 32]);
}

#[test]
fn the_record_hash() {
    let digest = RecordDigest {
        kind: 0x0102,
        version: 3,
        flags: 3,
        recorded_at: RECORDED_AT,
        occurred_on: -3,
        body_len: 0xb9,
        id: hex::decode("00112233445566778899aabbccddeeff").unwrap().try_into().unwrap(),
        body: bytes32("c1dcc305041929ec93c99fe321ef8a00313db64054388b6356c0851267e431d1"),
        private_root: bytes32("ae0db095e7d5ae0293f85d04faa6c41b52e1c66b353ee484f167d27590ba2fb2"),
    };
    let position = Position(0x0807_0605_0403_0201);
    assert_eq!(
        hex::encode(digest.preimage(position)),
        concat!(
            "0201",
            "0300",
            "03000000",
            "0102030405060708",
            "400a5ce66c240600",
            "fdffffff",
            "b9000000",
            "00112233445566778899aabbccddeeff",
            "c1dcc305041929ec93c99fe321ef8a00313db64054388b6356c0851267e431d1",
            "ae0db095e7d5ae0293f85d04faa6c41b52e1c66b353ee484f167d27590ba2fb2",
            "00000000000000000000000000000000"
        )
    );
    assert_eq!(digest.hash(position).to_string(), RICH_HASH);
}

const RICH_HASH: &str = "41f38ca587166fd4d9e3a8a37f7b6ee7ac549baf997ea3cc15b6d0ac2af20e91";
/// A replacement with everything: every metadata field, two tags, an event within, two personal fields.
const RICH_FRAME: &str = concat!(
    // body length, kind, version, flags, occurred_on, recorded_at, id
    "b9000000",
    "0201",
    "0300",
    "03000000",
    "fdffffff",
    "400a5ce66c240600",
    "00112233445566778899aabbccddeeff",
    // metadata length, tag count
    "7f00",
    "02",
    // causation, target
    "01c0c1c2c3c4c5c6c7c8c9cacbcccdcecf",
    "01a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
    // override: rules 1 and 258, "checked by hand"
    "01",
    "0200000000000000",
    "0100",
    "0201",
    "0f00000000000000",
    "636865636b65642062792068616e64",
    // actor, source, correlation
    "0900000000000000",
    "636c65726b3a6c616e",
    "010d00000000000000",
    "7363616e3a323031342f303137",
    "010900000000000000",
    "726571756573742d37",
    // tags
    "1ae321e0e4eb97ebdd7e8f086cea07f6",
    "1ce169c7494541d36bf28c1ebfbf13d9",
    "2a4e0000",
    "0101",
    "0100",
    "0c000000",
    "0300000000000000",
    "432d31",
    // private: count, then field and commitment each
    "0200",
    "0100",
    "d7f826752bf6db26f35460491c912127eaf65f3b500d0d56bd7014e83370d237",
    "0901",
    "e93902ec90e1f1e32a5e65daef49b29bd2a545ba9992059c1fae0ccb9d17f972"
);

fn rich() -> Prepared {
    let joined = Club::Joined {
        seats: 12,
        club: "C-1".into(),
        name: Personal::of("citizen:77", "Tr\u{1EA7}n Th\u{1ECB} B"),
        owes: Personal::of("citizen:77", -2),
    };
    let moved = Club::Moved { target: counting(0xa0), on: date(2024, 10, 14), by: Box::new(joined) };
    let envelope = Envelope {
        actor: Actor::new("clerk:lan").unwrap(),
        source: Some("scan:2014/017".into()),
        correlation: Some("request-7".into()),
        causation: Some(counting(0xc0)),
    };
    let overriding = Override { rules: vec![1, 258], reason: "checked by hand".into() };
    let given = [(1, Given::Salt(SALT_NAME)), (0x0109, Given::Salt(SALT_OWES))];
    let id = "00112233-4455-6677-8899-aabbccddeeff".parse().unwrap();
    let mut no_salt = || panic!("both salts were given");
    let mut prepared = Prepared::new(&moved, id, Some(-3), envelope, Some(overriding), &given, &mut no_salt).unwrap();
    prepared.stamp(RECORDED_AT, 20_010);
    prepared
}

#[test]
fn a_frame_with_everything() {
    let prepared = rich();
    assert_eq!(hex::encode(prepared.bytes()), RICH_FRAME);
    let position = Position(0x0807_0605_0403_0201);
    assert_eq!(prepared.hash(position).to_string(), RICH_HASH);
    let frame = Frame::parse(hex::decode(RICH_FRAME).unwrap().into()).unwrap();
    assert_eq!(frame.hash(position).to_string(), RICH_HASH);
}

fn plain<E: Event>(event: &E, on: Option<i32>) -> Prepared {
    let envelope = Envelope::by(Actor::new("clerk:lan").unwrap());
    let id = RecordId::from_bytes([0; 16]);
    Prepared::new(event, id, on, envelope, None, &[], &mut || Ok([0; 32])).unwrap()
}

#[test]
fn a_frame_with_nothing_dated_by_the_writer() {
    let joined = Club::Joined { seats: 0, club: String::new(), name: Personal::None, owes: Personal::None };
    let mut prepared = plain(&joined, None);
    prepared.stamp(0, 20_010);
    assert_eq!(
        hex::encode(prepared.bytes()),
        concat!(
            "25000000",
            "0101",
            "0100",
            "00000000",
            "2a4e0000",
            "0000000000000000",
            "00000000000000000000000000000000",
            "1600",
            "00",
            "00",
            "00",
            "00",
            "0900000000000000",
            "636c65726b3a6c616e",
            "00",
            "00",
            "00000000",
            "0000000000000000"
        )
    );
    assert_eq!(prepared.hash(Position(0)).to_string(), "22423115d273e6bb2ca680cc80e120716e93233350069312eabbacde5d1833c8");
}

#[test]
fn a_retraction_and_an_erasure() {
    assert_eq!(
        hex::encode(plain(&Club::Left { target: counting(0xa0) }, Some(0)).bytes()),
        concat!(
            "29000000",
            "0301",
            "0100",
            "04000000",
            "00000000",
            "0000000000000000",
            "00000000000000000000000000000000",
            "2600",
            "00",
            "00",
            "01a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
            "00",
            "0900000000000000",
            "636c65726b3a6c616e",
            "00",
            "00"
        )
    );
    let erased = LedgerEvent::SubjectErased { handle: counting(0).to_bytes(), basis: "art. 17".into() };
    assert_eq!(
        hex::encode(plain(&erased, Some(0)).bytes()),
        concat!(
            "38000000",
            "00ff",
            "0100",
            "00000000",
            "00000000",
            "0000000000000000",
            "00000000000000000000000000000000",
            "1600",
            "00",
            "00",
            "00",
            "00",
            "0900000000000000",
            "636c65726b3a6c616e",
            "00",
            "00",
            "000102030405060708090a0b0c0d0e0f",
            "0700000000000000",
            "6172742e203137"
        )
    );
}
