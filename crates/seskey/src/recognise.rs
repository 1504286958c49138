//! The kind of a pasted string, and the derivation of a password from a secret access key.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{
    access_key::{AccessKeyId, AccessKeyIdError, SecretAccessKey, USUAL_SECRET_LENGTH},
    credential::Kind,
    hmac::Keyed,
    password::{Algorithm, SigningDate, SmtpPassword},
    region::{self, Region},
};

/// The kind of a string by its form alone. The forms do not overlap: an SMTP password has 44 characters, a secret 40.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recognised {
    /// An SMTP password.
    SmtpPassword(Algorithm),
    /// A Base64 HMAC without the version byte: the result of a derivation that stopped one step early.
    PasswordWithoutVersion,
    /// A secret access key, by its length and alphabet.
    SecretAccessKey,
    /// The ID of a permanent access key: the SMTP user name.
    AccessKeyId,
    /// The ID of a temporary access key, which SMTP does not take.
    TemporaryAccessKeyId,
    /// The ID of a Mail Manager ingress endpoint: the SMTP user name of the other kind of credential.
    IngressPointId,
    /// The host name of an SMTP endpoint, with the kind of credential that belongs to it.
    Host(Kind),
    /// Nothing that SES or IAM makes.
    Nothing,
}

/// The way a password was derived from a secret access key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The right derivation for this region.
    V4(Region),
    /// The right derivation of before 2019.
    V2,
    /// A wrong derivation that is in circulation; SES refuses its result.
    Mistaken(Mistake, Option<Region>),
}

/// Wrong derivations that are in circulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistake {
    /// Version byte 4 in front of the signature of version 2.
    V4ByteBeforeV2Signature,
    /// Version byte 2 in front of the signature of version 4.
    V2ByteBeforeV4Signature,
    /// The secret was read with its line end.
    SecretWithLineEnd,
    /// The region was written in upper case.
    UpperCaseRegion,
    /// An availability zone was given as the region.
    AvailabilityZone,
    /// The region was left empty.
    EmptyRegion,
    /// `AWS4` was not put before the secret.
    WithoutAws4,
    /// The date of the day, as Signature Version 4 takes it elsewhere, in place of the constant.
    RealDate,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4ByteBeforeV2Signature => "the version byte of v4 before the signature of v2",
            Self::V2ByteBeforeV4Signature => "the version byte of v2 before the signature of v4",
            Self::SecretWithLineEnd => "the secret was read with its line end",
            Self::UpperCaseRegion => "the region was in upper case",
            Self::AvailabilityZone => "an availability zone in place of the region",
            Self::EmptyRegion => "the region was empty",
            Self::WithoutAws4 => "AWS4 was not put before the secret",
            Self::RealDate => "the date of the day in place of the constant 11111111",
        })
    }
}

/// Recognises a string by its form.
pub fn recognise(text: &str) -> Recognised {
    match AccessKeyId::parse(text) {
        Ok(_) => return Recognised::AccessKeyId,
        Err(AccessKeyIdError::Temporary) => return Recognised::TemporaryAccessKeyId,
        Err(AccessKeyIdError::IngressPoint) => return Recognised::IngressPointId,
        Err(AccessKeyIdError::Malformed) => {}
    }
    if let Some(kind) = Kind::of_host(text) {
        return Recognised::Host(kind);
    }
    if let Ok(password) = SmtpPassword::parse(text) {
        return Recognised::SmtpPassword(password.algorithm());
    }
    if text.len() == SmtpPassword::LENGTH
        && BASE64_STANDARD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
    {
        return Recognised::PasswordWithoutVersion;
    }
    let base64_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
    // a hash in hexadecimal has the same length but is no secret access key
    let hexadecimal = text.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase());
    if text.len() == USUAL_SECRET_LENGTH && text.bytes().all(base64_letter) && !hexadecimal {
        return Recognised::SecretAccessKey;
    }
    Recognised::Nothing
}

