//! `SimulatePrincipalPolicy`: decides whether a user, a group or a role could do something.

use serde::Deserialize;
use serde_json::value::RawValue;
use seskey::policy::{
    Context, Decision, MissingAllow, PolicySource, Request, StatementRef, evaluate,
};

use super::{
    Account, Answer, EvalDecision, MatchedStatement, Page, Position, Simulated, Simulation,
    authority::{Bearing, Document},
};
use crate::refusal::{ApiRefusal, Missing};

/// The most work of one call, in characters of a policy times characters of a request: the account does nothing else
/// meanwhile. A page ends when this is used up; IAM too "might return fewer than the `MaxItems` number of results, even
/// when there are more results available".
const STEPS: usize = 50_000_000;

/// The most work of a single question, which is then alone on its page.
const STEPS_OF_ONE: usize = 4 * STEPS;

/// The most questions of a call: actions times resources.
const QUESTIONS: usize = 10_000;

impl Account {
    pub(super) fn simulate(&self, simulation: &Simulation) -> Result<Answer, ApiRefusal> {
        let more = given(&simulation.policy_input_list, |n| PolicySource::Inline {
            name: format!("{POLICY_INPUT_LIST}{n}"),
        })?;
        let bounds = given(&simulation.permissions_boundary_policy_input_list, |n| {
            PolicySource::Boundary { arn: format!("PermissionsBoundaryPolicyInputList.{n}") }
        })?;
        let mut policies = self.policies_of_arn(&simulation.policy_source_arn)?;
        if !bounds.is_empty() {
            // a given boundary replaces the user's own
            policies.retain(|(source, _)| !matches!(source, PolicySource::Boundary { .. }));
        }
        policies.extend(more.iter().chain(&bounds).map(|document| (&document.source, document)));

        let everything = ["*".to_owned()];
        let resources = match simulation.resource_arns.as_slice() {
            [] => everything.as_slice(),
            arns => arns,
        };
        let actions = &simulation.action_names;
        if actions.len() * resources.len() > QUESTIONS {
            return Err(ApiRefusal::InvalidInput(TOO_MANY_QUESTIONS));
        }
        let steps = steps(&policies, simulation);
        if steps > STEPS_OF_ONE {
            return Err(ApiRefusal::InvalidInput(TOO_MUCH_WORK));
        }
        let affordable = STEPS / steps.max(1);
        let max_items = simulation.page.max_items.min(affordable.max(1));
        let page = Page { max_items, ..simulation.page.clone() };
        let asked =
            actions.iter().flat_map(|action| resources.iter().map(move |arn| (action, arn)));
        let asked = asked.enumerate().map(|(place, question)| (format!("{place:09}"), question));
        let context: Context = simulation.context_entries.iter().cloned().collect();
        Ok(Answer::Simulation(page.of(asked)?.map(|(action, resource)| {
            let request = Request { action, resource, context: &context };
            let decision = evaluate(
                policies.iter().map(|(source, document)| (*source, document.policy())),
                &request,
            );
            let of_resource = !simulation.resource_arns.is_empty();
            simulated(&request, of_resource, decision, &policies)
        })))
    }

    fn policies_of_arn(&self, arn: &str) -> Result<Vec<Bearing<'_>>, ApiRefusal> {
        let name = arn.rsplit('/').next().unwrap_or_default();
        if self.user(name).is_some_and(|user| user.arn == arn) {
            return Ok(self.policies_of_user(name));
        }
        if let Some(entry) = self.role_of_arn(arn) {
            return Ok(self.policies_of_role(&entry.role.role_name));
        }
        let group = self.group_entry(name).ok().filter(|entry| entry.group.arn == arn);
        let missing = || ApiRefusal::NoSuchEntity(Missing::Policy(arn.to_owned()));
        Ok(self.policies_of(&group.ok_or_else(missing)?.held).collect())
    }
}

