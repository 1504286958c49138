//! Causes at the login.

use super::{
    Cause, Evidence, Phase, Verdict, certain,
    evidence::{Derivation, Key},
    forms::{Password, UserName},
    of_aws, possible, refuted, refuted_if, row,
    said::Problem,
};
use crate::password::Algorithm;

const ISSUES: &str = "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html";
const KEYS: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html";
const POSTFIX: &str = "https://www.postfix.org/SASL_README.html#client_sasl_enable";

#[rustfmt::skip]
pub(super) const CAUSES: &[Cause] = &[
    row(Phase::Login, "no-mechanism", "the application has no mechanism for PLAIN or LOGIN",
        "apt install libsasl2-modules (Debian), dnf install cyrus-sasl-plain (Fedora)", POSTFIX,
        |e| match (e.said(), e.offers_login) {
            (Some(Problem::NoMechanism), Some(false)) => refuted(),
            (Some(Problem::NoMechanism), _) => possible(0, "the application finds no mechanism, and SES offers PLAIN and LOGIN"),
            (Some(_), _) => refuted(),
            (None, _) => None,
        }),
    row(Phase::Login, "mechanism-not-offered", "the server that answers offers neither PLAIN nor LOGIN",
        "openssl s_client {STARTTLS}-connect {HOST}:{PORT}: it shows who answers", "https://www.rfc-editor.org/rfc/rfc4954",
        |e| match e.offers_login {
            Some(false) => certain("over TLS it offers neither of the two, and SES offers both"),
            Some(true) => refuted(),
            None if e.has_said(&Problem::NoAuth) => possible(0, "the application was offered no login, and SES offers one before TLS and over it"),
            None => refuted_if(e.is_past_login() || e.is_refused()),
        }),
    row(Phase::Login, "other-mechanism", "the application tries a mechanism that SES has not, such as CRAM-MD5 or XOAUTH2",
        "set the mechanism of the application to LOGIN or PLAIN", "https://www.rfc-editor.org/rfc/rfc4954#section-6",
        |e| match e.said() {
            Some(Problem::MechanismNotSupported) => certain("the server refuses the mechanism, 504"),
            said => refuted_if(said.is_some()),
        }),
    row(Phase::Login, "auth-not-tried", "the application sends without logging in: it finds no password for this host and port",
        "{SET_LOGIN}", POSTFIX,
        |e| match e.said() {
            Some(Problem::AuthenticationRequired) => certain("the server says that authentication is required: none was tried"),
            Some(Problem::NoCredentials) => certain("the application says that it has no user name or no password"),
            said => refuted_if(said.is_some()),
        }),
    row(Phase::Login, "other-auth-host", "the application logs in for another host than it connects to",
        "give the login the same host as the connection, without the port", "https://pkg.go.dev/net/smtp#PlainAuth",
        |e| said(e, &Problem::OtherAuthHost, "the application says that the host name is the wrong one")),
    row(Phase::Login, "stale-password", "the application still has an older password: its map or its configuration was not read again",
        "{READ_ANEW}",
        "https://www.postfix.org/postmap.1.html",
        |e| match (has_refused(e), e.logged_in) {
            (true, Some(true)) => possible(0, "the application is refused, and these values log in"),
            (_, Some(false)) => refuted(),
            _ if e.is_explained_by_key() => None,
            (true, None) => possible(8, "the application may have other values than those in its file"),
            _ => refuted_if(e.said().is_some()),
        }),
    of_aws(row(Phase::Login, "key-inactive", "the access key is inactive",
        "aws iam update-access-key --user-name {USER} --access-key-id {ACCESS_KEY_ID} --status Active, or seskey rotate {USER} --to STORE", KEYS,
        |e| of_key(e, Key::Inactive, 3, "IAM says that its status is Inactive"))),
    of_aws(row(Phase::Login, "key-unknown", "the access key is deleted, or of another account",
        "seskey rotate {USER} --to STORE, for a user of this account; seskey create, for another", KEYS,
        |e| of_key(e, Key::Unknown, 4, "IAM does not know the access key, asked with the credentials of the caller"))),
    of_aws(row(Phase::Login, "key-expired", "the access key is expired",
        "seskey rotate {USER} --to STORE", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyMetadata.html",
        |e| match e.key {
            Some(Key::Expired) => certain("IAM says that its status is Expired"),
            Some(_) => refuted(),
            None => refuted_if(e.logged_in == Some(true)),
        })),
    of_aws(row(Phase::Login, "key-too-new", "the access key was made moments ago, and is not known everywhere yet",
        "seskey verify --user-name {ACCESS_KEY_ID} --region {REGION}; again, until it logs in several times in a row",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html",
        |e| match e.key_age {
            Some(age) if age >= YOUNG => refuted(),
            Some(age) if e.is_refused_everywhere() && matches!(e.key, None | Some(Key::Active)) => possible(0, format!("IAM made it {age} seconds ago")),
            Some(_) => refuted(),
            None if e.is_explained_by_key() => None,
            None if e.is_refused_everywhere() && e.logged_in != Some(true) && is_well_formed(e) => possible(6, "a key that is seconds old may be refused"),
            None => refuted_if(e.is_past_login() || e.logged_in_elsewhere.is_some()),
        })),
    row(Phase::Login, "other-key", "the password comes from the secret of another access key than the user name",
        "seskey derive {REGION} --secret-file FILE, with the secret of the key that is the user name; seskey rotate {USER} --to STORE, which writes both at once",
        "https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html", other_key),
    row(Phase::Login, "other-ingress-password", "the user name or the password is not that of this Mail Manager ingress endpoint",
        "take both from the ingress endpoint in the SES console, and the host beside them",
        "https://docs.aws.amazon.com/ses/latest/dg/eb-ingress.html",
        |e| match e.user_name {
            _ if e.is_past_login() => refuted(),
            Some(UserName::IngressPointId) if e.is_refused() => possible(1, format!("{}, and the user name begins with inp-", e.refuser())),
            Some(UserName::IngressPointId) | None => None,
            Some(_) => refuted(),
        }),
    row(Phase::Login, "not-subscribed", "the account has no access to SES in this region",
        "open the SES console once in this region; the account must be signed up for SES", ISSUES,
        |e| match e.said() {
            Some(Problem::NotSubscribed) => certain("the server says that the account is not subscribed"),
            said => refuted_if(said.is_some() || e.logged_in == Some(true)),
        }),
    of_aws(row(Phase::Login, "quarantined", "AWS has put the user under quarantine, for its access key has leaked",
        "seskey revoke {USER} --replace --to STORE, then answer the case of AWS Support",
        "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html",
        |e| match e.quarantined {
            Some(true) => certain("a policy AWSCompromisedKeyQuarantine is attached to the user"),
            Some(false) => refuted(),
            None => None,
        })),
    row(Phase::Login, "too-many-connections", "there are more connections at once than SES takes",
        "lower the number of connections of the application", ISSUES,
        |e| said(e, &Problem::TooManyConnections, "the server says 421, too many concurrent connections")),
    row(Phase::Login, "service-trouble", "SES has a passing failure",
        "try again after 5, 10 and 30 seconds", ISSUES,
        |e| said(e, &Problem::TemporaryFailure, "the server says that it is temporary (4xx)")),
    row(Phase::Login, "idle-timeout", "the connection was silent for ten seconds, and SES closed it",
        "turn off keep-alive, or open a connection for each batch", "https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html",
        |e| said(e, &Problem::IdleTimeout, "the server says that it waited for data")),
];

