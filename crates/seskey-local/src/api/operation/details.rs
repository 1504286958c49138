//! The answers with lists of more than one kind, and simulations.

use super::elements::*;
use crate::{
    account::{Detail, HeldDetail, Holder, Listed, PolicyEntity, Simulated},
    api::query::Xml,
};

pub(super) fn authorization_details(xml: &mut Xml, details: &Listed<Detail>) {
    let mut list = |name, is_of: fn(&Detail) -> bool| {
        let of_kind: Vec<&Detail> = details.items.iter().filter(|it| is_of(it)).collect();
        xml.list(name, &of_kind, |xml, it| detail(xml, it));
    };
    list("UserDetailList", |it| matches!(it, Detail::User { .. }));
    list("GroupDetailList", |it| matches!(it, Detail::Group { .. }));
    list("RoleDetailList", |it| matches!(it, Detail::Role { .. }));
    list("Policies", |it| matches!(it, Detail::Policy { .. }));
    truncation(xml, details.marker.as_deref());
}

pub(super) fn policy_entities(xml: &mut Xml, entities: &Listed<PolicyEntity>) {
    for (list, kind) in
        [("PolicyGroups", "Group"), ("PolicyUsers", "User"), ("PolicyRoles", "Role")]
    {
        let named: Vec<(&str, &str)> = entities
            .items
            .iter()
            .map(|it| (named(&it.holder), it.id.as_str()))
            .filter_map(|((of, name), id)| (of == kind).then_some((name, id)))
            .collect();
        xml.list(list, &named, |xml, (name, id)| {
            xml.text(&format!("{kind}Name"), name);
            xml.text(&format!("{kind}Id"), id);
        });
    }
    truncation(xml, entities.marker.as_deref());
}

pub(super) fn simulated(xml: &mut Xml, result: &Simulated) {
    xml.text("EvalActionName", &result.action_name);
    xml.text("EvalResourceName", &result.resource_name);
    xml.text("EvalDecision", result.decision.as_str());
    matched(xml, result);
    xml.element("EvalDecisionDetails", |_| {});
    xml.element("OrganizationsDecisionDetail", |xml| xml.text("AllowedByOrganizations", "true"));
    boundary(xml, result);
    let resource = if result.of_resource { std::slice::from_ref(result) } else { &[] };
    xml.list("ResourceSpecificResults", resource, |xml, result| {
        xml.text("EvalResourceName", &result.resource_name);
        xml.text("EvalResourceDecision", result.decision.as_str());
        matched(xml, result);
        boundary(xml, result);
    });
}

fn matched(xml: &mut Xml, result: &Simulated) {
    xml.list("MatchedStatements", result.matched.as_slice(), |xml, statement| {
        xml.text("SourcePolicyId", &statement.source_policy_id);
        xml.text("SourcePolicyType", statement.source_policy_type);
        for (name, position) in
            [("StartPosition", statement.start_position), ("EndPosition", statement.end_position)]
        {
            xml.element(name, |xml| {
                xml.text("Line", &position.line.to_string());
                xml.text("Column", &position.column.to_string());
            });
        }
    });
    xml.texts("MissingContextValues", &[]);
}

fn boundary(xml: &mut Xml, result: &Simulated) {
    if let Some(allowed) = result.allowed_by_permissions_boundary {
        xml.element("PermissionsBoundaryDecisionDetail", |xml| {
            xml.text("AllowedByPermissionsBoundary", &allowed.to_string());
        });
    }
}

fn detail(xml: &mut Xml, detail: &Detail) {
    match detail {
        Detail::User { user: it, groups, held } => {
            user(xml, it);
            inline(xml, "UserPolicyList", held);
            xml.texts("GroupList", groups);
            attached(xml, held);
            user_details(xml, it);
        }
        Detail::Group { group: it, held } => {
            group(xml, it);
            inline(xml, "GroupPolicyList", held);
            attached(xml, held);
        }
        Detail::Role { role: it, held } => {
            role(xml, it);
            xml.texts("InstanceProfileList", &[]);
            inline(xml, "RolePolicyList", held);
            attached(xml, held);
            role_details(xml, it);
        }
        Detail::Policy { policy: it, versions } => {
            policy(xml, it);
            optional(xml, "Description", it.description.as_deref());
            xml.list("PolicyVersionList", versions, |xml, version| {
                xml.text("Document", &url_encoded(&version.document));
                policy_version(xml, version);
            });
        }
    }
}

fn inline(xml: &mut Xml, list: &str, held: &HeldDetail) {
    xml.list(list, &held.inline, |xml, (name, document)| {
        xml.text("PolicyName", name);
        xml.text("PolicyDocument", &url_encoded(document));
    });
}

fn attached(xml: &mut Xml, held: &HeldDetail) {
    xml.list("AttachedManagedPolicies", &held.attached, attached_policy);
}

fn named(holder: &Holder) -> (&'static str, &str) {
    match holder {
        Holder::User(name) => ("User", name),
        Holder::Group(name) => ("Group", name),
        Holder::Role(name) => ("Role", name),
    }
}
