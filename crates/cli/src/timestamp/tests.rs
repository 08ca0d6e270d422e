//! Tokens that `openssl ts` made (`tests/timestamp/README.md`), and what becomes of them when they are changed.

use super::token::Stamped;
use super::*;

const TEXT: &[u8] = b"example.org/golden-book\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/timestamp/", $name)).as_slice()
    };
}

const RSA: &[u8] = file!("rsa.tsr");
const RSA_SHA1: &[u8] = file!("rsa-sha1-id.tsr");
const P256: &[u8] = file!("p256.tsr");
const P384: &[u8] = file!("p384-without-certificate.tsr");
const CA_RSA: &[u8] = file!("ca-rsa.pem");
const CA_EC: &[u8] = file!("ca-ec.pem");
const TSA_P384: &[u8] = file!("tsa-p384.pem");

fn check(token: &[u8], text: &[u8], trusted: &[u8]) -> Result<Stamped, Refused> {
    Response::parse(token)?.check(text, &Certificates::parse(trusted)?)
}
fn said(token: &[u8], text: &[u8], trusted: &[u8]) -> String {
    check(token, text, trusted).expect_err("refused").to_string()
}

#[test]
fn tokens_of_each_kind_hold() {
    for (token, trusted, name) in
        [(RSA, CA_RSA, "tsa-rsa"), (RSA_SHA1, CA_RSA, "tsa-rsa"), (P256, CA_EC, "tsa-p256"), (P384, TSA_P384, "tsa-p384")]
    {
        let stamped = check(token, TEXT, trusted).expect(name);
        assert!(stamped.authority.contains(&format!("CN={name}")), "{stamped:?}");
        assert_eq!(stamped.at.year(), 2026);
        // The authority's clock may be off by 1.5001 s, where it says so.
        let off = if token == RSA_SHA1 { 0 } else { 2 };
        assert_eq!(stamped.not_after, stamped.at.unix_timestamp() + off, "{name}");
    }
}

#[test]
fn several_certificates_may_be_given() {
    let both = [CA_EC, CA_RSA].concat();
    assert_eq!(check(RSA, TEXT, &both), check(RSA, TEXT, CA_RSA));
    assert!(Certificates::parse(b"no certificate").is_err());
    assert!(Certificates::parse(b"").is_err());
}

#[test]
fn another_text_another_authority_and_a_refusal_say_what_is_wrong() {
    assert_eq!(said(RSA, b"another text", CA_RSA), "the token stamps another text");
    assert!(
        said(RSA, TEXT, CA_EC).ends_with("CN=tsa-rsa,O=Example test authority is of another issuer"),
        "{}",
        said(RSA, TEXT, CA_EC)
    );
    assert_eq!(said(P384, TEXT, CA_EC), "the signer's certificate is neither in the token nor among those given");
    assert!(said(file!("refused.tsr"), TEXT, CA_RSA).starts_with("the authority refused to stamp it"));
    assert_eq!(said(b"", TEXT, CA_RSA), "the time-stamp response is malformed");
    assert_eq!(said(&[RSA, b"\0"].concat(), TEXT, CA_RSA), "the time-stamp response is malformed");
}

/// Every bit of a token: what still holds says the same.
#[test]
fn a_changed_bit_is_refused_or_changes_nothing() {
    for (token, trusted) in [(P256, CA_EC), (P384, TSA_P384)] {
        let trusted = Certificates::parse(trusted).expect("certificates");
        let good = Response::parse(token).and_then(|response| response.check(TEXT, &trusted)).expect("it holds");
        let mut passed = Vec::new();
        for bit in 0..token.len() * 8 {
            let mut bytes = token.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(stamped) = Response::parse(&bytes).and_then(|response| response.check(TEXT, &trusted)) {
                assert_eq!(stamped, good, "bit {bit}");
                passed.push(bit);
            }
        }
        // Granted, or granted with modifications: of what is signed, none.
        assert_eq!(passed.len(), 1, "{passed:?}");
    }
}

#[test]
fn the_issuer_of_a_certificate_is_no_authority() {
    for pem in [CA_RSA, CA_EC] {
        let issuer = &Certificates::parse(pem).expect("a certificate").all()[0].clone();
        let refused = issuer.check_authority(time::macros::utc_datetime!(2027-01-01 00:00)).expect_err("not for time stamps");
        assert!(refused.to_string().contains("is not for time stamps alone"), "{refused}");
    }
    // Valid from the day on which it was made.
    let authority = &Certificates::parse(TSA_P384).expect("a certificate").all()[0].clone();
    assert!(authority.check_authority(time::macros::utc_datetime!(2027-01-01 00:00)).is_ok());
    let early = authority.check_authority(time::macros::utc_datetime!(2026-01-01 00:00)).expect_err("not yet valid");
    assert!(early.to_string().ends_with("was not valid at the token's time"), "{early}");
}

#[test]
fn a_request_is_what_an_authority_reads() {
    let request = request(TEXT, [0xff, 0, 0, 0, 0, 0, 0, 9]);
    // `openssl ts -query -sha256 -cert` of the same text, but for the nonce.
    let by_openssl = "3043020101303130\
                      0d060960864801650304020105000420";
    let start: String = request.iter().take(24).map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(start, by_openssl);
    assert_eq!(request.len(), 69);
    assert_eq!(request[56..], [0x02, 0x08, 0x7f, 0, 0, 0, 0, 0, 0, 9, 0x01, 0x01, 0xff]);
}