/// A key takes seconds to be known everywhere; this is more than was ever seen.
const YOUNG: u64 = 300;

/// Whether the application was refused, by its own message.
fn has_refused(e: &Evidence) -> bool {
    e.has_said(&Problem::CredentialsInvalid) || e.has_said(&Problem::LoginFailed)
}

fn said(e: &Evidence, problem: &Problem, evidence: &'static str) -> Option<Verdict> {
    match e.said() {
        Some(said) if said == problem => certain(evidence),
        said => refuted_if(said.is_some()),
    }
}

/// Judges a state of the key: by IAM, or else as one that a refused login leaves open; a smaller rank is more likely.
fn of_key(e: &Evidence, key: Key, rank: u8, evidence: &'static str) -> Option<Verdict> {
    match e.key {
        Some(seen) if seen == key => certain(evidence),
        Some(_) => refuted(),
        // a reply after a login shows only the state at its own time
        None if e.logged_in == Some(true) || e.logged_in_elsewhere.is_some() => refuted(),
        None if e.is_refused() && is_well_formed(e) => possible(
            rank,
            format!("{}; no reply tells a wrong password from a key that is none", e.refuser()),
        ),
        None => None,
    }
}

/// Whether user name and password could be a credential, as far as they are known.
fn is_well_formed(e: &Evidence) -> bool {
    matches!(e.user_name, None | Some(UserName::AccessKeyId | UserName::Placeholder))
        && matches!(e.password, None | Some(Password::Smtp(_)))
}

fn other_key(e: &Evidence) -> Option<Verdict> {
    let is_right = match (&e.derivation, &e.region) {
        (Some(Derivation::Right(of)), Some(region)) => of == region,
        _ => false,
    };
    match &e.derivation {
        _ if e.is_past_login() || e.logged_in_elsewhere.is_some() => refuted(),
        Some(Derivation::Unrelated) => certain(
            "the password does not come from the secret access key that was given beside it",
        ),
        Some(_) if is_right && e.is_refused() && e.key == Some(Key::Active) => certain(
            "the key is active and the password is right for the secret access key, which is that of another key",
        ),
        Some(_) if is_right && e.is_explained_by_key() => None,
        Some(_) if is_right && e.is_refused() => possible(
            1,
            format!("the password is right for the secret access key, and {}", e.refuser()),
        ),
        Some(_) => refuted(),
        None if e.is_refused() && e.key == Some(Key::Active) && is_well_formed(e) => {
            possible(2, format!("the key is active, and {}", e.refuser()))
        }
        None if e.is_explained_by_key() => None,
        None if e.is_refused() && e.password == Some(Password::Smtp(Algorithm::V4)) => {
            possible(3, format!("{}; seskey inspect with the secret access key tells", e.refuser()))
        }
        None if matches!(e.password, Some(Password::Smtp(_)) | None) => None,
        None => refuted(),
    }
}
