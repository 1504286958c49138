//! `seskey create --for TARGET`: the lines to paste.

use seskey::{
    SmtpCredential,
    render::{Entry, Target, render},
};
use seskey_aws::{lifecycle::create::CreateRequest, smtp::Server, store::placeholder};

use crate::explain::{self, Result};

/// Checks that the form has a place for the values, as far as they are known before the key is made.
pub(super) fn check(
    target: Target,
    request: &CreateRequest,
    server: &Server,
    from: &[String],
) -> Result<()> {
    let credential = placeholder(&request.region, request.user_name.as_str());
    lines(target, &credential, server, from).map(drop)
}

/// Renders the credential for its reader, with the address to send from if exactly one is allowed.
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
    render(target, &entry, "").map_err(|error| explain::render::failure(&error, target))
}

pub(super) fn paragraph(target: Target, lines: &str) -> String {
    let file = if target.file().is_empty() { target.description() } else { target.file() };
    format!("\n{file}:\n\n{lines}")
}
