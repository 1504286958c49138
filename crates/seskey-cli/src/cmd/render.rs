//! `seskey render`: prints a credential as the configuration of the program that reads it.

use std::collections::BTreeSet;

use serde_json::json;
use seskey::{
    Credential,
    credential::{Found, Kind},
    render::{Entry, Form, Names},
};

use crate::{
    args::{Global, Render},
    connect::aws,
    exit::Exit,
    explain::{self, Failure, Result},
    input,
    output::Output,
};

pub(crate) fn run(args: &Render, global: &Global, output: &Output) -> Result<Exit> {
    let failed = |error| explain::render::failure(&error, args.target);
    let form = Form::new(args.target, names(args)?).map_err(failed)?;
    let Found { credential, port } = input::credential(&args.given, output)?;
    let host = host(args, global, &credential, output)?;
    // the port of the file belongs to the host of the file
    let port = args.port.or_else(|| port.filter(|_| args.host.is_none())).unwrap_or(587);
    if args.from.is_some() && args.target.options().all(|option| option != "--from") {
        output.warn(&format!(
            "{} has no place for the address to send from: --from is left out",
            args.target
        ));
    }
    let entry = Entry { credential, host, port, from: args.from.clone() };
    let before = args.keep.as_deref().map(input::read).transpose()?;
    let text = form
        .render(&entry, before.as_ref().map_or("", |text| text), &BTreeSet::new())
        .map_err(failed)?;
    if output.json {
        output.answer_json(&json!({"target": args.target.name(), "text": text}))?;
    } else {
        output.answer(&text)?;
    }
    Ok(Exit::Done)
}

fn names(args: &Render) -> Result<Names> {
    let mut names = Names::of(args.target);
    names.entry = args.name.clone().unwrap_or(names.entry);
    names.namespace = args.namespace.clone().unwrap_or(names.namespace);
    for key in &args.key {
        let (value, name) = key.split_once('=').unwrap_or((key, ""));
        let place = match value {
            "host" => &mut names.host,
            "port" => &mut names.port,
            "user-name" => &mut names.user_name,
            "password" => &mut names.password,
            "from" => &mut names.from,
            _ => {
                return Err(Failure::usage(
                    format!("--key: {value:?} is none of host, port, user-name, password and from"),
                    "such as --key password=EMAIL_HOST_PASSWORD",
                ));
            }
        };
        name.clone_into(place);
    }
    Ok(names)
}

/// Returns the typed host, else the host of the credential, else the endpoint of the region.
fn host(
    args: &Render,
    global: &Global,
    credential: &Credential,
    output: &Output,
) -> Result<String> {
    match args.host.as_deref().or_else(|| credential.endpoint()) {
        Some(host) => {
            aws::region_of_host(host, global, output)?;
            Ok(host.to_owned())
        }
        None if credential.kind() == Kind::MailManager => Err(explain::input::no_ingress_host()),
        None => Ok(aws::region(global, true)?.smtp_endpoint()),
    }
}
