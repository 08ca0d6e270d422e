//! A code's modules as a picture: black on white, with the quiet zone of four modules that a scanner needs.

use crate::failure::{ENVIRONMENT, Failure};
use qrcodegen::QrCode;
use std::fmt::Write as _;

/// White modules on each side (ISO/IEC 18004 §6.3.8).
const QUIET: i32 = 4;
/// Pixels of a PNG for each module: enough for a sharp print at 2 cm for a small code, 10 cm for the largest.
const SCALE: usize = 8;

/// One path of horizontal runs on a white ground; a module is one unit, the printer chooses how large that is.
pub(super) fn svg(code: &QrCode) -> String {
    let side = code.size() + 2 * QUIET;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\n<rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/>\n<path d=\""
    );
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let start = x;
            while x < code.size() && code.get_module(x, y) {
                x += 1;
            }
            if x > start {
                let length = x - start;
                // Writing into a String cannot fail.
                let _ = write!(out, "M{},{}h{length}v1h-{length}z", start + QUIET, y + QUIET);
            }
            x += 1;
        }
    }
    out.push_str("\" fill=\"#000\"/>\n</svg>\n");
    out
}

/// Black and white, one bit a pixel.
pub(super) fn png(code: &QrCode) -> Result<Vec<u8>, Failure> {
    // At most (177 + 8) modules of 8 pixels.
    let side = u32::try_from(code.size() + 2 * QUIET).unwrap_or_default();
    let rows: Vec<u8> = (-QUIET..code.size() + QUIET)
        .flat_map(|y| {
            let row: Vec<u8> = (-QUIET..code.size() + QUIET).map(|x| if code.get_module(x, y) { 0x00 } else { 0xff }).collect();
            std::iter::repeat_n(row, SCALE).flatten()
        })
        .collect();
    let mut out = Vec::new();
    let pixels = side * u32::try_from(SCALE).unwrap_or_default();
    let mut encoder = png::Encoder::new(&mut out, pixels, pixels);
    // A module is as wide as a byte of eight one-bit pixels: a row of modules is a row of bytes.
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().map_err(|error| refused(&error))?;
    writer.write_image_data(&rows).map_err(|error| refused(&error))?;
    writer.finish().map_err(|error| refused(&error))?;
    Ok(out)
}

fn refused(error: &png::EncodingError) -> Failure {
    Failure::new(ENVIRONMENT, format!("cannot write the picture of a QR code: {error}"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The grey levels of a PNG, row by row, and its width.
    pub(in crate::qr) fn pixels(png: &[u8]) -> (Vec<u8>, usize) {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut pixels).expect("a picture");
        pixels.truncate(info.buffer_size());
        (pixels, usize::try_from(info.width).expect("a width"))
    }

    #[test]
    fn both_pictures_show_the_same_modules_inside_a_quiet_zone() {
        let code = QrCode::encode_text("sovang", qrcodegen::QrCodeEcc::Medium).expect("it fits");
        let (pixels, width) = pixels(&png(&code).expect("a picture"));
        let side = usize::try_from(code.size() + 2 * QUIET).expect("positive");
        assert_eq!((width, pixels.len()), (side * SCALE, side * SCALE * side * SCALE));
        let svg = svg(&code);
        assert!(svg.contains(&format!("viewBox=\"0 0 {side} {side}\"")), "{svg}");
        let mut black = vec![false; side * side];
        let path = svg.split("<path d=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a path");
        for run in path.split('M').skip(1) {
            let (x, rest) = run.split_once(',').expect("a place");
            let (y, rest) = rest.split_once('h').expect("a row");
            let (length, _) = rest.split_once('v').expect("a length");
            let [x, y, length] = [x, y, length].map(|number| number.parse::<usize>().expect("a number"));
            black[y * side + x..][..length].fill(true);
        }
        for (index, pixel) in pixels.iter().enumerate() {
            let (x, y) = (index % width / SCALE, index / width / SCALE);
            let quiet = [x, y].iter().any(|at| *at < 4 || *at >= side - 4);
            assert_eq!(*pixel == 0, black[y * side + x], "{x} {y}");
            assert!(!quiet || *pixel == 255, "{x} {y} is in the quiet zone");
        }
    }
}
