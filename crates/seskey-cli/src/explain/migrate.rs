//! How a user moves to the group of the SES console, and why it did not, in sentences.

use seskey::user::{CONSOLE_TAG, SENDING_GROUP, SENDING_POLICY};
use seskey_aws::{
    iam::Simulated,
    lifecycle::migrate::{MigrateError, MigrateFailure, Plan, Step},
};

use super::{Failure, aws, create};

pub(crate) fn failure(error: &MigrateError, plan: &Plan) -> Failure {
    let failure = self::plan(&error.failure, &plan.user);
    if !error.joined && error.left.is_empty() {
        return failure;
    }
    let hint = match error.failure {
        MigrateFailure::Interrupted => "run it again to finish".to_owned(),
        _ => format!("{}; then run it again to finish", failure.hint),
    };
    if !error.joined {
        return Failure { hint, ..create::with_leftovers(failure, &error.left) };
    }
    let user = &plan.user;
    Failure::unfinished(
        format!("{}; {user} may send as before, and is not migrated to the end", failure.message),
        hint,
    )
}

pub(crate) fn plan(failure: &MigrateFailure, user: &str) -> Failure {
    match failure {
        MigrateFailure::Call(error) => aws::failure(error),
        MigrateFailure::NotInline => Failure::new(
            format!("{user} has no inline policy {SENDING_POLICY}, so there is nothing to migrate"),
            "seskey list shows the users that may send, and in which style",
        ),
        MigrateFailure::Restricted => Failure::new(
            format!(
                "the inline policy {SENDING_POLICY} restricts what {user} may send, and the group's does not"
            ),
            "leave the user as it is, or give up the restriction with --widen",
        ),
        MigrateFailure::AllowsMore => Failure::new(
            format!(
                "the inline policy {SENDING_POLICY} of {user} allows more than ses:SendRawEmail, and the group's does not"
            ),
            "move the other permissions into a policy of another name: that one stays",
        ),
        MigrateFailure::GroupRestricts { policies } => Failure::new(
            format!(
                "the policies of the group {SENDING_GROUP} do not let its members send without restriction: {}",
                policies.join(", ")
            ),
            "mend the policy of the group: the console's allows ses:SendRawEmail on * and nothing else",
        ),
        MigrateFailure::UserCannotSend { simulated: Simulated { policies, .. } } => Failure::new(
            match &policies[..] {
                [] => format!("{user} may not send now, so its permission cannot be moved"),
                policies => format!("{user} may not send now, by {}", policies.join(", ")),
            },
            "a policy of the user denies it, or its permissions boundary: mend that first",
        ),
        MigrateFailure::NotPermitted { denied } => {
            aws::with_operator_policy(aws::not_permitted(denied), "migrate")
        }
        MigrateFailure::NotSeen => Failure::new(
            format!("IAM does not show {user} in the group {SENDING_GROUP} yet"),
            "wait a minute",
        ),
        MigrateFailure::Interrupted => Failure::new("interrupted", "run it again"),
        _ => Failure::new(failure.to_string(), "try again"),
    }
}

pub(crate) fn step(step: Step, user: &str, done: bool) -> String {
    let (doing, did, what) = match step {
        Step::CreateGroup => ("create", "created", format!("group {SENDING_GROUP}")),
        Step::PutGroupPolicy => {
            ("give", "gave", format!("group {SENDING_GROUP} the policy {SENDING_POLICY}"))
        }
        Step::AddUserToGroup => ("add", "added", format!("{user} to group {SENDING_GROUP}")),
        Step::DeleteUserPolicy => {
            ("delete", "deleted", format!("inline policy {SENDING_POLICY} of {user}"))
        }
        Step::UntagUser => ("remove", "removed", format!("tag {} of {user}", CONSOLE_TAG.0)),
    };
    format!("{} {what}", if done { did } else { doing })
}
