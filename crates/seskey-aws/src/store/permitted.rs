//! The check whether the caller's policies forbid a write, made before the write.

use crate::{
    Account,
    iam::{Caller, Simulated, Simulation, Verdict},
};

use super::StoreError;

/// An action of a write, and its resource.
pub(super) struct Needs<'a> {
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    /// Whether a policy of the resource, which the simulator does not see, may allow it all the same.
    pub(super) may_be_granted: bool,
}

/// Returns the actions of a write on a customer managed KMS key, whose key policy may allow them. Source: Secrets
/// Manager User Guide and Systems Manager User Guide, on permissions for a customer managed key.
pub(super) fn of_kms_key(key: &str) -> impl Iterator<Item = Needs<'_>> {
    // an alias is resolved where it is used
    let is_arn = key.starts_with("arn:") && key.contains(":key/");
    let actions = ["kms:GenerateDataKey", "kms:Decrypt"].into_iter().filter(move |_| is_arn);
    actions.map(move |action| Needs { action, resource: key, may_be_granted: true })
}

/// Asks the simulator. For a caller that may not ask it, or has no policies, the check passes and the write decides.
/// Source: IAM User Guide, "Policy evaluation logic": an explicit deny outweighs every grant.
pub(super) async fn permitted(
    account: &Account,
    caller: &Caller,
    needs: &[Needs<'_>],
) -> Result<(), StoreError> {
    let Some(principal) = caller.policy_source() else { return Ok(()) };
    let mut denied = vec![];
    for Needs { action, resource, may_be_granted } in needs {
        let (actions, resources) = (&[*action][..], &[*resource][..]);
        let simulation = Simulation { principal: &principal, actions, resources, context: &[] };
        let Ok(results) = account.simulate(simulation).await else { return Ok(()) };
        let is_denied = |result: &Simulated| match result.verdict {
            Verdict::ExplicitDeny => result.missing_context.is_empty(),
            Verdict::ImplicitDeny => result.missing_context.is_empty() && !may_be_granted,
            Verdict::Allowed => false,
        };
        denied.extend(results.into_iter().filter(is_denied));
    }
    if denied.is_empty() { Ok(()) } else { Err(StoreError::NotPermitted { denied }) }
}
