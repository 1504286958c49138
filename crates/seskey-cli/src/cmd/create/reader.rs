//! `seskey create --for TARGET`: the lines to paste.

use seskey::{
    AccessKeyId, SmtpCredential, SmtpPassword,
    render::{Entry, Target, render},
};
use seskey_aws::smtp::Server;

use crate::explain::{self, Result};

/// Whether the form has a place for what will be written, as far as that is known before the key is made.
pub(super) fn check(target: Target, server: &Server, from: &[String]) -> Result<()> {
    let credential = SmtpCredential {
        iam_user: None,
        user_name: AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE")
            .expect("the one of AWS's documentation"),
        password: SmtpPassword::parse("BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9")
            .expect("its password for us-east-1"),
        endpoint: None,
    };
    lines(target, &credential, server, from).map(drop)
}

/// The credential as its reader has it, with the address to send from if exactly one is allowed.
pub(super) fn lines(
    target: Target,
    credential: &SmtpCredential,
    server: &Server,
    from: &[String],
) -> Result<String> {
    let from = match from {
        [from] if !from.contains(['*', '?']) => Some(from.clone()),
        _ => None,
    };
    let credential = credential.clone();
    let entry = Entry { credential, host: server.host.clone(), port: server.port, from };
    render(target, &entry, "").map_err(|error| explain::render(&error, target))
}

pub(super) fn paragraph(target: Target, lines: &str) -> String {
    let file = if target.file().is_empty() { target.description() } else { target.file() };
    format!("\n{file}:\n\n{lines}")
}
