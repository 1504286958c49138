//! The refusals of the IAM and STS APIs: the code, the HTTP status and AWS's text of each.
//!
//! Sources: IAM API Reference, "Errors" of each action and "Common Errors". The texts are those that AWS was seen to
//! send, or else texts in its manner (`docs/fidelity.md` lists which).

use seskey::policy::MalformedPolicy;

pub use code::Code;

mod code;
mod texts;

/// The reason why a request is refused. `Display` is the text that the requester gets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiRefusal {
    /// An entity that the request names does not exist.
    #[error("{0}")]
    NoSuchEntity(Missing),
    /// A user of that name exists; upper and lower case are the same.
    #[error("User with name {0} already exists.")]
    UserAlreadyExists(String),
    /// A group of that name exists; upper and lower case are the same.
    #[error("Group with name {0} already exists.")]
    GroupAlreadyExists(String),
    /// A role of that name exists; upper and lower case are the same.
    #[error("Role with name {0} already exists.")]
    RoleAlreadyExists(String),
    /// The user of that name has a password for the console already.
    #[error("Login Profile for user {0} already exists.")]
    LoginProfileAlreadyExists(String),
    /// A managed policy of that name exists, under any path.
    #[error("A policy called {0} already exists. Duplicate names are not allowed.")]
    PolicyAlreadyExists(String),
    /// The account or an entity would exceed a quota.
    #[error("Cannot exceed quota for {quota}: {limit}")]
    LimitExceeded {
        /// The name of the quota.
        quota: &'static str,
        /// The value of the quota.
        limit: usize,
    },
    /// The inline policies of a user, a group or a role would have too many characters.
    #[error("Maximum policy size of {limit} bytes exceeded for {holder}")]
    PolicySizeExceeded {
        /// The most characters, whitespace not counted.
        limit: usize,
        /// The holder: `user NAME`, `group NAME` or `role NAME`.
        holder: String,
    },
    /// A managed policy would have one version too many.
    #[error(
        "A managed policy can have up to {limit} versions. Before you create a new version, you must delete an existing version."
    )]
    VersionsExceeded {
        /// The most versions.
        limit: usize,
    },
    /// A managed policy of AWS cannot be changed.
    #[error("Policy is outside your own account.")]
    OutsideAccount,
    /// The password is too short or too simple.
    #[error("Password does not conform to the account password policy.")]
    PasswordPolicyViolation,
    /// No credential report was ever requested.
    #[error("No report exists. Use GenerateCredentialReport to start one.")]
    ReportNotPresent,
    /// The credential report is older than four hours.
    #[error("The credential report has expired. Use GenerateCredentialReport to start a new one.")]
    ReportExpired,
    /// The credential report is being made.
    #[error("The credential report is being generated. Try again later.")]
    ReportInProgress,
    /// The entity to delete has something that must be removed first.
    #[error("{0}")]
    DeleteConflict(Conflict),
    /// The document is not a policy of the required kind.
    #[error("{}", texts::malformed_policy(.0))]
    MalformedPolicyDocument(MalformedPolicy),
    /// The document is not a trust policy of a role.
    #[error("{0}")]
    MalformedTrustPolicy(TrustFault),
    /// The policy of a session is too large.
    #[error("Packed policy consumes more than 100% of allotted space, please use smaller policy.")]
    PackedPolicyTooLarge,
    /// The session would be longer than allowed.
    #[error("{0}")]
    SessionTooLong(DurationFault),
    /// The request names no user, and the caller is not a user.
    #[error("Must specify userName when calling with non-User credentials")]
    NotAUser,
    /// The root user cannot assume a role.
    #[error("Roles may not be assumed by root accounts.")]
    RootMayNotAssume,
    /// The operation does not accept temporary access keys.
    #[error("Cannot call {0} with session credentials")]
    SessionCredentials(String),
    /// There are too many requests at once.
    #[error("Rate exceeded")]
    Throttling,
    /// The request is well-formed, but not possible.
    #[error("{0}")]
    InvalidInput(&'static str),
    /// A parameter is missing, or not of the form in the API model.
    #[error("{}", texts::validation_error(.member, .value.as_deref(), .constraint))]
    ValidationError {
        /// The parameter, such as `userName`.
        member: String,
        /// The given value, where the API repeats it.
        value: Option<String>,
        /// The constraint of the model.
        constraint: Constraint,
    },
    /// The value for the ARN of a policy is not an ARN.
    #[error("Invalid ARN:  Could not be parsed!")]
    InvalidArn,
    /// The value for the ARN of a role is not an ARN.
    #[error("{0} is invalid")]
    InvalidRoleArn(String),
    /// The parameters do not parse.
    #[error("The query string is malformed")]
    MalformedQueryString,
    /// The `Action` parameter is missing.
    #[error("Missing Action")]
    MissingAction,
    /// The action or the version is not served.
    #[error("Could not find operation {action} for version {version}")]
    InvalidAction {
        /// The `Action` parameter.
        action: String,
        /// The `Version` parameter.
        version: String,
    },
    /// The policies of the caller do not allow it.
    #[error("User: {principal} is not authorized to perform: {action} on resource: {resource}{}", .denial.reason(.action))]
    AccessDenied {
        /// The ARN of the caller.
        principal: String,
        /// The action, such as `iam:CreateUser`.
        action: String,
        /// The ARN that the permission was checked against.
        resource: String,
        /// The reason for the denial.
        denial: Denial,
    },
    /// The request is not signed.
    #[error("Request is missing Authentication Token")]
    MissingAuthenticationToken,
    /// The signature cannot be read.
    #[error("{0}")]
    IncompleteSignature(Incomplete),
    /// The request is valid, but it fails on purpose, or could not be stored and is undone.
    #[error("{}", .0.message())]
    Failure(Code),
    /// The temporary credentials have expired.
    #[error("The security token included in the request is expired")]
    ExpiredToken,
    /// The access key is unknown or inactive, or a temporary one came without its token.
    #[error("The security token included in the request is invalid.")]
    InvalidClientTokenId,
    /// The signature can be read, but is not valid for this request, here and now.
    #[error("{0}")]
    SignatureDoesNotMatch(Mismatch),
}

