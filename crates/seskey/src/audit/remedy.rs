//! The places of a remedy, filled.

use super::{Key, Policies, Subject, rights::is_wide};
use crate::{
    fleet::Credential,
    policy::{PolicySource, SEND},
    rotation::{Denial, Sending},
    user::SENDING_POLICY,
};

/// The remedy for a user, and for a key of it.
pub(super) fn of_user(remedy: &str, s: &Subject<'_>, key: Option<&Key>) -> String {
    let id = key.or_else(|| s.user.active_keys().next()).and_then(|key| key.id.as_deref());
    let text = match remedy {
        "{ROTATE}" => match s.declared {
            Some(_) => "seskey apply {USER}",
            None => "seskey rotate {USER} --to STORE",
        },
        // no run goes on from a note that it cannot read
        "{FINISH}" => match &s.notes {
            Err(error) => {
                &format!("aws iam untag-user --user-name {{USER}} --tag-keys {}", error.tag)
            }
            Ok(_) if s.declared.is_some() => "seskey apply {USER}",
            Ok(_) => "seskey rotate {USER} --to STORE",
        },
        // revoke deactivates every key, and can be undone
        "{DEACTIVATE}" => match s.user.active_keys().count() {
            1 => "seskey revoke {USER}",
            _ => {
                "aws iam update-access-key --user-name {USER} --access-key-id {ACCESS_KEY_ID} --status Inactive"
            }
        },
        "{PERMIT}" => match s.sending {
            Sending::Denied(Denial::NotAllowed) => PUT_POLICY,
            _ => "seskey diagnose --user-name {ACCESS_KEY_ID} --from SENDER",
        },
        "{NARROW}" => &narrow(s),
        "{TO_GROUP}" => &to_group(s),
        other => other,
    };
    text.replace("{USER}", &quoted(&s.user.name))
        .replace("{ACCESS_KEY_ID}", id.unwrap_or("ACCESS_KEY_ID"))
}

const PUT_POLICY: &str = "seskey policy --from '*@DOMAIN' >policy.json && aws iam put-user-policy --user-name {USER} \
    --policy-name AmazonSesSendingAccess --policy-document file://policy.json";

/// Gives the user the least policy, and takes its own wider ones away. Those of a group stay: others may need them.
fn narrow(s: &Subject<'_>) -> String {
    let Policies { inline, attached } = &s.user.policies;
    let is_wide =
        |of: &PolicySource| s.policies.iter().any(|(source, it)| source == of && is_wide(it));
    let inline = inline.iter().filter(|(name, _)| {
        name != SENDING_POLICY && is_wide(&PolicySource::Inline { name: name.clone() })
    });
    let attached =
        attached.iter().filter(|(_, arn)| is_wide(&PolicySource::Managed { arn: arn.clone() }));
    let removals = inline.map(|(name, _)| delete(name)).chain(attached.map(|(_, arn)| detach(arn)));
    [PUT_POLICY.to_owned()].into_iter().chain(removals).collect::<Vec<_>>().join(" && ")
}

/// Moves the policies of the user to a group: that of the SES console, or one of its own where a policy is another one.
fn to_group(s: &Subject<'_>) -> String {
    let Policies { inline, attached } = &s.user.policies;
    let is_consoles = |(name, _): &(String, String)| {
        let source = PolicySource::Inline { name: name.clone() };
        name == SENDING_POLICY
            && s.policies
                .iter()
                .any(|(of, it)| *of == source && it.allows_everywhere(SEND) && !is_wide(it))
    };
    if attached.is_empty() && inline.iter().all(is_consoles) {
        return "seskey migrate {USER}".to_owned();
    }
    let mut commands = vec!["aws iam create-group --group-name {USER}".to_owned()];
    for (name, _) in inline {
        let name = quoted(name);
        commands.push(format!("aws iam get-user-policy --user-name {{USER}} --policy-name {name} --query PolicyDocument >policy.json"));
        commands.push(format!("aws iam put-group-policy --group-name {{USER}} --policy-name {name} --policy-document file://policy.json"));
    }
    commands.extend(attached.iter().map(|(_, arn)| {
        format!("aws iam attach-group-policy --group-name {{USER}} --policy-arn {}", quoted(arn))
    }));
    commands.push("aws iam add-user-to-group --group-name {USER} --user-name {USER}".to_owned());
    commands.extend(inline.iter().map(|(name, _)| delete(name)));
    commands.extend(attached.iter().map(|(_, arn)| detach(arn)));
    commands.join(" && ")
}

fn delete(policy: &str) -> String {
    format!("aws iam delete-user-policy --user-name {{USER}} --policy-name {}", quoted(policy))
}

fn detach(arn: &str) -> String {
    format!("aws iam detach-user-policy --user-name {{USER}} --policy-arn {}", quoted(arn))
}

/// The remedy for a row of `seskey.toml` without a user.
pub(super) fn of_row(remedy: &str, row: &Credential) -> String {
    let command = match row.create {
        true => format!("seskey apply {}", quoted(row.user.as_str())),
        false => {
            let stores =
                row.stores.iter().map(|store| format!(" --to {}", quoted(&store.to_string())));
            let region = row.region.iter().map(|region| format!(" --region {region}"));
            let options: String = region.chain(stores).collect();
            format!("seskey create {}{options}", quoted(row.user.as_str()))
        }
    };
    remedy.replace("{CREATE}", &command)
}

/// One word for a shell.
fn quoted(text: &str) -> String {
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
