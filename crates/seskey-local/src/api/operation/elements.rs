//! The data types of the API as XML. Source: IAM API Reference, "Data Types".

use percent_encoding::utf8_percent_encode;

use crate::{
    account::{
        AccessKeyMetadata, AttachedPolicy, Credentials, Group, LastUsed, Listed, ManagedPolicy,
        PolicyVersion, Role, ServiceSpecificCredential, Tag, User,
    },
    api::query::Xml,
    sigv4::UNRESERVED,
};

pub(super) fn list<T>(
    xml: &mut Xml,
    name: &str,
    listed: &Listed<T>,
    member: impl Fn(&mut Xml, &T),
) {
    xml.list(name, &listed.items, member);
    truncation(xml, listed.marker.as_deref());
}

pub(super) fn truncation(xml: &mut Xml, marker: Option<&str>) {
    xml.text("IsTruncated", if marker.is_some() { "true" } else { "false" });
    optional(xml, "Marker", marker);
}

pub(super) fn user(xml: &mut Xml, user: &User) {
    xml.text("Path", &user.path);
    xml.text("UserName", &user.user_name);
    xml.text("UserId", &user.user_id);
    xml.text("Arn", &user.arn);
    xml.text("CreateDate", &user.create_date.to_string());
}

/// Writes the elements that are only in the answer for a single user, not in lists.
pub(super) fn user_details(xml: &mut Xml, user: &User) {
    permissions_boundary(xml, user.permissions_boundary.as_deref());
    tags(xml, &user.tags);
}

pub(super) fn role(xml: &mut Xml, role: &Role) {
    xml.text("Path", &role.path);
    xml.text("RoleName", &role.role_name);
    xml.text("RoleId", &role.role_id);
    xml.text("Arn", &role.arn);
    xml.text("CreateDate", &role.create_date.to_string());
    xml.text("AssumeRolePolicyDocument", &url_encoded(role.assume_role_policy.text()));
}

/// Writes the elements that are also in the list of roles, but not in the authorization details.
pub(super) fn role_settings(xml: &mut Xml, role: &Role) {
    optional(xml, "Description", role.description.as_deref());
    xml.text("MaxSessionDuration", &role.max_session_duration.as_secs().to_string());
}

/// Writes the elements that are only in the answer for a single role, not in lists.
pub(super) fn role_details(xml: &mut Xml, role: &Role) {
    permissions_boundary(xml, role.permissions_boundary.as_deref());
    tags(xml, &role.tags);
}

/// Writes an empty element: the last use of a role is not recorded.
pub(super) fn role_last_used(xml: &mut Xml) {
    xml.element("RoleLastUsed", |_| {});
}

fn permissions_boundary(xml: &mut Xml, arn: Option<&str>) {
    if let Some(arn) = arn {
        xml.element("PermissionsBoundary", |xml| {
            // as it was recorded; the model differs
            xml.text("PermissionsBoundaryType", "Policy");
            xml.text("PermissionsBoundaryArn", arn);
        });
    }
}

pub(super) fn group(xml: &mut Xml, group: &Group) {
    xml.text("Path", &group.path);
    xml.text("GroupName", &group.group_name);
    xml.text("GroupId", &group.group_id);
    xml.text("Arn", &group.arn);
    xml.text("CreateDate", &group.create_date.to_string());
}

pub(super) fn access_key_metadata(xml: &mut Xml, key: &AccessKeyMetadata) {
    optional(xml, "UserName", key.user_name.as_deref());
    xml.text("AccessKeyId", &key.access_key_id);
    xml.text("Status", key.status.as_str());
    xml.text("CreateDate", &key.create_date.to_string());
}

pub(super) fn last_used(xml: &mut Xml, used: Option<&LastUsed>) {
    let (service_name, region) =
        used.map_or(("N/A", "N/A"), |used| (&used.service_name, &used.region));
    xml.text("Region", region);
    optional(xml, "LastUsedDate", used.map(|used| used.last_used_date.to_string()).as_deref());
    xml.text("ServiceName", service_name);
}

pub(super) fn attached_policy(xml: &mut Xml, policy: &AttachedPolicy) {
    xml.text("PolicyName", &policy.policy_name);
    xml.text("PolicyArn", &policy.policy_arn);
}

/// Writes a version without its document, which is only in the answer for a single version.
pub(super) fn policy_version(xml: &mut Xml, version: &PolicyVersion) {
    xml.text("VersionId", &version.version_id.to_string());
    xml.text("IsDefaultVersion", &version.is_default_version.to_string());
    xml.text("CreateDate", &version.create_date.to_string());
}

pub(super) fn service_specific_credential(xml: &mut Xml, it: &ServiceSpecificCredential) {
    xml.text("UserName", &it.user_name);
    xml.text("Status", it.status.as_str());
    xml.text("ServiceUserName", &it.service_user_name);
    xml.text("CreateDate", &it.create_date.to_string());
    xml.text("ServiceSpecificCredentialId", &it.service_specific_credential_id);
    xml.text("ServiceName", &it.service_name);
}

pub(super) fn credentials(xml: &mut Xml, credentials: &Credentials) {
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", &credentials.access_key_id);
        xml.text("SecretAccessKey", credentials.secret_access_key.expose());
        xml.text("SessionToken", credentials.session_token.expose());
        xml.text("Expiration", &credentials.expiration.to_string());
    });
}

pub(super) fn policy(xml: &mut Xml, policy: &ManagedPolicy) {
    xml.text("PolicyName", &policy.policy_name);
    xml.text("PolicyId", &policy.policy_id);
    xml.text("Arn", &policy.arn);
    xml.text("Path", &policy.path);
    xml.text("DefaultVersionId", &policy.default_version_id.to_string());
    xml.text("AttachmentCount", &policy.attachment_count.to_string());
    xml.text("PermissionsBoundaryUsageCount", &policy.permissions_boundary_usage_count.to_string());
    xml.text("IsAttachable", "true");
    xml.text("CreateDate", &policy.create_date.to_string());
    xml.text("UpdateDate", &policy.update_date.to_string());
}

/// Writes the list of tags in the answer for a single resource, if there are any.
pub(super) fn tags(xml: &mut Xml, tags: &[Tag]) {
    if !tags.is_empty() {
        xml.list("Tags", tags, tag);
    }
}

pub(super) fn tag(xml: &mut Xml, tag: &Tag) {
    xml.text("Key", &tag.key);
    xml.text("Value", &tag.value);
}

pub(super) fn optional(xml: &mut Xml, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        xml.text(name, text);
    }
}

/// URL-encodes a policy document after RFC 3986.
pub(super) fn url_encoded(document: &str) -> String {
    utf8_percent_encode(document, UNRESERVED).to_string()
}
