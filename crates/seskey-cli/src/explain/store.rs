//! Why a store was not read or written, in sentences.

use std::{collections::BTreeSet, io};

use seskey::{
    render::RenderError,
    store::{Store, StoreKind},
};
use seskey_aws::{
    Cause,
    process::ProcessError,
    store::{FileError, FileProblem, Held, StoreError},
};

use super::{Failure, aws};

/// Explains why a store was not read or written.
pub(crate) fn failure(store: &Store, error: &StoreError) -> Failure {
    let kind = &store.kind;
    match error {
        StoreError::Call(error) => {
            let Failure { message, hint, .. } = aws::failure(error);
            let hint = match error.cause {
                Cause::Unreadable => "check that AWS_ENDPOINT_URL leads to where the store is",
                _ => &hint,
            };
            Failure::new(format!("{store}: {message}"), hint)
        }
        StoreError::Render(error) => {
            Failure::new(format!("cannot write {store}: {error}"), render_hint(error))
        }
        StoreError::File(error) => file(error),
        StoreError::Process(error) => {
            Failure::new(format!("{store}: {}", process(error)), process_hint(kind, error))
        }
        StoreError::NotOurs => foreign(&store.to_string()),
        StoreError::NotKept { held } => {
            let held = match held {
                Held::Nothing => "nothing".to_owned(),
                Held::Credentials(held) => {
                    let keys: BTreeSet<_> = held.iter().map(|(key, _)| key.to_string()).collect();
                    format!("a credential of {}", Vec::from_iter(keys).join(" and one of "))
                }
                Held::Foreign => "something else".to_owned(),
            };
            Failure::new(
                format!("{store} does not hold what was written into it, but {held}"),
                match kind {
                    StoreKind::Exec { .. } => {
                        "with --read the command must print the JSON that it was given"
                    }
                    _ => "find what else writes there",
                },
            )
        }
        StoreError::Conflict { manager } => Failure::new(
            format!("{store}: the values belong to the field manager {manager:?} of Kubernetes"),
            "have it give them up, or give the secret to seskey once: kubectl apply --server-side --field-manager=seskey --force-conflicts",
        ),
        StoreError::NotBuilt => Failure::new(
            format!("{store}: this seskey was built without this store"),
            "build it with the features secretsmanager and ssm, or reach the store by exec:",
        ),
        StoreError::NoRegion => Failure::new(
            format!("{store}: no region is given, and a store of AWS is in one"),
            "set AWS_REGION, or name it in the store: ?region=us-east-1",
        ),
        StoreError::MarkedForDeletion => Failure::new(
            format!("{store}: the secret is marked for deletion"),
            "restore it with aws secretsmanager restore-secret, or take another name",
        ),
        StoreError::Replica { primary } => Failure::new(
            format!("{store}: it is a replica, which nobody writes to, of a secret in {primary}"),
            format!("name the secret itself: ?region={primary}"),
        ),
        StoreError::NotPermitted { denied } => {
            let Failure { message, hint, .. } = aws::not_permitted(denied);
            Failure::new(format!("{store}: {message}"), hint)
        }
        StoreError::NoRoom { limit, length } => Failure::new(
            format!("{store}: {length} bytes would be in it, and it has room for {limit}"),
            "take another name: seskey does not replace the content of others",
        ),
        StoreError::NotSecure => Failure::new(
            format!("{store}: the parameter is not a SecureString, and cannot become one"),
            "delete it, or take another name",
        ),
        _ => Failure::new(format!("{store}: {error}"), "docs/stores.md says what it needs"),
    }
}

/// Says that a store holds something that seskey did not write.
pub(crate) fn foreign(store: &str) -> Failure {
    Failure::new(
        format!("{store} holds something that was not written for it"),
        "it is left as it is: take another store, or empty this one",
    )
}

/// Explains why a command failed.
pub(crate) fn process(error: &ProcessError) -> String {
    match error {
        ProcessError::NotStarted { program, kind: io::ErrorKind::NotFound, .. } => {
            format!("{program} is not there")
        }
        ProcessError::Failed { code: Some(code), said } if said.is_empty() => {
            format!("the command ended with status {code}, and said nothing")
        }
        ProcessError::Failed { code: Some(code), said } => {
            format!("the command ended with status {code}: {said}")
        }
        ProcessError::Failed { code: None, said } => {
            format!("the command was ended by a signal: {said}")
        }
        ProcessError::TimeLimit { limit } => {
            format!("the command was not done after {} s, and was ended", limit.as_secs())
        }
        ProcessError::Unreadable => "what the command printed is no JSON object".to_owned(),
        _ => error.to_string(),
    }
}

fn process_hint(kind: &StoreKind, error: &ProcessError) -> &'static str {
    match (error, matches!(kind, StoreKind::Kubernetes(_))) {
        (ProcessError::NotStarted { .. }, true) => {
            "install kubectl, or name it in the store: ?kubectl=PATH"
        }
        (_, true) => "try the same with kubectl by hand; docs/stores.md shows how it is called",
        (ProcessError::Unreadable, _) => {
            "with --read it must print the JSON object that it was given, or nothing if it holds none"
        }
        (ProcessError::TimeLimit { .. }, _) => {
            "it may ask a question, which nobody can answer here"
        }
        _ => "mend the command; docs/stores.md says how it is called",
    }
}

