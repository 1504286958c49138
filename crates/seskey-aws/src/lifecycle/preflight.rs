//! What is looked at before anything is changed. A caller with nothing but the rights that the SES console needs may
//! read little of it: what it may not read is said and does not stop the change.

use seskey::user::SENDING_GROUP;

use super::{
    create::{Check, CreateFailure, CreateRequest, Event, Style},
    permission::Document,
};
use crate::{
    Account, Error,
    iam::{Caller, Simulated, Simulation, Verdict},
};

/// The sending group as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Group {
    Absent,
    /// It may exist; the caller may not look.
    Unknown,
    Present {
        members: Vec<String>,
        sending: Sending,
    },
}

/// Whether the policies of the group let its members send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sending {
    Allowed,
    /// There is no policy at all.
    NoPolicy,
    /// There are policies, and none of them allows it.
    NotAllowed {
        policies: Vec<String>,
    },
    /// The caller may not look.
    Unknown,
}

type OnEvent<'a> = &'a mut (dyn FnMut(Event) + Send);

/// Looks at everything that could make the change fail half-way. Returns the group for the group style.
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
    check_permissions(account, &caller, request, &group, on_event).await?;
    Ok(group)
}

pub(super) async fn look_at_group(
    account: &Account,
    on_event: OnEvent<'_>,
) -> Result<Group, CreateFailure> {
    let members = match account.group_members(SENDING_GROUP).await {
        Ok(members) => members,
        Err(error) if error.is_no_such_entity() => return Ok(Group::Absent),
        Err(error) => {
            skip(Check::Group, error, on_event)?;
            return Ok(Group::Unknown);
        }
    };
    let sending = match account.documents_of_group(SENDING_GROUP).await {
        Ok(documents) if documents.is_empty() => Sending::NoPolicy,
        Ok(documents) if documents.iter().any(Document::allows_sending) => Sending::Allowed,
        Ok(documents) => Sending::NotAllowed {
            policies: documents.into_iter().map(|document| document.name).collect(),
        },
        Err(error) => {
            skip(Check::GroupPolicy, error, on_event)?;
            Sending::Unknown
        }
    };
    Ok(Group::Present { members, sending })
}

/// Asks the simulator about the caller. Where a policy asks for condition keys that only the real request has, the
/// answer says nothing.
async fn check_permissions(
    account: &Account,
    caller: &Caller,
    request: &CreateRequest,
    group: &Group,
    on_event: OnEvent<'_>,
) -> Result<(), CreateFailure> {
    let Some(principal) = caller.policy_source() else {
        on_event(Event::Unchecked { check: Check::Permissions, why: None });
        return Ok(());
    };
    let partition = caller.arn.split(':').nth(1).unwrap_or("aws");
    let arn = |resource: String| format!("arn:{partition}:iam::{}:{resource}", caller.account);
    let user_arn = arn(format!("user{}{}", request.path.as_str(), request.user_name));
    let group_arn = arn(format!("group/{SENDING_GROUP}"));
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
    let mut denied = Vec::new();
    for (actions, resource) in [(&on_user[..], &user_arn), (on_group, &group_arn)] {
        if actions.is_empty() {
            continue;
        }
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
    if denied.is_empty() { Ok(()) } else { Err(CreateFailure::NotPermitted { denied }) }
}

fn is_denied(result: &Simulated) -> bool {
    result.verdict != Verdict::Allowed && result.missing_context.is_empty()
}

/// A check that the caller may not make is skipped; any other failure would meet the change too.
fn skip(check: Check, error: Error, on_event: OnEvent<'_>) -> Result<(), CreateFailure> {
    if !error.is_access_denied() {
        return Err(error.into());
    }
    on_event(Event::Unchecked { check, why: Some(error) });
    Ok(())
}
