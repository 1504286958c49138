//! The remedies with their placeholders filled. One without a command is a comment, so that pasting it changes nothing.

use std::collections::BTreeSet;

use super::{Key, Policies, Reach, Subject, days, rights::is_wide};
use crate::{
    fleet::Credential,
    policy::{Policy, PolicySource, SEND},
    rotation::{Denial, Sending},
    user::{REGION_TAG, SENDING_GROUP, SENDING_POLICY},
};

/// Returns the remedy for a user and a key of it, and whether it names a key whose ID is not known.
pub(super) fn of_user(remedy: &str, s: &Subject<'_>, key: Option<&Key>) -> (String, bool) {
    let id = key.or_else(|| s.user.active_keys().next()).and_then(|key| key.id.as_deref());
    let text = match remedy {
        "{ROTATE}" => rotate(s),
        // no run continues from a note that it cannot read
        "{FINISH}" => match &s.notes {
            Err(error) => &format!("aws iam untag-user {{USER_NAME}} --tag-keys {}", error.tag),
            Ok(_) => rotate(s),
        },
        // revoke deactivates every key, and can be undone
        "{DEACTIVATE}" => match s.user.active_keys().count() {
            1 => "seskey revoke {USER}",
            _ => {
                "aws iam update-access-key {USER_NAME} --access-key-id {ACCESS_KEY_ID} --status Inactive"
            }
        },
        "{DELETE}" => &delete_key(s, key),
        "{PERMIT}" => match s.sending {
            Sending::Denied(Denial::NotAllowed) => &put(free_name(s)),
            _ => "seskey diagnose --user-name {ACCESS_KEY_ID} --from SENDER",
        },
        "{NARROW}" => &narrow(s, is_wide),
        "{RESTRICT}" => &narrow(s, |policy| policy.allows_everywhere(SEND)),
        "{TO_GROUP}" => &to_group(s),
        "{DECLARE}" => &declare(s),
        other => other,
    };
    let name = &s.user.name;
    let filled = s
        .reach
        .told(text)
        .replace("{USER_NAME}", &option("--user-name", name))
        .replace("{THAT_USER}", &option("--user", name))
        .replace("{USER}", &operand(name))
        .replace(KEY_PLACE, id.unwrap_or("ACCESS_KEY_ID"));
    (filled, id.is_none() && text.contains(KEY_PLACE))
}

const KEY_PLACE: &str = "{ACCESS_KEY_ID}";

