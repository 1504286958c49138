//! `seskey delete`: keys, policies, groups, then the user.

use std::io::{self, IsTerminal, Write};

use serde_json::json;
use seskey_aws::{
    iam::SignIn,
    lifecycle::delete::{DeleteError, Plan, PlanError, Removal, delete, plan},
};

use crate::{
    args::{Delete, Global},
    aws,
    exit::Exit,
    explain::{Failure, Result},
    output::Output,
};

pub(crate) fn run(args: &Delete, global: &Global, output: &Output) -> Result<Exit> {
    aws::existing_user(&args.user)?;
    aws::block_on(run_on_account(args, global, output))?
}

async fn run_on_account(args: &Delete, global: &Global, output: &Output) -> Result<Exit> {
    let account = aws::account(global, None).await;
    let planned = plan(&account, &args.user).await;
    let Some(plan) = planned.map_err(|error| explain_plan(&args.user, &error))? else {
        return Err(Failure::new(
            format!("there is no user {}", args.user),
            "if an earlier run was cut off, it had finished; seskey list --all shows the users that there are",
        ));
    };
    if args.dry_run {
        answer(&plan, &plan.removals, "delete", output)?;
        return Ok(Exit::Done);
    }
    if !args.yes && !confirmed(&plan)? {
        return Err(Failure::new("nothing was deleted", "answer yes, or take --yes"));
    }
    let deleted = delete(&account, &plan, &mut |_| {}).await;
    deleted.map_err(|error| explain_delete(&plan, &error))?;
    answer(&plan, &plan.removals, "deleted", output)?;
    Ok(Exit::Done)
}

fn answer(plan: &Plan, removals: &[Removal], verb: &str, output: &Output) -> Result<()> {
    if output.json {
        let list = |pick: fn(&Removal) -> Option<&String>| {
            removals.iter().filter_map(pick).collect::<Vec<_>>()
        };
        output.answer_json(&json!({
            "user_name": plan.user,
            "user_arn": plan.user_arn,
            "access_keys": list(|removal| if let Removal::AccessKey { id } = removal { Some(id) } else { None }),
            "inline_policies": list(|removal| if let Removal::UserPolicy { policy } = removal { Some(policy) } else { None }),
            "attached_policies": list(|removal| if let Removal::AttachedPolicy { arn } = removal { Some(arn) } else { None }),
            "groups": list(|removal| if let Removal::Membership { group } = removal { Some(group) } else { None }),
            "deleted": verb == "deleted",
        }))?;
    } else {
        let lines: String = removals
            .iter()
            .map(|removal| format!("{verb} {}\n", describe(plan, removal)))
            .collect();
        let told = if verb == "deleted" { output.report(&lines) } else { output.answer(&lines) };
        told?;
    }
    Ok(())
}

fn describe(plan: &Plan, removal: &Removal) -> String {
    match removal {
        Removal::AccessKey { id } => format!("access key {id}"),
        Removal::UserPolicy { policy } => format!("inline policy {policy}"),
        Removal::AttachedPolicy { arn } => format!("attachment of {arn}"),
        Removal::Membership { group } => format!("membership in {group}"),
        _ => format!("user {}", plan.user_arn),
    }
}

fn confirmed(plan: &Plan) -> Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::usage(
            format!("deleting {} must be confirmed, and there is no terminal to ask on", plan.user),
            "take --yes; --dry-run shows what would be deleted",
        ));
    }
    let mut terminal = io::stderr().lock();
    for removal in &plan.removals {
        writeln!(terminal, "  {}", crate::output::printable(&describe(plan, removal)))?;
    }
    write!(terminal, "Delete all of this for good? Type yes: ")?;
    terminal.flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim() == "yes")
}

fn explain_plan(user: &str, error: &PlanError) -> Failure {
    let by = match error {
        PlanError::Call(error) => return aws::failure(error),
        PlanError::SignsIn { by, .. } => by,
        _ => return Failure::new(error.to_string(), "look at the user in the IAM console"),
    };
    let has: Vec<String> = by.iter().map(sign_in).collect();
    let calls: Vec<String> = by.iter().map(|it| mend(user, it)).collect();
    Failure::new(
        format!("{user} has what an SMTP user has not: {}; nothing was deleted", has.join(", ")),
        format!("see that nobody needs it, take it away, and run it again: {}", calls.join("; ")),
    )
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

/// The call that takes it away. Source: AWS CLI Command Reference, `iam`.
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

fn explain_delete(plan: &Plan, error: &DeleteError) -> Failure {
    let failure = aws::failure(&error.error);
    let at = describe(plan, &error.at);
    if error.removed.is_empty() {
        return Failure { message: format!("cannot delete {at}: {}", failure.message), ..failure };
    }
    let removed: Vec<String> =
        error.removed.iter().map(|removal| describe(plan, removal)).collect();
    Failure::unfinished(
        format!("cannot delete {at}: {}; deleted before: {}", failure.message, removed.join(", ")),
        format!("{}; then run it again to finish", failure.hint),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What no golden case has: the local SES gives nobody such things.
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
        let failure = explain_plan("app", &PlanError::SignsIn { user_arn: String::new(), by });
        assert_eq!(failure.exit, Exit::Failed);
        let has = "a console password, the MFA device arn:aws:iam::123456789012:mfa/app, the SSH key ID1, \
                   the credential ID1 of codecommit, the signing certificate ID1";
        assert!(failure.message.contains(has), "{}", failure.message);
        assert!(failure.hint.contains(&expected.join("; ")), "{}", failure.hint);
    }
}
