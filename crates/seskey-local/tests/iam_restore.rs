//! What an account gives out as rows makes an account that answers the same.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod iam_actions;

use std::collections::BTreeMap;

use iam_actions::{GROUPS, NAMES, POLICIES, ROLES, World, action};
use jiff::Timestamp;
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};
use seskey_local::account::{
    Account, Action, Holder, Page, PolicyScope, Principal, RestoreError, Row, Tagged,
};

/// Rows as a disk keeps them.
#[derive(Default, Clone)]
struct Kept(BTreeMap<(String, String), String>);

impl Kept {
    fn take(&mut self, changes: Vec<Row>) {
        for Row { table, key, value } in changes {
            match value {
                Some(value) => self.0.insert((table, key), value),
                None => self.0.remove(&(table, key)),
            };
        }
    }

    fn restored(&self) -> Account {
        let row = |((table, key), value): (&(String, String), &String)| Row {
            table: table.clone(),
            key: key.clone(),
            value: Some(value.clone()),
        };
        Account::restore(self.0.iter().map(row)).unwrap()
    }
}

/// Every list and every get, as text; a refusal is an answer too.
fn everything(account: &mut Account, access_key_ids: &[String]) -> Vec<String> {
    let page = || Page { marker: None, max_items: 1000 };
    let path_prefix = || "/".to_owned();
    let mut asked = vec![
        Action::ListUsers { path_prefix: path_prefix(), page: page() },
        Action::ListGroups { path_prefix: path_prefix(), page: page() },
        Action::ListRoles { path_prefix: path_prefix(), page: page() },
        Action::ListPolicies {
            scope: PolicyScope::All,
            only_attached: false,
            usage: None,
            path_prefix: path_prefix(),
            page: page(),
        },
        Action::GetAccountSummary,
        Action::GetAccountAuthorizationDetails { filter: vec![], page: page() },
        Action::GetCredentialReport,
        Action::GetUser { principal: Principal::Root },
        Action::ListAccessKeys { principal: Principal::Root, page: page() },
    ];
    for user_name in NAMES.map(str::to_owned) {
        let principal = Principal::User(user_name.clone());
        asked.extend([
            Action::GetUser { principal: principal.clone() },
            Action::ListAccessKeys { principal, page: page() },
            Action::ListGroupsForUser { user_name: user_name.clone(), page: page() },
            Action::ListTags { tagged: Tagged::User(user_name.clone()), page: page() },
            Action::GetLoginProfile { user_name: user_name.clone() },
            Action::ListServiceSpecificCredentials { user_name, service_name: None, page: page() },
        ]);
    }
    for group_name in GROUPS.map(str::to_owned) {
        asked.push(Action::GetGroup { group_name, page: page() });
    }
    for role_name in ROLES.map(str::to_owned) {
        asked.push(Action::GetRole { role_name });
    }
    let holders = (NAMES.map(|it| Holder::User(it.into())).into_iter())
        .chain(GROUPS.map(|it| Holder::Group(it.into())))
        .chain(ROLES.map(|it| Holder::Role(it.into())));
    for holder in holders {
        for policy_name in POLICIES.map(str::to_owned) {
            asked.push(Action::GetInlinePolicy { holder: holder.clone(), policy_name });
        }
        asked.extend([
            Action::ListInlinePolicies { holder: holder.clone(), page: page() },
            Action::ListAttachedPolicies { holder, path_prefix: path_prefix(), page: page() },
        ]);
    }
    for name in POLICIES {
        let policy_arn = format!("arn:aws:iam::111122223333:policy/{name}");
        asked.extend([
            Action::GetPolicy { policy_arn: policy_arn.clone() },
            Action::ListPolicyVersions { policy_arn: policy_arn.clone(), page: page() },
            Action::ListEntitiesForPolicy {
                policy_arn,
                entity: None,
                usage: None,
                path_prefix: path_prefix(),
                page: page(),
            },
        ]);
    }
    for access_key_id in access_key_ids {
        asked.push(Action::GetAccessKeyLastUsed { access_key_id: access_key_id.clone() });
    }
    let mut rng = StdRng::seed_from_u64(0);
    let later = Timestamp::from_second(60).unwrap();
    let mut answers: Vec<String> = asked
        .into_iter()
        .map(|action| format!("{:?}", account.apply(action, later, &mut rng)))
        .collect();
    answers.push(format!("{} {}", account.id(), account.partition()));
    answers
}

/// What the answers do not show.
fn same_secrets(one: &Account, other: &Account, access_key_ids: &[String]) -> bool {
    let now = Timestamp::UNIX_EPOCH;
    access_key_ids.iter().all(|id| {
        let session = |account: &Account| {
            let it = account.temporary_credential(id, now)?;
            let secrets = (it.secret().clone(), it.session_token().clone());
            Some((secrets, it.principal().clone(), it.issue_time(), it.expiration()))
        };
        one.access_key(id) == other.access_key(id) && session(one) == session(other)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_restored_account_answers_the_same(actions in prop::collection::vec(action(), 1..60)) {
        let mut world = World::new();
        world.account.record_changes();
        let mut kept = Kept::default();
        for (place, action) in actions.into_iter().enumerate() {
            world.apply(action);
            kept.take(world.account.take_changes());
            if place % 7 == 0 {
                let mut restored = kept.restored();
                prop_assert_eq!(
                    everything(&mut restored, &world.keys),
                    everything(&mut world.account, &world.keys)
                );
                prop_assert!(same_secrets(&restored, &world.account, &world.keys));
            }
        }
        // all at once gives what came step by step
        let mut whole = Kept::default();
        world.account.record_changes();
        whole.take(world.account.take_changes());
        prop_assert_eq!(&whole.0, &kept.0);
        // and an account that was restored goes on in the same way
        let mut restored = kept.restored();
        restored.record_changes();
        let mut again = Kept::default();
        again.take(restored.take_changes());
        prop_assert_eq!(&again.0, &kept.0);
    }
}

#[test]
fn rows_that_are_none() {
    let row = |table: &str, value: &str| Row {
        table: table.into(),
        key: String::new(),
        value: Some(value.into()),
    };
    assert!(matches!(Account::restore([]), Err(RestoreError::NoAccount)));
    let unknown = Account::restore([row("moon", "{}")]);
    assert!(matches!(unknown, Err(RestoreError::UnknownTable(table)) if table == "moon"));
    for table in ["root", "user", "group", "role", "policy", "access-key", "temporary-credential"] {
        let bad = Account::restore([row(table, "{}")]);
        assert!(matches!(bad, Err(RestoreError::BadRow { table: named, .. }) if named == table));
    }
}
