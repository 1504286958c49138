//! Answers as XML. Source: IAM API Reference, the response elements of each action.

use percent_encoding::utf8_percent_encode;

use super::NAMESPACE;
use crate::{
    account::{
        AccessKeyMetadata, Answer, Group, Holder, LastUsed, Listed, ManagedPolicy, Simulated, Tag,
        User,
    },
    sigv4::UNRESERVED,
    xml::{self, Xml},
};

/// The document of an answer. An operation without output has no `…Result` element.
pub fn encode(operation: &str, answer: &Answer, request_id: &str) -> String {
    xml::document(&format!("{operation}Response"), NAMESPACE, |xml| {
        if !matches!(answer, Answer::Done) {
            xml.element(&format!("{operation}Result"), |xml| result(xml, answer));
        }
        xml.element("ResponseMetadata", |xml| xml.text("RequestId", request_id));
    })
}

fn result(xml: &mut Xml, answer: &Answer) {
    match answer {
        Answer::Done => {}
        Answer::User(it) => xml.element("User", |xml| {
            user(xml, it);
            user_details(xml, it);
        }),
        Answer::RootUser { user_id, arn, create_date } => xml.element("User", |xml| {
            xml.text("UserId", user_id);
            xml.text("Arn", arn);
            xml.text("CreateDate", &create_date.to_string());
        }),
        Answer::Users(users) => list(xml, "Users", users, user),
        Answer::Tags(tags) => list(xml, "Tags", tags, tag),
        Answer::NewAccessKey { access_key, secret_access_key } => xml.element("AccessKey", |xml| {
            access_key_metadata(xml, access_key);
            xml.text("SecretAccessKey", secret_access_key.expose());
        }),
        Answer::AccessKeys(keys) => list(xml, "AccessKeyMetadata", keys, access_key_metadata),
        Answer::AccessKeyLastUsed { user_name, last_used: used } => {
            optional(xml, "UserName", user_name.as_deref());
            xml.element("AccessKeyLastUsed", |xml| last_used(xml, used.as_ref()));
        }
        Answer::Group(it) => xml.element("Group", |xml| group(xml, it)),
        Answer::GroupUsers { group: it, users } => {
            xml.element("Group", |xml| group(xml, it));
            list(xml, "Users", users, user);
        }
        Answer::Groups(groups) => list(xml, "Groups", groups, group),
        Answer::InlinePolicy { holder, policy_name, document } => {
            match holder {
                Holder::User(name) => xml.text("UserName", name),
                Holder::Group(name) => xml.text("GroupName", name),
            }
            xml.text("PolicyName", policy_name);
            xml.text("PolicyDocument", &url_encoded(document));
        }
        Answer::PolicyNames(names) => {
            xml.texts("PolicyNames", &names.items);
            truncation(xml, names.marker.as_deref());
        }
        Answer::AttachedPolicies(policies) => {
            list(xml, "AttachedPolicies", policies, |xml, policy| {
                xml.text("PolicyName", &policy.policy_name);
                xml.text("PolicyArn", &policy.policy_arn);
            })
        }
        Answer::Policy(it) => xml.element("Policy", |xml| {
            policy(xml, it);
            optional(xml, "Description", it.description.as_deref());
            tags(xml, &it.tags);
        }),
        Answer::PolicyVersion { document, create_date } => xml.element("PolicyVersion", |xml| {
            xml.text("Document", &url_encoded(document));
            xml.text("VersionId", ManagedPolicy::VERSION_ID);
            xml.text("IsDefaultVersion", "true");
            xml.text("CreateDate", &create_date.to_string());
        }),
        Answer::Policies(policies) => list(xml, "Policies", policies, policy),
        Answer::Simulation(results) => list(xml, "EvaluationResults", results, simulated),
        Answer::AccountSummary(entries) => xml.element("SummaryMap", |xml| {
            for (key, value) in entries {
                xml.element("entry", |xml| {
                    xml.text("key", key);
                    xml.text("value", &value.to_string());
                });
            }
        }),
        Answer::Nothing { list } => {
            xml.texts(list, &[]);
            truncation(xml, None);
        }
    }
}

