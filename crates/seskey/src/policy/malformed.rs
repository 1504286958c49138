//! Why a policy document is refused, and where in it.

/// Why a text is not a policy of the kind that is wanted. IAM's code for it is `MalformedPolicyDocument`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedPolicy {
    /// A character that IAM takes in no policy document. Source: IAM API, pattern of `policyDocumentType`.
    #[error(
        "line {line}, column {column}: the character {character:?} cannot be in a policy document"
    )]
    Character {
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
        /// The character.
        character: char,
    },
    /// Not JSON.
    #[error("line {line}, column {column}: {reason}")]
    Syntax {
        /// From 1.
        line: usize,
        /// In bytes, from 1.
        column: usize,
        /// What the JSON parser says.
        reason: String,
    },
    /// JSON, and an element of it is wrong.
    #[error("{}: {fault}", if path.is_empty() { "the document" } else { path.as_str() })]
    Element {
        /// Such as `Statement[1].Condition.StringLike`; empty for the whole document.
        path: String,
        /// What is wrong there.
        fault: Fault,
    },
}

/// What is wrong with an element of a policy.
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
    /// A list, or a name, of nothing.
    #[error("is empty")]
    Empty,
    /// The same key comes twice in one object.
    #[error("is given twice")]
    Duplicate,
    /// No element of the policy language has this name. Upper and lower case differ.
    #[error("is not a policy element")]
    UnknownElement,
    /// `Principal` belongs in resource-based policies, and names an account, a user, a service or `*`; `NotPrincipal`
    /// is taken nowhere.
    #[error("is not allowed in this policy")]
    Principal,
    /// A required element is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Of these two elements only one may be there.
    #[error("{0} and {1} exclude one another")]
    Both(&'static str, &'static str),
    /// Neither `2012-10-17` nor `2008-10-17`.
    #[error("is not a version of the policy language")]
    Version,
    /// A `Sid` has letters and digits only.
    #[error("is not alphanumeric")]
    Sid,
    /// Another statement has the same `Sid`.
    #[error("is the Sid of another statement")]
    DuplicateSid,
    /// Neither `Allow` nor `Deny`. Upper and lower case differ.
    #[error("is neither Allow nor Deny")]
    Effect,
    /// Neither `*` nor `service:action`; the service is written without wildcards.
    #[error("is neither * nor service:action")]
    Action,
    /// Neither `*` nor an ARN; the service is written without wildcards.
    #[error("is neither * nor an ARN")]
    Resource,
    /// No condition operator has this name. Upper and lower case differ.
    #[error("is not a condition operator")]
    Operator,
    /// Neither ISO 8601 nor seconds since 1970.
    #[error("is not a date")]
    Date,
}

impl Fault {
    pub(super) fn at(self, path: &str) -> MalformedPolicy {
        MalformedPolicy::Element { path: path.to_owned(), fault: self }
    }
}

impl From<Fault> for MalformedPolicy {
    fn from(fault: Fault) -> Self {
        fault.at("")
    }
}

/// The error as seen from the element that contains the faulty one.
pub(super) fn inside(step: &str) -> impl FnOnce(MalformedPolicy) -> MalformedPolicy {
    move |error| match error {
        MalformedPolicy::Element { path, fault } if path.is_empty() || path.starts_with('[') => {
            fault.at(&format!("{step}{path}"))
        }
        MalformedPolicy::Element { path, fault } => fault.at(&format!("{step}.{path}")),
        error => error,
    }
}
