//! Causes after the server has taken the message: it replied 250, but nothing arrives.

use super::{Cause, Phase, certain, evidence::Host, possible, refuted, row, said::Problem};

#[rustfmt::skip]
pub(super) const CAUSES: &[Cause] = &[
    row(Phase::After, "suppressed-recipient", "the recipient is on the suppression list of the account, after a bounce or a complaint",
        "aws sesv2 delete-suppressed-destination --email-address {RECIPIENT} --region {REGION}",
        "https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html",
        |e| match e.suppressed {
            Some(true) => certain("SES has the recipient on its list"),
            Some(false) => refuted(),
            None if e.has_said(&Problem::Blacklisted) => possible(0, "the server says that the address is blacklisted"),
            None => None,
        }),
    row(Phase::After, "rule-set-sends-nowhere", "the rule set of the Mail Manager ingress endpoint has no action that sends to the internet, or its traffic policy blocks the message",
        "aws mailmanager list-rule-sets --region {REGION}; add the action Send to internet, or use IAM SMTP credentials",
        "https://docs.aws.amazon.com/ses/latest/dg/eb-rules.html",
        |e| match &e.host {
            Some(Host::MailManager) if e.logged_in == Some(true) =>
                possible(1, "the login is good, and an ingress endpoint says 250 whatever its rules do with a message"),
            Some(Host::MailManager) => None,
            Some(_) => refuted(),
            None => None,
        }),
];
