//! Messages without their secrets, in any encoding.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use proptest::{prelude::*, sample::select};
use seskey::redact::{PART, REDACTED, redact};

const PASSWORD: &str = "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9";

/// An encoding, and the least number of characters that it makes of one.
type Clothes = (fn(&str) -> String, f64);

const CLOTHES: [Clothes; 18] = [
    (|text| text.to_owned(), 1.0),
    (|text| text.chars().rev().collect(), 1.0),
    (|text| BASE64_STANDARD.encode(text), 4.0 / 3.0),
    (|text| BASE64_URL_SAFE_NO_PAD.encode(text), 4.0 / 3.0),
    (|text| BASE64_STANDARD.encode(format!("u{text}")), 4.0 / 3.0),
    (|text| BASE64_URL_SAFE_NO_PAD.encode(format!("u:{text}")), 4.0 / 3.0),
    (|text| each(text, |byte| format!("%{byte:02X}")), 3.0),
    (|text| text.replace('%', "%25").replace('/', "%2f").replace('+', "%2B"), 1.0),
    (|text| text.replace('\\', "\\\\").replace('/', "\\/").replace('+', "\\u002B"), 1.0),
    (|text| each(text, |byte| format!("\\u{byte:04x}")), 6.0),
    (|text| each(text, |byte| format!("\\x{byte:02X}")), 4.0),
    (|text| each(text, |byte| format!("\\{byte:03o}")), 4.0),
    (|text| text.replace('\\', "\\\\").replace('/', "'\"/\"'").replace('+', "\\+"), 1.0),
    (|text| each(text, |byte| format!("{byte:02x}")), 2.0),
    (|text| each(text, |byte| format!("{byte:02X}:")), 3.0),
    (|text| each(text, |byte| format!("{byte}, ")), 4.0),
    (|text| text.replace('&', "&#38;").replace('/', "&#x2F;").replace('+', "&#43;"), 1.0),
    (
        |text| {
            text.as_bytes()
                .chunks(7)
                .map(|it| str::from_utf8(it).unwrap())
                .collect::<Vec<_>>()
                .join(" ")
        },
        1.0,
    ),
];

fn each(text: &str, dressed: impl Fn(u8) -> String) -> String {
    text.bytes().map(dressed).collect()
}

proptest! {
    /// No part of a password that is long enough comes through, in any nested encodings and among other texts.
    #[test]
    fn no_part_in_any_clothes(
        password in "B[A-Za-z0-9+/]{43}",
        (start, length) in (0..=44 - PART).prop_flat_map(|start| (Just(start), PART..=44 - start)),
        layers in prop::collection::vec(select(&CLOTHES[..]), 0..=3),
        folded in any::<bool>(),
        around in prop::array::uniform4("[ -~]{0,9}"),
    ) {
        let part = &password[start..start + length];
        let part = if folded { part.to_ascii_uppercase() } else { part.to_owned() };
        let [before, inside, behind, after] = &around;
        let worn = layers.iter().fold(format!("{inside}{part}{behind}"), |text, (wear, _)| wear(&text));
        let factor: f64 = layers.iter().map(|(_, factor)| factor).product();
        let line = format!("{before} {worn} {after}");
        let said = redact(&line, &[&password]);
        let shown = said.len() - said.matches(REDACTED).count() * REDACTED.len();
        // at the ends of a part in Base64 there are bits of its neighbours
        let least = part.len() as f64 * factor - 5.0 * factor;
        prop_assert!((line.len() - shown) as f64 >= least, "{line:?}: {said:?}");
    }

    /// Text that is not secret stays unchanged.
    #[test]
    fn nothing_else_is_taken(line in "\\PC{0,200}") {
        prop_assert_eq!(redact(&line, &[PASSWORD]), line);
    }
}

#[test]
fn what_is_left_is_readable() {
    let config = format!("SMTP_PASSWORD={PASSWORD}");
    let encoded = BASE64_STANDARD.encode(&config);
    for (line, expected) in [
        (format!("no: {PASSWORD}!"), "no: [redacted]!".to_owned()),
        (format!("{PASSWORD}{PASSWORD}"), REDACTED.to_owned()),
        (format!("{PASSWORD}, {PASSWORD}"), "[redacted], [redacted]".to_owned()),
        (format!("cut off: {}…", &PASSWORD[..PART]), "cut off: [redacted]…".to_owned()),
        (
            format!("cut off: {}", &PASSWORD[..PART - 1]),
            format!("cut off: {}", &PASSWORD[..PART - 1]),
        ),
        (format!("bad: {encoded}"), format!("bad: {}[redacted]==", &encoded[..18])),
        (
            "permission denied: /etc/postfix/sasl_passwd".to_owned(),
            "permission denied: /etc/postfix/sasl_passwd".to_owned(),
        ),
        (String::new(), String::new()),
    ] {
        assert_eq!(redact(&line, &[PASSWORD]), expected, "{line}");
    }
}

/// A whole password is hidden even if it is not given: a store may name the one that it had before.
#[test]
fn a_whole_password_of_anybodys() {
    let hex: String = each(PASSWORD, |byte| format!("{byte:02x}"));
    for worn in [PASSWORD, &BASE64_URL_SAFE_NO_PAD.encode(PASSWORD), &hex] {
        assert_eq!(redact(&format!("had {worn}"), &[]), "had [redacted]");
    }
}
