//! The four steps of a rotation function of AWS Secrets Manager, each as a function of what is observed.
//!
//! A step may come twice, late, in another order, or after a kill. In every case it does the work that is left, or says
//! why it does none. No step deactivates or deletes a key that was in use: that is due later, and is left to
//! [`next`](super::next).
//!
//! Sources: AWS Secrets Manager User Guide, "Rotation by Lambda function", and "Lambda function rotation strategies";
//! Secrets Manager API, `RotateSecret`, `PutSecretValue`, `UpdateSecretVersionStage`.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use super::{Goal, Seen, Step, next};

/// The label of the version in use.
pub const CURRENT: &str = "AWSCURRENT";

/// The label of the version that a rotation makes.
pub const PENDING: &str = "AWSPENDING";

/// The steps that Secrets Manager asks for, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // Secrets Manager's own words
pub enum FunctionStep {
    CreateSecret,
    SetSecret,
    TestSecret,
    FinishSecret,
}

/// A secret under rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretSeen {
    /// Whether rotation of the secret is enabled.
    pub is_enabled: bool,
    /// The labels of each version, by its ID.
    pub labels: BTreeMap<String, BTreeSet<String>>,
    /// The version that the rotation makes: the client request token.
    pub version: String,
    /// The content of that version.
    pub value: Value,
}

/// The content of a version of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing yet.
    None,
    /// A credential.
    Credential,
    /// Something that is not an SMTP credential.
    Foreign,
}

/// The work that is left of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Nothing: it was done before.
    Nothing,
    /// Make a key, prove it, and put it into the version.
    Make,
    /// Log in with the version in use.
    TryCurrent,
    /// Log in with the pending version.
    TryPending,
    /// The same, then move [`CURRENT`] to it, and note the hand-over.
    Move {
        /// The version that has the label now.
        from: Option<String>,
    },
    /// Note the hand-over: the label was moved before.
    HandOver,
}

/// The reason why a step is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Abandoned {
    /// The secret is not rotated.
    #[error("rotation is not enabled")]
    NotEnabled,
    /// The secret has no such version.
    #[error("it has no version {version}")]
    NoVersion {
        /// The client request token.
        version: String,
    },
    /// The version is not, or no longer, one that a rotation makes.
    #[error("the version {version} is not labelled {PENDING}")]
    NotPending {
        /// The client request token.
        version: String,
    },
    /// The previous step has not put anything into the version.
    #[error("the version {version} holds nothing yet")]
    Empty {
        /// The client request token.
        version: String,
    },
    /// The version has a value that is not an SMTP credential.
    #[error("the version {version} does not hold an SMTP credential")]
    Foreign {
        /// The client request token.
        version: String,
    },
}

/// Returns what is left of the step.
///
/// # Errors
/// Fails if the step cannot be done and a retry does not help.
pub fn work(step: FunctionStep, seen: &SecretSeen) -> Result<Work, Abandoned> {
    use FunctionStep::{CreateSecret, FinishSecret, SetSecret, TestSecret};
    let version = || seen.version.clone();
    let labels = seen
        .labels
        .get(&seen.version)
        .ok_or_else(|| Abandoned::NoVersion { version: version() })?;
    match (step, &seen.value) {
        _ if !seen.is_enabled => Err(Abandoned::NotEnabled),
        (FinishSecret, _) if labels.contains(CURRENT) => Ok(Work::HandOver),
        _ if labels.contains(CURRENT) => Ok(Work::Nothing),
        _ if !labels.contains(PENDING) => Err(Abandoned::NotPending { version: version() }),
        (_, Value::Foreign) => Err(Abandoned::Foreign { version: version() }),
        (CreateSecret, Value::None) => Ok(Work::Make),
        (CreateSecret, Value::Credential) => Ok(Work::Nothing),
        // when a rotation is set up but not begun, only this step comes, and there is no new key
        (TestSecret, Value::None) => Ok(Work::TryCurrent),
        (SetSecret | FinishSecret, Value::None) => Err(Abandoned::Empty { version: version() }),
        // there is nothing to set: IAM has had the key since it was made
        (SetSecret, Value::Credential) => Ok(Work::TryCurrent),
        (TestSecret, Value::Credential) => Ok(Work::TryPending),
        (FinishSecret, Value::Credential) => {
            Ok(Work::Move { from: seen.current().map(str::to_owned) })
        }
    }
}

/// Returns the step of [`next`] for a secret whose keys a rotation function makes: the key in the stores is noted, and
/// noted keys are retired in time, but no key is made.
pub fn settle(seen: &Seen, goal: &Goal) -> Step {
    match next(seen, goal) {
        Step::WriteIntent(_) | Step::CreateKey(_) => Step::Done { due: None },
        step => step,
    }
}

impl SecretSeen {
    /// Returns the version in use.
    pub fn current(&self) -> Option<&str> {
        let mut versions = self.labels.iter();
        versions.find(|(_, labels)| labels.contains(CURRENT)).map(|(version, _)| &**version)
    }
}

impl FromStr for FunctionStep {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "createSecret" => Ok(Self::CreateSecret),
            "setSecret" => Ok(Self::SetSecret),
            "testSecret" => Ok(Self::TestSecret),
            "finishSecret" => Ok(Self::FinishSecret),
            _ => Err(()),
        }
    }
}