/// Finds the derivation of the password from the secret, over all regions of the table and `also`, which may be
/// unknown. `None` if no derivation or known mistake gives it. `dates` are the days to try for [`Mistake::RealDate`],
/// as `YYYYMMDD`.
pub fn origin<'a>(
    password: &SmtpPassword,
    secret: &SecretAccessKey,
    also: Option<&Region>,
    dates: impl IntoIterator<Item = &'a str>,
) -> Option<Origin> {
    let regions = || {
        let known = region::table().iter().filter_map(|facts| Region::parse(&facts.region).ok());
        known.chain(also.cloned())
    };
    let date = SigningDate::new(secret);
    if let Some(region) = regions().find(|region| date.password(region) == *password) {
        return Some(Origin::V4(region));
    }
    if SmtpPassword::derive_v2(secret) == *password {
        return Some(Origin::V2);
    }
    let bytes = BASE64_STANDARD.decode(password.expose()).ok()?;
    let (version, signature) = bytes.split_first()?;
    let made = |secret: &str, prefix: &str, date: &str, region: &str| {
        v4_signature(secret, prefix, date, region) == *signature
    };
    let mistaken = |mistake| Some(Origin::Mistaken(mistake, None));
    let secret = secret.expose();
    let with_line_end = format!("{secret}\n");
    if *version == Algorithm::V4.version() {
        if v2_signature(secret) == *signature {
            return mistaken(Mistake::V4ByteBeforeV2Signature);
        }
        if made(secret, "AWS4", DATE, "") {
            return mistaken(Mistake::EmptyRegion);
        }
    } else if v2_signature(&with_line_end) == *signature {
        return mistaken(Mistake::SecretWithLineEnd);
    }
    let by_region = |region: Region| {
        let code = region.as_str();
        let zone = |zone| made(secret, "AWS4", DATE, &format!("{code}{zone}"));
        let mistake = if made(secret, "AWS4", DATE, code) {
            Mistake::V2ByteBeforeV4Signature
        } else if made(&with_line_end, "AWS4", DATE, code) {
            Mistake::SecretWithLineEnd
        } else if made(secret, "AWS4", DATE, &code.to_ascii_uppercase()) {
            Mistake::UpperCaseRegion
        } else if ('a'..='f').any(zone) {
            Mistake::AvailabilityZone
        } else if made(secret, "", DATE, code) {
            Mistake::WithoutAws4
        } else {
            return None;
        };
        Some(Origin::Mistaken(mistake, Some(region)))
    };
    let by_date = |date: &str| {
        let region = regions().find(|region| made(secret, "AWS4", date, region.as_str()))?;
        Some(Origin::Mistaken(Mistake::RealDate, Some(region)))
    };
    regions().find_map(by_region).or_else(|| dates.into_iter().find_map(by_date))
}

const DATE: &str = "11111111";

fn v4_signature(secret: &str, prefix: &str, date: &str, region: &str) -> [u8; 32] {
    let key = Keyed::new(format!("{prefix}{secret}").as_bytes()).sign(date.as_bytes());
    *key.sign(region.as_bytes()).sign(b"ses").sign(b"aws4_request").sign(b"SendRawEmail").result()
}

