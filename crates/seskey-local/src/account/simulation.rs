//! `SimulatePrincipalPolicy`: what a user or a group could do, asked without doing it.

use seskey::policy::{Decision, MissingAllow, Policy, PolicySource, Request, evaluate};

use super::{Account, Answer, EvalDecision, Simulated, Simulation, authority::Document};
use crate::refusal::{Missing, Refusal};

impl Account {
    pub(super) fn simulate(&self, simulation: &Simulation) -> Result<Answer, Refusal> {
        let parse = |text: &String, source| Document::parse(text.clone(), source);
        let given = |text| parse(text, PolicySource::Inline { name: "PolicyInputList".into() });
        let bound = |text| {
            parse(text, PolicySource::Boundary { arn: "PermissionsBoundaryPolicyInputList".into() })
        };
        let more: Vec<Document> =
            simulation.policy_input_list.iter().map(given).collect::<Result<_, _>>()?;
        let bounds: Vec<Document> = simulation
            .permissions_boundary_policy_input_list
            .iter()
            .map(bound)
            .collect::<Result<_, _>>()?;

        let mut policies = self.policies_of_arn(&simulation.policy_source_arn)?;
        if !bounds.is_empty() {
            // a boundary that is given stands in place of the user's own
            policies.retain(|(source, _)| !matches!(source, PolicySource::Boundary { .. }));
        }
        policies.extend(
            more.iter().chain(&bounds).map(|document| (&document.source, &document.policy)),
        );

        let everything = ["*".to_owned()];
        let resources = match simulation.resource_arns.as_slice() {
            [] => everything.as_slice(),
            arns => arns,
        };
        let asked = simulation
            .action_names
            .iter()
            .flat_map(|action| resources.iter().map(move |arn| (action, arn)));
        let results = asked.enumerate().map(|(place, (action, resource))| {
            let request = Request { action, resource, context: &simulation.context };
            let decision = evaluate(policies.iter().copied(), &request);
            (format!("{place:09}"), simulated(action, resource, decision))
        });
        Ok(Answer::Simulation(simulation.page.of(results)?))
    }

    fn policies_of_arn(&self, arn: &str) -> Result<Vec<(&PolicySource, &Policy)>, Refusal> {
        let missing = || Refusal::NoSuchEntity(Missing::Policy(arn.to_owned()));
        let name = arn.rsplit('/').next().unwrap_or_default();
        if self.user(name).is_some_and(|user| user.arn == arn) {
            return Ok(self.policies_of_user(name));
        }
        let group = self
            .group_entry(name)
            .ok()
            .filter(|entry| entry.group.arn == arn)
            .ok_or_else(missing)?;
        Ok(self.policies_of(&group.held).collect())
    }
}

fn simulated(action: &str, resource: &str, decision: Decision<'_>) -> Simulated {
    let (decision, allowed_by_permissions_boundary) = match decision {
        Decision::Allowed { .. } => (EvalDecision::Allowed, None),
        Decision::ExplicitDeny { .. } => (EvalDecision::ExplicitDeny, None),
        Decision::ImplicitDeny { missing: MissingAllow::Boundary { .. } } => {
            (EvalDecision::ImplicitDeny, Some(false))
        }
        Decision::ImplicitDeny { .. } => (EvalDecision::ImplicitDeny, None),
    };
    Simulated {
        action_name: action.to_owned(),
        resource_name: resource.to_owned(),
        decision,
        allowed_by_permissions_boundary,
    }
}
