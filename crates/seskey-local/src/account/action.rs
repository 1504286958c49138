//! What can be asked of an account, and what it answers, in the words of the IAM API Reference.

use jiff::Timestamp;
use seskey::{Secret, policy::Context};

use super::{
    Principal,
    groups::Group,
    keys::{LastUsed, Status},
    pages::{Listed, Page},
    policies::ManagedPolicy,
    users::{Tag, User},
};

/// One request to an account. Who may ask is decided elsewhere: [`super::Account::decide`].
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

    TagUser {
        user_name: String,
        tags: Vec<Tag>,
    },
    UntagUser {
        user_name: String,
        tag_keys: Vec<String>,
    },
    ListUserTags {
        user_name: String,
        page: Page,
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
    GetPolicyVersion {
        policy_arn: String,
        version_id: String,
    },
    DeletePolicy {
        policy_arn: String,
    },
    ListPolicies {
        scope: PolicyScope,
        only_attached: bool,
        path_prefix: String,
        page: Page,
    },

    SimulatePrincipalPolicy(Simulation),
    GetAccountSummary,
    /// A list of things that no user has here, such as `MFADevices`.
    ListNone {
        user_name: Option<String>,
        list: &'static str,
    },
    /// No user has a password here.
    GetLoginProfile {
        user_name: String,
    },
}

/// The answer to an [`Action`] that was done.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // the answers and members are those of the IAM API Reference
pub enum Answer {
    Done,
    User(User),
    /// The root user, which has no name and no path.
    RootUser {
        user_id: String,
        arn: String,
        create_date: Timestamp,
    },
    Users(Listed<User>),
    Tags(Listed<Tag>),
    NewAccessKey {
        access_key: AccessKeyMetadata,
        secret_access_key: Secret,
    },
    AccessKeys(Listed<AccessKeyMetadata>),
    AccessKeyLastUsed {
        user_name: Option<String>,
        last_used: Option<LastUsed>,
    },
    Group(Group),
    GroupUsers {
        group: Group,
        users: Listed<User>,
    },
    Groups(Listed<Group>),
    InlinePolicy {
        holder: Holder,
        policy_name: String,
        document: String,
    },
    PolicyNames(Listed<String>),
    AttachedPolicies(Listed<AttachedPolicy>),
    Policy(ManagedPolicy),
    PolicyVersion {
        document: String,
        create_date: Timestamp,
    },
    Policies(Listed<ManagedPolicy>),
    Simulation(Listed<Simulated>),
    AccountSummary(Vec<(&'static str, usize)>),
    Nothing {
        list: &'static str,
    },
}

/// Who holds policies: a user or a group, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum Holder {
    User(String),
    Group(String),
}

/// Which managed policies are listed: all, AWS's own (there are none here), or those of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum PolicyScope {
    All,
    Aws,
    Local,
}

/// An access key without its secret. The user name is absent where the root user owns it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the members of the data type AccessKeyMetadata
pub struct AccessKeyMetadata {
    pub user_name: Option<String>,
    pub access_key_id: String,
    pub status: Status,
    pub create_date: Timestamp,
}

/// A managed policy that a user or a group has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the members of the data type AttachedPolicy
pub struct AttachedPolicy {
    pub policy_name: String,
    pub policy_arn: String,
}

/// The question "could this user or group do that?", and more policies to count in.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // the parameters of SimulatePrincipalPolicy
pub struct Simulation {
    pub policy_source_arn: String,
    pub policy_input_list: Vec<String>,
    pub permissions_boundary_policy_input_list: Vec<String>,
    pub action_names: Vec<String>,
    pub resource_arns: Vec<String>,
    pub context: Context,
    pub page: Page,
}

/// The answer for one action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the members of the data type EvaluationResult
pub struct Simulated {
    pub action_name: String,
    pub resource_name: String,
    pub decision: EvalDecision,
    /// Whether the permissions boundary allows it; absent where there is none to tell.
    pub allowed_by_permissions_boundary: Option<bool>,
}

/// Source: IAM API Reference, `EvaluationResult`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum EvalDecision {
    Allowed,
    ExplicitDeny,
    ImplicitDeny,
}

impl EvalDecision {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::ExplicitDeny => "explicitDeny",
            Self::ImplicitDeny => "implicitDeny",
        }
    }
}
