//! A text as a QR code to print: as SVG or PNG, at the best level at which it fits.
//!
//! The code holds the text's bytes as they are, in one segment of byte mode and without a designator of their encoding: what a scanner hands on as
//! UTF-8 is the file, byte for byte.

mod draw;

use crate::failure::Failure;
use crate::output;
use qrcodegen::{Mask, QrCode, QrCodeEcc, QrSegment, Version};
use std::fmt;
use std::path::{Path, PathBuf};

/// How much of a printed code may be lost before it cannot be read (ISO/IEC 18004).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// About 15 in 100 of it; at most 2,331 bytes.
    Medium,
    /// About 7 in 100 of it; at most 2,953 bytes.
    Low,
}
impl Level {
    const ALL: [Self; 2] = [Self::Medium, Self::Low];
    const fn code(self) -> QrCodeEcc {
        match self {
            Self::Medium => QrCodeEcc::Medium,
            Self::Low => QrCodeEcc::Low,
        }
    }
}
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Medium => "M",
            Self::Low => "L",
        })
    }
}

/// What a file is to be, by its extension.
#[derive(Clone, Copy, Debug)]
enum Picture {
    Svg,
    Png,
}
impl Picture {
    fn of(path: &Path) -> Result<Self, Failure> {
        let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
        match extension.as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            _ => Err(Failure::input(format!("{}: a QR code is written as .svg or .png", path.display()))),
        }
    }
}

/// That every path names a picture that can be written: to be asked before anything else is done.
pub(crate) fn check_paths(paths: &[PathBuf]) -> Result<(), Failure> {
    paths.iter().try_for_each(|path| Picture::of(path).map(drop))
}

/// Writes the receipt as a code to each of the paths: the whole one where it fits, else the proof with the record's hash alone (`short`); stderr says which.
pub(crate) fn write_receipt(
    paths: &[PathBuf],
    whole: &str,
    short: impl FnOnce() -> Result<String, Failure>,
) -> Result<(), Failure> {
    check_paths(paths)?;
    let Some(first) = paths.first() else { return Ok(()) };
    let whole_code = encode(whole);
    let is_whole = whole_code.is_some();
    let (code, level) = match whole_code {
        Some(code) => code,
        None => encoded(&short()?, first)?,
    };
    for path in paths {
        save(path, &code)?;
        let version = code.version().value();
        output::tell(&match (is_whole, level) {
            (true, Level::Medium) => format!("{}: QR code of version {version}, level M", path.display()),
            (true, Level::Low) => {
                format!("{}: QR code of version {version}, level L: the receipt is too large for level M", path.display())
            }
            (false, _) => format!(
                "{}: QR code of version {version}, level {level}, without the record: {} bytes are too many for one code, so it holds the proof and the record's hash",
                path.display(),
                whole.len()
            ),
        });
    }
    Ok(())
}

fn encoded(text: &str, path: &Path) -> Result<(QrCode, Level), Failure> {
    encode(text).ok_or_else(|| {
        Failure::input(format!("{}: {} bytes do not fit one QR code, which holds 2,953", path.display(), text.len()))
    })
}

/// The code at the best level at which the text fits; the smallest version of it.
fn encode(text: &str) -> Option<(QrCode, Level)> {
    let segments = [QrSegment::make_bytes(text.as_bytes())];
    Level::ALL.into_iter().find_map(|level| {
        let code = QrCode::encode_segments_advanced(&segments, level.code(), Version::MIN, Version::MAX, None::<Mask>, false);
        code.ok().map(|code| (code, level))
    })
}

