//! Causes that the typed values show by themselves.

use super::{
    Cause, Evidence, Phase, Verdict, certain,
    evidence::{Derivation, Host, Key},
    forms::{Password, UserName},
    possible, refuted, refuted_if, row,
    said::Problem,
};
use crate::{
    access_key::AccessKeyId,
    password::Algorithm,
    region::{self, STARTTLS_PORTS, TLS_WRAPPER_PORTS},
};

const CREDENTIALS: &str = "https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html";
const CONNECT: &str = "https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html";
const ENDPOINTS: &str = "https://docs.aws.amazon.com/general/latest/gr/ses.html";
const INGRESS: &str = "https://docs.aws.amazon.com/ses/latest/dg/eb-ingress.html";
const IDENTIFIERS: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html";

#[rustfmt::skip]
pub(super) const CAUSES: &[Cause] = &[
    row(Phase::Offline, "foreign-host", "the host is the SMTP server of another provider than AWS",
        "connect to email-smtp.{REGION}.amazonaws.com, or take the user name and the password of the other provider", CONNECT,
        |e| match &e.host {
            _ if e.said_by().is_some() => certain(format!("the error comes from a server of {}'s", e.said_by().unwrap_or_default())),
            Some(Host::Provider(whose)) => certain(format!("the name of the host is one of {whose}'s")),
            Some(_) => refuted(),
            None => None,
        }),
    row(Phase::Offline, "host-not-set", "the application connects to its own machine, as many do that are given no host",
        "set the host of the application to email-smtp.{REGION}.amazonaws.com, and look whether it reads that setting",
        "https://docs.djangoproject.com/en/stable/ref/settings/#email-host",
        |e| match &e.host {
            _ if e.is_past_network() => refuted(),
            Some(Host::OwnMachine) if e.has_said(&Problem::ConnectionRefused) =>
                possible(0, "the connection was refused by the machine itself, where no SES is"),
            Some(Host::OwnMachine) => None,
            Some(_) => refuted(),
            None if e.has_said(&Problem::ConnectionRefused) =>
                possible(0, "the connection was refused, and the text names no host"),
            None => refuted_if(e.said().is_some()),
        }),
    row(Phase::Offline, "raw-secret-as-password", "the secret access key itself is used as the SMTP password",
        "seskey derive {REGION} --secret-file FILE", CREDENTIALS,
        |e| match e.password {
            _ if e.is_past_login() => refuted(),
            Some(Password::SecretAccessKey { is_given: true }) => certain("the password is the secret access key that was given beside it"),
            Some(Password::SecretAccessKey { is_given: false }) =>
                possible(0, "the password has the form of a secret access key: 40 letters, digits, + and /; an SMTP password has 44"),
            Some(Password::SecretAccessKeyOrCutOff) => possible(0, "the password has 40 letters, digits, + and /, as a secret access key has"),
            Some(_) => refuted(),
            None if is_unexplained(e) => possible(1, format!("{}, and the password may be the secret access key itself", e.refuser())),
            None => None,
        }),
    row(Phase::Offline, "other-region", "the SMTP password is for another region than the endpoint",
        "seskey derive {REGION} --secret-file FILE, or connect to the endpoint of the other region", CREDENTIALS, other_region),
    row(Phase::Offline, "v2-password", "the SMTP password is of the algorithm of before 2019",
        "seskey derive {REGION} --secret-file FILE, or seskey rotate {USER} --to STORE",
        "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html", v2_password),
    row(Phase::Offline, "wrong-recipe", "the SMTP password was derived by a wrong recipe",
        "seskey derive {REGION} --secret-file FILE", CREDENTIALS, wrong_recipe),
    row(Phase::Offline, "iam-user-name", "the name of the IAM user is used as the SMTP user name",
        "seskey list --filter user={USER}: it shows the access key ID, which is the SMTP user name",
        "https://github.com/mautic/mautic/issues/3704",
        |e| match (user_name(e, |form| form == UserName::Other, "")?, e.is_iam_user) {
            (Verdict::Refuted, _) => refuted(),
            (_, Some(true)) => certain("an IAM user has the name that is used as the SMTP user name"),
            _ => possible(0, "the user name is no access key ID (AKIA…), and looks like a name"),
        }),
    row(Phase::Offline, "email-as-user-name", "a mail address is used as the SMTP user name",
        "use the access key ID (AKIA…) as the user name; it is shown by: seskey list", CREDENTIALS,
        |e| user_name(e, |form| form == UserName::Email, "the user name has an @ in it")),
    row(Phase::Offline, "swapped", "user name and password are swapped",
        "put the access key ID (AKIA…) into the user name, and the other into the password", CREDENTIALS,
        |e| match (e.user_name, e.password) {
            (Some(UserName::Secret), Some(Password::AccessKeyId)) =>
                certain("the password is an access key ID, and the user name has the form of a secret"),
            (_, Some(Password::AccessKeyId)) => certain("the password is an access key ID"),
            (Some(UserName::Secret), None) => possible(0, "the user name has the form of a secret"),
            (Some(UserName::Secret), Some(_)) =>
                possible(0, "the user name has the form of a secret"),
            (Some(_), Some(_)) => refuted(),
            _ => refuted_if(e.is_past_login()),
        }),
    row(Phase::Offline, "temporary-key", "the access key is temporary, and SES takes no such one",
        "seskey create: it makes a credential of an IAM user", CREDENTIALS,
        |e| user_name(e, |form| form == UserName::Temporary, "the user name begins with ASIA")),
    row(Phase::Offline, "other-unique-id", "the ID of something else in IAM is used as the SMTP user name",
        "use the access key ID (AKIA…); it is shown by: seskey list", IDENTIFIERS,
        |e| match e.user_name {
            Some(UserName::UniqueId(what)) => certain(format!("the user name is the unique ID of {what}")),
            Some(_) => refuted(),
            None => refuted_if(e.is_past_login()),
        }),
    row(Phase::Offline, "mistyped-user-name", "the access key ID is cut off, or its case was changed",
        "copy the access key ID again, 20 upper-case letters and digits; it is shown by: seskey list", IDENTIFIERS,
        |e| match e.user_name {
            Some(UserName::Mistyped(length)) if length == AccessKeyId::LENGTH =>
                certain("in upper case the user name is an access key ID"),
            Some(UserName::Mistyped(length)) =>
                certain(format!("an access key ID has {} characters, and this has {length}", AccessKeyId::LENGTH)),
            Some(_) => refuted(),
            None => refuted_if(e.is_past_login()),
        }),
    row(Phase::Offline, "white-space", "white space or an invisible character is a part of a value",
        "take it off where the application reads the value",
        "https://github.com/sandstorm-io/sandstorm/issues/2734",
        |e| match e.around {
            Some(around) if around.white_space => certain("a blank, a line end or an invisible character stands in a value or around it"),
            Some(_) => refuted(),
            None => refuted_if(e.is_past_login()),
        }),
    row(Phase::Offline, "quoted", "quotation marks are a part of a value",
        "seskey render TARGET --credentials FILE: it writes the values as TARGET reads them",
        "https://github.com/theskumar/python-dotenv#file-format",
        |e| match e.around {
            Some(around) if around.quotes => certain("quotation marks stand around a value, and the application may take them for a part of it"),
            Some(_) => refuted(),
            None => refuted_if(e.is_past_login()),
        }),
    row(Phase::Offline, "percent-encoded", "the SMTP password is percent-encoded where it should not be, or was decoded as a form",
        "seskey render url --credentials FILE: it encodes them once", "https://www.rfc-editor.org/rfc/rfc3986#section-2.1",
        |e| password(e, |form| form == Password::PercentEncoded,
            "the password becomes an SMTP password when it is percent-decoded, or its blanks are +")),
    row(Phase::Offline, "cut-off", "the SMTP password is cut off, perhaps at a / or a +",
        "copy it again whole, it has 44 characters; seskey render TARGET --credentials FILE: it quotes them",
        "https://github.com/nodemailer/nodemailer/issues/572",
        |e| match e.password {
            Some(Password::SecretAccessKeyOrCutOff) =>
                possible(1, "the password has 40 characters and begins as one of 44"),
            Some(Password::CutOff(length)) =>
                possible(0, format!("the password has {length} characters and begins as one of 44")),
            Some(_) => refuted(),
            None => refuted_if(e.is_past_login()),
        }),
    row(Phase::Offline, "base64-of-password", "the Base64 of the SMTP password is used as the password",
        "paste the password itself: the application encodes it for AUTH", "https://www.rfc-editor.org/rfc/rfc4616",
        |e| password(e, |form| form == Password::Base64, "the password is the Base64 of an SMTP password")),
    row(Phase::Offline, "not-a-password", "the password is none that belongs to an access key ID",
        "copy the SMTP password again: 44 characters that begin with B; seskey rotate {USER} --to STORE: it makes a new one", CREDENTIALS,
        |e| match (e.user_name, e.password) {
            (Some(UserName::AccessKeyId), Some(Password::Chosen)) =>
                certain("an SMTP password of IAM has 44 letters, digits, + and /, and this is another text"),
            (Some(UserName::AccessKeyId), Some(Password::Other(length))) =>
                certain(format!("an SMTP password of IAM has 44 letters, digits, + and /, and this has {length} characters")),
            (_, Some(Password::Chosen | Password::Other(_))) if e.user_name != Some(UserName::IngressPointId) =>
                possible(4, "the password is nothing that SES or IAM makes"),
            (_, Some(_)) => refuted(),
            (_, None) => refuted_if(e.is_past_login()),
        }),
    row(Phase::Offline, "empty", "the user name or the password is empty",
        "put the value where the application reads it; seskey create: it makes a credential", CREDENTIALS,
        |e| match (e.user_name, e.password) {
            (Some(UserName::Empty), _) => certain("there is nothing where the user name should be"),
            (_, Some(Password::Empty)) => certain("there is nothing where the password should be"),
            (Some(_), Some(_)) => refuted(),
            _ => refuted_if(e.is_past_login()),
        }),
    row(Phase::Offline, "placeholder", "an example was never replaced by a value of one's own",
        "seskey create: it makes a credential", CREDENTIALS,
        |e| match (e.user_name, e.password) {
            _ if e.logged_in == Some(true) => refuted(),
            (_, Some(Password::Placeholder)) => certain("the password is an example or a variable that nothing has replaced"),
            (Some(UserName::Placeholder), _) => possible(3, "the user name is one of the examples of the documents"),
            (Some(_), Some(_)) => refuted(),
            _ => None,
        }),
    row(Phase::Offline, "mail-manager-credential", "a Mail Manager credential is used at the endpoint for IAM SMTP credentials",
        "connect to the host of the ingress endpoint, ….mail-manager-smtp.amazonaws.com, on port 587", INGRESS,
        |e| match (e.user_name, &e.host) {
            (Some(UserName::IngressPointId), Some(Host::Smtp(_) | Host::WithoutSmtp(_) | Host::Api(_))) =>
                certain("the user name begins with inp-, and the host is not that of an ingress endpoint"),
            (Some(UserName::IngressPointId), None) if e.is_refused() =>
                possible(2, "the user name begins with inp-"),
            (Some(UserName::IngressPointId), None | Some(Host::OwnMachine | Host::Other | Host::Misspelled(_))) => None,
            (Some(_), _) => refuted(),
            (None, _) => refuted_if(e.logged_in == Some(true)),
        }),
    row(Phase::Offline, "mail-manager-host", "an IAM SMTP credential is used at the host of a Mail Manager ingress endpoint",
        "connect to email-smtp.{REGION}.amazonaws.com", INGRESS,
        |e| match (&e.host, e.user_name) {
            (Some(Host::MailManager), Some(UserName::AccessKeyId | UserName::Placeholder)) =>
                certain("the user name is an access key ID, and the host is that of an ingress endpoint"),
            (Some(Host::MailManager), Some(UserName::IngressPointId)) => refuted(),
            (Some(Host::MailManager), _) => possible(2, "the host is that of an ingress endpoint"),
            (Some(_), _) => refuted(),
            (None, _) => None,
        }),
    row(Phase::Offline, "derived-for-mail-manager", "a password was derived over a Mail Manager password, which is chosen and used as it is",
        "use the password that was chosen in Mail Manager", INGRESS,
        |e| match (e.user_name, e.password) {
            (Some(UserName::IngressPointId), Some(Password::Smtp(_))) =>
                possible(0, "the user name begins with inp-, and the password has the form of a derived one"),
            (Some(UserName::IngressPointId), None) => None,
            (Some(_), _) => refuted(),
            (None, _) => None,
        }),
    row(Phase::Offline, "api-host", "the host is the endpoint of the SES API, not the SMTP endpoint",
        "connect to email-smtp.{REGION}.amazonaws.com", ENDPOINTS,
        |e| match &e.host {
            Some(Host::Api(_)) => certain("the name of the host begins with email., not with email-smtp."),
            Some(_) => refuted(),
            None => None,
        }),
    row(Phase::Offline, "region-without-smtp", "SES has no SMTP endpoint in this region",
        "seskey regions: it lists those that have one", ENDPOINTS,
        |e| match &e.host {
            Some(Host::WithoutSmtp(region)) => certain(format!("{region} is without one in the table of {}", region::table_date())),
            Some(Host::Smtp(_)) => refuted(),
            _ => match &e.region {
                Some(region) if region.facts().is_some_and(|facts| !facts.smtp) && !e.is_past_network() =>
                    certain(format!("{region} is without one in the table of {}", region::table_date())),
                Some(_) => refuted(),
                None => None,
            },
        }),
    row(Phase::Offline, "misspelled-host", "the host is no endpoint of AWS's, and written nearly as one",
        "seskey regions --json: it lists all names", ENDPOINTS,
        |e| match &e.host {
            Some(Host::Misspelled(Some(nearest))) if e.resolves == Some(false) =>
                certain(format!("it has no address, and the nearest right name is {nearest}")),
            Some(Host::Misspelled(nearest)) if !e.is_past_network() => match nearest {
                Some(nearest) => possible(0, format!("the nearest right name is {nearest}")),
                None => possible(1, "it begins or ends as AWS's names do, and is none of them"),
            },
            Some(_) => refuted(),
            None => None,
        }),
    row(Phase::Offline, "wrapper-at-mail-manager", "a Mail Manager ingress endpoint has no TLS wrapper",
        "turn to TLS by STARTTLS, on port 587", INGRESS,
        |e| match (&e.host, e.port) {
            (Some(Host::MailManager), Some(port)) if TLS_WRAPPER_PORTS.contains(&port) =>
                certain(format!("the host is that of an ingress endpoint, and the port is {port}")),
            (Some(_), Some(_)) => refuted(),
            _ => None,
        }),
    row(Phase::Offline, "other-port", "the port is none of the SMTP endpoint's",
        "connect to port 587 with STARTTLS, or to 465 with TLS from the first byte", CONNECT,
        |e| match (&e.host, e.port) {
            (Some(Host::Smtp(_)), Some(port))
                if !STARTTLS_PORTS.contains(&port) && !TLS_WRAPPER_PORTS.contains(&port) =>
                certain(format!("SES listens on 25, 465, 587, 2465 and 2587, not on {port}")),
            (Some(Host::Smtp(_)), Some(_)) => refuted(),
            _ => None,
        }),
    row(Phase::Offline, "port-is-no-number", "the port is no number",
        "write 587 for STARTTLS, or 465 for TLS from the first byte", CONNECT,
        |e| match e.place {
            Some(place) if place.port_is_none => certain("the text in the place of the port is no number up to 65535"),
            Some(_) if e.port.is_some() => refuted(),
            _ => None,
        }),
    row(Phase::Offline, "port-in-host", "the port stands behind the host, where the application wants the host alone",
        "write the host without the port, and the port where the application reads it", CONNECT,
        |e| match e.place {
            Some(place) if place.port_in_host => possible(2, "the host has a colon and a port behind it; some applications take that, others look for a host of that name"),
            Some(_) if e.host.is_some() => refuted(),
            _ => None,
        }),
];

