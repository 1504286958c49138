//! The things that are deleted with a user, and why they were not, in sentences.

use seskey_aws::{
    iam::SignIn,
    lifecycle::delete::{DeleteError, Plan, PlanError, Removal},
};

use super::{Failure, aws};

pub(crate) fn plan(user: &str, error: &PlanError) -> Failure {
    let by = match error {
        PlanError::Call(error) => return aws::failure(error),
        PlanError::SignsIn { by, .. } => by,
        _ => return Failure::new(error.to_string(), "look at the user in the IAM console"),
    };
    let has: Vec<String> = by.iter().map(sign_in).collect();
    let calls: Vec<String> = by.iter().map(|it| mend(user, it)).collect();
    Failure::new(
        format!("{user} has more than an SMTP user: {}; nothing was deleted", has.join(", ")),
        format!("see that nobody needs it, take it away, and run it again: {}", calls.join("; ")),
    )
}

pub(crate) fn failure(plan: &Plan, error: &DeleteError) -> Failure {
    let failure = aws::failure(&error.error);
    let at = removal(plan, &error.at);
    if error.removed.is_empty() {
        return Failure { message: format!("cannot delete {at}: {}", failure.message), ..failure };
    }
    let removed: Vec<String> = error.removed.iter().map(|it| removal(plan, it)).collect();
    Failure::unfinished(
        format!("cannot delete {at}: {}; deleted before: {}", failure.message, removed.join(", ")),
        format!("{}; then run it again to finish", failure.hint),
    )
}

pub(crate) fn removal(plan: &Plan, removal: &Removal) -> String {
    match removal {
        Removal::AccessKey { id } => format!("access key {id}"),
        Removal::UserPolicy { policy } => format!("inline policy {policy}"),
        Removal::AttachedPolicy { arn } => format!("attachment of {arn}"),
        Removal::Membership { group } => format!("membership in {group}"),
        _ => format!("user {}", plan.user_arn),
    }
}

fn sign_in(by: &SignIn) -> String {
    match by {
        SignIn::LoginProfile => "a console password".to_owned(),
        SignIn::MfaDevice { serial_number } => format!("the MFA device {serial_number}"),
        SignIn::SshPublicKey { id } => format!("the SSH key {id}"),
        SignIn::ServiceSpecificCredential { id, service } => {
            format!("the credential {id} of {service}")
        }
        SignIn::SigningCertificate { id } => format!("the signing certificate {id}"),
        _ => "something to sign in with".to_owned(),
    }
}

/// Returns the call that takes it away. Source: AWS CLI Command Reference, `iam`.
fn mend(user: &str, by: &SignIn) -> String {
    let (call, option) = match by {
        SignIn::LoginProfile => ("delete-login-profile", String::new()),
        SignIn::MfaDevice { serial_number } => {
            ("deactivate-mfa-device", format!(" --serial-number {serial_number}"))
        }
        SignIn::SshPublicKey { id } => {
            ("delete-ssh-public-key", format!(" --ssh-public-key-id {id}"))
        }
        SignIn::ServiceSpecificCredential { id, .. } => (
            "delete-service-specific-credential",
            format!(" --service-specific-credential-id {id}"),
        ),
        SignIn::SigningCertificate { id } => {
            ("delete-signing-certificate", format!(" --certificate-id {id}"))
        }
        _ => return "look at the user in the IAM console".to_owned(),
    };
    format!("aws iam {call} --user-name {user}{option}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each way to sign in is named with its call. No golden case has them: the local SES gives them to no user.
    #[test]
    fn all_that_a_user_signs_in_with_is_told_with_the_call_that_takes_it_away() {
        let id = || "ID1".to_owned();
        let by = vec![
            SignIn::LoginProfile,
            SignIn::MfaDevice { serial_number: "arn:aws:iam::123456789012:mfa/app".to_owned() },
            SignIn::SshPublicKey { id: id() },
            SignIn::ServiceSpecificCredential { id: id(), service: "codecommit".to_owned() },
            SignIn::SigningCertificate { id: id() },
        ];
        let calls = by.iter().map(|it| mend("app", it)).collect::<Vec<_>>();
        let expected = [
            "aws iam delete-login-profile --user-name app",
            "aws iam deactivate-mfa-device --user-name app --serial-number arn:aws:iam::123456789012:mfa/app",
            "aws iam delete-ssh-public-key --user-name app --ssh-public-key-id ID1",
            "aws iam delete-service-specific-credential --user-name app --service-specific-credential-id ID1",
            "aws iam delete-signing-certificate --user-name app --certificate-id ID1",
        ];
        assert_eq!(calls, expected);
        let failure = plan("app", &PlanError::SignsIn { user_arn: String::new(), by });
        assert_eq!(failure.exit, crate::exit::Exit::Failed);
        let has = "a console password, the MFA device arn:aws:iam::123456789012:mfa/app, the SSH key ID1, \
                   the credential ID1 of codecommit, the signing certificate ID1";
        assert!(failure.message.contains(has), "{}", failure.message);
        assert!(failure.hint.contains(&expected.join("; ")), "{}", failure.hint);
    }
}