/// An entity that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum Missing {
    User(String),
    Group(String),
    UserPolicy(String),
    GroupPolicy(String),
    Role(String),
    RolePolicy(String),
    PermissionsBoundary(Bounded),
    ServiceSpecificCredential(String),
    /// A service that has credentials of its own.
    Service(String),
    PasswordPolicy {
        account: String,
    },
    AccessKey(String),
    /// A managed policy, by its ARN.
    Policy(String),
    /// A managed policy that was to be attached, by its ARN.
    AttachablePolicy(String),
    PolicyVersion {
        arn: String,
        version: String,
    },
    Membership {
        user: String,
        group: String,
    },
    LoginProfile(String),
}

/// The entity with a permissions boundary: a user or a role, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum Bounded {
    User(String),
    Role(String),
}

/// The obstacle to the deletion of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum Conflict {
    AccessKeys,
    LoginProfile,
    ServiceSpecificCredentials,
    InlinePolicies,
    AttachedPolicies,
    GroupMembership,
    /// A managed policy that is attached, or is a permissions boundary.
    Attachments,
    /// Versions of a managed policy beside the default one.
    PolicyVersions,
    DefaultVersion,
}

/// The reason why a document is not a trust policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the texts say it all
pub enum TrustFault {
    #[error("This policy contains invalid Json")]
    Json,
    #[error("Syntax errors in policy.")]
    Syntax,
    #[error("Has prohibited field Resource")]
    Resource,
    #[error("AssumeRole policy may only specify STS AssumeRole actions.")]
    Action,
    #[error("Invalid principal in policy: \"AWS\":\"{0}\"")]
    Principal(String),
}

/// The limit that a session would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the texts say it all
pub enum DurationFault {
    #[error("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")]
    MaxSessionDuration,
    #[error(
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    )]
    RoleChaining,
}

/// The constraint of the API model on a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum Constraint {
    Required,
    MinLength(usize),
    MaxLength(usize),
    Pattern(&'static str),
    /// The required form of the value, in IAM's words for names and paths.
    Form(&'static str),
    OneOf,
    AtLeast(usize),
    AtMost(usize),
    Marker,
    /// The operation has no such parameter, or it is not served here.
    Unknown(&'static str),
}

/// The reason for the denial of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum Denial {
    Explicit,
    NoIdentityPolicy,
    PermissionsBoundary,
    SessionPolicy,
    /// AWS gives no reason.
    Unexplained,
}

/// The defect of an incomplete signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the texts say it all
pub enum Incomplete {
    #[error("Unsupported signing algorithm; use AWS4-HMAC-SHA256.")]
    Algorithm,
    #[error("More than one Authorization header.")]
    RepeatedAuthorization,
    #[error("Authorization header requires '{0}' parameter, once.")]
    Parameter(&'static str),
    #[error("Authorization header has a parameter that is not known.")]
    UnknownParameter,
    #[error(
        "Credential must have exactly 5 slash-delimited elements, keyid/date/region/service/term."
    )]
    Credential,
    #[error("SignedHeaders must be header names in lower case and in order, each once.")]
    SignedHeaders,
    #[error("Signature must be 64 hexadecimal digits in lower case.")]
    Signature,
    #[error("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")]
    Date,
    #[error(
        "AWS query-string parameters must include '{0}', once. Re-examine the query-string parameters."
    )]
    QueryParameter(&'static str),
    #[error("X-Amz-Date must be in ISO 8601 'basic format', such as 20150830T123600Z.")]
    QueryDate,
    #[error("X-Amz-Expires must be a number of seconds from 1 to 604800.")]
    Expires,
    #[error("Sign in the Authorization header or in the query string, not in both.")]
    BothForms,
}

