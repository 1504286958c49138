//! Causes at MAIL, RCPT and DATA, after a good login.

use super::{
    Cause, Evidence, Phase, Verdict, certain,
    evidence::{ConfigurationSet, Identity, Permission},
    possible, refuted, refuted_if, row,
    said::{Denied, Problem, Reason},
};

const ISSUES: &str = "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html";
const ACCESS: &str = "https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html";
const IDENTITIES: &str =
    "https://docs.aws.amazon.com/ses/latest/dg/verify-addresses-and-domains.html";

/// The policy has the name that the SES console gives.
const NEW_POLICY: &str = "seskey policy {SENDER} >policy.json; aws iam put-user-policy --user-name {USER} --policy-name AmazonSesSendingAccess --policy-document file://policy.json";

#[rustfmt::skip]
pub(super) const CAUSES: &[Cause] = &[
    row(Phase::Sending, "not-permitted", "no policy of the user allows it to send",
        NEW_POLICY, ACCESS,
        |e| of_permission(e, 1, |seen| matches!(seen, Permission::NotAllowed), "IAM finds no statement that allows ses:SendRawEmail")),
    row(Phase::Sending, "other-resource", "the policy of the user is for other identities than SES asks about",
        NEW_POLICY,
        "https://github.com/cloudposse/terraform-aws-ses/issues/40", other_resource),
    row(Phase::Sending, "send-email-only", "the policy of the user allows ses:SendEmail, and SMTP needs ses:SendRawEmail",
        NEW_POLICY, ACCESS,
        |e| of_permission(e, 4, |seen| matches!(seen, Permission::SendEmailOnly), "IAM finds ses:SendEmail allowed, and ses:SendRawEmail not")),
    row(Phase::Sending, "condition-not-met", "a condition of the policy does not hold for this message",
        "aws iam get-user-policy --user-name {USER} --policy-name AmazonSesSendingAccess --query PolicyDocument >policy.json; seskey policy check policy.json --from {FROM} --to {RECIPIENT}: it names the condition", ACCESS,
        |e| match &e.permission {
            Some(Permission::Condition(keys)) => certain(format!("IAM would allow it but for {}", keys.join(", "))),
            _ => of_permission(e, 3, |_| false, ""),
        }),
    row(Phase::Sending, "explicit-deny", "a policy denies it: of the user, of a group, or of the organization",
        "aws iam simulate-principal-policy --policy-source-arn {USER_ARN} --action-names ses:SendRawEmail --resource-arns {RESOURCE}: it names the policy; ask who administers the organization",
        "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html",
        |e| match &e.permission {
            Some(Permission::Organization) => certain("IAM says that a policy of the organization denies it"),
            None if e.reason() == Some(Reason::ExplicitDeny) => certain("the text says that a policy denies it explicitly"),
            None if e.reason() == Some(Reason::NoOrganization) => certain("the text says that no policy of the organization allows it"),
            None if e.reason().is_some() => refuted(),
            _ => of_permission(e, 5, |seen| matches!(seen, Permission::ExplicitDeny), "IAM says that a statement denies it"),
        }),
    row(Phase::Sending, "boundary", "the permissions boundary of the user does not allow it",
        "aws iam get-user --user-name {USER}: it names the boundary; allow ses:SendRawEmail in it",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
        |e| match (&e.permission, e.reason()) {
            (None, Some(Reason::NoBoundary)) => certain("the text says that the permissions boundary does not allow it"),
            (None, Some(_)) => refuted(),
            _ => of_permission(e, 6, |seen| matches!(seen, Permission::Boundary), "IAM says that the permissions boundary does not allow it"),
        }),
    row(Phase::Sending, "sender-not-verified", "the sender is no verified identity in this region",
        "aws sesv2 create-email-identity --email-identity {IDENTITY} --region {REGION}", IDENTITIES, sender_not_verified),
    row(Phase::Sending, "sandbox", "the account is in the sandbox, where recipients must be verified too",
        "aws sesv2 get-account --region {REGION}; then request production access",
        "https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html", sandbox),
    row(Phase::Sending, "identity-of-other-account", "the sender is an identity of another account",
        "name it by the header X-SES-SOURCE-ARN; its owner must allow it by a sending authorization policy",
        "https://docs.aws.amazon.com/ses/latest/dg/sending-authorization.html",
        |e| match (e.sender, e.said()) {
            (Some(Identity::OtherAccount), _) => certain("the identity belongs to another account"),
            (_, Some(Problem::NotAuthorized(denied))) if accounts(denied).is_some_and(|(user, identity)| user != identity) =>
                certain("the reply names a user of one account and an identity of another"),
            (_, Some(Problem::NotAuthorized(_))) | (Some(_), _) => refuted(),
            (None, said) => refuted_if(said.is_some_and(Problem::is_past_login)),
        }),
    row(Phase::Sending, "paused", "sending is paused, for the account or for the configuration set",
        "aws sesv2 get-account --region {REGION}; read the mail of AWS about the review",
        "https://docs.aws.amazon.com/ses/latest/dg/faqs-enforcement.html",
        |e| match (e.sending_enabled, &e.configuration_set, e.said()) {
            (_, _, Some(Problem::Paused)) => certain("the server says that sending is paused"),
            (Some(false), ..) => certain("SES says that the account may not send"),
            (_, Some(ConfigurationSet::Paused(name)), _) => certain(format!("SES says that the configuration set {name} may not send")),
            (Some(true), Some(ConfigurationSet::Sending), _) => refuted(),
            (_, _, said) => refuted_if(said.is_some_and(Problem::is_past_login)),
        }),
    row(Phase::Sending, "configuration-set-missing", "the configuration set that the message names does not exist in this region",
        "aws sesv2 list-configuration-sets --region {REGION}; mend the header X-SES-CONFIGURATION-SET",
        "https://docs.aws.amazon.com/ses/latest/dg/using-configuration-sets.html",
        |e| match (&e.configuration_set, e.said()) {
            (_, Some(Problem::NoConfigurationSet(Some(name)))) => certain(format!("the server says that {name} does not exist")),
            (_, Some(Problem::NoConfigurationSet(None))) => certain("the server says that it does not exist"),
            (Some(ConfigurationSet::Missing(name)), _) => certain(format!("SES does not know {name}")),
            (Some(_), _) => refuted(),
            (None, said) => refuted_if(said.is_some_and(Problem::is_past_login)),
        }),
    row(Phase::Sending, "mail-from-domain", "the custom MAIL FROM domain has no MX record, and the identity rejects messages then",
        "aws sesv2 get-email-identity --email-identity {IDENTITY} --region {REGION}: it shows the domain",
        "https://docs.aws.amazon.com/ses/latest/dg/mail-from.html",
        |e| match (e.mail_from_rejects, e.said()) {
            (_, Some(Problem::MailFromDomain)) => certain("the server says that the DNS of the MAIL FROM domain is wrong"),
            (Some(true), _) => certain("SES says that the MAIL FROM domain is not verified, and that messages are rejected then"),
            (Some(false), _) => refuted(),
            (None, said) => refuted_if(said.is_some_and(Problem::is_past_login)),
        }),
    row(Phase::Sending, "quota", "the sending quota is used up, or more is sent in a second than is allowed",
        "aws sesv2 get-account --region {REGION}: it shows the quota; send more slowly",
        "https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html",
        |e| match (e.quota_exhausted, e.said()) {
            (_, Some(Problem::Quota)) => certain("the server says that it throttles"),
            (Some(true), _) => certain("as many messages were sent in 24 hours as the quota allows"),
            (Some(false), _) => refuted(),
            (None, said) => refuted_if(said.is_some_and(Problem::is_past_login)),
        }),
    row(Phase::Sending, "message-refused", "SES does not take the message: its size, its recipients, a header or an address",
        "mend what the reply names: 50 recipients and 40 MB at most, each header once, plain addresses", ISSUES,
        |e| match e.said() {
            Some(Problem::MessageRefused) => certain("the reply is about the message itself"),
            said => refuted_if(said.is_some_and(Problem::is_past_login)),
        }),
];