fn rotate(s: &Subject<'_>) -> &'static str {
    match s.declared {
        Some(_) => "seskey apply {USER}",
        None => "seskey rotate --to STORE {USER}",
    }
}

/// Returns the deletion of a key, as a comment if the key was used within the quarantine.
fn delete_key(s: &Subject<'_>, key: Option<&Key>) -> String {
    let delete = "aws iam delete-access-key {USER_NAME} --access-key-id {ACCESS_KEY_ID}";
    let used = key.and_then(|key| key.last_use.as_ref());
    let wait = s.goal().quarantine();
    match used.is_some_and(|used| s.ago(used.at) <= wait) {
        true => format!("# after {} without complaints: {delete}", days(wait)),
        false => delete.to_owned(),
    }
}

/// Returns a comment, since the file needs facts that only its author knows.
fn declare(s: &Subject<'_>) -> String {
    let mut last = s.user.keys.iter().filter_map(|key| key.last_use.as_ref());
    let region = s.user.tag(REGION_TAG).map(str::to_owned);
    let region = region.or_else(|| Some(last.find(|used| used.is_smtp())?.region.clone()));
    let known = [
        ("user", Some(s.user.name.clone())),
        ("account", s.reach.account.clone()),
        ("region", region),
    ];
    let known =
        known.iter().filter_map(|(name, value)| Some(format!("{name} = {:?}", value.as_ref()?)));
    format!(
        "# write a [[credential]] into seskey.toml, with {}, and in to where it is delivered",
        known.collect::<Vec<_>>().join(", ")
    )
}

/// Puts a policy. It is made first, so that nothing changes while the domain is not filled in.
fn put(name: &str) -> String {
    format!(
        "policy=$(seskey policy --from '{SENDER}') && aws iam put-user-policy {{USER_NAME}} {} --policy-document \"$policy\"",
        option("--policy-name", name)
    )
}

/// A value that `seskey policy` refuses.
const SENDER: &str = "*@<your domain>";

/// Returns the console's name for a policy, unless the user has another policy of this name.
fn free_name(s: &Subject<'_>) -> &'static str {
    match s.user.policies.inline.iter().any(|(name, _)| name == SENDING_POLICY) {
        true => "SendFromOneDomain",
        false => SENDING_POLICY,
    }
}

/// Replaces the user's matching policies by the least one. A policy of a group is not the user's alone, and no other
/// policy takes away what it allows.
fn narrow(s: &Subject<'_>, is_so: impl Fn(&Policy) -> bool) -> String {
    let mut attached: BTreeSet<&str> =
        s.user.policies.attached.iter().map(|(_, arn)| arn.as_str()).collect();
    let (mut names, mut arns, mut others) = (vec![], vec![], vec![]);
    // a policy that is attached to user and group is listed twice, the user's first
    for (source, _) in s.policies.iter().filter(|(_, policy)| is_so(policy)) {
        match source {
            PolicySource::Inline { name } => names.push(name),
            PolicySource::Managed { arn } if attached.remove(arn.as_str()) => arns.push(arn),
            _ => others.push(source.to_string()),
        }
    }
    if !others.is_empty() {
        return format!(
            "# the user has it by a group ({}): narrow it there, or take the user out of the group, and audit again; \
             a policy of its own would take nothing away",
            others.join(", ")
        );
    }
    let may_still_send =
        s.policies.iter().any(|(_, policy)| !is_so(policy) && policy.allows_everywhere(SEND));
    let replaced = names.first().map_or_else(|| free_name(s), |name| name.as_str());
    let put = (!may_still_send).then(|| put(replaced));
    let kept = |name: &&String| !may_still_send && *name == replaced;
    let deletions = names.iter().filter(|name| !kept(name)).map(|name| delete(name));
    let detachments = arns.iter().map(|arn| detach(arn));
    put.into_iter().chain(deletions).chain(detachments).collect::<Vec<_>>().join(" && ")
}

/// Moves the policies of the user to a group: to that of the SES console if `seskey migrate` does so, else to a new
/// one.
fn to_group(s: &Subject<'_>) -> String {
    let Policies { inline, attached } = &s.user.policies;
    let own = |source: &PolicySource| match source {
        PolicySource::Inline { .. } => true,
        PolicySource::Managed { arn } => attached.iter().any(|(_, own)| own == arn),
        _ => false,
    };
    if s.policies.iter().any(|(source, policy)| own(source) && is_wide(policy)) {
        return "# mend policy-too-wide first, and audit again: it changes these policies"
            .to_owned();
    }
    let is_consoles = |(name, _): &(String, String)| {
        let source = PolicySource::Inline { name: name.clone() };
        let is_plain = |it: &Policy| it.allows_everywhere(SEND) && !it.may_deny(SEND);
        name == SENDING_POLICY && s.policies.iter().any(|(of, it)| *of == source && is_plain(it))
    };
    if attached.is_empty() && inline.iter().all(is_consoles) && may_join(s) {
        return "seskey migrate {USER}".to_owned();
    }
    // an existing group of this name may allow others what the user must not have
    let is_taken = |name: &str| s.groups.contains_key(name) && !s.user.groups.contains(name);
    let group = match is_taken(&s.user.name) {
        true => format!("{}-smtp", s.user.name),
        false => s.user.name.clone(),
    };
    let name = option("--group-name", &group);
    let mut commands = vec![];
    if !s.groups.contains_key(&group) {
        commands.push(format!("aws iam create-group {name}"));
    }
    for (policy, _) in inline {
        let policy = option("--policy-name", policy);
        commands.push(format!("policy=$(aws iam get-user-policy {{USER_NAME}} {policy} --query PolicyDocument --output json)"));
        commands.push(format!(
            "aws iam put-group-policy {name} {policy} --policy-document \"$policy\""
        ));
    }
    commands.extend(attached.iter().map(|(_, arn)| {
        format!("aws iam attach-group-policy {name} --policy-arn {}", quoted(arn))
    }));
    commands.push(format!("aws iam add-user-to-group {name} {{USER_NAME}}"));
    commands.extend(inline.iter().map(|(name, _)| delete(name)));
    commands.extend(attached.iter().map(|(_, arn)| detach(arn)));
    commands.join(" && ")
}

/// Whether the group of the SES console lets the user send, or will when it is made.
fn may_join(s: &Subject<'_>) -> bool {
    let Some(Policies { inline, attached }) = s.groups.get(SENDING_GROUP) else { return true };
    let documents: Vec<Policy> =
        inline.iter().filter_map(|(_, text)| Policy::parse_stored(text).ok()).collect();
    let lets = documents.iter().any(|policy| policy.allows_everywhere(SEND))
        && !documents.iter().any(|policy| policy.may_deny(SEND));
    s.sending == Sending::Allowed && (lets || inline.is_empty() && attached.is_empty())
}

fn delete(policy: &str) -> String {
    format!("aws iam delete-user-policy {{USER_NAME}} {}", option("--policy-name", policy))
}

fn detach(arn: &str) -> String {
    format!("aws iam detach-user-policy {{USER_NAME}} --policy-arn {}", quoted(arn))
}

/// Returns the remedy for a row of `seskey.toml` without a user.
pub(super) fn of_row(remedy: &str, row: &Credential, reach: &Reach) -> String {
    let template = match row.create {
        true => "seskey apply {USER}",
        false => "seskey create{OPTIONS} {USER}",
    };
    let stores = row.stores.iter().map(|store| format!(" --to {}", quoted(&store.to_string())));
    let region = row.region.iter().map(|region| format!(" --region {region}"));
    let options: String = region.chain(stores).collect();
    reach
        .told(&remedy.replace("{CREATE}", template))
        .replace("{USER}", &operand(row.user.as_str()))
        .replace("{OPTIONS}", &options)
}

/// Returns an option with its value, which may begin with `-`.
pub(super) fn option(name: &str, value: &str) -> String {
    let between = if value.starts_with('-') { '=' } else { ' ' };
    format!("{name}{between}{}", quoted(value))
}

/// Returns the last word of a command, which may begin with `-`.
fn operand(text: &str) -> String {
    let end = if text.starts_with('-') { "-- " } else { "" };
    format!("{end}{}", quoted(text))
}

/// Quotes one word for a shell.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_+,.@-/:".contains(&b);
    match text.bytes().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_shell() {
        for (text, word) in [("a.b@c-d", "a.b@c-d"), ("=x", "'=x'"), ("a b's", "'a b'\\''s'")] {
            assert_eq!(quoted(text), word);
        }
    }
}