/// Whether an IAM login is refused and the state of the key does not explain it.
fn is_unexplained(e: &Evidence) -> bool {
    let may_be_of_iam = !matches!(e.user_name, Some(UserName::IngressPointId));
    e.is_refused() && may_be_of_iam && e.key.is_none_or(|key| key == Key::Active)
}

/// Judges a password by its form; another form refutes it.
fn password(e: &Evidence, fits: fn(Password) -> bool, evidence: &'static str) -> Option<Verdict> {
    match e.password {
        Some(form) if fits(form) && e.logged_in != Some(true) => certain(evidence),
        Some(_) => refuted(),
        None => refuted_if(e.is_past_login()),
    }
}

/// Judges a user name likewise.
fn user_name(e: &Evidence, fits: fn(UserName) -> bool, evidence: &'static str) -> Option<Verdict> {
    match e.user_name {
        Some(form) if fits(form) && e.logged_in != Some(true) => certain(evidence),
        Some(_) => refuted(),
        None => refuted_if(e.is_past_login()),
    }
}

fn other_region(e: &Evidence) -> Option<Verdict> {
    match (&e.derivation, &e.region) {
        _ if e.is_past_login() || e.user_name == Some(UserName::IngressPointId) => refuted(),
        (Some(Derivation::Right(of)), Some(region)) if of != region => certain(format!(
            "with the secret access key it is the password for {of}, and the endpoint is in {region}"
        )),
        (Some(Derivation::Right(of)), None) => {
            possible(2, format!("with the secret access key it is the password for {of}"))
        }
        (Some(_), _) => refuted(),
        (None, _) => match (&e.logged_in_elsewhere, e.password) {
            (Some(region), _) => certain(format!("the endpoint of {region} takes it")),
            (None, _) if e.is_explained_by_key() => None,
            (None, Some(Password::Smtp(Algorithm::V4))) | (None, None) if e.is_refused() => {
                possible(1, format!("{}, and such a password is for one region alone", e.refuser()))
            }
            (None, Some(Password::Smtp(Algorithm::V4)) | None) => None,
            (None, Some(_)) => refuted(),
        },
    }
}

fn v2_password(e: &Evidence) -> Option<Verdict> {
    match (e.password, &e.derivation) {
        _ if e.has_said(&Problem::LegacyRate) => {
            certain("SES says that it is throttled for its algorithm, SigV2")
        }
        _ if e.is_past_login() => refuted(),
        (_, Some(Derivation::V2)) => {
            certain("with the secret access key it is the password of the older algorithm")
        }
        (Some(Password::Smtp(Algorithm::V2)), _) => {
            possible(0, "the password begins with A: its version byte is 2")
        }
        (Some(_), _) => refuted(),
        (None, _) => None,
    }
}

fn wrong_recipe(e: &Evidence) -> Option<Verdict> {
    match (&e.derivation, e.password) {
        _ if e.is_past_login() => refuted(),
        (Some(Derivation::Mistaken(mistake)), _) => {
            certain(format!("with the secret access key it is a known wrong one: {mistake}"))
        }
        (Some(_), _) => refuted(),
        (None, Some(Password::WithoutVersion)) => {
            certain("the password is a signature without its version byte")
        }
        (None, Some(Password::Smtp(_)) | None) => None,
        (None, Some(_)) => refuted(),
    }
}
