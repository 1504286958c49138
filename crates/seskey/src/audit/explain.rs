//! A second opinion on a control, before a key is deleted.

use super::{Audit, Finding, Key, LastUse, Limits, Sign, Snapshot, audit, days, keys::described};
use crate::fleet::Credential;

/// The facts about a user that a control of another tool reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The sign that the user sends by SMTP; absent if there is none.
    pub sign: Option<Sign>,
    /// A sentence for each key.
    pub keys: Vec<String>,
    /// The findings of the same control in this audit.
    pub findings: Vec<Finding>,
    /// The effect of losing its keys.
    pub verdict: String,
}

/// Explains a control, such as `IAM.22`, or a kind of finding, such as `key-unused`, for a user. `None` if the user
/// does not exist.
pub fn explain(
    snapshot: &Snapshot,
    declared: Option<&[Credential]>,
    limits: &Limits,
    control: &str,
    user: &str,
) -> Option<Explanation> {
    let of_account = snapshot.users.iter().find(|of_account| of_account.name == user)?;
    let Audit { senders, could_send, findings, .. } = audit(snapshot, declared, limits);
    let sign = senders.get(user).copied();
    let sign = sign.or_else(|| could_send.iter().any(|name| name == user).then_some(Sign::Could));
    let is_asked = |finding: &Finding| {
        finding.user == user
            && (finding.kind.id == control || finding.kind.controls.contains(&control))
    };
    let last_mail = of_account.active_keys().filter_map(|key| key.last_use.as_ref());
    let last_mail = last_mail.filter(|used| used.is_mail()).max_by_key(|used| used.at);
    let is_recent = |used: &LastUse| snapshot.now.duration_since(used.at) <= limits.unused;
    let ago = |used: &LastUse| days(snapshot.now.duration_since(used.at));
    let verdict = match last_mail {
        Some(used) if is_recent(used) => format!(
            "it sent mail {} ago ({}): without its key that mail stops. CloudTrail has no event of what is sent by SMTP, \
             so a tool that reads CloudTrail alone sees the key as unused",
            ago(used), described(used)
        ),
        Some(used) => format!(
            "it last sent mail {} ago ({}): deactivate the key first, which can be undone, and delete it later",
            ago(used), described(used)
        ),
        None if of_account.active_keys().next().is_none() => {
            "it has no active key: no mail of it would stop".to_owned()
        }
        None => "IAM knows no mail that its keys have sent: deactivate them first, which can be undone, and delete them \
                 later".to_owned(),
    };
    Some(Explanation {
        sign,
        keys: of_account.keys.iter().map(|key| sentence(key, snapshot)).collect(),
        findings: findings.into_iter().filter(is_asked).collect(),
        verdict,
    })
}

fn sentence(key: &Key, snapshot: &Snapshot) -> String {
    let id = key.id.as_deref().unwrap_or("a key");
    let status = if key.is_active { "active" } else { "inactive" };
    let age = days(snapshot.now.duration_since(key.created));
    let used = key.last_use.as_ref().map_or_else(
        || "IAM knows no use of it".to_owned(),
        |used| {
            format!(
                "last used {} ago, {}",
                days(snapshot.now.duration_since(used.at)),
                described(used)
            )
        },
    );
    format!("{id}: {status}, made {age} ago, {used}")
}
