//! Tiles: the paths and bytes of C2SP tlog-tiles, and proofs from them alone.

use crate::kit::Log;
use sovang_core::evidence::tiles::{self, Content, Tile};
use sovang_core::tree::{self, Hash, Node};
use sovang_core::{Position, RecordHash, Root, Size};
use std::collections::BTreeMap;

fn paths(old: u64, new: u64) -> Vec<String> {
    tiles::since(Size(old), Size(new)).map(|tile| tile.to_string()).collect()
}

#[test]
fn the_examples_of_the_specification() {
    let of_70000 = paths(0, 70_000);
    let hashes: Vec<&String> = of_70000.iter().filter(|path| !path.contains("entries") && path.starts_with("tile/")).collect();
    assert_eq!(hashes.len(), 273 + 1 + 1 + 1 + 1);
    for path in [
        "tile/0/000",
        "tile/0/272",
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
        "tile/entries/273.p/112",
    ] {
        assert!(of_70000.iter().any(|p| p == path), "{path}");
    }
    assert_eq!(paths(0, 256), ["tile/0/000", "tile/1/000.p/1", "tile/entries/000", "records/000"]);
    assert_eq!(paths(0, 0), [""; 0]);
    assert_eq!(paths(0, 1), ["tile/0/000.p/1", "tile/entries/000.p/1", "records/000.p/1"]);
}

#[test]
fn growing_writes_what_is_new() {
    assert_eq!(paths(256, 256), [""; 0]);
    assert_eq!(paths(255, 256), ["tile/0/000", "tile/1/000.p/1", "tile/entries/000", "records/000"]);
    assert_eq!(paths(256, 257), ["tile/0/001.p/1", "tile/entries/001.p/1", "records/001.p/1"]);
    assert_eq!(
        paths(600, 770),
        [
            "tile/0/002",
            "tile/0/003.p/2",
            "tile/1/000.p/3",
            "tile/entries/002",
            "tile/entries/003.p/2",
            "records/002",
            "records/003.p/2"
        ]
    );
    for new in [1u64, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 66_000] {
        for old in [0, 1, 255, 256, 300, 65_535, 65_536] {
            // What an export of `new` needs is in the export of `old`, or is written now.
            let had: Vec<String> = paths(0, old.min(new));
            let written = paths(old.min(new), new);
            for path in paths(0, new) {
                assert!(had.contains(&path) || written.contains(&path), "{old} {new} {path}");
            }
        }
    }
    // Lazy, so that the largest log asks for no memory.
    assert_eq!(tiles::since(Size(0), Size(i64::MAX.unsigned_abs())).next().map(|t| t.to_string()), Some("tile/0/000".into()));
}

#[test]
fn a_path_is_written_in_one_way() {
    let tile = |content, index, width| Tile { content, index, width };
    for (path, expected) in [
        ("tile/0/x001/x234/067", tile(Content::Hashes { level: 0 }, 1_234_067, 256)),
        ("tile/63/999.p/255", tile(Content::Hashes { level: 63 }, 999, 255)),
        ("tile/entries/x001/000.p/1", tile(Content::Entries, 1_000, 1)),
        ("records/000", tile(Content::Records, 0, 256)),
    ] {
        assert_eq!(path.parse::<Tile>().unwrap(), expected);
        assert_eq!(expected.to_string(), path);
    }
    for bad in [
        "",
        "/tile/0/000",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/1000",
        "tile/0/x000/001",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/x001/x000",
        "tile/0/x1/000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/data/000",
        "tile/8/0/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p/1/",
        "tile/0/../000",
        "tile/0/000 ",
        "tile/entries/0x0",
        "record/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert!(bad.parse::<Tile>().unwrap_err().is_malformed(), "{bad:?}");
    }
}

