//! `seskey create`: makes a user, its permission, its key and the password, and proves it by logins.

mod deliver;
mod reader;

use indicatif::ProgressBar;
use jiff::Timestamp;
use serde_json::json;
use seskey::{
    Region, SmtpCredential,
    credential::csv,
    policy::Reach,
    recognise::Recognised,
    region::{STARTTLS_PORTS, TLS_WRAPPER_PORTS},
    render::Target,
    store::Store,
    user::{REGION_TAG, UserName, UserPath},
};
use seskey_aws::{
    Account,
    lifecycle::{
        create::{CreateRequest, Created, Event, Style, create, look},
        prove::Proof,
        undo::undo,
    },
    smtp::{Security, Server, Transcript},
};

use crate::{
    args::{self, Create, Format, Global},
    cmd::{derive::warn_without_smtp, policy},
    connect::{aws, smtp},
    exit::Exit,
    explain::{self, Failure, Result},
    input,
    output::Output,
    output_file::OutputFile,
    signals,
};

pub(crate) fn run(args: &Create, global: &Global, output: &Output) -> Result<Exit> {
    let region = aws::region(global, args.allow_unknown_region)?;
    if !region.has_smtp() {
        warn_without_smtp(&region, output);
    }
    let user_name = match &args.user {
        Some(name) => UserName::parse(name)
            .map_err(|error| explain::input::user(&error, name).about("NAME"))?,
        None => UserName::proposed(Timestamp::now()),
    };
    let path = UserPath::parse(&args.path)
        .map_err(|error| explain::input::user(&error, &args.path).of("--path"))?;
    let mut tags = args.tag.iter().map(|tag| parse_tag(tag)).collect::<Result<Vec<_>>>()?;
    if tags.iter().any(|(key, _)| key == REGION_TAG) {
        return Err(Failure::usage(
            format!("the tag {REGION_TAG} is the region"),
            "--region sets it",
        ));
    }
    tags.push((REGION_TAG.to_owned(), region.to_string()));
    let style = style(args, &region, output)?;
    let server = smtp::server(&args.endpoint, Some(&region), None, None)?;
    let proof = if args.no_verify { None } else { Some(proof(args, &region)?) };
    let permissions_boundary = args.permissions_boundary.clone();
    let request =
        CreateRequest { user_name, path, tags, permissions_boundary, style, region, proof };
    if let Some(target) = args.reader {
        reader::check(target, &request, &server, &args.sending.from)?;
    }
    let format = format(args, output)?;
    if format == Format::Env {
        reader::check(Target::Env, &request, &server, &args.sending.from)?;
    }
    let stores = args.to.iter().map(|text| input::store(text, request.user_name.as_str()));
    let stores = stores.collect::<Result<Vec<_>>>()?;
    let file =
        args.output.as_deref().map(|path| OutputFile::begin(path, args.force)).transpose()?;
    if args.dry_run {
        return aws::block_on(foresee(&request, stores, args, global, output))?;
    }
    if !stores.is_empty() {
        return aws::block_on(deliver::run(&request, stores, args, global, output))?;
    }
    if file.is_none() {
        output.refuse_null("--output FILE or --to STORE takes it; --quiet says nothing else")?;
    }
    aws::block_on(make(&request, &server, format, file, args, global, output))?
}

/// Returns the format that is asked for, else the one that the name of the file implies, else text.
fn format(args: &Create, output: &Output) -> Result<Format> {
    let promised = args.output.as_deref().and_then(Target::of_file);
    match (args.format, promised) {
        _ if output.json => Ok(Format::Json),
        (Some(format), _) => Ok(format),
        (None, None) => Ok(Format::Text),
        (None, Some(Target::Json)) => Ok(Format::Json),
        (None, Some(target)) if args.reader.is_some() => Err(Failure::usage(
            format!(
                "--output: the name of the file says {target}, and --for has its lines end a text for people"
            ),
            "leave --for out, or name the file otherwise; --to file:PATH?format=TARGET writes the lines alone",
        )),
        (None, Some(Target::Csv)) => Ok(Format::Csv),
        (None, Some(Target::Env)) => Ok(Format::Env),
        (None, Some(target)) => Err(Failure::usage(
            format!(
                "--output: the name of the file says {target}, which is not among what create answers"
            ),
            "--to file:PATH delivers the credential in that form; --format text writes the text for people",
        )),
    }
}

