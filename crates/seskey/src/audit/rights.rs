//! Findings about the permissions of a user.

use super::{Found, Judge, Kind, Severity, Subject, found, worse};
use crate::{
    policy::{Policy, SEND},
    rotation::{Denial, Sending},
};

const CONTROLS: &str = "https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html";
const GROUP: &str = "https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html";
const ACCESS: &str = "https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html";

#[rustfmt::skip]
pub(super) const KINDS: &[Kind] = &[
    Kind { id: "policy-too-wide", severity: Severity::Medium, sentence: "a policy allows more than sending",
        controls: &["IAM.1", "IAM.21"], remedy: "{NARROW}", source: ACCESS, judge: Judge::User(too_wide) },
    Kind { id: "direct-policy", severity: Severity::Low, sentence: "a policy is on the user itself, and not on a group",
        controls: &["IAM.2", "CIS 5.0.0/1.14", "CIS 3.0.0/1.15"], remedy: "{TO_GROUP}", source: GROUP,
        judge: Judge::User(|s| {
            let names: Vec<&str> = s.user.policies.inline.iter().chain(&s.user.policies.attached)
                .map(|(name, _)| name.as_str()).collect();
            (!names.is_empty()).then(|| found(format!("its own: {}", names.join(", "))))?
        }) },
    Kind { id: "console-password", severity: Severity::Medium, sentence: "a mail user can sign in to the console",
        controls: &["IAM.5", "IAM.19"], remedy: "aws iam delete-login-profile {USER_NAME}", source: CONTROLS,
        judge: Judge::User(|s| s.user.console.and_then(|console| match console.has_mfa {
            true => found("it has a console password, and an MFA device"),
            false => worse(Severity::High, "it has a console password, and no MFA device"),
        })) },
    Kind { id: "cannot-send", severity: Severity::Medium, sentence: "no mail of the user is permitted",
        controls: &[], remedy: "{PERMIT}", source: ACCESS, judge: Judge::User(cannot_send) },
    Kind { id: "any-sender", severity: Severity::Informational,
        sentence: "the user may send from every address that the account has verified",
        controls: &[], remedy: "{RESTRICT}", source: ACCESS,
        judge: Judge::User(|s| {
            let (source, _) = s.policies.iter().find(|(_, policy)| policy.allows_everywhere(SEND))?;
            (s.sending == Sending::Allowed).then(|| found(format!("{source} restricts neither sender nor identity")))?
        }) },
];

/// The actions that are needed to send, by SMTP and by the API.
const SENDING: [&str; 2] = [SEND, "ses:SendEmail"];

fn too_wide(s: &Subject<'_>) -> Option<Found> {
    let allows_all = |policy: &Policy| {
        policy.allows_everywhere("iam:CreateUser") && policy.allows_everywhere(SEND)
    };
    if let Some((source, _)) = s.policies.iter().find(|(_, policy)| allows_all(policy)) {
        return worse(Severity::High, format!("{source} allows everything"));
    }
    let wide = s.policies.iter().filter(|(_, policy)| is_wide(policy));
    let sources: Vec<String> = wide.map(|(source, _)| source.to_string()).collect();
    (!sources.is_empty())
        .then(|| found(format!("more than sending is allowed by {}", sources.join(", "))))?
}

/// Whether the policy allows more than sending.
pub(super) fn is_wide(policy: &Policy) -> bool {
    !policy.allows_none_but(&SENDING)
}

fn cannot_send(s: &Subject<'_>) -> Option<Found> {
    let Sending::Denied(denial) = &s.sending else { return None };
    s.user.active_keys().next()?;
    found(match denial {
        Denial::NotAllowed => format!("no policy of it or of its groups allows {SEND}"),
        Denial::Denied { policy, statement } => match statement {
            Some(statement) => format!("{policy} denies it in statement {statement}"),
            None => format!("{policy} denies it"),
        },
        Denial::Organization => "a policy of the organization denies it".to_owned(),
        Denial::Boundary { policy } => {
            format!("its permissions boundary {policy} does not allow it")
        }
    })
}
