//! The sending group of the SES console: read, made as far as it is missing, joined.

use seskey::user::{SENDING_GROUP, SENDING_POLICY};

use super::{
    change::{Change, Stopped, settled},
    create::{Check, Event},
    permission::{Document, console_policy},
    preflight::skip,
    undo::Thing,
};
use crate::{Account, Cause, Error};

/// The sending group as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Group {
    Absent,
    /// The group may exist; the caller may not look.
    Unknown,
    Present {
        members: Vec<String>,
        sending: Sending,
    },
}

/// The effect of the group's policies on the sending of its members.
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

/// Reads the group. A part that the caller may not read is reported and does not stop the change.
pub(super) async fn look_at_group(
    account: &Account,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Group, Error> {
    let members = match account.group_members(SENDING_GROUP).await {
        Ok(members) => members,
        Err(error) if error.is_no_such_entity() => return Ok(Group::Absent),
        Err(error) => {
            skip(Check::Group, error, on_event)?;
            return Ok(Group::Unknown);
        }
    };
    let sending = match account.documents_of_group(SENDING_GROUP).await {
        Ok(documents) => sending(documents, Document::allows_sending),
        Err(error) => {
            skip(Check::GroupPolicy, error, on_event)?;
            Sending::Unknown
        }
    };
    Ok(Group::Present { members, sending })
}

/// Returns the effect of the group's policies; a policy for which `enough` holds allows sending.
pub(super) fn sending(documents: Vec<Document>, enough: fn(&Document) -> bool) -> Sending {
    if documents.is_empty() {
        Sending::NoPolicy
    } else if documents.iter().any(enough) {
        Sending::Allowed
    } else {
        let policies = documents.into_iter().map(|document| document.name).collect();
        Sending::NotAllowed { policies }
    }
}

impl Change<'_> {
    /// Makes the group and its policy, as far as they are missing. A policy that cannot be read stays as it is.
    pub(super) async fn ready_group(&mut self, mut group: Group) -> Result<(), Stopped> {
        let account = self.account;
        let name = || SENDING_GROUP.to_owned();
        if matches!(group, Group::Absent | Group::Unknown) {
            let may_exist = group == Group::Unknown;
            group = match self
                .make(|_| Thing::Group { group: name() }, account.create_group(SENDING_GROUP))
                .await
            {
                Ok(()) => Group::Present { members: Vec::new(), sending: Sending::NoPolicy },
                Err(Stopped::Call(Error { cause: Cause::EntityAlreadyExists { .. }, .. })) => {
                    look_at_group(account, self.on_event).await?
                }
                // others keep the group for this caller; otherwise it cannot be joined
                Err(Stopped::Call(error)) if may_exist && error.is_access_denied() => {
                    Group::Unknown
                }
                Err(stopped) => return Err(stopped),
            };
        }
        match group {
            Group::Present { sending: Sending::NoPolicy, members } => {
                let policy = console_policy();
                let put =
                    settled(|| account.put_group_policy(SENDING_GROUP, SENDING_POLICY, &policy));
                self.make(|_| Thing::GroupPolicy { group: name(), members }, put).await
            }
            Group::Present { sending: Sending::NotAllowed { policies }, .. } => {
                Err(Stopped::GroupCannotSend { policies })
            }
            _ => Ok(()),
        }
    }

    /// Adds the user to the group.
    pub(super) async fn join_group(&mut self, user: &str) -> Result<(), Stopped> {
        let account = self.account;
        let added = settled(|| account.add_user_to_group(user, SENDING_GROUP));
        let (user, group) = (user.to_owned(), SENDING_GROUP.to_owned());
        self.make(|_| Thing::Membership { user, group }, added).await
    }
}
