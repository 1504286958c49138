//! The derivation against published values, values computed by other implementations, and wrong values.

use std::collections::HashSet;

use proptest::prelude::*;
use serde::Deserialize;
use seskey::{
    Algorithm, Region, SecretAccessKey, SigningDate, SmtpPassword,
    access_key::SecretAccessKeyError, derive_each, password::SmtpPasswordError, region::table,
};

#[derive(Deserialize)]
struct Vectors {
    published: Vec<Vector>,
    every_region: Vec<Vector>,
    edges: Vec<Edge>,
    never: Vec<Never>,
}

#[derive(Deserialize)]
struct Vector {
    algorithm: String,
    secret: String,
    region: Option<String>,
    password: String,
}

#[derive(Deserialize)]
struct Edge {
    why: String,
    secret: String,
    region: String,
    v4: String,
    v2: Option<String>,
}

#[derive(Deserialize)]
struct Never {
    why: String,
    password: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../data/passwords.json")).unwrap()
}

fn derive(vector: &Vector) -> SmtpPassword {
    let secret = SecretAccessKey::parse(&vector.secret).unwrap();
    match (vector.algorithm.as_str(), &vector.region) {
        ("v4", Some(region)) => SmtpPassword::derive(&secret, &Region::parse(region).unwrap()),
        ("v2", None) => SmtpPassword::derive_v2(&secret),
        other => panic!("{other:?}"),
    }
}

#[test]
fn published_values() {
    let vectors = vectors();
    assert_eq!((vectors.published.len(), vectors.every_region.len()), (12, 94));
    for vector in vectors.published.iter().chain(&vectors.every_region) {
        let password = derive(vector);
        assert_eq!(password.expose(), vector.password);
        assert_eq!(password.algorithm().as_str(), vector.algorithm);
        assert_eq!(SmtpPassword::parse(&vector.password), Ok(password));
    }
}

/// A password that SES would never accept is never derived: the input is refused, or corrected to another password.
#[test]
fn edges() {
    for Edge { why, secret, region, v4, v2 } in vectors().edges {
        let right_region = Region::parse(&region).is_ok_and(|parsed| parsed.as_str() == region);
        match (SecretAccessKey::parse(&secret), right_region) {
            (Ok(secret), true) => {
                assert_eq!(
                    SmtpPassword::derive(&secret, &Region::parse(&region).unwrap()).expose(),
                    v4,
                    "{why}"
                );
                assert_eq!(v2.as_deref(), Some(SmtpPassword::derive_v2(&secret).expose()), "{why}");
            }
            (Ok(secret), false) => {
                let derived = Region::parse(&region)
                    .ok()
                    .map(|region| SmtpPassword::derive(&secret, &region));
                assert!(derived.is_none_or(|password| password.expose() != v4), "{why}");
            }
            (Err(error), _) => assert!(
                matches!(
                    error,
                    SecretAccessKeyError::Empty
                        | SecretAccessKeyError::Control { .. }
                        | SecretAccessKeyError::NonAscii { .. }
                ),
                "{why}"
            ),
        }
    }
}

#[test]
fn wrong_values_never_appear() {
    let vectors = vectors();
    let secrets: HashSet<String> =
        vectors.every_region.iter().map(|vector| vector.secret.clone()).collect();
    for secret in secrets {
        let secret = SecretAccessKey::parse(&secret).unwrap();
        let date = SigningDate::new(&secret);
        for facts in table() {
            let password = date.password(&Region::parse(&facts.region).unwrap());
            for Never { why, password: never } in &vectors.never {
                assert_ne!(password.expose(), never, "{why}");
            }
        }
    }
}

#[test]
fn what_is_no_password_is_told_by_what_is_wrong() {
    use SmtpPasswordError as E;
    let right = "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9";
    assert_eq!(right.parse::<SmtpPassword>().unwrap().expose(), right);
    for (text, error) in [
        (String::new(), E::Length { length: 0 }),
        (right[1..].to_owned(), E::Length { length: 43 }),
        ("é".repeat(22), E::Base64),
        (right.replace('+', "-"), E::Base64),
        (format!("{}=", &right[..43]), E::Base64),
        (right.replacen('B', "C", 1), E::Version { version: 8 }),
    ] {
        assert_eq!(SmtpPassword::parse(&text), Err(error), "{text}");
    }
}

#[test]
fn the_shared_step_gives_the_same_passwords() {
    let secrets = ["some+secret+key", "another+secret+key", "some+secret+key"];
    let secrets = secrets.map(|secret| SecretAccessKey::parse(secret).unwrap());
    let regions: Vec<Region> = Region::with_smtp().collect();
    let rows =
        || secrets.iter().flat_map(|secret| regions.iter().map(move |region| (secret, region)));
    let one_by_one: Vec<_> =
        rows().map(|(secret, region)| SmtpPassword::derive(secret, region)).collect();
    assert_eq!(derive_each(rows()).collect::<Vec<_>>(), one_by_one);
}

#[test]
fn a_password_never_prints_itself() {
    let secret = SecretAccessKey::parse("some+secret+key").unwrap();
    let password = SmtpPassword::derive_v2(&secret);
    let printed = format!("{secret:?} {password:?} {:?}", SigningDate::new(&secret));
    assert_eq!(
        printed,
        "SecretAccessKey([redacted]) SmtpPassword(V2, [redacted]) SigningDate([redacted])"
    );
}

proptest! {
    /// Every password has the form by which passwords are recognised.
    #[test]
    fn every_password_has_the_same_form(secret in "[A-Za-z0-9/+]{40}") {
        let secret = SecretAccessKey::parse(&secret).unwrap();
        let v2 = SmtpPassword::derive_v2(&secret);
        prop_assert!(v2.expose().len() == 44 && v2.algorithm() == Algorithm::V2);
        prop_assert!(v2.expose().starts_with('A') && ('g'..='v').contains(&char::from(v2.expose().as_bytes()[1])));
        for region in Region::with_smtp() {
            let v4 = SmtpPassword::derive(&secret, &region);
            prop_assert!(v4.expose().len() == 44 && v4.algorithm() == Algorithm::V4 && !v4.expose().contains('='));
            prop_assert!(v4.expose().starts_with('B') && ('A'..='P').contains(&char::from(v4.expose().as_bytes()[1])));
        }
    }

    #[test]
    fn parsing_never_panics(text in any::<String>()) {
        let _ = (SmtpPassword::parse(&text), SecretAccessKey::parse(&text), Region::parse(&text));
        let _ = seskey::recognise::recognise(&text);
    }
}