impl Evidence {
    /// Returns the reason of a denial, by the text.
    fn reason(&self) -> Option<Reason> {
        match self.said() {
            Some(Problem::NotAuthorized(denied)) => denied.reason,
            _ => None,
        }
    }
}

/// Judges a permission: a known one, or else one that the reply leaves open; a smaller rank is more likely.
fn of_permission(
    e: &Evidence,
    rank: u8,
    fits: fn(&Permission) -> bool,
    evidence: &'static str,
) -> Option<Verdict> {
    match (&e.permission, e.said()) {
        (Some(permission), _) if fits(permission) => certain(evidence),
        (Some(_), _) => refuted(),
        (None, Some(Problem::NotAuthorized(denied))) => {
            if denied.reason.is_some_and(|reason| reason != Reason::NoIdentityPolicy) {
                return refuted();
            }
            possible(rank, format!("the server denies {} on {}", denied.action, denied.resource))
        }
        (None, said) => refuted_if(said.is_some_and(Problem::is_past_login)),
    }
}

fn other_resource(e: &Evidence) -> Option<Verdict> {
    let Some(Problem::NotAuthorized(denied)) = e.said() else {
        return of_permission(
            e,
            0,
            |seen| matches!(seen, Permission::OtherResource),
            "IAM finds ses:SendRawEmail allowed for other identities",
        );
    };
    match (&e.permission, denied.identity(), e.from.as_deref()) {
        (Some(Permission::OtherResource), ..) => {
            certain(format!("the policy is for other resources than {}", denied.resource))
        }
        (Some(_), ..) => refuted(),
        _ if denied.reason.is_some_and(|reason| reason != Reason::NoIdentityPolicy) => refuted(),
        (None, None, _) => possible(0, format!("it is asked for {} too", denied.resource)),
        (None, Some(identity), Some(from)) if is_of(identity, from) => {
            possible(2, format!("SES asks for the identity {identity}"))
        }
        (None, Some(identity), _) => possible(
            0,
            format!("SES asks for the identity {identity}, which may be none of the policy"),
        ),
    }
}