/// Says what would be made, unless it is known to fail.
async fn foresee(
    request: &CreateRequest,
    stores: Vec<Store>,
    args: &Create,
    global: &Global,
    output: &Output,
) -> Result<Exit> {
    let deliver: String =
        stores.iter().map(|store| format!("deliver the credential to {store}\n")).collect();
    let account = if stores.is_empty() {
        begin(request, global).await?
    } else {
        deliver::look_ahead(request, stores, args, global).await?.1
    };
    let spinner = output.spinner();
    let looked = look(&account, request, &mut |event| report(&event, &spinner, output)).await;
    spinner.finish_and_clear();
    looked.map_err(|error| explain::create::failure(&error, request))?;
    if output.json {
        output.answer_json(&plan_json(request))?;
    } else {
        output.answer(&format!("{}{deliver}", plan(request)))?;
    }
    Ok(Exit::Done)
}

/// Checks that the SMTP endpoint of the proof can be reached, as later is too late. Returns the account.
async fn begin(request: &CreateRequest, global: &Global) -> Result<Account> {
    if let Some(proof) = &request.proof {
        reach(proof).await?;
    }
    Ok(aws::account(global, Some(&request.region)).await)
}

async fn make(
    request: &CreateRequest,
    server: &Server,
    format: Format,
    file: Option<OutputFile>,
    args: &Create,
    global: &Global,
    output: &Output,
) -> Result<Exit> {
    let interrupt = signals::interrupt(output)?;
    let account = begin(request, global).await?;
    let spinner = output.spinner();
    let mut report = |event: Event| report(&event, &spinner, output);
    let created = create(&account, request, interrupt, &mut report).await;
    spinner.finish_and_clear();
    let created = created.map_err(|error| explain::create::failure(&error, request))?;
    if let (Some(proof), Some(proven)) = (&request.proof, &created.proven) {
        output.note(&format!(
            "logged in {} times at {}, in {:.1} s",
            proof.logins,
            explain::smtp::at(&proof.server),
            proven.elapsed.as_secs_f64()
        ));
    }
    let answer = answer(&created, request, server, format, args)?;
    let delivered = match file {
        Some(file) => file
            .finish(&answer)
            .inspect(|path| output.note(&format!("wrote {}", path.display())))
            .map(drop),
        // a reader that has gone has not read the credential, so here a broken pipe is no success
        None => {
            output.deliver(&answer).map_err(|error| Failure { broken_pipe: false, ..error.into() })
        }
    };
    match delivered {
        Ok(()) => Ok(Exit::Done),
        Err(failure) => Err(take_back(&account, &created, failure, output).await),
    }
}

async fn reach(proof: &Proof) -> Result<()> {
    let mut transcript = Transcript::default();
    let session = proof.client.connect(&proof.server, &mut transcript).await;
    let session = session.map_err(|error| {
        let failure = explain::smtp::failure(&error, &Recognised::Nothing, &proof.server);
        Failure {
            hint: format!("{}; --no-verify creates without the proof", failure.hint),
            ..failure
        }
    })?;
    session.quit().await;
    Ok(())
}

fn style(args: &Create, region: &Region, output: &Output) -> Result<Style> {
    let reach = Reach::Region(region.clone());
    let policy = policy::sending_policy(&args.sending, reach, None, output)?;
    let document = policy::document(&policy)?;
    let args::Sending { from, identity, configuration_set, source_ip, recipient } = &args.sending;
    let restricted = [from, identity, configuration_set, source_ip, recipient]
        .iter()
        .any(|list| !list.is_empty());
    match args.style {
        Some(args::Style::Group) if restricted => Err(Failure::usage(
            "the policy of the group is everybody's, so it cannot be restricted for one user",
            "take --style inline, or leave the restrictions out",
        )),
        Some(args::Style::Group) => Ok(Style::Group),
        None if !restricted => Ok(Style::Group),
        _ => Ok(Style::Inline { policy: document }),
    }
}

fn proof(args: &Create, region: &Region) -> Result<Proof> {
    Ok(Proof::new(
        smtp::client(&args.endpoint)?,
        smtp::server(&args.endpoint, Some(region), None, None)?,
    ))
}

fn parse_tag(tag: &str) -> Result<(String, String)> {
    let pair = tag.split_once('=').filter(|(key, _)| !key.is_empty());
    pair.map(|(key, value)| (key.to_owned(), value.to_owned())).ok_or_else(|| {
        Failure::usage(format!("{tag:?} is no tag"), "such as --tag team=mail").of("--tag")
    })
}

