//! Any actions in any order: the account never panics, and stays whole.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};
use seskey::{AccessKeyId, Partition, SecretAccessKey};
use seskey_local::account::{
    Account, AccountId, Action, Answer, Holder, Page, PolicyScope, Principal, Status, Tag, Tagged,
};

const NAMES: [&str; 4] = ["Bob", "bob", "Eve", "=+,.@-_"];
const GROUPS: [&str; 3] = ["admins", "ADMINS", "mail"];
const POLICIES: [&str; 3] = ["p", "P", "a/b"];
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
    policy().prop_map(|name| format!("arn:aws:iam::111122223333:policy/{name}"))
}

fn holder() -> impl Strategy<Value = Holder> {
    prop_oneof![user().prop_map(Holder::User), group().prop_map(Holder::Group)]
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

/// An action; the access keys are named by their place in the list of all that were ever made.
fn action() -> impl Strategy<Value = (Action, usize)> {
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
    (prop_oneof![users, keys, groups, policies], 0..8_usize)
}

struct World {
    account: Account,
    rng: StdRng,
    /// Every access key that was ever made.
    keys: Vec<String>,
}

impl World {
    fn new() -> Self {
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

    fn apply(&mut self, (mut action, place): (Action, usize)) {
        if let Action::UpdateAccessKey { access_key_id, .. }
        | Action::DeleteAccessKey { access_key_id, .. }
        | Action::GetAccessKeyLastUsed { access_key_id } = &mut action
        {
            access_key_id.clone_from(&self.keys[place % self.keys.len()]);
        }
        if let Ok(Answer::NewAccessKey { access_key, .. }) =
            self.account.apply(action, Timestamp::UNIX_EPOCH, &mut self.rng)
        {
            self.keys.push(access_key.access_key_id);
        }
    }

    fn ask(&mut self, action: Action) -> Answer {
        self.account.apply(action, Timestamp::UNIX_EPOCH, &mut self.rng).expect("it is there")
    }

    fn check(&mut self) {
        let page = || Page { marker: None, max_items: 1000 };
        let Answer::Users(users) =
            self.ask(Action::ListUsers { path_prefix: "/".into(), page: page() })
        else {
            panic!("users")
        };
        let names: BTreeSet<String> =
            users.items.iter().map(|user| user.user_name.to_ascii_lowercase()).collect();
        assert_eq!(names.len(), users.items.len(), "names are unique");
        let owners = users.items.iter().map(|user| Principal::User(user.user_name.clone()));
        let mut listed = BTreeSet::new();
        for owner in owners.chain([Principal::Root]) {
            let Answer::AccessKeys(keys) =
                self.ask(Action::ListAccessKeys { principal: owner.clone(), page: page() })
            else {
                panic!("keys")
            };
            assert!(keys.items.len() <= 2);
            for key in keys.items {
                let found =
                    self.account.access_key(&key.access_key_id).expect("each listed key is known");
                assert_eq!(found.owner(), &owner);
                assert!(listed.insert(key.access_key_id), "a key has one owner");
            }
        }
        let known: BTreeSet<String> =
            self.keys.iter().filter(|id| self.account.access_key(id).is_some()).cloned().collect();
        assert_eq!(known, listed, "no key without an owner");
        for user in users.items {
            assert!(user.arn.ends_with(&format!("{}{}", user.path, user.user_name)));
            if let Some(policy_arn) = user.permissions_boundary {
                self.ask(Action::GetPolicy { policy_arn });
            }
            let holder = Holder::User(user.user_name.clone());
            self.check_attached(holder);
            let of_user =
                Action::ListGroupsForUser { user_name: user.user_name.clone(), page: page() };
            let Answer::Groups(groups) = self.ask(of_user) else { panic!("groups") };
            for group in groups.items {
                let Answer::GroupUsers { users, .. } = self
                    .ask(Action::GetGroup { group_name: group.group_name.clone(), page: page() })
                else {
                    panic!("members")
                };
                assert!(users.items.iter().any(|member| member.user_id == user.user_id));
                self.check_attached(Holder::Group(group.group_name));
            }
        }
    }

    fn check_attached(&mut self, holder: Holder) {
        let page = Page { marker: None, max_items: 1000 };
        let list = Action::ListAttachedPolicies { holder, path_prefix: "/".into(), page };
        let Answer::AttachedPolicies(policies) = self.ask(list) else { panic!("policies") };
        for policy in policies.items {
            self.ask(Action::GetPolicy { policy_arn: policy.policy_arn });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_actions_leave_the_account_whole(actions in prop::collection::vec(action(), 1..80)) {
        let mut world = World::new();
        for action in actions {
            world.apply(action);
            world.check();
        }
    }
}
