//! `seskey verify`: logs in to the SMTP endpoint and out, and prints the reply of the server.

use serde_json::json;
use seskey::{
    Credential, Region, SmtpCredential,
    credential::{Found, Kind},
    recognise::{Recognised, recognise},
};
use seskey_aws::{
    iam::{Simulated, Verdict},
    sender::{Envelope, may_send, user_of_key},
    smtp::{Address, Phase, Reply, Transcript},
};

use crate::{
    args::{Global, Verify},
    connect::{aws, smtp},
    exit::Exit,
    explain::{self, Failure, Result},
    input,
    output::Output,
};

/// The address that the mailbox simulator takes without a bounce and without counting against the quota.
/// Source: SES Developer Guide, "Using the mailbox simulator manually".
const SIMULATOR: &str = "success@simulator.amazonses.com";

pub(crate) fn run(args: &Verify, global: &Global, output: &Output) -> Result<Exit> {
    let address = |option, text: &str| address(text).map_err(|failure: Failure| failure.of(option));
    let from = args.from.as_deref().map(|from| address("--from", from)).transpose()?;
    let to = args.to.iter().map(|to| address("--to", to)).collect::<Result<Vec<_>>>()?;
    let Found { credential, port } = input::credential(&args.given, output)?;
    let host = args.host.as_deref().or_else(|| credential.endpoint());
    if credential.kind() == Kind::MailManager {
        check_mail_manager(args, host)?;
    }
    let region = match credential.kind() {
        // no name has a region in it, and nothing needs one
        Kind::MailManager => None,
        Kind::Iam => Some(region(host, args, global, output)?),
    };
    // the port of the file belongs to the host of the file
    let port = args.port.or_else(|| port.filter(|_| args.host.is_none()));
    let server = smtp::server(&args.endpoint, region.as_ref(), host, port)?;
    let client = smtp::client(&args.endpoint)?;
    aws::block_on(async {
        let mut transcript = Transcript::default();
        let form = match credential.kind() {
            Kind::MailManager => Recognised::IngressPointId,
            Kind::Iam => recognise(credential.expose_password()),
        };
        let failed = |error| explain::smtp::failure(&error, &form, &server);
        let (user_name, password) = (credential.user_name(), credential.expose_password());
        client.prove(&server, user_name, password, &mut transcript).await.map_err(failed)?;
        if let (Some(from), Some(region), Credential::Iam(credential)) =
            (&from, &region, &credential)
        {
            check_permission(
                credential,
                Envelope { from: from.clone(), to, region: region.clone() },
                global,
                output,
            )
            .await
            .map_err(|failure| Failure {
                message: format!("it logs in, but {}", failure.message),
                ..failure
            })?;
        }
        let sent = match &from {
            Some(from) if args.send => {
                // SES closes an idle session, and the first one would be idle while IAM is asked
                let mut transcript = Transcript::default();
                let simulator = Address::parse(SIMULATOR).expect("an address that is a constant");
                let message = message(from);
                let mut session = client.connect(&server, &mut transcript).await.map_err(failed)?;
                session.log_in(user_name, password).await.map_err(failed)?;
                let reply = session.send(from, &[simulator], message.as_bytes()).await;
                session.quit().await;
                Some(reply.map_err(failed)?)
            }
            _ => None,
        };
        answer(&transcript, sent.as_ref(), region.as_ref(), output)?;
        Ok(Exit::Done)
    })?
}

/// Returns the region in the name of the endpoint to log in to, else the typed one, else the region of the credential's
/// own endpoint, else the one of the environment or the profile.
fn region(host: Option<&str>, args: &Verify, global: &Global, output: &Output) -> Result<Region> {
    let of_host = match (host, &args.endpoint.smtp_endpoint) {
        (Some(host), None) => aws::region_of_host(host, global, output)?,
        _ => None,
    };
    let typed = || aws::typed_region(global, true).transpose();
    let of_credential = || host.and_then(Region::of_smtp_endpoint).map(Ok);
    of_host
        .map(Ok)
        .or_else(typed)
        .or_else(of_credential)
        .unwrap_or_else(|| aws::region(global, true))
}

/// Refuses options that do not fit a Mail Manager ingress endpoint: it has a host of its own and no TLS wrapper, and
/// IAM does not decide what may be sent.
fn check_mail_manager(args: &Verify, host: Option<&str>) -> Result<()> {
    if host.is_none() && args.endpoint.smtp_endpoint.is_none() {
        return Err(explain::input::no_ingress_host());
    }
    if args.endpoint.tls_wrapper {
        return Err(explain::input::no_ingress_wrapper());
    }
    if args.from.is_some() && !args.send {
        return Err(Failure::usage(
            "IAM does not say what a Mail Manager credential may send",
            "its traffic policy and its rule set do, in the SES console; --send sends a message",
        ));
    }
    Ok(())
}

fn address(text: &str) -> Result<Address> {
    Address::parse(text)
        .map_err(|error| Failure::usage(format!("{text:?}: {error}"), "such as news@example.com"))
}

async fn check_permission(
    credential: &SmtpCredential,
    envelope: Envelope,
    global: &Global,
    output: &Output,
) -> Result<()> {
    let account = aws::account(global, Some(&envelope.region)).await;
    let failed = |error| explain::aws::failure(&error);
    let id = &credential.user_name;
    let user = user_of_key(&account, id).await.map_err(failed)?;
    let user = user.ok_or_else(|| {
        Failure::new(
            format!("IAM does not know the access key {id}"),
            "it is deleted, or of another account: check the caller's credentials",
        )
    })?;
    let verdicts = may_send(&account, &user, &envelope).await.map_err(failed)?;
    if let Some(allowed) = verdicts.iter().find(|simulated| simulated.verdict == Verdict::Allowed) {
        output.note(&format!("IAM: {user} may send from {} ({})", envelope.from, allowed.resource));
        return Ok(());
    }
    let resources: Vec<&str> =
        verdicts.iter().map(|simulated| simulated.resource.as_str()).collect();
    let explicit =
        verdicts.iter().any(|Simulated { verdict, .. }| *verdict == Verdict::ExplicitDeny);
    let how = if explicit { "is explicitly denied" } else { "is not allowed" };
    Err(Failure::new(
        format!(
            "IAM: {user} {how} ses:SendRawEmail from {} on {}",
            envelope.from,
            resources.join(" and on ")
        ),
        "seskey policy --from … prints a policy that allows it, seskey policy check evaluates one",
    ))
}

fn message(from: &Address) -> String {
    format!(
        "From: {from}\r\nTo: {SIMULATOR}\r\nSubject: seskey verify\r\n\r\nThis credential can send.\r\n"
    )
}

fn answer(
    transcript: &Transcript,
    sent: Option<&Reply>,
    region: Option<&Region>,
    output: &Output,
) -> Result<()> {
    let text = |reply: &Reply| format!("{} {}", reply.code, reply.text());
    let login = transcript
        .replies
        .iter()
        .rev()
        .find(|(phase, _)| *phase == Phase::Auth)
        .map(|(_, reply)| text(reply));
    let login = login.unwrap_or_default();
    let tls = transcript.tls.as_ref().map(|tls| tls.version.clone());
    if output.json {
        output.answer_json(&json!({
            "verified": true,
            "region": region.map(Region::as_str),
            "reply": login,
            "sent": sent.map(text),
            "address": transcript.address.map(|address| address.to_string()),
            "tls": tls,
        }))?;
    } else {
        let sent = sent.map(|reply| format!("{}\n", text(reply))).unwrap_or_default();
        output.report(&crate::output::printable(&format!("{login}\n{sent}")))?;
    }
    Ok(())
}