fn plan(request: &CreateRequest) -> String {
    let CreateRequest { user_name, path, region, style, proof, .. } = request;
    let permission = match style {
        Style::Group => format!("put it into the group {}", seskey::user::SENDING_GROUP),
        Style::Inline { policy } => {
            format!("give it the policy {}: {policy}", seskey::user::SENDING_POLICY)
        }
    };
    let proof = match proof {
        Some(proof) => {
            format!(
                "log in to {} with the password for {region}\n",
                explain::smtp::at(&proof.server)
            )
        }
        None => String::new(),
    };
    format!(
        "create the IAM user {}{user_name}\n{permission}\ncreate an access key\n{proof}",
        path.as_str()
    )
}

fn plan_json(request: &CreateRequest) -> serde_json::Value {
    let CreateRequest { user_name, path, region, style, proof, .. } = request;
    let (style, policy) = match style {
        Style::Group => ("group", None),
        Style::Inline { policy } => {
            ("inline", serde_json::from_str(policy).unwrap_or(serde_json::Value::Null).into())
        }
    };
    json!({
        "user_name": user_name.as_str(),
        "path": path.as_str(),
        "region": region.as_str(),
        "style": style,
        "policy": policy,
        "verify": proof.is_some(),
    })
}

/// Returns the credential with the endpoint that it was proven at: AWS's, or another with its one port.
fn answer(
    created: &Created,
    request: &CreateRequest,
    server: &Server,
    format: Format,
    args: &Create,
) -> Result<String> {
    let lines = |target| reader::lines(target, &created.credential, server, &args.sending.from);
    let lines = args.reader.map(|target| lines(target).map(|text| (target, text))).transpose()?;
    let SmtpCredential { user_name, password, .. } = &created.credential;
    let (name, region) = (&request.user_name, &request.region);
    let Server { host, port, .. } = server;
    let is_aws = *host == region.smtp_endpoint();
    let (starttls, tls_wrapper) = match server.security {
        _ if is_aws => (STARTTLS_PORTS.to_vec(), TLS_WRAPPER_PORTS.to_vec()),
        Security::TlsWrapper => (vec![], vec![*port]),
        _ => (vec![*port], vec![]),
    };
    Ok(match format {
        Format::Csv if is_aws => csv::write([&created.credential]),
        Format::Csv => csv::write_with_endpoint(&created.credential, &explain::smtp::at(server)),
        Format::Env => reader::lines(Target::Env, &created.credential, server, &args.sending.from)?,
        Format::Json => {
            let mut answer = json!({
                "user_name": name.as_str(),
                "user_arn": created.user_arn,
                "smtp_user_name": user_name.as_str(),
                "smtp_password": password.expose(),
                "region": region.as_str(),
                "smtp_endpoint": host,
                "ports": {"starttls": starttls, "tls_wrapper": tls_wrapper},
                "verified": created.proven.is_some(),
            });
            if let Some((target, text)) = lines {
                answer["render"] = json!({"target": target.name(), "text": text});
            }
            format!("{answer:#}\n")
        }
        Format::Text => {
            let list = |ports: &[u16], tls| {
                let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
                (!ports.is_empty()).then(|| format!("{} ({tls})", ports.join(", ")))
            };
            let ports = [list(&starttls, "STARTTLS"), list(&tls_wrapper, "TLS wrapper")];
            let ports: Vec<String> = ports.into_iter().flatten().collect();
            let lines = lines.map(|(target, text)| reader::paragraph(target, &text));
            format!(
                "IAM user name:   {name}\nSMTP user name:  {user_name}\nSMTP password:   {}\nSMTP endpoint:   {host}\n\
                 Ports:           {}\nRegion:          {region}\n{}",
                password.expose(),
                ports.join("; "),
                lines.unwrap_or_default(),
            )
        }
    })
}

/// Reports an event.
pub(super) fn report(event: &Event, spinner: &ProgressBar, output: &Output) {
    let text = explain::create::event(event);
    match event {
        Event::Login(_) => output.passing(spinner, text),
        _ if !text.is_empty() => spinner.suspend(|| output.note(&text)),
        _ => {}
    }
}

/// Takes back a credential that was not delivered.
async fn take_back(
    account: &Account,
    created: &Created,
    failure: Failure,
    output: &Output,
) -> Failure {
    let left =
        undo(account, &created.made, &mut |event| output.note(&explain::create::event(&event)))
            .await;
    explain::create::with_leftovers(failure, &left)
}
