//! The whole account in one list (`GetAccountAuthorizationDetails`), and the entities that use a managed policy.

use super::{
    Account, Answer, AttachedPolicy, Detail, EntityType, HeldDetail, Holder, Page, PolicyEntity,
    PolicyUsage, aws_managed,
    held::Held,
    policies::{PolicyEntry, Usages},
};
use crate::refusal::ApiRefusal;

impl Account {
    /// Lists users, groups, roles, the policies of the account, and the AWS policies in use, in this order.
    pub(super) fn authorization_details(
        &self,
        filter: &[EntityType],
        page: &Page,
    ) -> Result<Answer, ApiRefusal> {
        let usages = self.usages();
        let wanted = |kind| filter.is_empty() || filter.contains(&kind);
        let users = self.users.iter().filter(|_| wanted(EntityType::User)).map(|(name, entry)| {
            let groups = entry.groups.iter().map(|name| self.groups[name].group.group_name.clone());
            let detail = Detail::User {
                user: entry.user.clone(),
                groups: groups.collect(),
                held: self.held_detail(&entry.held),
            };
            (format!("1 {}", name.as_ref()), detail)
        });
        let groups =
            self.groups.iter().filter(|_| wanted(EntityType::Group)).map(|(name, entry)| {
                let held = self.held_detail(&entry.held);
                (format!("2 {}", name.as_ref()), Detail::Group { group: entry.group.clone(), held })
            });
        let roles = self.roles.iter().filter(|_| wanted(EntityType::Role)).map(|(name, entry)| {
            let held = self.held_detail(&entry.held);
            (format!("3 {}", name.as_ref()), Detail::Role { role: entry.role.clone(), held })
        });
        let policies = self.policies.iter().filter(|_| wanted(EntityType::LocalManagedPolicy));
        let policies = policies
            .map(|(name, entry)| (format!("4 {}", name.as_ref()), policy_detail(entry, &usages)));
        let of_aws = aws_managed::policies(self.partition)
            .filter(|_| wanted(EntityType::AwsManagedPolicy))
            .filter(|entry| usages.is_used(&entry.policy.arn))
            .map(|entry| (format!("5 {}", entry.policy.arn), policy_detail(entry, &usages)));
        let all = users.chain(groups).chain(roles).chain(policies).chain(of_aws);
        Ok(Answer::AuthorizationDetails(page.of(all)?))
    }

    pub(super) fn list_entities_for_policy(
        &self,
        policy_arn: &str,
        entity: Option<EntityType>,
        usage: Option<PolicyUsage>,
        path_prefix: &str,
        page: &Page,
    ) -> Result<Answer, ApiRefusal> {
        self.managed_policy(policy_arn)?;
        let uses = |held: &Held, boundary: Option<&String>| {
            let attached = held.attached.contains(policy_arn);
            let bounds = boundary.is_some_and(|arn| arn == policy_arn);
            match usage {
                None => attached || bounds,
                Some(PolicyUsage::PermissionsPolicy) => attached,
                Some(PolicyUsage::PermissionsBoundary) => bounds,
            }
        };
        let wanted = |kind, path: &str| {
            entity.is_none_or(|entity| entity == kind) && path.starts_with(path_prefix)
        };
        let groups = self.groups.iter().filter_map(|(name, entry)| {
            let group = &entry.group;
            (wanted(EntityType::Group, &group.path) && uses(&entry.held, None)).then(|| {
                let (holder, id) =
                    (Holder::Group(group.group_name.clone()), group.group_id.clone());
                (format!("1 {}", name.as_ref()), PolicyEntity { holder, id })
            })
        });
        let users = self.users.iter().filter_map(|(name, entry)| {
            let (user, boundary) = (&entry.user, entry.user.permissions_boundary.as_ref());
            (wanted(EntityType::User, &user.path) && uses(&entry.held, boundary)).then(|| {
                let (holder, id) = (Holder::User(user.user_name.clone()), user.user_id.clone());
                (format!("2 {}", name.as_ref()), PolicyEntity { holder, id })
            })
        });
        let roles = self.roles.iter().filter_map(|(name, entry)| {
            let (role, boundary) = (&entry.role, entry.role.permissions_boundary.as_ref());
            (wanted(EntityType::Role, &role.path) && uses(&entry.held, boundary)).then(|| {
                let (holder, id) = (Holder::Role(role.role_name.clone()), role.role_id.clone());
                (format!("3 {}", name.as_ref()), PolicyEntity { holder, id })
            })
        });
        Ok(Answer::PolicyEntities(page.of(groups.chain(users).chain(roles))?))
    }

    fn held_detail(&self, held: &Held) -> HeldDetail {
        let inline =
            held.inline.iter().map(|(name, document)| (name.clone(), document.text.clone()));
        let attached = held.attached.iter().filter_map(|arn| {
            let policy_name = self.managed_policy(arn).ok()?.policy.policy_name.clone();
            Some(AttachedPolicy { policy_name, policy_arn: arn.clone() })
        });
        HeldDetail { inline: inline.collect(), attached: attached.collect() }
    }
}

fn policy_detail(entry: &PolicyEntry, usages: &Usages<'_>) -> Detail {
    Detail::Policy { policy: usages.count(&entry.policy), versions: entry.all_versions() }
}
