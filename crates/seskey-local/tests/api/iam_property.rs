//! Any actions in any order leave the account consistent, and never make it panic.

use std::collections::BTreeSet;

use proptest::prelude::*;
use seskey_local::account::{Action, Answer, Holder, Page, Principal};

use crate::iam_actions::{World, action};

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_actions_leave_the_account_whole(actions in prop::collection::vec(action(), 1..80)) {
        let mut world = World::new();
        for action in actions {
            world.apply(action);
            check(&mut world);
        }
    }
}

fn check(world: &mut World) {
    let page = || Page { marker: None, max_items: 1000 };
    let Answer::Users(users) =
        world.ask(Action::ListUsers { path_prefix: "/".into(), page: page() })
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
            world.ask(Action::ListAccessKeys { principal: owner.clone(), page: page() })
        else {
            panic!("keys")
        };
        assert!(keys.items.len() <= 2);
        for key in keys.items {
            let found =
                world.account.access_key(&key.access_key_id).expect("each listed key is known");
            assert_eq!(found.owner(), &owner);
            assert!(listed.insert(key.access_key_id), "a key has one owner");
        }
    }
    let known: BTreeSet<String> =
        world.keys.iter().filter(|id| world.account.access_key(id).is_some()).cloned().collect();
    assert_eq!(known, listed, "no key without an owner");
    for user in users.items {
        assert!(user.arn.ends_with(&format!("{}{}", user.path, user.user_name)));
        if let Some(policy_arn) = user.permissions_boundary {
            world.ask(Action::GetPolicy { policy_arn });
        }
        let holder = Holder::User(user.user_name.clone());
        check_attached(world, holder);
        let of_user = Action::ListGroupsForUser { user_name: user.user_name.clone(), page: page() };
        let Answer::Groups(groups) = world.ask(of_user) else { panic!("groups") };
        for group in groups.items {
            let Answer::GroupUsers { users, .. } =
                world.ask(Action::GetGroup { group_name: group.group_name.clone(), page: page() })
            else {
                panic!("members")
            };
            assert!(users.items.iter().any(|member| member.user_id == user.user_id));
            check_attached(world, Holder::Group(group.group_name));
        }
    }
    let Answer::Roles(roles) =
        world.ask(Action::ListRoles { path_prefix: "/".into(), page: page() })
    else {
        panic!("roles")
    };
    for role in roles.items {
        if let Some(policy_arn) = role.permissions_boundary {
            world.ask(Action::GetPolicy { policy_arn });
        }
        check_attached(world, Holder::Role(role.role_name));
    }
}

fn check_attached(world: &mut World, holder: Holder) {
    let page = Page { marker: None, max_items: 1000 };
    let list = Action::ListAttachedPolicies { holder, path_prefix: "/".into(), page };
    let Answer::AttachedPolicies(policies) = world.ask(list) else { panic!("policies") };
    for policy in policies.items {
        world.ask(Action::GetPolicy { policy_arn: policy.policy_arn });
    }
}
