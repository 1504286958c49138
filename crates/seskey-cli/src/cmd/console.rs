//! `seskey console`: serves the pages for the account that the SDK finds.

use std::{fs, net::SocketAddr, path::Path};

use jiff::Timestamp;
use serde_json::json;
use seskey_local::http::{self, Limits, Serving, Transport};
use tokio::{net::TcpListener, runtime::Builder};

use super::local::{host_names, listen_address};
use crate::{
    args::{self, Global},
    connect::{aws, smtp},
    console::{self, Console, Place, Session},
    exit::Exit,
    explain::{self, Failure, Result},
    output::Output,
    signals,
};

pub(crate) fn run(args: &args::Console, global: &Global, output: &Output) -> Result<Exit> {
    let address = listen_address(&args.listen).map_err(|failure| failure.of("--listen"))?;
    if !address.ip().is_loopback() && args.tls_cert.is_none() {
        return Err(Failure::usage(
            format!(
                "--listen: {address} is reached from other machines, and what goes there in clear is read on the way"
            ),
            "take 127.0.0.1:0, or serve it over TLS by --tls-cert and --tls-key",
        ));
    }
    // a faulty endpoint is reported before a page is opened
    smtp::client(&args.endpoint)?;
    let region = match aws::typed_or_set_region(global) {
        Some((source, text)) => {
            Some(aws::parse_region(&text, true).map_err(|failure| failure.of(source))?)
        }
        None => aws::region(global, true).ok(),
    };
    let hosts = host_names(&args.host_name)?;
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => {
            let (certificates, private) = (read(certificate)?, read(key)?);
            let config = http::tls(&certificates, &private);
            Some(config.map_err(|error| explain::local::tls(&error, certificate, key))?)
        }
        _ => None,
    };
    let place =
        Place { global: global.clone(), endpoint: args.endpoint.clone(), region, local: None };
    let session = Session::new(tls.is_some(), false);
    let console = Console::new(super::run, place, session);
    let limits = Limits::default();
    let scheme = if tls.is_some() { "https" } else { "http" };
    let name = args.host_name.first().cloned();
    let transport = tls.map_or(Transport::Clear, Transport::Tls);
    let serving = Serving { hosts, limits, transport, now: Box::new(Timestamp::now) };
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut stop = signals::stop()?;
        signals::end_at_the_second_signal()?;
        let failed = |error| explain::local::listen(address, &error);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let url = console.session.url(&origin(scheme, name, bound));
        let pages = tokio::spawn(http::serve(listener, console::router(console.clone()), serving));
        let ready = json!({"ready": true, "listen": bound.to_string(), "console": url});
        match output.is_watched() {
            true => output.answer(&format!(
                "The console of the account: {url}\nAnyone with this address may do what you may. Ctrl-C ends it.\n"
            ))?,
            false => output.answer(&format!("{ready}\n"))?,
        }
        stop.recv().await;
        pages.abort();
        console.stop().await;
        for user in console.untaken() {
            output.warn(&format!(
                "nobody has taken the SMTP password of {user}, and it is lost: seskey rotate --now {user} makes another"
            ));
        }
        Ok(Exit::Done)
    })
}

/// Returns the origin of the pages: by the first name that was given, else by the address.
fn origin(scheme: &str, name: Option<String>, bound: SocketAddr) -> String {
    match name {
        Some(name) => format!("{scheme}://{name}:{}", bound.port()),
        None => format!("{scheme}://{bound}"),
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| Failure::file("read", path, &error))
}