/// A log of many leaves as its files.
fn export(leaves: &[Hash]) -> BTreeMap<String, Vec<u8>> {
    let node = |node: Node| tree::perfect_root(&leaves[node.leaves()]);
    tiles::since(Size(0), Size(leaves.len() as u64))
        .filter(|tile| matches!(tile.content, Content::Hashes { .. }))
        .map(|tile| (tile.to_string(), tiles::encode_hashes(&tile.nodes().map(node).collect::<Vec<_>>())))
        .collect()
}

#[test]
fn root_and_proofs_follow_from_the_files_alone() {
    for size in [1u64, 2, 255, 256, 257, 600, 66_000] {
        let leaves: Vec<Hash> = (0..size).map(|n| tree::leaf_of_entry(&n.to_le_bytes())).collect();
        let mut frontier = tree::Frontier::new();
        for leaf in &leaves {
            frontier.push(*leaf);
        }
        let files = export(&leaves);
        let mut reads = 0;
        let mut node = |node: Node| {
            reads += 1;
            let (tile, range) = Tile::of(node, Size(size)).ok_or("not within the tree")?;
            let hashes = tiles::decode_hashes(&files[&tile.to_string()], tile.width).map_err(|_| "not a tile")?;
            Ok::<Hash, &str>(tree::perfect_root(&hashes[range]))
        };
        assert_eq!(tree::root(Size(size), &mut node), Ok(frontier.root()));
        for position in [0, size / 2, size - 1] {
            let proof = tree::inclusion_proof(Position(position), Size(size), &mut node).unwrap();
            tree::verify_inclusion(&leaves[position as usize], Position(position), Size(size), &proof, &frontier.root()).unwrap();
        }
        assert!(reads < 300, "{reads} reads at size {size}");
    }
    assert_eq!(Tile::of(Node { level: 0, index: 5 }, Size(5)), None);
    assert_eq!(Tile::of(Node { level: 3, index: 0 }, Size(7)), None);
    assert_eq!(Tile::of(Node { level: 7, index: u64::MAX }, Size(7)), None);
    assert_eq!(Tile::of(Node { level: 600, index: 0 }, Size(7)), None);
}

#[test]
fn bundles_of_entries_and_records() {
    let hashes: Vec<RecordHash> = (0..5).map(|n| RecordHash([n; 32])).collect();
    let bytes = tiles::encode_entries(&hashes);
    assert_eq!((bytes.len(), &bytes[..3]), (5 * 34, &[0, 32, 0][..]));
    assert_eq!(tiles::decode_entries(&bytes, 5).unwrap(), hashes);
    let mut long = bytes.clone();
    long[34] = 1;
    let mut other = bytes.clone();
    other[1] = 33;
    for (bad, width) in [(&bytes[..], 4), (&bytes, 6), (&bytes[1..], 5), (&long, 5), (&other, 5), (&[], 1)] {
        assert!(tiles::decode_entries(bad, width).unwrap_err().is_malformed());
    }

    let frames: Vec<Vec<u8>> = vec![vec![1; 3], vec![2; 1 << 20], Vec::new()];
    let bytes = tiles::encode_records(frames.iter().map(Vec::as_slice)).unwrap();
    assert_eq!(tiles::decode_records(&bytes, 3).unwrap(), frames);
    assert!(tiles::encode_records([&vec![0; (1 << 20) + 1][..]]).is_err());
    for (bad, width) in [
        (&bytes[..], 2),
        (&bytes, 4),
        (&bytes[..bytes.len() - 1], 3),
        (&[0, 0, 0][..], 1),
        (&[0xff; 8], 1),
        (&[0, 0x10, 0, 1], 1),
    ] {
        assert!(tiles::decode_records(bad, width).unwrap_err().is_malformed());
    }
    let log = Log::of(5);
    let tile = tiles::encode_hashes(&log.leaves);
    assert_eq!(tiles::decode_hashes(&tile, 5).unwrap(), log.leaves);
    for width in [4, 6] {
        assert!(tiles::decode_hashes(&tile, width).is_err());
    }
    assert!(tiles::decode_hashes(&tile[1..], 5).is_err());
    assert_ne!(log.root(5), Root::empty());
}