fn v2_signature(secret: &str) -> [u8; 32] {
    *Keyed::new(secret.as_bytes()).sign(b"SendRawEmail").result()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    #[test]
    fn forms() {
        for (text, form) in [
            (SECRET, Recognised::SecretAccessKey),
            (
                "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9",
                Recognised::SmtpPassword(Algorithm::V4),
            ),
            (
                "An60U4ZD3sd4fg+FvXUjayOipTt8LO4rUUmhpdX6ctDy",
                Recognised::SmtpPassword(Algorithm::V2),
            ),
            ("sEz/2FJQQt+rwbD6tTVhwGOQ7EZuFPZcbvrfFUsZYv0=", Recognised::PasswordWithoutVersion),
            ("AKIAIOSFODNN7EXAMPLE", Recognised::AccessKeyId),
            ("ASIAIOSFODNN7EXAMPLE", Recognised::TemporaryAccessKeyId),
            ("inp-3q4cpdgvz5l2mvd7kxrj9a0b", Recognised::IngressPointId),
            ("email-smtp.us-east-1.amazonaws.com", Recognised::Host(Kind::Iam)),
            ("a1.b2.mail-manager-smtp.amazonaws.com", Recognised::Host(Kind::MailManager)),
            ("da39a3ee5e6b4b0d3255bfef95601890afd80709", Recognised::Nothing),
            ("ses-smtp-user.20260820-200820", Recognised::Nothing),
            ("CLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9", Recognised::Nothing),
            ("", Recognised::Nothing),
            ("é", Recognised::Nothing),
        ] {
            assert_eq!(recognise(text), form, "{text}");
        }
    }

    fn origin_of(password: &str) -> Option<Origin> {
        let secret = SecretAccessKey::parse(SECRET).unwrap();
        origin(&SmtpPassword::parse(password).unwrap(), &secret, None, ["20260905", "20260906"])
    }

    #[test]
    fn a_right_password_has_its_region() {
        let region = |code| Region::parse(code).unwrap();
        assert_eq!(
            origin_of("BDDdpSTzbzUY3SJq/n4Oq7heDuCWbOtogMi5S3AR673+"),
            Some(Origin::V4(region("eu-west-3")))
        );
        assert_eq!(origin_of("An60U4ZD3sd4fg+FvXUjayOipTt8LO4rUUmhpdX6ctDy"), Some(Origin::V2));
        assert_eq!(origin_of("BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2"), None);
    }

    #[test]
    fn an_unknown_region_is_found_when_it_is_named() {
        let secret = SecretAccessKey::parse(SECRET).unwrap();
        let region = Region::parse_unknown("eu-north-9").unwrap();
        let password = SmtpPassword::derive(&secret, &region);
        assert_eq!(origin(&password, &secret, Some(&region), []), Some(Origin::V4(region)));
        assert_eq!(origin(&password, &secret, None, []), None);
    }

    #[test]
    fn published_mistakes_are_named() {
        for (password, mistake, region) in [
            (
                "BH60U4ZD3sd4fg+FvXUjayOipTt8LO4rUUmhpdX6ctDy",
                Mistake::V4ByteBeforeV2Signature,
                None,
            ),
            (
                "BOz3eEn9S4M5G7EjKfEZAasfMMHZsTp4tPg8TJquAxCo",
                Mistake::SecretWithLineEnd,
                Some("us-east-1"),
            ),
            ("AnHRyd4JBqvU7OqDeS4BRb2+xF9LnUpEd2bmRcG5ApKK", Mistake::SecretWithLineEnd, None),
            (
                "BBrvJs9EzfEMib+S0X4btzCg7ZmcgkhOZFUxBFVXobQW",
                Mistake::UpperCaseRegion,
                Some("us-east-1"),
            ),
            (
                "BA8OvH7EinqUXlnnaJSe+ut+i6DtYbbyIy48p8pYYge2",
                Mistake::AvailabilityZone,
                Some("us-east-1"),
            ),
            ("BCQSd8Dtu/I5XPL+li2EQUbWV2UrFxqaOLZhgp2i5JEO", Mistake::EmptyRegion, None),
        ] {
            let region = region.map(|code| Region::parse(code).unwrap());
            assert_eq!(origin_of(password), Some(Origin::Mistaken(mistake, region)), "{password}");
        }
    }

    #[test]
    fn mistakes_without_a_published_value_are_named() {
        let ohio = Region::parse("us-east-2").unwrap();
        let encode = |version: u8, signature: [u8; 32]| {
            BASE64_STANDARD.encode([&[version][..], &signature].concat())
        };
        for (password, mistake) in [
            (
                encode(2, v4_signature(SECRET, "AWS4", DATE, "us-east-2")),
                Mistake::V2ByteBeforeV4Signature,
            ),
            (encode(4, v4_signature(SECRET, "", DATE, "us-east-2")), Mistake::WithoutAws4),
            (encode(4, v4_signature(SECRET, "AWS4", "20260906", "us-east-2")), Mistake::RealDate),
        ] {
            assert_eq!(origin_of(&password), Some(Origin::Mistaken(mistake, Some(ohio.clone()))));
        }
    }
}