fn list<T>(xml: &mut Xml, name: &str, listed: &Listed<T>, member: impl Fn(&mut Xml, &T)) {
    xml.list(name, &listed.items, member);
    truncation(xml, listed.marker.as_deref());
}

fn truncation(xml: &mut Xml, marker: Option<&str>) {
    xml.text("IsTruncated", if marker.is_some() { "true" } else { "false" });
    optional(xml, "Marker", marker);
}

fn user(xml: &mut Xml, user: &User) {
    xml.text("Path", &user.path);
    xml.text("UserName", &user.user_name);
    xml.text("UserId", &user.user_id);
    xml.text("Arn", &user.arn);
    xml.text("CreateDate", &user.create_date.to_string());
}

/// What stands in the answer for one user and in no list.
fn user_details(xml: &mut Xml, user: &User) {
    if let Some(arn) = &user.permissions_boundary {
        xml.element("PermissionsBoundary", |xml| {
            xml.text("PermissionsBoundaryType", "PermissionsBoundaryPolicy");
            xml.text("PermissionsBoundaryArn", arn);
        });
    }
    tags(xml, &user.tags);
}

fn group(xml: &mut Xml, group: &Group) {
    xml.text("Path", &group.path);
    xml.text("GroupName", &group.group_name);
    xml.text("GroupId", &group.group_id);
    xml.text("Arn", &group.arn);
    xml.text("CreateDate", &group.create_date.to_string());
}

fn access_key_metadata(xml: &mut Xml, key: &AccessKeyMetadata) {
    optional(xml, "UserName", key.user_name.as_deref());
    xml.text("AccessKeyId", &key.access_key_id);
    xml.text("Status", key.status.as_str());
    xml.text("CreateDate", &key.create_date.to_string());
}

fn last_used(xml: &mut Xml, used: Option<&LastUsed>) {
    let (service_name, region) =
        used.map_or(("N/A", "N/A"), |used| (&used.service_name, &used.region));
    xml.text("Region", region);
    optional(xml, "LastUsedDate", used.map(|used| used.last_used_date.to_string()).as_deref());
    xml.text("ServiceName", service_name);
}

fn policy(xml: &mut Xml, policy: &ManagedPolicy) {
    xml.text("PolicyName", &policy.policy_name);
    xml.text("PolicyId", &policy.policy_id);
    xml.text("Arn", &policy.arn);
    xml.text("Path", &policy.path);
    xml.text("DefaultVersionId", ManagedPolicy::VERSION_ID);
    xml.text("AttachmentCount", &policy.attachment_count.to_string());
    xml.text("PermissionsBoundaryUsageCount", &policy.permissions_boundary_usage_count.to_string());
    xml.text("IsAttachable", "true");
    xml.text("CreateDate", &policy.create_date.to_string());
    xml.text("UpdateDate", &policy.create_date.to_string());
}

fn simulated(xml: &mut Xml, result: &Simulated) {
    xml.text("EvalActionName", &result.action_name);
    xml.text("EvalResourceName", &result.resource_name);
    xml.text("EvalDecision", result.decision.as_str());
    xml.texts("MatchedStatements", &[]);
    xml.texts("MissingContextValues", &[]);
    if let Some(allowed) = result.allowed_by_permissions_boundary {
        xml.element("PermissionsBoundaryDecisionDetail", |xml| {
            xml.text("AllowedByPermissionsBoundary", &allowed.to_string());
        });
    }
}

/// A list of tags in the answer for one thing: absent where there are none.
fn tags(xml: &mut Xml, tags: &[Tag]) {
    if !tags.is_empty() {
        xml.list("Tags", tags, tag);
    }
}

fn tag(xml: &mut Xml, tag: &Tag) {
    xml.text("Key", &tag.key);
    xml.text("Value", &tag.value);
}

fn optional(xml: &mut Xml, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        xml.text(name, text);
    }
}

/// Policy documents are URL-encoded after RFC 3986.
fn url_encoded(document: &str) -> String {
    utf8_percent_encode(document, UNRESERVED).to_string()
}
