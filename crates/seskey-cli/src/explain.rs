//! Facts to sentences: what failed, on whom, and what to do.

use std::{io, path::Path};

use seskey::{
    access_key::SecretAccessKeyError,
    credential::CredentialError,
    pasted::{Look, PastedError, Wrapping},
    recognise::{Recognised, recognise},
    region::RegionError,
    render::{RenderError, Target},
    user::UserError,
};

use crate::exit::Exit;

/// What is said when a verb fails.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hint: String,
    /// Whether it is only that the reader of the answer has gone.
    pub(crate) broken_pipe: bool,
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// It failed, and nothing was changed.
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, message: message.into(), hint: hint.into(), broken_pipe: false }
    }

    /// It was asked for what cannot be.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new(message, hint) }
    }

    /// Something was made and is left.
    pub(crate) fn unfinished(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Unfinished, ..Self::new(message, hint) }
    }

    /// It is about this option, variable or argument.
    pub(crate) fn of(self, given: &str) -> Self {
        Self { message: format!("{given}: {}", self.message), ..self }
    }

    /// A file cannot be read or written.
    pub(crate) fn file(doing: &str, path: &Path, error: &io::Error) -> Self {
        let hint = match error.kind() {
            io::ErrorKind::NotFound if doing == "write" => {
                "make the folder first, or check the path"
            }
            io::ErrorKind::NotFound => "check the path",
            io::ErrorKind::PermissionDenied => "check who owns it and its mode",
            io::ErrorKind::AlreadyExists => "take another name, or overwrite it with --force",
            io::ErrorKind::NotADirectory => "it is a file: name a folder",
            io::ErrorKind::StorageFull => "make room on the disk and try again",
            io::ErrorKind::InvalidData => "save it as text in UTF-8",
            _ => "this is what the system says; check the file and its folder",
        };
        let reason = match error.kind() {
            io::ErrorKind::AlreadyExists => "it exists already".to_owned(),
            io::ErrorKind::InvalidData => "it is not text in UTF-8".to_owned(),
            _ => reason(error),
        };
        Self::new(format!("cannot {doing} {}: {reason}", path.display()), hint)
    }
}

/// The answer could not be written to stdout.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let broken_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        let message = format!("cannot write the answer to stdout: {}", reason(&error));
        Self {
            broken_pipe,
            ..Self::new(message, "check where stdout leads: a full disk, a closed pipe")
        }
    }
}

pub(crate) fn region(error: &RegionError, typed: &str) -> Failure {
    use RegionError as E;
    if looks_secret(typed) {
        return Failure::usage(
            "what stands in the place of the region looks like a secret",
            "a secret on the command line is seen by other users and kept in the shell's history: \
             pipe it in, or use --secret-file",
        );
    }
    let table = || {
        "seskey regions lists them; --allow-unknown-region takes a region that the table does not have yet".to_owned()
    };
    let hint = match error {
        E::AvailabilityZone { region, .. } => format!("the region is {region}"),
        E::HostName { region: Some(region), .. } => format!("the region is {region}"),
        E::HostName { region: None, .. } => {
            "give the region alone, such as us-east-1; seskey regions lists them".to_owned()
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

/// Why no secret access key is in what was pasted.
pub(crate) fn pasted(error: &PastedError, source: &str) -> Failure {
    use PastedError as E;
    let hint = match error {
        E::Secret(error) => return secret_access_key(error, source),
        E::LooksLike(Look::SmtpPassword) => {
            return Failure::usage(
                format!("what came from {source} is an SMTP password already"),
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

/// What a secret access key was taken out of.
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

pub(crate) fn render(error: &RenderError, target: Target) -> Failure {
    use RenderError as E;
    let hint = match error {
        E::NotOurs => "this form is written whole: name a file that has nothing else in it",
        E::Unreadable { .. } => "it is left as it is; put that line right, or take another file",
        E::Host => {
            "a host name or an address, an IPv6 one without brackets where the form has a place for it"
        }
        E::Port => "SES listens on 25, 587, 2587 (STARTTLS) and 465, 2465 (TLS wrapper)",
        E::From => {
            "--from news@example.com: letters, digits and ._+=- before the @ have a place in every form"
        }
        E::Password => {
            "targets that write any password are json, kubernetes, url, symfony, mailer-dsn and password; or choose one of letters, digits and +-._"
        }
        E::TlsWrapper => "it turns to TLS by STARTTLS, on ports 25 and 587",
        E::Name { what: "entry" } => {
            "--name is for msmtp's account, OpenSMTPD's label and the Kubernetes secret, where it is in lower case"
        }
        E::Name { what: "namespace" } => "--namespace is for Kubernetes: lower case, digits and -",
        E::Name { .. } => {
            "--key is for env, systemd, json, kubernetes, yaml, toml and tfvars; variables are letters, digits and _"
        }
        E::SameName { .. } => "give each its own by --key",
        _ => "letters, digits and _+=,.@- are in its name; ARNs have : and / as well",
    };
    Failure::usage(format!("cannot write {target}: {error}"), hint)
}

/// An ingress endpoint has a host of its own, which no region tells.
pub(crate) fn no_ingress_host() -> Failure {
    Failure::usage(
        "the host of a Mail Manager ingress endpoint is not known",
        "--host: the SES console shows it, ….mail-manager-smtp.amazonaws.com",
    )
}

/// It turns to TLS by STARTTLS alone.
pub(crate) fn no_ingress_wrapper() -> Failure {
    Failure::usage(
        "a Mail Manager ingress endpoint has no TLS wrapper",
        "it turns to TLS by STARTTLS, on ports 25 and 587",
    )
}

/// What the SMTP password of the other kind is made of.
pub(crate) const INGRESS_PASSWORD: &str = "an inp-… user name has the password that was chosen for it in Mail Manager: 8 to 64 letters, digits and marks, and no /";

/// What to do when something else stands where an SMTP password should.
pub(crate) fn not_a_password(recognised: &Recognised) -> &'static str {
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

/// Whether a word has the form of a secret.
pub(crate) fn is_secret(word: &str) -> bool {
    matches!(
        recognise(word),
        Recognised::SmtpPassword(_)
            | Recognised::SecretAccessKey
            | Recognised::PasswordWithoutVersion
    )
}

/// Whether a word may be a secret or a piece of one, where nothing else of that form is expected.
pub(crate) fn looks_secret(word: &str) -> bool {
    let base64_letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let mixed = word.bytes().any(|b| b.is_ascii_uppercase())
        && word.bytes().any(|b| b.is_ascii_lowercase());
    is_secret(word) || word.len() >= 16 && mixed && word.bytes().all(base64_letter)
}

/// What the system says, without its number and its capital.
pub(crate) fn reason(error: &io::Error) -> String {
    innermost(&error.to_string())
}

/// The last of the causes that a library has put in a row, as a part of a sentence.
pub(crate) fn innermost(causes: &str) -> String {
    let cause = causes.split(" (os error").next().unwrap_or_default();
    let cause = cause.rsplit(": ").next().unwrap_or_default();
    let mut letters = cause.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
