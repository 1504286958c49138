//! Why an account of an organization cannot be worked on, in sentences.

use std::path::Path;

use seskey::fleet::{Fault, SameUser};
use seskey_aws::{Cause, Denial, Error};

use super::{Failure, aws};

/// The remedy for a policy of the organization.
pub(super) const CONTROL_POLICY: &str = "a policy of the organization forbids it, and no permission in the account outweighs that: \
     it is changed in the management account";

/// The remedy for a role that cannot be assumed: AWS does not say whether it exists.
pub(super) const ROLE: &str = "check that the account has this role, that its trust policy names the caller, and the external ID \
     if it asks for one, and that the caller may assume it: seskey policy operator --for organization";

/// Explains why the accounts of an organization cannot be listed.
pub(crate) fn failure(error: &Error) -> Failure {
    let failure = aws::failure(error);
    let hint = match &error.cause {
        Cause::AccessDenied { denial: Denial::NotAllowed, .. } => {
            "only the management account and that of a delegated administrator may list the accounts, with what seskey \
             policy operator --for organization prints"
        }
        Cause::Other { code, .. } if code == "AWSOrganizationsNotInUseException" => {
            "the account of the caller is in no organization: name another profile"
        }
        Cause::Other { code, .. } if code == "ParentNotFoundException" => {
            "check ou and exclude: aws organizations list-organizational-units-for-parent shows those that there are"
        }
        _ => return failure,
    };
    Failure { hint: hint.to_owned(), ..failure }
}

/// Explains why an account of a credential cannot be worked on, by its state if the organization has it.
pub(crate) fn absent(id: &str, state: Option<&String>) -> Failure {
    match state {
        Some(state) => Failure::new(
            format!("the account {id} of the organization is not active: {state}"),
            "take its credentials out of the file, unless it is to be active again",
        ),
        None => Failure::new(
            format!("the organization has no account {id}"),
            "check the ID, and ou and exclude in [organization]; aws organizations list-accounts shows the accounts",
        ),
    }
}

/// Says that two credentials of the file are for the same user.
pub(crate) fn same_user(error: &SameUser, file: &Path) -> Failure {
    let SameUser { user, account, lines: [first, second] } = error;
    Failure::usage(
        format!(
            "{}: the lines {first} and {second} declare the same user {user}, for both are of the account {account}",
            file.display()
        ),
        "take one of them out: an account that the file declares may be named by its ID too",
    )
}

/// Explains why a typed text is no name of a role.
pub(crate) fn role_name(fault: &Fault) -> Failure {
    Failure::usage(
        format!("--organization: {fault}"),
        "name the role that each account has, such as OrganizationAccountAccessRole, and not its ARN",
    )
}
