//! `seskey local`: runs a local Amazon SES in this process.

mod around;
mod environment;
mod memory;
mod sender;

use std::{
    env, fs,
    io::{self, Write},
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::Arc,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use seskey::{AccessKeyId, Region, SecretAccessKey, policy::written};
use seskey_local::{
    account::{AccountId, Identity},
    faults::Plan,
    sending::{Quota, Settings},
    server::{Config, Server},
    smtp::{Limits, ListenOn, Listener, Tls},
};
use tempfile::TempDir;
use tokio::runtime::Builder;
use tracing::warn;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    args::{Endpoint, Global, Local, LogFormat},
    connect::aws,
    console::{self, Console, Place, Session},
    environment::variable,
    exit::Exit,
    explain::{self, Failure, Result},
    output::Output,
    output_file::OutputFile,
    signals,
};

const ROOT_SECRET: &str = "SESKEY_LOCAL_ROOT_SECRET_ACCESS_KEY";

/// The variable of the SNS endpoint that AWS's SDKs read.
const SNS_ENDPOINT: &str = "AWS_ENDPOINT_URL_SNS";

pub(crate) fn run(args: &Local, global: &Global, output: &Output) -> Result<Exit> {
    // this starts the program anew, so nothing is read before
    memory::give_back();
    let config = config(args, global)?;
    let regions = config.smtp.iter().filter_map(|listener| listener.region.as_ref());
    regions.chain(&config.region).for_each(|region| warn_of_unknown(region, output));
    if args.sandbox && args.identity.is_empty() && args.data.is_none() {
        output.warn("--sandbox: without an identity every address counts as verified, so recipients are not looked at");
        output.hint("name one that is verified by --identity, such as --identity example.com");
    }
    let smtp = config.smtp.iter().map(|listener| listener.address);
    for address in smtp.chain([config.http]).filter(|address| !address.ip().is_loopback()) {
        output.warn(&format!("{address} is reached from other machines: this is a tool for tests, and its mailbox is open to all"));
    }
    // around a command, the output is the command's, so less is logged
    log(global, args.log_format, args.command.is_empty());
    raise_descriptor_limit();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(serve(config, args, output))
}

async fn serve(config: Config, args: &Local, output: &Output) -> Result<Exit> {
    let mut stop = signals::stop()?;
    let (data, identities) = (config.data.clone(), config.identities.clone());
    let server = Server::start(config).await.map_err(|error| explain::local::start(&error))?;
    let folder = folder()?;
    let ca_file = match data {
        Some(data) => kept_ca_file(&data, &server.authority_pem)?,
        None => ca_file(folder.path(), &server.authority_pem)?,
    };
    let is_watched = output.is_watched();
    let console = mount(&server, &ca_file);
    let url = console.session.url(&server.endpoint_url());
    if !args.command.is_empty() || is_watched {
        let bundle = environment::write_bundle(folder.path(), &server.authority_pem);
        let bundle = bundle.map_err(|error| Failure::file("write", folder.path(), &error))?;
        let sender = sender::make(&server, args, &identities)?;
        let variables = environment::variables(&server, &sender, &ca_file, &bundle);
        let ended = match is_watched && args.command.is_empty() {
            true => {
                output.answer(&banner(&server, &url, &variables))?;
                stop.recv().await;
                Ok(Exit::Done)
            }
            false => around::run(&args.command, variables, &mut stop).await,
        };
        console.stop().await;
        sender.take_away(&server);
        return ended;
    }
    let listeners: Vec<_> = server.listeners.iter().map(shown).collect();
    let ready = json!({
        "ready": true,
        "http": server.http.to_string(),
        "endpoint_url": server.endpoint_url(),
        "console": url,
        "smtp": server.smtp.to_string(),
        "smtps": server.smtps.to_string(),
        "listeners": listeners,
        "region": server.region.as_str(),
        "account": server.account_id.as_str(),
        "root": {"access_key_id": server.root.0.as_str(), "secret_access_key": server.root.1.expose()},
        "ca_file": ca_file,
    });
    output.answer(&format!("{ready}\n"))?;
    stop.recv().await;
    console.stop().await;
    Ok(Exit::Done)
}