/// The mismatch between a signature and its request. Times are as in `x-amz-date`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the texts say it all
pub enum Mismatch {
    #[error("Signature expired: {signed} is now earlier than {earliest} ({now} - {good_for})")]
    Expired { signed: String, earliest: String, now: String, good_for: String },
    #[error("Signature not yet current: {signed} is still later than {latest} ({now} + 15 min.)")]
    NotYetCurrent { signed: String, latest: String, now: String },
    #[error(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."
    )]
    ScopeDate,
    #[error("Credential should be scoped to a valid region.")]
    Region,
    #[error("Credential should be scoped to correct service: 'iam', 'sts', 'ses' or 'sns'.")]
    Service,
    #[error("Credential should be scoped with a valid terminator: 'aws4_request'.")]
    Terminator,
    #[error("'{0}' must be a 'SignedHeader' in the AWS Authorization.")]
    UnsignedHeader(String),
    #[error("'{0}' is a 'SignedHeader' that the request does not have.")]
    AbsentHeader(String),
    #[error("The value of 'x-amz-content-sha256' is not the hash of the body.")]
    Body,
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
    )]
    Signature,
}

impl ApiRefusal {
    /// Returns the code, such as `NoSuchEntity`.
    pub fn code(&self) -> &'static str {
        self.code_and_status().0
    }

    /// Returns the HTTP status of the answer.
    pub fn status(&self) -> u16 {
        self.code_and_status().1
    }

    fn code_and_status(&self) -> (&'static str, u16) {
        match self {
            Self::NoSuchEntity(_) => ("NoSuchEntity", 404),
            Self::UserAlreadyExists(_)
            | Self::GroupAlreadyExists(_)
            | Self::RoleAlreadyExists(_)
            | Self::LoginProfileAlreadyExists(_)
            | Self::PolicyAlreadyExists(_) => ("EntityAlreadyExists", 409),
            Self::LimitExceeded { .. }
            | Self::PolicySizeExceeded { .. }
            | Self::VersionsExceeded { .. } => ("LimitExceeded", 409),
            Self::PasswordPolicyViolation => ("PasswordPolicyViolation", 400),
            Self::ReportNotPresent => ("ReportNotPresent", 410),
            Self::ReportExpired => ("ReportExpired", 410),
            Self::ReportInProgress => ("ReportInProgress", 404),
            Self::DeleteConflict(_) => ("DeleteConflict", 409),
            Self::MalformedPolicyDocument(_) | Self::MalformedTrustPolicy(_) => {
                ("MalformedPolicyDocument", 400)
            }
            Self::PackedPolicyTooLarge => ("PackedPolicyTooLarge", 400),
            Self::Throttling => ("Throttling", 400),
            Self::InvalidInput(_) => ("InvalidInput", 400),
            Self::ValidationError { .. }
            | Self::InvalidArn
            | Self::InvalidRoleArn(_)
            | Self::SessionTooLong(_)
            | Self::NotAUser => ("ValidationError", 400),
            Self::MalformedQueryString => ("MalformedQueryString", 404),
            Self::MissingAction => ("MissingAction", 400),
            Self::InvalidAction { .. } => ("InvalidAction", 400),
            Self::AccessDenied { .. }
            | Self::OutsideAccount
            | Self::RootMayNotAssume
            | Self::SessionCredentials(_) => ("AccessDenied", 403),
            Self::ExpiredToken => ("ExpiredToken", 403),
            Self::MissingAuthenticationToken => ("MissingAuthenticationToken", 403),
            Self::IncompleteSignature(_) => ("IncompleteSignature", 400),
            Self::Failure(code) => (code.as_str(), code.status()),
            Self::InvalidClientTokenId => ("InvalidClientTokenId", 403),
            Self::SignatureDoesNotMatch(_) => ("SignatureDoesNotMatch", 403),
        }
    }
}
