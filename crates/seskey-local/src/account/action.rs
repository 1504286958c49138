//! The actions of an account, in the words of the IAM and STS API References.

use jiff::SignedDuration;
use seskey::Secret;

use super::{
    AccountId, Principal, keys::Status, pages::Page, roles::NewRole, sessions::AssumeRole,
    tags::Tag,
};
use crate::refusal::Bounded;

/// One action on an account. [`super::Account::decide`] decides whether it is allowed.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // the actions and parameters are those of the IAM API Reference
pub enum Action {
    CreateUser {
        user_name: String,
        path: String,
        permissions_boundary: Option<String>,
        tags: Vec<Tag>,
    },
    GetUser {
        principal: Principal,
    },
    ListUsers {
        path_prefix: String,
        page: Page,
    },
    UpdateUser {
        user_name: String,
        new_path: Option<String>,
        new_user_name: Option<String>,
    },
    DeleteUser {
        user_name: String,
    },

    Tag {
        tagged: Tagged,
        tags: Vec<Tag>,
    },
    Untag {
        tagged: Tagged,
        tag_keys: Vec<String>,
    },
    ListTags {
        tagged: Tagged,
        page: Page,
    },

    PutPermissionsBoundary {
        bounded: Bounded,
        permissions_boundary: String,
    },
    DeletePermissionsBoundary {
        bounded: Bounded,
    },

    CreateLoginProfile {
        user_name: String,
        password: Secret,
        password_reset_required: bool,
    },
    GetLoginProfile {
        user_name: String,
    },
    DeleteLoginProfile {
        user_name: String,
    },

    CreateServiceSpecificCredential {
        user_name: String,
        service_name: String,
    },
    ListServiceSpecificCredentials {
        user_name: String,
        service_name: Option<String>,
        page: Page,
    },
    UpdateServiceSpecificCredential {
        user_name: String,
        service_specific_credential_id: String,
        status: Status,
    },
    ResetServiceSpecificCredential {
        user_name: String,
        service_specific_credential_id: String,
    },
    DeleteServiceSpecificCredential {
        user_name: String,
        service_specific_credential_id: String,
    },

    CreateAccessKey {
        principal: Principal,
    },
    ListAccessKeys {
        principal: Principal,
        page: Page,
    },
    UpdateAccessKey {
        principal: Principal,
        access_key_id: String,
        status: Status,
    },
    DeleteAccessKey {
        principal: Principal,
        access_key_id: String,
    },
    GetAccessKeyLastUsed {
        access_key_id: String,
    },

    CreateGroup {
        group_name: String,
        path: String,
    },
    GetGroup {
        group_name: String,
        page: Page,
    },
    ListGroups {
        path_prefix: String,
        page: Page,
    },
    ListGroupsForUser {
        user_name: String,
        page: Page,
    },
    UpdateGroup {
        group_name: String,
        new_path: Option<String>,
        new_group_name: Option<String>,
    },
    AddUserToGroup {
        group_name: String,
        user_name: String,
    },
    RemoveUserFromGroup {
        group_name: String,
        user_name: String,
    },
    DeleteGroup {
        group_name: String,
    },

    CreateRole(NewRole),
    GetRole {
        role_name: String,
    },
    ListRoles {
        path_prefix: String,
        page: Page,
    },
    UpdateRole {
        role_name: String,
        description: Option<String>,
        max_session_duration: Option<SignedDuration>,
    },
    UpdateAssumeRolePolicy {
        role_name: String,
        document: String,
    },
    DeleteRole {
        role_name: String,
    },

    PutPolicy {
        holder: Holder,
        policy_name: String,
        document: String,
    },
    GetInlinePolicy {
        holder: Holder,
        policy_name: String,
    },
    ListInlinePolicies {
        holder: Holder,
        page: Page,
    },
    DeleteInlinePolicy {
        holder: Holder,
        policy_name: String,
    },
    AttachPolicy {
        holder: Holder,
        policy_arn: String,
    },
    DetachPolicy {
        holder: Holder,
        policy_arn: String,
    },
    ListAttachedPolicies {
        holder: Holder,
        path_prefix: String,
        page: Page,
    },

    CreatePolicy {
        policy_name: String,
        path: String,
        document: String,
        description: Option<String>,
        tags: Vec<Tag>,
    },
    GetPolicy {
        policy_arn: String,
    },
    CreatePolicyVersion {
        policy_arn: String,
        document: String,
        set_as_default: bool,
    },
    GetPolicyVersion {
        policy_arn: String,
        version_id: String,
    },
    ListPolicyVersions {
        policy_arn: String,
        page: Page,
    },
    SetDefaultPolicyVersion {
        policy_arn: String,
        version_id: String,
    },
    DeletePolicyVersion {
        policy_arn: String,
        version_id: String,
    },
    DeletePolicy {
        policy_arn: String,
    },
    ListPolicies {
        scope: PolicyScope,
        only_attached: bool,
        usage: Option<PolicyUsage>,
        path_prefix: String,
        page: Page,
    },
    ListEntitiesForPolicy {
        policy_arn: String,
        entity: Option<EntityType>,
        usage: Option<PolicyUsage>,
        path_prefix: String,
        page: Page,
    },

    SimulatePrincipalPolicy(Simulation),
    GetAccountSummary,
    GetAccountPasswordPolicy,
    GetAccountAuthorizationDetails {
        filter: Vec<EntityType>,
        page: Page,
    },
    GenerateCredentialReport,
    GetCredentialReport,
    /// A list that is always empty here, such as the `MFADevices` of a user.
    ListNone {
        holder: Option<Holder>,
        list: &'static str,
    },

    GetCallerIdentity {
        caller: Principal,
    },
    /// The account is read from the access key ID; the key need not exist.
    GetAccessKeyInfo {
        account: AccountId,
    },
    AssumeRole(AssumeRole),
    GetSessionToken {
        caller: Principal,
        duration: SignedDuration,
    },
}

/// A holder of policies: a user, a group or a role, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum Holder {
    User(String),
    Group(String),
    Role(String),
}

/// The managed policies to list: all, AWS's own, or those of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum PolicyScope {
    All,
    Aws,
    Local,
}

/// A tagged resource: a user or a role by its name, a managed policy by its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum Tagged {
    User(String),
    Role(String),
    Policy(String),
}

/// The use of a managed policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum PolicyUsage {
    PermissionsPolicy,
    PermissionsBoundary,
}

/// The kinds of entities in an account. Source: IAM API Reference, `GetAccountAuthorizationDetails`, `Filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum EntityType {
    User,
    Role,
    Group,
    LocalManagedPolicy,
    AwsManagedPolicy,
}

/// The question "could this user, group or role do that?", with more policies to evaluate.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // the parameters of SimulatePrincipalPolicy
pub struct Simulation {
    pub policy_source_arn: String,
    pub policy_input_list: Vec<String>,
    pub permissions_boundary_policy_input_list: Vec<String>,
    pub action_names: Vec<String>,
    pub resource_arns: Vec<String>,
    /// The condition keys with their values.
    pub context_entries: Vec<(String, Vec<String>)>,
    pub page: Page,
}