/// Returns the text for a person at a terminal, with the lines to paste into another terminal.
fn banner(server: &Server, console: &str, variables: &[(&'static str, String)]) -> String {
    let lines: String =
        variables.iter().map(|(name, value)| format!("export {name}='{value}'\n")).collect();
    format!(
        "A local Amazon SES: account {}, region {}, mailbox {}/_aws/ses. Ctrl-C ends it.\n\
         Its pages: {console}\n\
         What leads there, for another terminal:\n\nunset {}\n{lines}\n",
        server.account_id.as_str(),
        server.region,
        server.endpoint_url(),
        environment::TAKEN_OUT.join(" "),
    )
}

/// Mounts the pages of the account on the server. They are clients of the local IAM, like any other.
fn mount(server: &Server, ca_file: &str) -> Arc<Console> {
    let place = Place {
        global: Global {
            json: false,
            quiet: false,
            verbose: 0,
            profile: None,
            region: Some(server.region.to_string()),
            endpoint_url: Some(server.endpoint_url()),
            access_key: Some(server.root.clone()),
        },
        endpoint: Endpoint {
            smtp_endpoint: Some(server.smtp.to_string()),
            ca_file: Some(ca_file.into()),
            starttls: true,
            tls_wrapper: false,
        },
        region: Some(server.region.clone()),
        local: Some(console::Local {
            listeners: server
                .listeners
                .iter()
                .map(|it| (it.address, it.region.clone(), it.tls == Tls::Wrapper))
                .collect(),
            ca_file: ca_file.to_owned(),
            inbox: server.inbox(),
        }),
    };
    let console = Console::new(super::run, place, Session::new(false, true));
    server.mount(console::router(console.clone()));
    console
}

fn config(args: &Local, global: &Global) -> Result<Config> {
    let region = aws::typed_or_set_region(global);
    let region = region
        .map(|(source, text)| aws::parse_region(&text, true).map_err(|failure| failure.of(source)));
    let region = region.transpose()?;
    let account_id = args.account.as_deref().map(account_id).transpose()?;
    let default = |address| if args.command.is_empty() { address } else { "127.0.0.1:0" };
    let or_default = |given: &[String], address| match given {
        [] => vec![default(address).to_owned()],
        given => given.to_vec(),
    };
    let starttls = or_default(&args.smtp, "127.0.0.1:2587");
    let starttls = starttls
        .iter()
        .map(|text| listen_on(text, Tls::Starttls).map_err(|failure| failure.of("--smtp")));
    let wrapper = or_default(&args.smtps, "127.0.0.1:2465");
    let wrapper = wrapper
        .iter()
        .map(|text| listen_on(text, Tls::Wrapper).map_err(|failure| failure.of("--smtps")));
    Ok(Config {
        http: listen_address(args.http.as_deref().unwrap_or_else(|| default("127.0.0.1:4566")))
            .map_err(|failure| failure.of("--http"))?,
        smtp: starttls.chain(wrapper).collect::<Result<_>>()?,
        smtp_limits: smtp_limits(args.max_connections),
        region,
        account_id,
        root: root(args)?,
        identities: args.identity.iter().map(|name| identity(name)).collect::<Result<_>>()?,
        sending: sending(args),
        accept_v2: args.accept_v2,
        faults: args.faults.as_deref().map_or_else(|| Ok(Plan::default()), faults)?,
        hosts: host_names(&args.host_name)?,
        sns_endpoint: variable(SNS_ENDPOINT),
        data: args.data.clone(),
        ..Config::ephemeral()
    })
}

/// Warns of a region that is not in the table. It is served all the same, as the table ages.
fn warn_of_unknown(region: &Region, output: &Output) {
    if let Err(error) = Region::parse(region.as_str()) {
        let Failure { message, hint, .. } = explain::input::unknown_region(&error);
        output.warn(&message);
        output.hint(&hint);
    }
}

fn account_id(text: &str) -> Result<AccountId> {
    AccountId::parse(text).ok_or_else(|| {
        Failure::usage(
            format!("--account: {text:?} is no account"),
            "12 digits, such as 123456789012",
        )
    })
}

/// Parses `REGION=ADDRESS:PORT`, or an address for the region of the local SES.
fn listen_on(text: &str, tls: Tls) -> Result<ListenOn> {
    let (region, address) = match text.split_once('=') {
        Some((region, address)) => (Some(aws::parse_region(region, true)?), address),
        None => (None, text),
    };
    Ok(ListenOn { address: listen_address(address)?, region, tls })
}

fn smtp_limits(connections_per_address: usize) -> Limits {
    let default = Limits::default();
    let connections = default.connections.max(connections_per_address);
    Limits { connections_per_address, connections, ..default }
}

/// Returns a listener for the ready line.
fn shown(listener: &Listener) -> Value {
    let tls = match listener.tls {
        Tls::Starttls => "starttls",
        Tls::Wrapper => "wrapper",
    };
    json!({"address": listener.address.to_string(), "region": listener.region.as_str(), "tls": tls})
}

fn identity(name: &str) -> Result<Identity> {
    let right = written::identity(name).ok();
    right.and_then(|name| Identity::parse(&name)).ok_or_else(|| {
        Failure::usage(
            format!("--identity: {name:?} is no identity"),
            "an address or a domain, such as example.com",
        )
    })
}

fn sending(args: &Local) -> Settings {
    let granted = if args.sandbox { Quota::SANDBOX } else { Quota::default() };
    Settings {
        sandbox: args.sandbox,
        quota: Quota {
            max_24_hour_send: args.max_24_hour_send.or(granted.max_24_hour_send),
            max_send_rate: args.max_send_rate.or(granted.max_send_rate),
        },
    }
}

pub(super) fn listen_address(text: &str) -> Result<SocketAddr> {
    let address = text
        .strip_prefix("localhost:")
        .map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    address.parse().map_err(|_| {
        Failure::usage(
            format!("{text:?} is no ADDRESS:PORT"),
            "such as 127.0.0.1:4566; port 0 is any free one",
        )
    })
}

/// Checks host names, which have no port: another port may lead here.
pub(super) fn host_names(names: &[String]) -> Result<Vec<String>> {
    let is_name = |name: &String| {
        let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        name.parse::<IpAddr>().is_ok() || (!name.is_empty() && name.bytes().all(is_letter))
    };
    match names.iter().find(|name| !is_name(name)) {
        None => Ok(names.to_vec()),
        Some(other) => Err(Failure::usage(
            format!("--host-name: {other:?} is no host name"),
            "such as ses.internal, without a port",
        )),
    }
}

fn faults(file: &Path) -> Result<Plan> {
    let toml = fs::read_to_string(file).map_err(|error| Failure::file("read", file, &error))?;
    Plan::parse(&toml).map_err(|error| {
        Failure::usage(
            format!(
                "--faults: {} is no plan of faults: {}",
                file.display(),
                error.to_string().trim_end()
            ),
            "docs/faults.md shows one",
        )
    })
}

fn root(args: &Local) -> Result<Option<(AccessKeyId, SecretAccessKey)>> {
    let secret = variable(ROOT_SECRET);
    match (&args.root_access_key_id, secret) {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) => {
            let id = AccessKeyId::parse(id).map_err(|error| {
                Failure::usage(
                    format!("--root-access-key-id: {error}"),
                    "AKIA and 16 upper-case letters and digits",
                )
            })?;
            let secret = SecretAccessKey::parse(&secret).map_err(|error| {
                explain::input::secret_access_key(&error, &format!("${ROOT_SECRET}"))
            })?;
            Ok(Some((id, secret)))
        }
        (Some(_), None) => {
            Err(Failure::usage("the root access key has no secret", format!("set {ROOT_SECRET}")))
        }
        (None, Some(_)) => {
            Err(Failure::usage("the root secret access key has no ID", "give --root-access-key-id"))
        }
    }
}

/// Makes a folder that is deleted when the local SES ends.
fn folder() -> Result<TempDir> {
    let made = tempfile::Builder::new().prefix("seskey-local-").tempdir();
    made.map_err(|error| Failure::file("write", &env::temp_dir(), &error))
}

/// Writes the certificate of the authority into a file of the folder. Returns its path.
fn ca_file(folder: &Path, pem: &str) -> Result<String> {
    let failed = |error| Failure::file("write", folder, &error);
    let path = folder.join("ca.pem");
    let mut file = fs::File::create_new(&path).map_err(failed)?;
    file.write_all(pem.as_bytes()).map_err(failed)?;
    Ok(path.display().to_string())
}

/// Raises the limit of open files. A connection is a descriptor, and the usual limit of 1,024 is for programs that use
/// `select`.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        warn!(target: "seskey_local", %error, "cannot raise the limit of open files");
    }
}

/// Does the same in the directory of `--data`, where the file stays.
fn kept_ca_file(data: &Path, pem: &str) -> Result<String> {
    // a reader of the ready line may be in another directory
    let path = std::path::absolute(data.join("ca.pem"))?;
    if fs::read_to_string(&path).ok().as_deref() != Some(pem) {
        OutputFile::begin(&path, true)?.finish(pem)?;
    }
    Ok(path.display().to_string())
}

/// Logs to stderr: events, and with -v connections too. Around a command, which has output of its own, each needs one
/// -v more.
fn log(global: &Global, format: LogFormat, alone: bool) {
    let level = match (global.quiet, global.verbose + u8::from(alone)) {
        (true, _) | (_, 0) => tracing::Level::WARN,
        (false, 1) => tracing::Level::INFO,
        (false, _) => tracing::Level::DEBUG,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_target(false);
    let filtered =
        tracing_subscriber::registry().with(Targets::new().with_target("seskey_local", level));
    match format {
        LogFormat::Text => filtered.with(lines).init(),
        LogFormat::Json => filtered.with(lines.json().flatten_event(true)).init(),
    }
}
