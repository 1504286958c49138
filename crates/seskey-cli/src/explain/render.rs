//! Why a credential cannot be written for a target, in sentences.

use seskey::render::{RenderError, Target};

use super::Failure;

pub(crate) fn failure(error: &RenderError, target: Target) -> Failure {
    use RenderError as E;
    let hint = match error {
        E::NotOurs => "this form is written whole: name a file that has nothing else in it",
        E::Unreadable { .. } => "it is left as it is; put that line right, or take another file",
        E::Host => {
            "a host name or an address, an IPv6 one without brackets where the form has a place for it"
        }
        E::Port => "SES listens on 25, 587, 2587 (STARTTLS) and 465, 2465 (TLS wrapper)",
        E::From => {
            "--from news@example.com: letters, digits and ._+=- before the @ have a place in every form"
        }
        E::Password => {
            "targets that write any password are json, kubernetes, url, symfony, mailer-dsn and password; or choose one of letters, digits and +-._"
        }
        E::TlsWrapper => "it turns to TLS by STARTTLS, on ports 25 and 587",
        E::Name { what: "entry" } => {
            "--name is for msmtp's account, OpenSMTPD's label and the Kubernetes secret, where it is in lower case"
        }
        E::Name { what: "namespace" } => "--namespace is for Kubernetes: lower case, digits and -",
        E::Name { .. } => {
            "--key is for env, systemd, json, kubernetes, yaml, toml and tfvars; variables are letters, digits and _"
        }
        E::SameName { .. } => "give each its own by --key",
        _ => "letters, digits and _+=,.@- are in its name; ARNs have : and / as well",
    };
    Failure::usage(format!("cannot write {target}: {error}"), hint)
}