fn file(error: &FileError) -> Failure {
    let FileError { path, problem } = error;
    let hint = match problem {
        FileProblem::System { kind, reason } => {
            let failure = Failure::file("use", path, &io::Error::new(*kind, reason.clone()));
            let hint = match kind {
                io::ErrorKind::NotFound => "make the folder first, or check the path".to_owned(),
                io::ErrorKind::PermissionDenied => {
                    "check the owners and modes of the file and its folder".to_owned()
                }
                _ => failure.hint,
            };
            return Failure { hint, ..failure };
        }
        FileProblem::NotAFile => "check the path".to_owned(),
        FileProblem::NotText => "take another file, or save it as text in UTF-8".to_owned(),
        FileProblem::TooOpen { .. } => {
            format!("chmod o= {}: it will hold a secret, and its mode is kept", path.display())
        }
        FileProblem::FolderTooOpen => {
            "they could put another file in its place: chmod o-w the folder, or take another"
                .to_owned()
        }
        FileProblem::Owner { .. } => "run it as that user, or as root".to_owned(),
        FileProblem::Fixed => "lsattr -d shows which: chattr -i -a lets go of it".to_owned(),
        FileProblem::Busy => "try again when the other one is done".to_owned(),
        _ => "docs/stores.md says which files are taken".to_owned(),
    };
    Failure::new(format!("cannot use {}: {problem}", path.display()), hint)
}

fn render_hint(error: &RenderError) -> &'static str {
    match error {
        RenderError::Unreadable { .. } => "correct that line: seskey keeps the lines of others",
        RenderError::Unclear { .. } => {
            "name the two variables by ?user-name-key= and ?password-key=, or take the access key out of that line: it would be turned off"
        }
        RenderError::SeveralPasswords { .. } => {
            "one of them does not log in, or is for another region: put the right one into both, or take the wrong one out"
        }
        RenderError::OtherRegion { .. } => {
            "a rotation would turn its key off: name the file a second time, with ?region= for that entry"
        }
        RenderError::Host => "?host= takes a host name or an address, an IPv6 one without brackets",
        RenderError::Port => "?port= takes 25, 587, 2587 (STARTTLS) or 465, 2465 (TLS wrapper)",
        RenderError::From => "?from= takes an address such as news@example.com",
        RenderError::Name { .. } | RenderError::SameName { .. } => {
            "the options that end in -key name the values, each by another name"
        }
        _ => "docs/stores.md says which options it takes",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Every error has a hint of its own. No golden case causes them: they take a cluster, an account of AWS or another
    /// owner.
    #[test]
    fn every_store_error_has_a_sentence_and_a_hint() {
        let id = seskey::AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap();
        let path = "/etc/mail/smtp.json";
        let file = |problem| StoreError::File(FileError { path: path.into(), problem });
        let cases = [
            (
                StoreError::NotKept { held: Held::Nothing },
                "ssm:/x does not hold what was written into it, but nothing",
            ),
            (
                StoreError::Conflict { manager: "argocd".to_owned() },
                "ssm:/x: the values belong to the field manager \"argocd\" of Kubernetes",
            ),
            (StoreError::NotBuilt, "ssm:/x: this seskey was built without this store"),
            (StoreError::NoRegion, "ssm:/x: no region is given, and a store of AWS is in one"),
            (StoreError::MarkedForDeletion, "ssm:/x: the secret is marked for deletion"),
            (
                StoreError::NotSecure,
                "ssm:/x: the parameter is not a SecureString, and cannot become one",
            ),
            (
                StoreError::Replica { primary: "eu-west-1".to_owned() },
                "ssm:/x: it is a replica, which nobody writes to, of a secret in eu-west-1",
            ),
            (
                StoreError::NoRoom { limit: 8192, length: 9000 },
                "ssm:/x: 9000 bytes would be in it, and it has room for 8192",
            ),
            (StoreError::NotOurs, "ssm:/x holds something that was not written for it"),
            (StoreError::Render(RenderError::Port), "cannot write ssm:/x: there is no port 0"),
            (
                StoreError::Process(ProcessError::TimeLimit { limit: Duration::from_secs(60) }),
                "ssm:/x: the command was not done after 60 s, and was ended",
            ),
            (
                StoreError::Process(ProcessError::NotStarted {
                    program: "kubectl".to_owned(),
                    kind: io::ErrorKind::NotFound,
                    reason: "No such file or directory (os error 2)".to_owned(),
                }),
                "ssm:/x: kubectl is not there",
            ),
            (file(FileProblem::NotAFile), "cannot use /etc/mail/smtp.json: it is not a file"),
            (
                file(FileProblem::Owner { user: 0, group: 12 }),
                "cannot use /etc/mail/smtp.json: it cannot be kept for its owner (0:12)",
            ),
            (
                file(FileProblem::Fixed),
                "cannot use /etc/mail/smtp.json: it is immutable or append-only, or its folder is",
            ),
            (file(FileProblem::Busy), "cannot use /etc/mail/smtp.json: another process is writing"),
        ];
        for (error, message) in cases {
            let failure = failure(&"ssm:/x".parse().unwrap(), &error);
            assert_eq!(failure.message, message);
            assert_ne!(failure.hint, "docs/stores.md says what it needs", "{error:?}");
        }
        let password = seskey::SmtpPassword::parse("BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9");
        let held = Held::Credentials(vec![(id, password.unwrap())]);
        let failure = failure(&"exec:keep".parse().unwrap(), &StoreError::NotKept { held });
        assert_eq!(
            failure.message,
            "exec:keep does not hold what was written into it, but a credential of AKIAIOSFODNN7EXAMPLE"
        );
    }
}
