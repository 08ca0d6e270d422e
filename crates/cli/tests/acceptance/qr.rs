//! Receipts as QR codes, read back by a decoder that is not ours.

use crate::book::Book;
use crate::signed::Signed;
use serde_json::json;
use std::path::Path;

/// What is in the picture.
fn decoded(picture: &Path) -> Vec<u8> {
    let mut decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(picture).unwrap()));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let (width, height) = (usize::try_from(info.width).unwrap(), usize::try_from(info.height).unwrap());
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one code in {}", picture.display());
    let mut text = Vec::new();
    grids[0].decode_to(&mut text).unwrap();
    text
}

#[test]
fn a_receipt_is_read_off_its_picture() {
    let signed = Signed::of_office();
    let (png, svg) = (signed.path("receipt.png"), signed.path("receipt.svg"));
    let said = signed.write("receipt", &["--position", "3", "--qr", &png, "--qr", &svg], "receipt");
    assert!(said.err.contains("level M") && !said.err.contains("without the record"), "{said:?}");
    let read = decoded(Path::new(&png));
    assert_eq!(read, std::fs::read(signed.file("receipt")).unwrap());
    signed.book.file("read", read);
    signed.check("read", &[&signed.log], &[]).done();
    assert!(std::fs::read_to_string(svg).unwrap().starts_with("<svg xmlns"));
}

#[test]
fn a_receipt_too_large_for_a_code_becomes_the_proof_of_its_hash() {
    let signed = Signed::of(Book::of_office());
    let long = format!(
        r#"{{"type":"model_withdrawn","occurred_on":"2025-04-02","actor":"clerk","model":"M-1","reason":"{}"}}"#,
        "chuyển đi. ".repeat(200)
    );
    signed.book.import(long.as_bytes()).done();
    signed.sign();
    let position = (signed.book.head().size - 1).to_string();
    let png = signed.path("receipt.png");
    let said = signed.write("receipt", &["--position", &position, "--qr", &png], "receipt");
    assert!(said.err.contains("without the record"), "{said:?}");
    signed.book.file("read", decoded(Path::new(&png)));
    let told = signed.check("read", &[&signed.log], &["--json"]).json()["files"][0].clone();
    assert_eq!((&told["kind"], &told["position"].to_string()), (&json!("proof"), &position));
    // The file beside it is whole.
    let whole = signed.check("receipt", &[&signed.log], &["--json"]).json()["files"][0].clone();
    assert_eq!((&whole["kind"], &whole["record_hash"]), (&json!("receipt"), &told["record_hash"]));
}

#[test]
fn another_kind_of_picture_is_refused_before_anything_is_written() {
    let signed = Signed::of_office();
    let said =
        signed.book.run("receipt", &["--position", "3", "-o", &signed.path("receipt"), "--qr", &signed.path("receipt.jpg")]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains(".svg or .png") && !signed.file("receipt").exists(), "{said:?}");
}