fn given(
    texts: &[String],
    source: impl Fn(usize) -> PolicySource,
) -> Result<Vec<Document>, ApiRefusal> {
    let numbered = texts.iter().zip(1..);
    numbered.map(|(text, n)| Document::parse(text.clone(), source(n))).collect()
}

/// Returns the most work of one question: every pattern, its variables replaced, against every text.
fn steps(policies: &[Bearing<'_>], simulation: &Simulation) -> usize {
    let longest = |texts: &[String]| texts.iter().map(String::len).max().unwrap_or_default();
    let values = || simulation.context_entries.iter().flat_map(|(_, values)| values);
    let texts = longest(&simulation.action_names)
        + longest(&simulation.resource_arns)
        + values().map(String::len).sum::<usize>();
    let value = values().map(String::len).max().unwrap_or_default();
    let patterns = policies
        .iter()
        .map(|(_, document)| document.text.len() + document.text.matches("${").count() * value);
    texts.saturating_mul(patterns.sum())
}

fn simulated(
    request: &Request<'_>,
    of_resource: bool,
    decision: Decision<'_>,
    policies: &[Bearing<'_>],
) -> Simulated {
    let (decision, by, allowed_by_permissions_boundary) = match decision {
        Decision::Allowed { by } => (EvalDecision::Allowed, Some(by), None),
        Decision::ExplicitDeny { by } => (EvalDecision::ExplicitDeny, Some(by), None),
        Decision::ImplicitDeny { missing: MissingAllow::Boundary { allowed_by, .. } } => {
            (EvalDecision::ImplicitDeny, Some(allowed_by), Some(false))
        }
        Decision::ImplicitDeny { .. } => (EvalDecision::ImplicitDeny, None, None),
    };
    Simulated {
        action_name: request.action.to_owned(),
        resource_name: request.resource.to_owned(),
        of_resource,
        decision,
        matched: by.and_then(|by| matched(by, policies)),
        allowed_by_permissions_boundary,
    }
}

/// Finds the statement that decides. The type of its policy was recorded as `IAM Policy` for customer-managed policies;
/// the types of other policies are guesses.
fn matched(by: StatementRef<'_>, policies: &[Bearing<'_>]) -> Option<MatchedStatement> {
    let (_, document) = policies.iter().find(|(source, _)| *source == by.source)?;
    let (start_position, end_position) = positions(&document.text, by.index)?;
    let id = match by.source {
        PolicySource::Inline { name }
        | PolicySource::Group { name, .. }
        | PolicySource::Resource { name, .. } => name,
        PolicySource::Managed { arn } | PolicySource::Boundary { arn } => arn,
    };
    let source_policy_id = id.rsplit('/').next().unwrap_or(id).to_owned();
    let of_request = id.starts_with(POLICY_INPUT_LIST);
    let source_policy_type = if of_request { "none" } else { "IAM Policy" };
    Some(MatchedStatement { source_policy_id, source_policy_type, start_position, end_position })
}

/// Returns the positions after the brackets that open and close a statement, as they were recorded.
fn positions(text: &str, statement: usize) -> Option<(Position, Position)> {
    let Written { statement: written } = serde_json::from_str(text).ok()?;
    let one = match written.get().starts_with('[') {
        true => *serde_json::from_str::<Vec<&RawValue>>(written.get()).ok()?.get(statement)?,
        false => written,
    };
    let start = one.get().as_ptr() as usize - text.as_ptr() as usize;
    let position = |offset: usize| {
        let before = &text[..offset];
        let line = before.rsplit('\n').next().unwrap_or(before);
        Position { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
    };
    Some((position(start + 1), position(start + one.get().len())))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written<'a> {
    #[serde(borrow)]
    statement: &'a RawValue,
}

const POLICY_INPUT_LIST: &str = "PolicyInputList.";

const TOO_MANY_QUESTIONS: &str =
    "Too many actions and resources for one simulation here: 10000 pairs at most.";
const TOO_MUCH_WORK: &str = "The policies are too large for such long values of the request here.";
