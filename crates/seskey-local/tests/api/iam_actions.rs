//! Random actions, and an account to apply them to.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};
use seskey::{AccessKeyId, Partition, Secret, SecretAccessKey};
use seskey_local::{
    account::{
        Account, AccountId, Action, Answer, AssumeRole, Holder, NewRole, Page, PolicyScope,
        Principal, Status, Tag, Tagged,
    },
    refusal::Bounded,
};

pub(crate) const NAMES: [&str; 4] = ["Bob", "bob", "Eve", "=+,.@-_"];
pub(crate) const GROUPS: [&str; 3] = ["admins", "ADMINS", "mail"];
pub(crate) const ROLES: [&str; 3] = ["Mailer", "mailer", "other"];
pub(crate) const POLICIES: [&str; 3] = ["p", "P", "a/b"];
const DOCUMENT: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

fn user() -> impl Strategy<Value = String> {
    prop::sample::select(&NAMES[..]).prop_map(str::to_owned)
}

fn group() -> impl Strategy<Value = String> {
    prop::sample::select(&GROUPS[..]).prop_map(str::to_owned)
}

fn policy() -> impl Strategy<Value = String> {
    prop::sample::select(&POLICIES[..]).prop_map(str::to_owned)
}

fn arn() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => policy().prop_map(|name| format!("arn:aws:iam::111122223333:policy/{name}")),
        1 => Just("arn:aws:iam::aws:policy/AmazonSESFullAccess".to_owned()),
    ]
}

fn holder() -> impl Strategy<Value = Holder> {
    prop_oneof![
        user().prop_map(Holder::User),
        group().prop_map(Holder::Group),
        role().prop_map(Holder::Role)
    ]
}

fn role() -> impl Strategy<Value = String> {
    prop::sample::select(&ROLES[..]).prop_map(str::to_owned)
}

fn bounded() -> impl Strategy<Value = Bounded> {
    prop_oneof![user().prop_map(Bounded::User), role().prop_map(Bounded::Role)]
}

fn trust() -> impl Strategy<Value = String> {
    let of = |arn: String| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{arn}"}},"Action":"sts:AssumeRole"}}]}}"#
        )
    };
    prop_oneof![
        3 => Just(of("111122223333".into())),
        2 => user().prop_map(move |name| of(format!("arn:aws:iam::111122223333:user/{name}"))),
    ]
}

fn principal() -> impl Strategy<Value = Principal> {
    prop_oneof![1 => Just(Principal::Root), 6 => user().prop_map(Principal::User)]
}

fn page() -> impl Strategy<Value = Page> {
    (prop::option::of("[A-Za-z0-9_-]{0,8}"), 1..4_usize)
        .prop_map(|(marker, max_items)| Page { marker, max_items })
}

fn document() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(DOCUMENT.to_owned()), 1 => ".{0,20}"]
}

