//! The checks before a change. A caller with only the rights that the SES console needs may read little for them: what
//! it may not read is reported, and does not stop the change.

use seskey::user::SENDING_GROUP;

use super::{
    create::{Check, CreateFailure, CreateRequest, Event, Style},
    group::{Group, Sending, look_at_group},
};
use crate::{
    Account, Error,
    iam::{Caller, Simulated, Simulation, Verdict},
};

type OnEvent<'a> = &'a mut (dyn FnMut(Event) + Send);

/// Checks everything that could make the change fail half-way. Returns the group for the group style.
pub(super) async fn preflight(
    account: &Account,
    request: &CreateRequest,
    on_event: OnEvent<'_>,
) -> Result<Group, CreateFailure> {
    let caller = account.caller().await?;
    on_event(Event::Caller(caller.clone()));
    match account.user(request.user_name.as_str()).await {
        Ok(user) => return Err(CreateFailure::UserExists { arn: user.arn }),
        Err(error) if error.is_no_such_entity() => {}
        Err(error) => skip(Check::User, error, on_event)?,
    }
    let group = match request.style {
        Style::Group => look_at_group(account, on_event).await?,
        Style::Inline { .. } => Group::Unknown,
    };
    if let Group::Present { sending: Sending::NotAllowed { policies }, .. } = group {
        return Err(CreateFailure::GroupCannotSend { group: SENDING_GROUP.to_owned(), policies });
    }
    let (on_user, on_group) = actions(request, &group);
    let user_arn = caller.arn_of(&format!("user{}{}", request.path.as_str(), request.user_name));
    let needs =
        [(&on_user[..], user_arn), (on_group, caller.arn_of(&format!("group/{SENDING_GROUP}")))];
    let denied = denied(account, &caller, &needs, on_event).await;
    if denied.is_empty() { Ok(group) } else { Err(CreateFailure::NotPermitted { denied }) }
}

/// Returns the actions of the change on the user, and on the group.
fn actions(request: &CreateRequest, group: &Group) -> (Vec<&'static str>, &'static [&'static str]) {
    let mut on_user = vec!["iam:CreateUser", "iam:CreateAccessKey"];
    if !request.tags.is_empty() {
        on_user.push("iam:TagUser");
    }
    let on_group: &[&str] = match (&request.style, group) {
        (Style::Inline { .. }, _) => {
            on_user.push("iam:PutUserPolicy");
            &[]
        }
        (_, Group::Absent) => &["iam:CreateGroup", "iam:PutGroupPolicy", "iam:AddUserToGroup"],
        (_, Group::Present { sending: Sending::NoPolicy, .. }) => {
            &["iam:PutGroupPolicy", "iam:AddUserToGroup"]
        }
        _ => &["iam:AddUserToGroup"],
    };
    (on_user, on_group)
}

/// Asks the simulator which of these actions, each on its resource, the caller may not do. If a policy uses condition
/// keys that only the real request has, the answer does not count.
pub(super) async fn denied(
    account: &Account,
    caller: &Caller,
    needs: &[(&[&str], String)],
    on_event: OnEvent<'_>,
) -> Vec<Simulated> {
    let mut denied = Vec::new();
    let Some(principal) = caller.policy_source() else {
        on_event(Event::Unchecked { check: Check::Permissions, why: None });
        return denied;
    };
    for (actions, resource) in needs.iter().filter(|(actions, _)| !actions.is_empty()) {
        let simulation =
            Simulation { principal: &principal, actions, resources: &[resource], context: &[] };
        match account.simulate(simulation).await {
            Ok(results) => denied.extend(results.into_iter().filter(is_denied)),
            Err(why) => {
                on_event(Event::Unchecked { check: Check::Permissions, why: Some(why) });
                break;
            }
        }
    }
    denied
}

pub(super) fn is_denied(result: &Simulated) -> bool {
    result.verdict != Verdict::Allowed && result.missing_context.is_empty()
}

/// Skips a check that the caller may not make; any other failure would meet the change too.
pub(super) fn skip(check: Check, error: Error, on_event: OnEvent<'_>) -> Result<(), Error> {
    if !error.is_access_denied() {
        return Err(error);
    }
    on_event(Event::Unchecked { check, why: Some(error) });
    Ok(())
}
