//! The errors in a policy document, with their places.

/// The reason why a text is not a policy of the required kind. IAM's code for it is `MalformedPolicyDocument`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedPolicy {
    /// A character that IAM does not take in a policy document. Source: IAM API, pattern of `policyDocumentType`.
    #[error(
        "line {line}, column {column}: the character {character:?} cannot be in a policy document"
    )]
    Character {
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// The character.
        character: char,
    },
    /// Not JSON.
    #[error("line {line}, column {column}: {reason}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
        /// The message of the JSON parser.
        reason: String,
    },
    /// An element of the JSON is wrong.
    #[error("{}: {fault}", if path.is_empty() { "the document" } else { path.as_str() })]
    Element {
        /// The path, such as `Statement[1].Condition.StringLike`; empty for the whole document.
        path: String,
        /// The fault there.
        fault: Fault,
    },
}

/// A fault of an element of a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It must be an object.
    #[error("is not an object")]
    NotAnObject,
    /// It must be a string.
    #[error("is not a string")]
    NotAString,
    /// It must be a string, a number or a Boolean.
    #[error("is not a string, a number or a Boolean")]
    NotAScalar,
    /// An empty list or name.
    #[error("is empty")]
    Empty,
    /// The same key comes twice in one object.
    #[error("is given twice")]
    Duplicate,
    /// No element of the policy language has this name. Upper and lower case differ.
    #[error("is not a policy element")]
    UnknownElement,
    /// `Principal` belongs in resource-based policies, and names an account, a user, a service or `*`; `NotPrincipal`
    /// is never taken.
    #[error("is not allowed in this policy")]
    Principal,
    /// A required element is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Only one of these two elements may be present.
    #[error("{0} and {1} exclude one another")]
    Both(&'static str, &'static str),
    /// Neither `2012-10-17` nor `2008-10-17`.
    #[error("is not a version of the policy language")]
    Version,
    /// A managed policy must give the version `2012-10-17`.
    #[error("a managed policy must have the version 2012-10-17")]
    OldVersion,
    /// A `Sid` has letters and digits only.
    #[error("is not alphanumeric")]
    Sid,
    /// Another statement has the same `Sid`.
    #[error("is the Sid of another statement")]
    DuplicateSid,
    /// Neither `Allow` nor `Deny`.
    #[error("is neither Allow nor Deny")]
    Effect,
    /// `Allow` or `Deny` in the wrong case.
    #[error("must be written Allow or Deny")]
    EffectCase,
    /// A statement without actions, or with an empty list of them.
    #[error("has no actions")]
    NoActions,
    /// A statement without resources, or with an empty list of them.
    #[error("has no resources")]
    NoResources,
    /// An action is `*` or `service:action`.
    #[error("is neither * nor service:action")]
    Action,
    /// An action has one colon.
    #[error("has more than one colon")]
    ActionColons,
    /// The service of an action has letters, digits, `-` and `.`, and no wildcards.
    #[error("{0:?} is not a service")]
    Vendor(String),
    /// A resource is `*` or an ARN.
    #[error("is neither * nor an ARN")]
    Resource(String),
    /// No partition has this name.
    #[error("{partition:?} is not a partition")]
    Partition {
        /// The second field of the ARN.
        partition: String,
        /// The ARN with `*` in the missing fields.
        completed: String,
    },
    /// The service of an ARN is written whole, without wildcards.
    #[error("must name a service, without wildcards")]
    ResourceVendor,
    /// An ARN with an empty field before the fifth colon has all six fields.
    #[error("has too few fields for an ARN with an empty one")]
    ArnFields,
    /// IAM has no regions.
    #[error("an IAM resource has no region")]
    IamRegion(String),
    /// Buckets and objects of S3 have no region.
    #[error("this S3 resource has no region")]
    S3Region(String),
    /// The last field of an ARN of IAM is `*` or begins with one of these.
    #[error("is no kind of IAM resource")]
    IamResource(&'static [&'static str]),
    /// No condition operator has this name. Upper and lower case differ.
    #[error("is not a condition operator")]
    Operator,
    /// Neither ISO 8601 nor seconds since 1970.
    #[error("is not a date")]
    Date,
}

/// The checks of IAM in their order: for a document with several faults, IAM names one of the first check that fails.
/// Source: the answers that AWS gave to documents with two faults; the places of `Principal` and of the form of a `Sid`
/// are a guess.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Check {
    Syntax,
    Version,
    Legacy,
    Principal,
    Sid,
    Actions,
    ResourceForm,
    ActionForm,
    Resources,
}

impl Fault {
    pub(super) fn check(&self) -> Check {
        match self {
            Self::NotAnObject
            | Self::NotAString
            | Self::NotAScalar
            | Self::Empty
            | Self::Duplicate
            | Self::UnknownElement
            | Self::Missing(_)
            | Self::Both(..)
            | Self::Version
            | Self::Effect
            | Self::Operator => Check::Syntax,
            Self::OldVersion => Check::Version,
            Self::EffectCase | Self::Date | Self::ArnFields => Check::Legacy,
            Self::Principal => Check::Principal,
            Self::Sid | Self::DuplicateSid => Check::Sid,
            Self::NoActions => Check::Actions,
            Self::Resource(_)
            | Self::Partition { .. }
            | Self::ResourceVendor
            | Self::IamRegion(_)
            | Self::S3Region(_)
            | Self::IamResource(_) => Check::ResourceForm,
            Self::Action | Self::ActionColons | Self::Vendor(_) => Check::ActionForm,
            Self::NoResources => Check::Resources,
        }
    }

    pub(super) fn at(self, path: &str) -> MalformedPolicy {
        MalformedPolicy::Element { path: path.to_owned(), fault: self }
    }
}

impl From<Fault> for MalformedPolicy {
    fn from(fault: Fault) -> Self {
        fault.at("")
    }
}

impl MalformedPolicy {
    pub(super) fn check(&self) -> Check {
        match self {
            Self::Character { .. } | Self::Syntax { .. } => Check::Syntax,
            Self::Element { fault, .. } => fault.check(),
        }
    }
}

/// Returns the error as seen from the element that contains the faulty one.
pub(super) fn inside(step: &str) -> impl FnOnce(MalformedPolicy) -> MalformedPolicy {
    move |error| match error {
        MalformedPolicy::Element { path, fault } if path.is_empty() || path.starts_with('[') => {
            fault.at(&format!("{step}{path}"))
        }
        MalformedPolicy::Element { path, fault } => fault.at(&format!("{step}.{path}")),
        error => error,
    }
}
