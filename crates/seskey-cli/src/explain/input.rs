//! The faults of a text that was typed, pasted or read, in sentences.

use std::path::Path;

use seskey::{
    access_key::{AccessKeyIdError, SecretAccessKeyError},
    credential::CredentialError,
    fleet::FleetError,
    pasted::{Look, PastedError, Wrapping},
    policy::SendingPolicyError,
    recognise::{Recognised, recognise},
    region::RegionError,
    rotation::GoalError,
    store::StoreNameError,
    user::UserError,
};

use super::{Failure, looks_secret};

pub(crate) fn region(error: &RegionError, typed: &str) -> Failure {
    use RegionError as E;
    if looks_secret(typed) {
        return Failure::usage(
            "the text in the place of the region looks like a secret",
            "a secret on the command line is seen by other users and kept in the shell's history: \
             pipe it in, or use --secret-file",
        );
    }
    let table = || {
        format!("{REGIONS}; --allow-unknown-region takes a region that the table does not have yet")
    };
    let hint = match error {
        E::AvailabilityZone { region, .. } => format!("the region is {region}"),
        E::HostName { region: Some(region), .. } => format!("the region is {region}"),
        E::HostName { region: None, .. } => {
            format!("give the region alone, such as us-east-1; {REGIONS}")
        }
        E::Malformed { nearest: Some(nearest), .. } => format!("did you mean {nearest}?"),
        E::Unknown { nearest: Some(nearest), .. } => {
            format!("did you mean {nearest}? {}", table())
        }
        E::Empty => "give a region such as us-east-1".to_owned(),
        _ => table(),
    };
    Failure::usage(error.to_string(), hint)
}

/// Says that a region is not in the table, and is taken all the same.
pub(crate) fn unknown_region(error: &RegionError) -> Failure {
    let nearest = match error {
        RegionError::Unknown { nearest: Some(nearest), .. } => format!("did you mean {nearest}? "),
        _ => String::new(),
    };
    Failure::usage(format!("{error}, and is served all the same"), format!("{nearest}{REGIONS}"))
}

const REGIONS: &str = "seskey regions lists them";

pub(crate) fn secret_access_key(error: &SecretAccessKeyError, source: &str) -> Failure {
    use SecretAccessKeyError as E;
    let hint = match error {
        E::Empty => "an empty secret would still give a password, and a wrong one",
        E::Control { .. } | E::Blank { .. } => {
            "a secret access key is one word, 40 characters as a rule; copy it again"
        }
        E::NonAscii { .. } => {
            "a secret access key has letters, digits, + and / alone; copy it again"
        }
        E::AccessKeyId => {
            "the ID is the SMTP user name; the secret access key has 40 characters and was shown only once"
        }
        E::TemporaryAccessKeyId => {
            "SES takes no SMTP credentials made from temporary ones: use the access key of an IAM user"
        }
        E::IngressPoint => MAIL_MANAGER,
        _ => "copy the secret access key again",
    };
    Failure::usage(format!("{error} (from {source})"), hint)
}

/// Explains why a pasted text has no secret access key.
pub(crate) fn pasted(error: &PastedError, source: &str) -> Failure {
    use PastedError as E;
    let hint = match error {
        E::Secret(error) => return secret_access_key(error, source),
        E::LooksLike(Look::SmtpPassword) => {
            return Failure::usage(
                format!("the text from {source} is an SMTP password already"),
                "the secret access key has 40 characters; seskey inspect says what a string is",
            );
        }
        E::Lines => {
            return Failure::usage(
                format!("{source} has more than one line"),
                "it must hold the secret and nothing else",
            );
        }
        E::LooksLike(Look::Masked) => "IAM shows it once, when the key is made: make a new key",
        E::LooksLike(Look::Variable) => "give the value itself; check how the variable is set",
        E::MailManager => MAIL_MANAGER,
        E::Several { .. } => "give one of them, or all in a file to seskey derive --batch",
        E::Temporary => {
            "SES takes no SMTP credentials made from temporary ones: use the access key of an IAM user"
        }
        _ => {
            "it has 40 letters, digits, + and /; quotation marks, NAME=, and the JSON of aws iam create-access-key may stand around it"
        }
    };
    Failure::usage(format!("{error} (from {source})"), hint)
}