/// Whether an identity is the address or its domain.
fn is_of(identity: &str, address: &str) -> bool {
    let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain);
    identity.eq_ignore_ascii_case(address) || identity.eq_ignore_ascii_case(domain)
}

/// Whether an address is among the identities in a reply.
fn is_among(identities: &[String], address: &str) -> bool {
    let plain = address.to_ascii_lowercase();
    identities.iter().any(|identity| identity.to_ascii_lowercase().contains(&plain))
}

fn sender_not_verified(e: &Evidence) -> Option<Verdict> {
    match (e.sender, e.said(), &e.from) {
        (Some(Identity::NotVerified), _, Some(from)) => {
            certain(format!("SES has no verified identity for {from} in this region"))
        }
        (Some(Identity::NotVerified), ..) => certain("SES says that the identity is not verified"),
        (Some(_), ..) => refuted(),
        (None, Some(Problem::NotVerified { identities, .. }), Some(from)) => {
            match is_among(identities, from) {
                true => certain(failed(e)),
                false if identities.is_empty() => possible(0, failed(e)),
                false => refuted(),
            }
        }
        (None, Some(Problem::NotVerified { .. }), None) => possible(0, failed(e)),
        (None, said, _) => refuted_if(said.is_some_and(Problem::is_past_login)),
    }
}

fn sandbox(e: &Evidence) -> Option<Verdict> {
    match (e.sandbox, e.recipient_verified, e.said()) {
        (Some(false), ..) | (_, Some(true), _) => refuted(),
        (Some(true), Some(false), _) => {
            certain("the account is in the sandbox, and the recipient is not verified")
        }
        (_, _, Some(Problem::NotVerified { identities, .. })) => match (&e.to, &e.from) {
            (Some(to), _) if is_among(identities, to) => certain(failed(e)),
            (_, Some(from)) if !identities.is_empty() && !is_among(identities, from) => {
                certain(failed(e))
            }
            (Some(_), _) if !identities.is_empty() => refuted(),
            _ => possible(1, failed(e)),
        },
        (Some(true), None, None) => possible(3, "the account is in the sandbox"),
        (_, _, said) => refuted_if(said.is_some_and(Problem::is_past_login)),
    }
}

/// Returns the server's message about identities.
fn failed(e: &Evidence) -> String {
    match e.said() {
        Some(Problem::NotVerified { region: Some(region), identities }) => {
            format!("not verified in {region}: {}", identities.join(", "))
        }
        _ => "the server says that an identity is not verified".to_owned(),
    }
}

/// Returns the account of the user and the account of the identity.
fn accounts(denied: &Denied) -> Option<(&str, &str)> {
    let user = denied.user.split(':').nth(4)?;
    let identity = denied.resource.split(':').nth(4)?;
    (!user.is_empty() && !identity.is_empty()).then_some((user, identity))
}
