//! Whatever can be written is read again as it was, and no bytes make a reader panic or accept two texts for one value.

use crate::kit;
use proptest::collection::vec;
use proptest::prelude::*;
use sovang_core::evidence::tiles::{Content, Tile};
use sovang_core::evidence::{
    Checkpoint, ForkProof, Growth, KeyKind, Leaf, Note, Receipt, SecretKey, SignatureLine, Statement, TlogProof, VerifierKey,
    verify_checkpoint,
};
use sovang_core::{Head, Position, RecordHash, Root, Size};

fn hashes() -> impl Strategy<Value = Vec<[u8; 32]>> {
    vec(any::<[u8; 32]>(), 0..=63)
}
fn name() -> impl Strategy<Value = String> {
    "[^\\s+\u{0}-\u{1f}\u{7f}-\u{9f}]{1,40}"
}
prop_compose! {
    fn line()(name in name(), id in any::<u32>(), signature in vec(any::<u8>(), 1..200)) -> SignatureLine {
        SignatureLine { name, id, signature }
    }
}
prop_compose! {
    fn checkpoint()(size in 1..=i64::MAX.unsigned_abs(), root in any::<[u8; 32]>(), more in vec(line(), 0..5), seed in any::<[u8; 32]>(), origin in name()) -> Checkpoint {
        let key = SecretKey::from_seed(&origin, seed).unwrap();
        let mut checkpoint = Checkpoint::sign(&key, Head { size: Size(size), root: Root(root) }).unwrap();
        for line in more {
            checkpoint.add(line).unwrap();
        }
        checkpoint
    }
}
fn leaf() -> impl Strategy<Value = Leaf> {
    prop_oneof![
        any::<[u8; 32]>().prop_map(|hash| Leaf::Hash(RecordHash(hash))),
        (0u8..100).prop_map(|n| Leaf::Record(kit::frame(n)))
    ]
}
fn extra() -> impl Strategy<Value = Option<Vec<u8>>> {
    proptest::option::of(vec(any::<u8>(), 1..300))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn keys(name in name(), seed in any::<[u8; 32]>(), cosigner in any::<bool>()) {
        let key = SecretKey::from_seed(&name, seed).unwrap().verifier(if cosigner { KeyKind::Cosignature } else { KeyKind::Ed25519 });
        prop_assert_eq!(&key.to_string().parse::<VerifierKey>().unwrap(), &key);
    }
    #[test]
    fn notes(text in "(\\PC|\n){0,80}", lines in vec(line(), 1..8)) {
        let note = Note::new(&format!("{text}\n"), lines).unwrap();
        prop_assert_eq!(&Note::parse(note.to_string().as_bytes()).unwrap(), &note);
    }
    #[test]
    fn checkpoints(checkpoint in checkpoint(), time in 1_600_000_000u64..2_000_000_000) {
        let mut checkpoint = checkpoint;
        checkpoint.add(kit::witness(1).cosign(&checkpoint, time)).unwrap();
        prop_assert_eq!(&checkpoint.to_string().parse::<Checkpoint>().unwrap(), &checkpoint);
        let verified = checkpoint.note().verify(&[kit::witness_vkey(1)]).unwrap();
        prop_assert_eq!(verified.keys, vec![(kit::witness_vkey(1), Some(time))]);
        prop_assert!(verify_checkpoint(&checkpoint, &kit::trusting()).is_err());
    }
    #[test]
    fn proofs(extra in extra(), position in 0..=i64::MAX.unsigned_abs(), hashes in hashes(), checkpoint in checkpoint()) {
        let proof = TlogProof { extra, position: Position(position), hashes, checkpoint };
        prop_assert_eq!(&proof.to_string().parse::<TlogProof>().unwrap(), &proof);
    }
    #[test]
    fn receipts(leaf in leaf(), position in 0..=i64::MAX.unsigned_abs(), hashes in hashes(), checkpoint in checkpoint()) {
        let receipt = Receipt::of(Position(position), leaf, hashes, checkpoint);
        prop_assert_eq!(&receipt.to_string().parse::<Receipt>().unwrap(), &receipt);
    }
    #[test]
    fn growths(old in any::<u64>(), hashes in hashes(), checkpoint in checkpoint()) {
        let new = checkpoint.head().size.0;
        let old = old % (new + 1);
        let hashes = if old == 0 || old == new { Vec::new() } else { hashes };
        let growth = Growth { old: Size(old), hashes, checkpoint };
        prop_assert_eq!(&growth.to_string().parse::<Growth>().unwrap(), &growth);
    }
    #[test]
    fn tile_paths(level in 0u8..=63, index in 0..1u64 << 50, width in 1u16..=256) {
        for content in [Content::Hashes { level }, Content::Entries, Content::Records] {
            let tile = Tile { content, index, width };
            prop_assert_eq!(tile.to_string().parse::<Tile>().unwrap(), tile);
        }
    }
    /// A file of some kind with a few bytes changed: refused, or printed back as exactly these bytes.
    #[test]
    fn what_is_read_is_printed_back(leaf in leaf(), hashes in hashes(), checkpoint in checkpoint(), changes in vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 0..3)) {
        let receipt = Receipt::of(Position(1), leaf, hashes.clone(), checkpoint.clone()).to_string();
        let growth = Growth { old: Size(0), hashes: Vec::new(), checkpoint: checkpoint.clone() }.to_string();
        let fork = format!("sovang fork proof v1\nother {}\n\n{checkpoint}\n{checkpoint}", Root([1; 32]).to_base64());
        for file in [receipt, growth, fork, checkpoint.to_string()] {
            let mut bytes = file.into_bytes();
            for (at, byte, how) in &changes {
                let at = at.index(bytes.len());
                match how {
                    0 => bytes[at] = *byte,
                    1 => { bytes.remove(at); }
                    _ => bytes.insert(at, *byte),
                }
            }
            let same = |printed: Option<String>| printed.is_none_or(|text| text.as_bytes() == bytes);
            prop_assert!(same(Note::parse(&bytes).ok().map(|v| v.to_string())));
            prop_assert!(same(Checkpoint::parse(&bytes).ok().map(|v| v.to_string())));
            prop_assert!(same(TlogProof::parse(&bytes).ok().map(|v| v.to_string())));
            prop_assert!(same(Receipt::parse(&bytes).ok().map(|v| v.to_string())));
            prop_assert!(same(Growth::parse(&bytes).ok().map(|v| v.to_string())));
            prop_assert!(same(ForkProof::parse(&bytes).ok().map(|v| v.to_string())));
            prop_assert!(same(Statement::parse(&bytes).ok().map(|v| v.to_string())));
        }
    }
    #[test]
    fn no_text_makes_a_reader_panic(text in "(\\PC|\n|\u{2014} x |old |index |extra |other |AAAA|sovang fork proof v1\n){0,60}") {
        let bytes = text.as_bytes();
        let _ = (Note::parse(bytes), Checkpoint::parse(bytes), TlogProof::parse(bytes), Growth::parse(bytes));
        let _ = (ForkProof::parse(bytes), Statement::parse(bytes), text.parse::<VerifierKey>(), text.parse::<Tile>());
        let _ = SignatureLine::parse_all(bytes);
    }
}
