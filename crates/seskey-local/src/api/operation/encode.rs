//! Answers as XML. Sources: IAM API Reference and STS API Reference, the response elements of each action.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    details::{authorization_details, policy_entities, simulated},
    elements::*,
};
use crate::{
    account::{Answer, Holder},
    api::query::Xml,
};

pub(super) fn result(xml: &mut Xml, answer: &Answer) {
    match answer {
        Answer::Done | Answer::NoMembers => {}
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
        Answer::LoginProfile { user_name, login_profile } => xml.element("LoginProfile", |xml| {
            xml.text("UserName", user_name);
            xml.text("CreateDate", &login_profile.create_date.to_string());
            let reset = login_profile.password_reset_required.to_string();
            xml.text("PasswordResetRequired", &reset);
        }),
        Answer::NewServiceSpecificCredential { credential, service_password } => {
            xml.element("ServiceSpecificCredential", |xml| {
                service_specific_credential(xml, credential);
                xml.text("ServicePassword", service_password.expose());
            })
        }
        Answer::ServiceSpecificCredentials(credentials) => {
            list(xml, "ServiceSpecificCredentials", credentials, service_specific_credential)
        }
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
        Answer::NewRole(it) => xml.element("Role", |xml| {
            role(xml, it);
            optional(xml, "Description", it.description.as_deref());
            role_details(xml, it);
        }),
        Answer::Role(it) => xml.element("Role", |xml| {
            role(xml, it);
            role_settings(xml, it);
            role_details(xml, it);
            role_last_used(xml);
        }),
        Answer::Roles(roles) => list(xml, "Roles", roles, |xml, it| {
            role(xml, it);
            role_settings(xml, it);
        }),
        Answer::InlinePolicy { holder, policy_name, document } => {
            match holder {
                Holder::User(name) => xml.text("UserName", name),
                Holder::Group(name) => xml.text("GroupName", name),
                Holder::Role(name) => xml.text("RoleName", name),
            }
            xml.text("PolicyName", policy_name);
            xml.text("PolicyDocument", &url_encoded(document));
        }
        Answer::PolicyNames(names) => {
            xml.texts("PolicyNames", &names.items);
            truncation(xml, names.marker.as_deref());
        }
        Answer::AttachedPolicies(policies) => {
            list(xml, "AttachedPolicies", policies, attached_policy)
        }
        Answer::NewPolicy(it) => xml.element("Policy", |xml| {
            policy(xml, it);
            tags(xml, &it.tags);
        }),
        Answer::Policy(it) => xml.element("Policy", |xml| {
            policy(xml, it);
            optional(xml, "Description", it.description.as_deref());
            xml.list("Tags", &it.tags, tag);
        }),
        Answer::PolicyVersion(version) => xml.element("PolicyVersion", |xml| {
            xml.text("Document", &url_encoded(&version.document));
            policy_version(xml, version);
        }),
        Answer::NewPolicyVersion(version) => {
            xml.element("PolicyVersion", |xml| policy_version(xml, version))
        }
        Answer::PolicyVersions(versions) => list(xml, "Versions", versions, policy_version),
        Answer::PolicyEntities(entities) => policy_entities(xml, entities),
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
        Answer::AuthorizationDetails(details) => authorization_details(xml, details),
        Answer::CredentialReportState { state, description } => {
            xml.text("State", state);
            optional(xml, "Description", *description);
        }
        Answer::CredentialReport { csv, generated_time } => {
            xml.text("Content", &BASE64_STANDARD.encode(csv));
            xml.text("ReportFormat", "text/csv");
            xml.text("GeneratedTime", &generated_time.to_string());
        }
        Answer::Nothing { list } => {
            xml.texts(list, &[]);
            truncation(xml, None);
        }
        Answer::CallerIdentity { arn, user_id, account } => {
            xml.text("Arn", arn);
            xml.text("UserId", user_id);
            xml.text("Account", account.as_str());
        }
        Answer::AccessKeyInfo { account } => xml.text("Account", account.as_str()),
        Answer::AssumedRole { credentials: it, assumed_role_id, arn } => {
            credentials(xml, it);
            xml.element("AssumedRoleUser", |xml| {
                xml.text("AssumedRoleId", assumed_role_id);
                xml.text("Arn", arn);
            });
        }
        Answer::SessionToken(it) => credentials(xml, it),
    }
}
