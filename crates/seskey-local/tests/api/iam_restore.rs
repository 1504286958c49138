//! An account that is restored from its rows gives the same answers.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};
use seskey::Region;
use seskey_local::account::{
    Account, Action, Holder, Identity, NewRole, Page, PolicyScope, Principal, RestoreError, Row,
    Tagged,
};

use crate::iam_actions::{GROUPS, NAMES, POLICIES, ROLES, World, action};

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

/// Returns the answers to every list and every get as text; a refusal is an answer too.
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

/// Whether two accounts have the same secrets, which the answers do not show.
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
        // all rows at once are the same as the rows that came step by step
        let mut whole = Kept::default();
        world.account.record_changes();
        whole.take(world.account.take_changes());
        prop_assert_eq!(&whole.0, &kept.0);
        // and a restored account gives the same rows
        let mut restored = kept.restored();
        restored.record_changes();
        let mut again = Kept::default();
        again.take(restored.take_changes());
        prop_assert_eq!(&again.0, &kept.0);
    }
}

/// A database may be older than today's rules for policies.
#[test]
fn policies_that_would_be_refused_today_are_restored() {
    const SID: &str = r#""Sid":"Ours""#;
    const REFUSED: &str = r#""Sid":"Not ours""#;
    let document = |of: &str| {
        format!(r#"{{"Version":"2012-10-17","Statement":{{{SID},"Effect":"Allow",{of}}}}}"#)
    };
    let of_identity = document(r#""Action":"ses:*","Resource":"*""#);
    let of_resource = document(r#""Action":"ses:*","Resource":"*","Principal":"*""#);
    let trust = document(r#""Action":"sts:AssumeRole","Principal":"*""#);
    let put = |account: &mut Account, [of_identity, of_resource, trust]: [&str; 3]| {
        let mut rng = StdRng::seed_from_u64(0);
        let (region, identity) = (Region::parse("eu-west-1").unwrap(), "example.com");
        let identity = Identity::parse(identity).unwrap();
        let _ = account.create_identity(&region, &identity);
        let mut taken =
            vec![account.put_identity_policy(&region, &identity, "p", of_resource).is_ok()];
        let actions = [
            Action::PutPolicy {
                holder: Holder::User("Ann".into()),
                policy_name: "p".into(),
                document: of_identity.into(),
            },
            Action::CreatePolicy {
                policy_name: "p".into(),
                path: "/".into(),
                document: of_identity.into(),
                description: None,
                tags: vec![],
            },
            Action::UpdateAssumeRolePolicy { role_name: "Role".into(), document: trust.into() },
        ];
        let mut apply = |action| account.apply(action, Timestamp::UNIX_EPOCH, &mut rng).is_ok();
        taken.extend(actions.map(&mut apply));
        taken
    };
    let mut world = World::new();
    let mut rng = StdRng::seed_from_u64(0);
    let role = NewRole {
        role_name: "Role".into(),
        path: "/".into(),
        assume_role_policy_document: trust.clone(),
        description: None,
        max_session_duration: SignedDuration::from_hours(1),
        permissions_boundary: None,
        tags: vec![],
    };
    let user = Action::CreateUser {
        user_name: "Ann".into(),
        path: "/".into(),
        permissions_boundary: None,
        tags: vec![],
    };
    for action in [user, Action::CreateRole(role)] {
        world.account.apply(action, Timestamp::UNIX_EPOCH, &mut rng).unwrap();
    }
    let documents = [&*of_identity, &*of_resource, &*trust];
    assert_eq!(put(&mut world.account, documents), [true; 4]);
    let old = documents.map(|document| document.replace(SID, REFUSED));
    assert_eq!(put(&mut world.account, [&*old[0], &*old[1], &*old[2]]), [false; 4]);

    let mut kept = Kept::default();
    world.account.record_changes();
    kept.take(world.account.take_changes());
    let [sid, refused] = [SID, REFUSED].map(|text| text.replace('"', "\\\""));
    for value in kept.0.values_mut() {
        *value = value.replace(&sid, &refused);
    }
    let held = kept.0.values().map(|value| value.matches(&*refused).count()).sum::<usize>();
    assert_eq!(held, 4);
    kept.restored();
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
