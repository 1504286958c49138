//! The operations on the account as a whole, and the simulation of policies.

use super::{policies::entity_type, *};
use crate::{account::Simulation, refusal::Constraint};

pub(super) const OPERATIONS: &[Operation] = &[
    op("GenerateCredentialReport", "", Resource::None, |_, _| Ok(Action::GenerateCredentialReport)),
    op(
        "GetAccountAuthorizationDetails",
        "Filter.member.N MaxItems Marker",
        Resource::None,
        |m, _| {
            let unknown = || invalid("Filter", Constraint::OneOf);
            let words = m.list("Filter", &ENTITY_TYPE)?;
            let kinds = words.iter().map(|word| entity_type(word).ok_or_else(unknown));
            let filter = kinds.collect::<Result<_, _>>()?;
            Ok(Action::GetAccountAuthorizationDetails { filter, page: m.page()? })
        },
    ),
    op("GetAccountPasswordPolicy", "", Resource::None, |_, _| Ok(Action::GetAccountPasswordPolicy)),
    op("GetAccountSummary", "", Resource::None, |_, _| Ok(Action::GetAccountSummary)),
    op("GetCredentialReport", "", Resource::None, |_, _| Ok(Action::GetCredentialReport)),
    op("ListAccountAliases", "Marker MaxItems", Resource::None, |m, _| none(m, "AccountAliases")),
    op("ListVirtualMFADevices", "AssignmentStatus Marker MaxItems", Resource::None, |m, _| {
        m.one_of("AssignmentStatus", |word| {
            matches!(word, "Assigned" | "Unassigned" | "Any").then_some(())
        })?;
        none(m, "VirtualMFADevices")
    }),
    op(
        "SimulatePrincipalPolicy",
        "PolicySourceArn* PolicyInputList.member.N PermissionsBoundaryPolicyInputList.member.N \
         ActionNames.member.N* ResourceArns.member.N ContextEntries.member.N.ContextKeyName \
         ContextEntries.member.N.ContextKeyValues.member.N ContextEntries.member.N.ContextKeyType \
         MaxItems Marker",
        Resource::PolicySource,
        simulate,
    ),
];

fn none(m: &Members, list: &'static str) -> Result<Action, ApiRefusal> {
    m.page()?;
    Ok(Action::ListNone { holder: None, list })
}

fn simulate(m: &Members, _: &Principal) -> Result<Action, ApiRefusal> {
    let mut context_entries = Vec::new();
    for n in 1.. {
        let entry = |part: &str| format!("ContextEntries.member.{n}.{part}");
        let Some(key) = m.optional(&entry("ContextKeyName"), &CONTEXT_KEY_NAME)? else { break };
        context_entries.push((key, m.list(&entry("ContextKeyValues"), &CONTEXT_VALUE)?));
    }
    Ok(Action::SimulatePrincipalPolicy(Simulation {
        policy_source_arn: m.required("PolicySourceArn", &ARN)?,
        policy_input_list: m.list("PolicyInputList", &POLICY_DOCUMENT)?,
        permissions_boundary_policy_input_list: m
            .list("PermissionsBoundaryPolicyInputList", &POLICY_DOCUMENT)?,
        action_names: m.required_list("ActionNames", &ACTION_NAME)?,
        resource_arns: m.list("ResourceArns", &RESOURCE_NAME)?,
        context_entries,
        page: m.page()?,
    }))
}