fn save(path: &Path, code: &QrCode) -> Result<(), Failure> {
    let bytes = match Picture::of(path)? {
        Picture::Svg => draw::svg(code).into_bytes(),
        Picture::Png => draw::png(code)?,
    };
    std::fs::write(path, bytes).map_err(|error| Failure::file(&error, "write", &path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an independent decoder reads in the picture.
    fn read_back(png: &[u8]) -> (Vec<u8>, usize) {
        let (pixels, width) = draw::tests::pixels(png);
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, pixels.len() / width, |x, y| pixels[y * width + x]);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "one code in the picture");
        let mut text = Vec::new();
        let meta = grids[0].decode_to(&mut text).expect("the code can be read");
        (text, meta.version.0)
    }

    fn text_of(bytes: usize) -> String {
        let mut text = String::from("— example.org/golden-book\n");
        while text.len() < bytes {
            text.push(char::from(b'0' + u8::try_from(text.len() * 7 % 73).expect("small")));
        }
        text
    }

    #[test]
    fn a_decoder_that_is_not_ours_reads_the_same_bytes() {
        for bytes in [40, 700, 1_740, 2_331, 2_332, 2_953] {
            let text = text_of(bytes);
            let (code, _) = encode(&text).expect("it fits");
            let (read, version) = read_back(&draw::png(&code).expect("a picture"));
            assert_eq!(read, text.as_bytes(), "{bytes} bytes");
            assert_eq!(version, usize::from(code.version().value()));
        }
    }

    #[test]
    fn the_level_falls_only_when_it_must() {
        let level = |bytes| encode(&text_of(bytes)).map(|(code, level)| (code.version().value(), level));
        assert_eq!(level(2_331), Some((40, Level::Medium)));
        assert_eq!(level(2_332), Some((36, Level::Low)));
        assert_eq!(level(2_953), Some((40, Level::Low)));
        assert_eq!(level(2_954), None);
    }

    /// The RFC 6962 root to which a leaf and an audit path lead.
    fn root_of(leaf: sovang::tree::Hash, position: u64, size: u64, path: &[sovang::tree::Hash]) -> sovang::Root {
        let (mut hash, mut at, mut last) = (leaf, position, size - 1);
        for sibling in path {
            if at % 2 == 1 || at == last {
                hash = sovang::tree::node_hash(sibling, &hash);
                while at % 2 == 0 && at > 0 {
                    (at, last) = (at / 2, last / 2);
                }
            } else {
                hash = sovang::tree::node_hash(&hash, sibling);
            }
            (at, last) = (at / 2, last / 2);
        }
        sovang::Root(hash)
    }

    /// A record whose frame has that many bytes.
    fn frame_of(bytes: usize) -> sovang::evidence::Leaf {
        use sovang::recognition::Recognition;
        use sovang::{Ledger, Position, SigningKey, date};
        let dir = tempfile::tempdir().expect("a directory");
        let ledger = Ledger::<Recognition>::create(dir.path().join("book"), "example.org/book").expect("a ledger");
        let key = SigningKey::create(dir.path().join("key"), "example.org/book", None).expect("a key");
        let of = |reason: usize| sovang::recognition::model_withdrawn("BTL-2024-0001", "x".repeat(reason));
        let desk = ledger.by("clerk:lan");
        desk.record(of(1).on(date(2024, 5, 5))).expect("recorded");
        ledger.checkpoint(&key).expect("signed");
        let sovang::Leaf::Record(frame) = ledger.receipt(Position(0), None).expect("a receipt").leaf().clone() else {
            unreachable!()
        };
        desk.record(of(1 + bytes - frame.bytes().len()).on(date(2024, 5, 5))).expect("recorded");
        ledger.checkpoint(&key).expect("signed");
        ledger.receipt(Position(1), None).expect("a receipt").leaf().clone()
    }

    #[test]
    fn a_receipt_in_a_million_with_three_cosignatures_fits_level_m() {
        use sovang::evidence::{Checkpoint, KeyKind, Policy, Receipt, SecretKey};
        use sovang::{Head, Position, Size};
        const SIZE: u64 = 1_000_000;
        // Twenty hashes: the longest path there is in such a log.
        let position = Position(421_337);
        let path: Vec<sovang::tree::Hash> = (0..20u8).map(|n| sovang::tree::leaf_of_entry(&[n])).collect();
        let leaf = frame_of(150);
        let sovang::Leaf::Record(frame) = &leaf else { unreachable!("a record") };
        assert_eq!(frame.bytes().len(), 150);
        let root = root_of(sovang::tree::leaf_hash(&leaf.record_hash(position)), position.0, SIZE, &path);
        let log = SecretKey::from_seed("example.org/golden-book", [1; 32]).expect("a key");
        let mut checkpoint = Checkpoint::sign(&log, Head { size: Size(SIZE), root }).expect("signed");
        let mut policy = format!("log {}\n", log.verifier(KeyKind::Ed25519));
        for n in 1..=3u8 {
            let witness = SecretKey::from_seed(&format!("witness-{n}.example.org/w"), [n + 1; 32]).expect("a key");
            checkpoint.add(witness.cosign(&checkpoint, 1_790_000_000)).expect("added");
            policy += &format!("witness w{n} {}\n", witness.verifier(KeyKind::Cosignature));
        }
        policy += "group g 3 w1 w2 w3\nquorum g\n";
        let receipt = Receipt::of(position, leaf.clone(), path, checkpoint);
        receipt.verify(&Policy::parse(policy.as_bytes()).expect("a policy")).expect("it holds");

        let text = receipt.to_string();
        let (code, level) = encode(&text).expect("it fits");
        assert_eq!(level, Level::Medium, "{} bytes", text.len());
        assert!((1_600..1_900).contains(&text.len()), "{} bytes", text.len());
        let (read, _) = read_back(&draw::png(&code).expect("a picture"));
        assert_eq!(read, text.as_bytes());
    }

    #[test]
    fn what_does_not_fit_is_written_without_its_record() {
        let dir = tempfile::tempdir().expect("a directory");
        let paths = [dir.path().join("receipt.png"), dir.path().join("receipt.svg")];
        write_receipt(&paths, &text_of(3_000), || Ok("the hash alone".to_owned())).expect("written");
        let (read, _) = read_back(&std::fs::read(&paths[0]).expect("the picture"));
        assert_eq!(read, b"the hash alone");
        assert!(std::fs::read_to_string(&paths[1]).expect("the picture").starts_with("<svg"));
        let refused = write_receipt(&[dir.path().join("receipt.gif")], "a", || Ok(String::new())).expect_err("no such picture");
        assert_eq!(refused.code(), crate::failure::INPUT);
    }
}