const MAIL_MANAGER: &str = "seskey verify logs in with it as it is, at the host of its ingress endpoint, ….mail-manager-smtp.amazonaws.com";

/// Names the wrapping that a secret access key was taken out of.
pub(crate) fn wrapping(wrapping: Wrapping) -> &'static str {
    match wrapping {
        Wrapping::Quotes => "quotation marks",
        Wrapping::PercentEncoding => "percent-encoding",
        Wrapping::JsonEscapes => "a string of JSON",
        Wrapping::Assignment => "an assignment",
        Wrapping::Json => "JSON",
        _ => "the line with its access key ID",
    }
}

pub(crate) fn temporary(source: &str) -> Failure {
    Failure::new(
        format!(
            "the credentials from {source} are temporary, and SES takes no SMTP credentials made from such"
        ),
        "use the access key (AKIA…) of an IAM user; seskey create makes one",
    )
}

pub(crate) fn credential(error: &CredentialError, source: &str) -> Failure {
    use CredentialError as E;
    let hint = match error {
        E::UserName { recognised: Recognised::TemporaryAccessKeyId, .. } => {
            "an ASIA… key is temporary, and SES takes no SMTP credentials made from such".to_owned()
        }
        E::UserName { .. } => {
            "the SMTP user name is the access key ID (AKIA…), not the name of the IAM user"
                .to_owned()
        }
        E::Password { recognised, .. } => not_a_password(recognised).to_owned(),
        E::IngressPassword { .. } => INGRESS_PASSWORD.to_owned(),
        _ => "the SES console's CSV, the answers of seskey create as JSON, CSV or env, and what seskey render writes are read; of an AWS access key, seskey derive makes the SMTP password"
            .to_owned(),
    };
    Failure::new(format!("cannot read the credentials of {source}: {error}"), hint)
}

/// Explains why a text is no SMTP user name.
pub(crate) fn smtp_user_name(error: &AccessKeyIdError, text: &str) -> Failure {
    Failure::usage(
        format!("{text:?} is no SMTP user name: {error}"),
        "the SMTP user name is the access key ID (AKIA…) of an IAM user, not the name of the user",
    )
}

/// Explains why a text is no SMTP password. The text is not shown.
pub(crate) fn smtp_password(text: &str) -> Failure {
    Failure::new("the given text is no SMTP password", not_a_password(&recognise(text)))
}

/// Does the same for a password of Mail Manager.
pub(crate) fn not_an_ingress_password() -> Failure {
    Failure::new(
        "the given text is no password of a Mail Manager ingress endpoint",
        INGRESS_PASSWORD,
    )
}

/// Explains why a text of --to is no store.
pub(crate) fn store(error: &StoreNameError, text: &str) -> Failure {
    let hint = match (error, error.nearest()) {
        (_, Some(nearest)) => format!("did you mean {nearest}?"),
        (StoreNameError::NoScheme, _) if text.contains(['.', '/']) => format!("a file is file:{text}"),
        (StoreNameError::NoFrom { .. }, _) => "leave from out; docs/render.md says which forms have a place for it".to_owned(),
        (StoreNameError::NoFormat, _) => format!("add it: {text}?format=env; seskey render --help lists the forms"),
        _ => "such as file:/etc/mail/smtp.json, secretsmanager:prod/smtp, ssm:/prod/smtp, kubernetes:NAMESPACE/NAME, exec:COMMAND".to_owned(),
    };
    Failure::usage(format!("{text} is no store: {error}"), hint).of("--to")
}

/// Explains why no rotation can keep the times.
pub(crate) fn goal(error: &GoalError) -> Failure {
    let hint = "such as --max-age 90d --grace 7d --quarantine 7d";
    match error {
        GoalError::NoAge => Failure::usage("--max-age is no time at all", hint).about("--max-age"),
        _ => Failure::usage("a time is less than nothing", hint),
    }
}

