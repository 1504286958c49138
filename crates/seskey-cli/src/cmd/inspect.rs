//! `seskey inspect`: says what a pasted string is, and whether it belongs to a secret access key.

use std::path::Path;

use jiff::{Span, Timestamp, tz::TimeZone};
use serde_json::json;
use seskey::{
    Secret, SecretAccessKey, SmtpPassword,
    credential::Kind,
    recognise::{Origin, Recognised, origin, recognise},
};

use crate::{
    args::{Global, Inspect},
    exit::Exit,
    explain::{Failure, Result},
    input,
    output::Output,
};

pub(crate) fn run(args: &Inspect, global: &Global, output: &Output) -> Result<Exit> {
    // stdin holds the string to inspect, unless a file does
    let has_file = args.value_file.as_deref().is_some_and(|path| path != Path::new("-"));
    let secret = input::given_access_key(&args.secret, global, has_file, output)?;
    let secret = secret.map(|key| key.secret);
    let value = input::value(args.value_file.as_deref(), "string to inspect", output)?;
    // a secret alone is the string to inspect
    let value = match (value.expose().is_empty(), &secret) {
        (false, _) => value,
        (true, Some(secret)) => Secret::new(secret.expose().to_owned()),
        (true, None) => {
            return Err(Failure::usage(
                "there is nothing to inspect",
                "pipe the string in, or give --value-file",
            ));
        }
    };
    let recognised = recognise(value.expose());
    let belongs = secret
        .as_ref()
        .and_then(|secret| Some((secret, SmtpPassword::parse(value.expose()).ok()?)));
    let origin = belongs.map(|(secret, password)| origin_of(&password, secret));
    if output.json {
        output.answer_json(&answer(&recognised, origin.as_ref()))?;
    } else {
        let mut text = format!("{}\n", describe(&recognised, value.expose().len()));
        if let Some(origin) = &origin {
            text.push_str(&format!("{}\n", describe_origin(origin.as_ref())));
        }
        output.answer(&text)?;
        if let Some(hint) = hint(&recognised, origin.as_ref().and_then(Option::as_ref)) {
            output.advice(hint);
        }
    }
    Ok(Exit::Done)
}

/// Finds the origin of a password. The days of the last two years are tried for a derivation with the real date.
fn origin_of(password: &SmtpPassword, secret: &SecretAccessKey) -> Option<Origin> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let dates: Vec<String> = (0..730)
        .filter_map(|days| today.checked_sub(Span::new().days(days)).ok())
        .map(|d| d.strftime("%Y%m%d").to_string())
        .collect();
    origin(password, secret, None, dates.iter().map(String::as_str))
}

fn answer(recognised: &Recognised, origin: Option<&Option<Origin>>) -> serde_json::Value {
    let (kind, algorithm) = match recognised {
        Recognised::SmtpPassword(algorithm) => ("smtp_password", Some(algorithm.as_str())),
        Recognised::PasswordWithoutVersion => ("smtp_password_without_version", None),
        Recognised::SecretAccessKey => ("secret_access_key", None),
        Recognised::AccessKeyId => ("access_key_id", None),
        Recognised::TemporaryAccessKeyId => ("temporary_access_key_id", None),
        Recognised::IngressPointId => ("ingress_point_id", None),
        Recognised::Host(Kind::Iam) => ("smtp_endpoint", None),
        Recognised::Host(Kind::MailManager) => ("ingress_endpoint", None),
        _ => ("unknown", None),
    };
    let belongs = origin.map(|origin| matches!(origin, Some(Origin::V4(_) | Origin::V2)));
    let (region, mistake) = match origin.and_then(Option::as_ref) {
        Some(Origin::V4(region)) => (Some(region.as_str()), None),
        Some(Origin::Mistaken(mistake, region)) => {
            (region.as_ref().map(seskey::Region::as_str), Some(mistake.to_string()))
        }
        _ => (None, None),
    };
    json!({"kind": kind, "algorithm": algorithm, "belongs": belongs, "region": region, "mistake": mistake})
}

fn describe(recognised: &Recognised, length: usize) -> String {
    match recognised {
        Recognised::SmtpPassword(seskey::Algorithm::V4) => {
            "an SMTP password, algorithm v4: for one region".to_owned()
        }
        Recognised::SmtpPassword(seskey::Algorithm::V2) => {
            "an SMTP password, algorithm v2: of before 2019, for every region".to_owned()
        }
        Recognised::PasswordWithoutVersion => {
            "an SMTP password that lacks its version byte".to_owned()
        }
        Recognised::SecretAccessKey => "a raw secret access key".to_owned(),
        Recognised::AccessKeyId => {
            "a permanent access key ID: the user name of IAM SMTP credentials, for the hosts email-smtp.REGION.amazonaws.com".to_owned()
        }
        Recognised::IngressPointId => {
            "the ID of a Mail Manager ingress endpoint: the user name of Mail Manager SMTP credentials, for its host ….mail-manager-smtp.amazonaws.com".to_owned()
        }
        Recognised::Host(Kind::Iam) => {
            "the host of an SMTP endpoint: for IAM SMTP credentials, whose user name is an access key ID (AKIA…)".to_owned()
        }
        Recognised::Host(Kind::MailManager) => {
            "the host of a Mail Manager ingress endpoint: for Mail Manager SMTP credentials, whose user name is its ID (inp-…)".to_owned()
        }
        Recognised::TemporaryAccessKeyId => "a temporary access key ID".to_owned(),
        _ => format!("nothing that SES or IAM makes, {length} bytes long"),
    }
}

fn describe_origin(origin: Option<&Origin>) -> String {
    match origin {
        Some(Origin::V4(region)) => {
            format!("it belongs to the secret access key, for region {region}")
        }
        Some(Origin::V2) => "it belongs to the secret access key".to_owned(),
        Some(Origin::Mistaken(mistake, region)) => {
            let region =
                region.as_ref().map(|region| format!(", region {region}")).unwrap_or_default();
            format!("it was derived from the secret access key in a wrong way: {}{region}", mistake)
        }
        _ => "it does not belong to the secret access key".to_owned(),
    }
}

fn hint(recognised: &Recognised, origin: Option<&Origin>) -> Option<&'static str> {
    match (recognised, origin) {
        (_, Some(Origin::Mistaken(..))) => Some("seskey derive REGION makes the right one"),
        (Recognised::SmtpPassword(seskey::Algorithm::V2), _) => {
            Some("SES throttles such passwords; seskey derive REGION makes a v4 one")
        }
        (Recognised::SmtpPassword(_), _) => None,
        (Recognised::TemporaryAccessKeyId, _) => {
            Some("SES takes no SMTP credentials made from temporary ones")
        }
        (Recognised::IngressPointId, _) => Some(
            "the password is the one that was chosen in Mail Manager: it is derived from nothing",
        ),
        (Recognised::Host(_), _) => Some("seskey verify logs in to it"),
        (Recognised::AccessKeyId, _) => {
            Some("the password is derived from the secret access key that belongs to it")
        }
        (Recognised::SecretAccessKey | Recognised::PasswordWithoutVersion, _) => {
            Some("seskey derive REGION makes the SMTP password from the secret access key")
        }
        _ => Some(
            "an SMTP password of IAM has 44 characters and begins with A or B, a secret access key has 40; one of Mail Manager is chosen, and is recognised by its user name alone (inp-…)",
        ),
    }
}
