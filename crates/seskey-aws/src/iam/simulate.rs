//! The decisions that IAM would make (SimulatePrincipalPolicy). Source: IAM User Guide, "IAM policy testing with the
//! IAM policy simulator": nothing is executed, and policies of resources and organizations are not all seen.

use aws_sdk_iam::types::{
    ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType,
};

use crate::{Account, Error};

/// IAM's decision on one action and resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulated {
    /// The action.
    pub action: String,
    /// The ARN of the resource.
    pub resource: String,
    /// The decision.
    pub verdict: Verdict,
    /// The policies whose statements decided.
    pub policies: Vec<String>,
    /// Condition keys that the policies use and the request lacked: the real decision may differ.
    pub missing_context: Vec<String>,
    /// Whether a policy of the organization denies it. Source: IAM API, `OrganizationsDecisionDetail`.
    pub organization_denies: bool,
}

/// A decision. Source: IAM API, `EvaluationResult`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // IAM's own words
pub enum Verdict {
    Allowed,
    ExplicitDeny,
    ImplicitDeny,
}

/// A request to the simulator.
pub(crate) struct Simulation<'a> {
    pub(crate) principal: &'a str,
    pub(crate) actions: &'a [&'a str],
    pub(crate) resources: &'a [&'a str],
    /// Condition keys with their values, each a list or a single string.
    pub(crate) context: &'a [(&'a str, ContextKeyTypeEnum, Vec<String>)],
}

impl Account {
    pub(crate) async fn simulate(
        &self,
        simulation: Simulation<'_>,
    ) -> Result<Vec<Simulated>, Error> {
        let owned = |texts: &[&str]| Some(texts.iter().map(|&text| text.to_owned()).collect());
        let entry = |(key, kind, values): &(&str, ContextKeyTypeEnum, Vec<String>)| {
            let entry =
                ContextEntry::builder().context_key_name(*key).context_key_type(kind.clone());
            entry.set_context_key_values(Some(values.clone())).build()
        };
        let pages = self
            .iam
            .simulate_principal_policy()
            .policy_source_arn(simulation.principal)
            .set_action_names(owned(simulation.actions))
            .set_resource_arns(owned(simulation.resources))
            .set_context_entries(Some(simulation.context.iter().map(entry).collect()))
            .into_paginator()
            .items()
            .send();
        let results: Vec<_> =
            pages.try_collect().await.map_err(self.failed("iam:SimulatePrincipalPolicy"))?;
        Ok(results.into_iter().flat_map(simulated).collect())
    }
}

/// Splits the result of one action by resource, if it contains several resources.
fn simulated(result: EvaluationResult) -> Vec<Simulated> {
    let policies = |statements: &[aws_sdk_iam::types::Statement]| {
        statements.iter().filter_map(|statement| statement.source_policy_id.clone()).collect()
    };
    let action = result.eval_action_name.clone();
    let organization = result.organizations_decision_detail();
    let organization_denies = organization.is_some_and(|detail| !detail.allowed_by_organizations);
    if result.resource_specific_results().is_empty() {
        return vec![Simulated {
            action,
            resource: result.eval_resource_name().unwrap_or("*").to_owned(),
            verdict: verdict(&result.eval_decision),
            policies: policies(result.matched_statements()),
            missing_context: result.missing_context_values.unwrap_or_default(),
            organization_denies,
        }];
    }
    let specific = |result: &aws_sdk_iam::types::ResourceSpecificResult| Simulated {
        action: action.clone(),
        resource: result.eval_resource_name.clone(),
        verdict: verdict(&result.eval_resource_decision),
        policies: policies(result.matched_statements()),
        missing_context: result.missing_context_values().to_vec(),
        organization_denies,
    };
    result.resource_specific_results().iter().map(specific).collect()
}

fn verdict(decision: &PolicyEvaluationDecisionType) -> Verdict {
    match decision {
        PolicyEvaluationDecisionType::Allowed => Verdict::Allowed,
        PolicyEvaluationDecisionType::ExplicitDeny => Verdict::ExplicitDeny,
        // an unknown decision is at least no permission
        _ => Verdict::ImplicitDeny,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::types::OrganizationsDecisionDetail;

    use super::*;

    #[test]
    fn what_the_organization_denies_is_told_apart() {
        for (allowed, denies) in [(None, false), (Some(true), false), (Some(false), true)] {
            let detail = allowed.map(|allowed| {
                OrganizationsDecisionDetail::builder().allowed_by_organizations(allowed).build()
            });
            let result = EvaluationResult::builder()
                .eval_action_name("ses:SendRawEmail")
                .eval_decision(PolicyEvaluationDecisionType::ImplicitDeny)
                .set_organizations_decision_detail(detail);
            assert_eq!(simulated(result.build().unwrap())[0].organization_denies, denies);
        }
    }
}
