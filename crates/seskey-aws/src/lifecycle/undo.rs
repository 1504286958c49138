//! The things that a change made in an account, and how they are undone.

use seskey::user::SENDING_POLICY;

use super::{create::Event, permission::console_policy};
use crate::{Account, Cause, Error};

/// Something that a change made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The thing.
    pub what: Thing,
    /// Whether it is known to exist: false after a call whose answer was lost.
    pub certain: bool,
}

/// A thing that the creation of a credential makes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Thing {
    /// The sending group.
    Group {
        /// Its name.
        group: String,
    },
    /// The sending policy of the group.
    GroupPolicy {
        /// The group.
        group: String,
        /// The members of the group before.
        members: Vec<String>,
    },
    /// The SMTP user.
    User {
        /// Its name.
        user: String,
    },
    /// The membership of the user in the group.
    Membership {
        /// The user.
        user: String,
        /// The group.
        group: String,
    },
    /// The sending policy of the user.
    UserPolicy {
        /// The user.
        user: String,
    },
    /// The access key.
    AccessKey {
        /// The user.
        user: String,
        /// Its ID; absent when the answer was lost.
        id: Option<String>,
    },
}

/// Something that was made and could not be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOver {
    /// The thing.
    pub what: Made,
    /// The reason why it still exists.
    pub why: Error,
}

/// Undoes what was made, the last thing first. Each step is tried even if another fails; a thing that is already gone
/// counts as undone. The group and its policy stay if somebody else has joined meanwhile. Returns what is left over.
pub async fn undo(
    account: &Account,
    made: &[Made],
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Vec<LeftOver> {
    let own = made.iter().find_map(|made| match &made.what {
        Thing::User { user } => Some(user.as_str()),
        _ => None,
    });
    let mut left = Vec::new();
    for made in made.iter().rev() {
        match take_back(account, &made.what, own).await {
            Ok(true) => on_event(Event::TakenBack(made.what.clone())),
            Ok(false) => on_event(Event::Kept(made.what.clone())),
            Err(error) if error.is_no_such_entity() => {
                on_event(Event::TakenBack(made.what.clone()))
            }
            Err(why) => left.push(LeftOver { what: made.clone(), why }),
        }
    }
    left
}

/// Undoes one thing; `false` if others have begun to use it.
async fn take_back(account: &Account, thing: &Thing, own: Option<&str>) -> Result<bool, Error> {
    let is_other = |member: &String| Some(member.as_str()) != own;
    match thing {
        Thing::AccessKey { user, id: Some(id) } => account.delete_access_key(user, id).await?,
        Thing::AccessKey { user, id: None } => {
            // the user is new and ours, so every key of it is the one whose answer was lost
            for key in account.access_keys(user).await? {
                account.delete_access_key(user, &key.id).await?;
            }
        }
        Thing::UserPolicy { user } => account.delete_user_policy(user, SENDING_POLICY).await?,
        Thing::Membership { user, group } => account.remove_user_from_group(user, group).await?,
        // IAM refuses to delete a user that has anything: another person's user of the same name is safe
        Thing::User { user } => account.delete_user(user).await?,
        Thing::GroupPolicy { group, members } => {
            let now = account.group_members(group).await?;
            if now.iter().any(|member| is_other(member) && !members.contains(member)) {
                return Ok(false);
            }
            account.delete_group_policy(group, SENDING_POLICY).await?;
        }
        Thing::Group { group } => match account.delete_group(group).await {
            Err(Error { cause: Cause::DeleteConflict { .. }, .. })
                if account.group_members(group).await?.iter().any(is_other) =>
            {
                // a user that joined between the two calls needs the deleted policy
                account.put_group_policy(group, SENDING_POLICY, &console_policy()).await?;
                return Ok(false);
            }
            deleted => deleted?,
        },
    }
    Ok(true)
}
