//! The answers of an account, in the words of the IAM and STS API References.

use jiff::Timestamp;
use seskey::Secret;

use super::{
    AccountId,
    action::Holder,
    groups::Group,
    keys::{LastUsed, Status},
    pages::Listed,
    passwords::{LoginProfile, ServiceSpecificCredential},
    policies::ManagedPolicy,
    roles::Role,
    sessions::Credentials,
    tags::Tag,
    users::User,
    versions::PolicyVersion,
};

/// The answer to an [`Action`](super::Action) that succeeded.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // the answers and members are those of the IAM API Reference
pub enum Answer {
    Done,
    /// An output without members that is nevertheless in the API model.
    NoMembers,
    User(User),
    /// The root user, which has no name and no path.
    RootUser {
        user_id: String,
        arn: String,
        create_date: Timestamp,
    },
    Users(Listed<User>),
    Tags(Listed<Tag>),
    LoginProfile {
        user_name: String,
        login_profile: LoginProfile,
    },
    /// The password is in this answer and nowhere else.
    NewServiceSpecificCredential {
        credential: ServiceSpecificCredential,
        service_password: Secret,
    },
    ServiceSpecificCredentials(Listed<ServiceSpecificCredential>),
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
    NewRole(Role),
    Role(Role),
    Roles(Listed<Role>),
    InlinePolicy {
        holder: Holder,
        policy_name: String,
        document: String,
    },
    PolicyNames(Listed<String>),
    AttachedPolicies(Listed<AttachedPolicy>),
    NewPolicy(ManagedPolicy),
    Policy(ManagedPolicy),
    /// A version with its document.
    PolicyVersion(PolicyVersion),
    NewPolicyVersion(PolicyVersion),
    PolicyVersions(Listed<PolicyVersion>),
    PolicyEntities(Listed<PolicyEntity>),
    Policies(Listed<ManagedPolicy>),
    Simulation(Listed<Simulated>),
    AccountSummary(Vec<(&'static str, usize)>),
    AuthorizationDetails(Listed<Detail>),
    CredentialReportState {
        state: &'static str,
        description: Option<&'static str>,
    },
    CredentialReport {
        csv: String,
        generated_time: Timestamp,
    },
    Nothing {
        list: &'static str,
    },

    CallerIdentity {
        arn: String,
        user_id: String,
        account: AccountId,
    },
    AccessKeyInfo {
        account: AccountId,
    },
    AssumedRole {
        credentials: Credentials,
        assumed_role_id: String,
        arn: String,
    },
    SessionToken(Credentials),
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

/// A managed policy that a user, a group or a role has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the members of the data type AttachedPolicy
pub struct AttachedPolicy {
    pub policy_name: String,
    pub policy_arn: String,
}

/// The result for one action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the members of the data type EvaluationResult
pub struct Simulated {
    pub action_name: String,
    pub resource_name: String,
    /// Whether the request named the resource.
    pub of_resource: bool,
    pub decision: EvalDecision,
    /// The statement that decides, if there is one.
    pub matched: Option<MatchedStatement>,
    /// `Some(false)` if only the permissions boundary does not allow it; otherwise absent.
    pub allowed_by_permissions_boundary: Option<bool>,
}

/// The statement that decides, by its policy and its position in it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the members of the data type Statement
pub struct MatchedStatement {
    pub source_policy_id: String,
    pub source_policy_type: &'static str,
    pub start_position: Position,
    pub end_position: Position,
}

/// A position in a document, from line 1 and column 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the members of the data type Position
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// An entity that uses a managed policy. Source: IAM API Reference, `PolicyGroup`, `PolicyUser`, `PolicyRole`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the members of the data types
pub struct PolicyEntity {
    pub holder: Holder,
    pub id: String,
}

/// An item of one of the four lists of `GetAccountAuthorizationDetails`.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // the members of the data types UserDetail, GroupDetail, RoleDetail, ManagedPolicyDetail
pub enum Detail {
    User { user: User, groups: Vec<String>, held: HeldDetail },
    Group { group: Group, held: HeldDetail },
    Role { role: Role, held: HeldDetail },
    Policy { policy: ManagedPolicy, versions: Vec<PolicyVersion> },
}

/// The policies of a user, a group or a role: inline ones by name with their documents, and attached ones.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub struct HeldDetail {
    pub inline: Vec<(String, String)>,
    pub attached: Vec<AttachedPolicy>,
}

/// The decision of a simulation. Source: IAM API Reference, `EvaluationResult`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum EvalDecision {
    Allowed,
    ExplicitDeny,
    ImplicitDeny,
}

impl EvalDecision {
    /// Returns the value in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::ExplicitDeny => "explicitDeny",
            Self::ImplicitDeny => "implicitDeny",
        }
    }
}