/// Generates an action, and the index in `World::keys` of the access key that it names.
pub(crate) fn action() -> impl Strategy<Value = (Action, usize)> {
    use Action as A;
    let tags = || {
        prop::collection::vec(
            ("[aAbB:]{1,4}", "[x-z]?").prop_map(|(key, value)| Tag { key, value }),
            0..3,
        )
    };
    let users = prop_oneof![
        (user(), prop::option::of(arn()), tags()).prop_map(
            |(user_name, permissions_boundary, tags)| {
                A::CreateUser { user_name, path: "/".into(), permissions_boundary, tags }
            }
        ),
        (user(), prop::option::of(user())).prop_map(|(user_name, new_user_name)| {
            A::UpdateUser { user_name, new_path: Some("/x/".into()), new_user_name }
        }),
        user().prop_map(|user_name| A::DeleteUser { user_name }),
        (user(), tags())
            .prop_map(|(user_name, tags)| A::Tag { tagged: Tagged::User(user_name), tags }),
        (user(), "[ab]").prop_map(|(user_name, key)| A::Untag {
            tagged: Tagged::User(user_name),
            tag_keys: vec![key]
        }),
        (user(), page())
            .prop_map(|(user_name, page)| A::ListTags { tagged: Tagged::User(user_name), page }),
        page().prop_map(|page| A::ListUsers { path_prefix: "/".into(), page }),
        principal().prop_map(|principal| A::GetUser { principal }),
    ];
    let keys = prop_oneof![
        3 => principal().prop_map(|principal| A::CreateAccessKey { principal }),
        1 => (principal(), page()).prop_map(|(principal, page)| A::ListAccessKeys { principal, page }),
        1 => principal().prop_map(|principal| {
            A::UpdateAccessKey { principal, access_key_id: String::new(), status: Status::Inactive }
        }),
        2 => principal().prop_map(|principal| A::DeleteAccessKey { principal, access_key_id: String::new() }),
        1 => Just(A::GetAccessKeyLastUsed { access_key_id: String::new() }),
    ];
    let groups = prop_oneof![
        group().prop_map(|group_name| A::CreateGroup { group_name, path: "/".into() }),
        group().prop_map(|group_name| A::DeleteGroup { group_name }),
        (group(), user())
            .prop_map(|(group_name, user_name)| A::AddUserToGroup { group_name, user_name }),
        (group(), user())
            .prop_map(|(group_name, user_name)| A::RemoveUserFromGroup { group_name, user_name }),
        (group(), page()).prop_map(|(group_name, page)| A::GetGroup { group_name, page }),
        (user(), page()).prop_map(|(user_name, page)| A::ListGroupsForUser { user_name, page }),
    ];
    let policies = prop_oneof![
        (holder(), policy(), document()).prop_map(|(holder, policy_name, document)| A::PutPolicy {
            holder,
            policy_name,
            document
        }),
        (holder(), policy())
            .prop_map(|(holder, policy_name)| A::DeleteInlinePolicy { holder, policy_name }),
        (holder(), policy())
            .prop_map(|(holder, policy_name)| A::GetInlinePolicy { holder, policy_name }),
        (holder(), arn()).prop_map(|(holder, policy_arn)| A::AttachPolicy { holder, policy_arn }),
        (holder(), arn()).prop_map(|(holder, policy_arn)| A::DetachPolicy { holder, policy_arn }),
        (holder(), page()).prop_map(|(holder, page)| {
            A::ListAttachedPolicies { holder, path_prefix: "/".into(), page }
        }),
        (policy(), document()).prop_map(|(policy_name, document)| {
            A::CreatePolicy {
                policy_name,
                path: "/".into(),
                document,
                description: None,
                tags: vec![],
            }
        }),
        arn().prop_map(|policy_arn| A::DeletePolicy { policy_arn }),
        arn().prop_map(|policy_arn| A::GetPolicy { policy_arn }),
        page().prop_map(|page| {
            A::ListPolicies {
                scope: PolicyScope::All,
                only_attached: true,
                usage: None,
                path_prefix: "/".into(),
                page,
            }
        }),
    ];
    let roles = prop_oneof![
        2 => (role(), trust(), prop::option::of(arn()), tags()).prop_map(
            |(role_name, trust, permissions_boundary, tags)| {
                A::CreateRole(NewRole {
                    role_name,
                    path: "/".into(),
                    assume_role_policy_document: trust,
                    description: Some("d".into()),
                    max_session_duration: SignedDuration::from_hours(2),
                    permissions_boundary,
                    tags,
                })
            }
        ),
        1 => role().prop_map(|role_name| A::DeleteRole { role_name }),
        1 => (role(), trust())
            .prop_map(|(role_name, document)| A::UpdateAssumeRolePolicy { role_name, document }),
        1 => (role(), tags()).prop_map(|(name, tags)| A::Tag { tagged: Tagged::Role(name), tags }),
        2 => (principal(), role(), prop::option::of(document())).prop_map(|(caller, role, policy)| {
            A::AssumeRole(AssumeRole {
                caller,
                role_arn: format!("arn:aws:iam::111122223333:role/{role}"),
                role_session_name: "s".into(),
                duration: SignedDuration::from_hours(1),
                policy,
            })
        }),
        1 => principal().prop_map(|caller| {
            A::GetSessionToken { caller, duration: SignedDuration::from_hours(1) }
        }),
    ];
    let more = prop_oneof![
        (group(), prop::option::of(group())).prop_map(|(group_name, new_group_name)| {
            A::UpdateGroup { group_name, new_path: Some("/y/".into()), new_group_name }
        }),
        (bounded(), arn()).prop_map(|(bounded, permissions_boundary)| {
            A::PutPermissionsBoundary { bounded, permissions_boundary }
        }),
        bounded().prop_map(|bounded| A::DeletePermissionsBoundary { bounded }),
        (arn(), document(), any::<bool>()).prop_map(|(policy_arn, document, set_as_default)| {
            A::CreatePolicyVersion { policy_arn, document, set_as_default }
        }),
        (arn(), "v[1-6]").prop_map(|(policy_arn, version_id)| {
            A::SetDefaultPolicyVersion { policy_arn, version_id }
        }),
        (arn(), "v[1-6]")
            .prop_map(|(policy_arn, version_id)| A::DeletePolicyVersion { policy_arn, version_id }),
        (arn(), tags()).prop_map(|(arn, tags)| A::Tag { tagged: Tagged::Policy(arn), tags }),
        user().prop_map(|user_name| A::CreateLoginProfile {
            user_name,
            password: Secret::new("correct Horse 1".into()),
            password_reset_required: false,
        }),
        user().prop_map(|user_name| A::DeleteLoginProfile { user_name }),
        user().prop_map(|user_name| A::CreateServiceSpecificCredential {
            user_name,
            service_name: "codecommit.amazonaws.com".into(),
        }),
        Just(A::GenerateCredentialReport),
        Just(A::GetCredentialReport),
    ];
    (prop_oneof![users, keys, groups, policies, roles, more], 0..8_usize)
}

pub(crate) struct World {
    pub(crate) account: Account,
    pub(crate) rng: StdRng,
    /// The IDs of all access keys that were ever created, temporary ones too.
    pub(crate) keys: Vec<String>,
}

impl World {
    pub(crate) fn new() -> Self {
        let root = (
            AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap(),
            SecretAccessKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").unwrap(),
        );
        let id = AccountId::parse("111122223333").unwrap();
        Self {
            account: Account::new(id, Partition::Aws, root, Timestamp::UNIX_EPOCH),
            rng: StdRng::seed_from_u64(1),
            keys: vec!["AKIAIOSFODNN7EXAMPLE".into()],
        }
    }

    pub(crate) fn apply(&mut self, (mut action, place): (Action, usize)) {
        if let Action::UpdateAccessKey { access_key_id, .. }
        | Action::DeleteAccessKey { access_key_id, .. }
        | Action::GetAccessKeyLastUsed { access_key_id } = &mut action
        {
            access_key_id.clone_from(&self.keys[place % self.keys.len()]);
        }
        match self.account.apply(action, Timestamp::UNIX_EPOCH, &mut self.rng) {
            Ok(Answer::NewAccessKey { access_key, .. }) => self.keys.push(access_key.access_key_id),
            Ok(Answer::AssumedRole { credentials, .. } | Answer::SessionToken(credentials)) => {
                self.keys.push(credentials.access_key_id);
            }
            _ => {}
        }
    }

    pub(crate) fn ask(&mut self, action: Action) -> Answer {
        self.account.apply(action, Timestamp::UNIX_EPOCH, &mut self.rng).expect("it is there")
    }
}
