//! The events that the function takes.

use serde::Deserialize;
use serde_json::Value;
use seskey_aws::lifecycle::function::Request;

use crate::explain::{Failure, Result};

pub(super) enum Event {
    /// A step of a rotation by Secrets Manager.
    Step(Request),
    /// A request to do what is due.
    Apply(Apply),
}

/// The members of `{"apply": {…}}`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Apply {
    /// The users to go through, in place of all that are declared.
    pub(super) users: Vec<String>,
    /// The account to go through, in place of all that are declared.
    pub(super) account: Option<String>,
    /// The secrets that Secrets Manager rotates by this function, whose rotations are to be finished.
    pub(super) secrets: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Step {
    step: String,
    secret_id: String,
    client_request_token: String,
    rotation_token: Option<String>,
}

#[derive(Deserialize)]
struct Wrapped {
    apply: Apply,
}

impl Event {
    pub(super) fn parse(payload: &Value) -> Result<Self> {
        let unknown = |reason: &dyn std::fmt::Display| {
            Failure::usage(
                format!("this is no event of seskey: {reason}"),
                r#"it takes what Secrets Manager sends, and {"apply": {}}; docs/lambda.md lists the members"#,
            )
        };
        if payload.get("apply").is_some() {
            let Wrapped { apply } =
                Wrapped::deserialize(payload).map_err(|error| unknown(&error))?;
            return Ok(Self::Apply(apply));
        }
        let Step { step, secret_id, client_request_token, rotation_token } =
            Step::deserialize(payload).map_err(|error| unknown(&error))?;
        let step = step.parse().map_err(|()| unknown(&format!("there is no step {step:?}")))?;
        let (secret, version) = (secret_id, client_request_token);
        Ok(Self::Step(Request { step, secret, version, rotation_token }))
    }
}