/// Lists all errors of a `seskey.toml`, a line each.
pub(crate) fn fleet(errors: &[FleetError], path: &Path) -> Failure {
    let line = |error: &FleetError| {
        let remedy = error.remedy().map(|remedy| format!("; try {remedy}"));
        format!("{}:{error}{}", path.display(), remedy.unwrap_or_default())
    };
    let lines: Vec<String> = errors.iter().map(line).collect();
    Failure::usage(lines.join("\n"), "docs/fleet.md lists the keys of the file")
}

/// Says that the host is missing: an ingress endpoint has a host of its own, which no region tells.
pub(crate) fn no_ingress_host() -> Failure {
    Failure::usage(
        "the host of a Mail Manager ingress endpoint is not known",
        "--host: the SES console shows it, ….mail-manager-smtp.amazonaws.com",
    )
}

/// Says that an ingress endpoint turns to TLS by STARTTLS alone.
pub(crate) fn no_ingress_wrapper() -> Failure {
    Failure::usage(
        "a Mail Manager ingress endpoint has no TLS wrapper",
        "it turns to TLS by STARTTLS, on ports 25 and 587",
    )
}

/// The form of a password of Mail Manager.
const INGRESS_PASSWORD: &str = "an inp-… user name has the password that was chosen for it in Mail Manager: 8 to 64 letters, digits and marks, and no /";

/// Says what to do about another text in the place of an SMTP password.
fn not_a_password(recognised: &Recognised) -> &'static str {
    match recognised {
        Recognised::SecretAccessKey => {
            "this is a raw secret access key: seskey derive REGION makes the SMTP password from it"
        }
        Recognised::AccessKeyId => "this is an access key ID: it is the SMTP user name",
        Recognised::TemporaryAccessKeyId => {
            "this is a temporary access key ID, which SES does not take at all"
        }
        Recognised::PasswordWithoutVersion => {
            "this is a signature without its version byte: seskey derive REGION makes the password"
        }
        _ => "an SMTP password has 44 characters and begins with B (or A, before 2019)",
    }
}

pub(crate) fn user(error: &UserError, name: &str) -> Failure {
    let not_taken = format!("{name:?} is not taken by IAM: {error}");
    let hint = match error {
        UserError::Path => "such as /system/mail/",
        // a path, or an ARN
        UserError::Character { .. } if name.contains('/') => {
            let (_, bare) = name.rsplit_once('/').expect("it was just seen");
            return Failure::usage(not_taken, format!("give the name alone: {bare}"));
        }
        _ => "IAM takes letters, digits and _+=,.@- in a name, 64 at most",
    };
    Failure::usage(not_taken, hint)
}

/// Explains why the options of a sending policy are refused.
pub(crate) fn sending_policy(error: &SendingPolicyError) -> Failure {
    use SendingPolicyError as E;
    let option = match error {
        E::Account { .. } => "--account",
        E::Identity { .. } => "--identity",
        E::ConfigurationSet { .. } => "--configuration-set",
        E::SourceIp { .. } => "--source-ip",
        _ => "--from",
    };
    sending_policy_option(option, error)
}

pub(crate) fn sending_policy_option(option: &str, error: &SendingPolicyError) -> Failure {
    use SendingPolicyError as E;
    let hint = match error {
        E::NeverMatches { nearest: Some(nearest), .. } => format!("did you mean {nearest}?"),
        E::Several { .. } => format!("give {option} once for each"),
        other => match other {
            E::Account { .. } => "12 digits, such as 123456789012",
            E::Identity { .. } => {
                "an address or a domain that SES has verified, such as example.com; patterns are for --from"
            }
            E::ConfigurationSet { .. } => "letters, digits, - and _, 64 at most",
            E::SourceIp { .. } => "such as 192.0.2.0/24 or 2001:db8::/32",
            E::Address { .. } => "such as news@example.com",
            _ => "such as news@example.com or *@example.com",
        }
        .to_owned(),
    };
    Failure::usage(error.to_string(), hint).of(option)
}
