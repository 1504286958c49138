//! The local SES beside other servers, all on this machine, one after the other under the same load:
//!
//! ```text
//! crates/seskey-local/benches/baselines/install target/baselines
//! cargo build --profile dist -p seskey-cli
//! cargo bench --profile dist -p seskey-local --bench load -- --what smtp
//! ```
//!
//! It prints Markdown. A baseline that is not installed is left out, and the report says so; a wrong reply fails a
//! measurement, and the whole run.

#![allow(clippy::print_stdout, reason = "the report")]

use std::{env, error::Error, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};
use tokio::runtime::Builder;

use rounds::Plan;
use servers::{Programs, SUBJECTS, Server, Service, Subject};
use smtp::Kind;

mod endurance;
mod iam;
mod process;
mod report;
mod rounds;
mod servers;
mod sink;
mod smtp;
mod tls;

type Failure = Box<dyn Error + Send + Sync>;
type Result<T> = std::result::Result<T, Failure>;

#[derive(Parser)]
struct Args {
    /// The measurements to run
    #[arg(long, value_enum, default_value_t = What::All)]
    what: What,
    /// The binary under test [default: the one built in the same profile]
    #[arg(long)]
    seskey: Option<PathBuf>,
    /// The folder where benches/baselines/install has put the baselines
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/baselines"))]
    baselines: PathBuf,
    /// Rounds of each load, an odd number
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The length of a round in seconds
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Only the SMTP loads whose titles begin with this
    #[arg(long, default_value = "")]
    load: String,
    /// The number of messages that the memory is measured over
    #[arg(long, default_value_t = 1_000_000)]
    messages: usize,
    /// The number of idle connections
    #[arg(long, default_value_t = 5_000)]
    idle: usize,
    #[arg(long, hide = true)]
    sink: bool,
    /// Passed by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    All,
    /// The time until each server is ready, and its memory then
    Start,
    /// Flows per second against the IAM API
    Iam,
    /// Logins, sessions and messages per second
    Smtp,
    /// The memory over many messages, and idle connections
    Memory,
    /// The number of waits for the disk
    Fsync,
}

struct Load {
    title: &'static str,
    kind: Kind,
    /// The messages of each session.
    messages: usize,
}

const LOADS: [Load; 5] = [
    Load { title: "Logins over STARTTLS", kind: Kind::StartTls, messages: 0 },
    Load { title: "Logins over the TLS wrapper", kind: Kind::TlsWrapper, messages: 0 },
    Load { title: "Sessions over STARTTLS", kind: Kind::StartTls, messages: 1 },
    Load { title: "Sessions over the TLS wrapper", kind: Kind::TlsWrapper, messages: 1 },
    Load { title: "Messages, 100 a session", kind: Kind::TlsWrapper, messages: 100 },
];

const CLIENTS: usize = 8;

/// The time after its start at which a server counts as idle.
const SETTLE: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime.map_err(Failure::from).and_then(|runtime| runtime.block_on(run(&args))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            println!("FAILED: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the measurements. Returns whether all of them succeeded.
async fn run(args: &Args) -> Result<bool> {
    if args.sink {
        return sink::serve().await.map(|()| true);
    }
    let seskey = match &args.seskey {
        Some(path) => path.canonicalize()?,
        None => env::current_exe()?.with_file_name("../seskey").canonicalize()?,
    };
    let programs =
        Programs { seskey, baselines: args.baselines.canonicalize().unwrap_or_default() };
    let plan = Plan { rounds: args.rounds | 1, seconds: args.seconds, most: usize::MAX };
    let wanted = |what| args.what == What::All || args.what == what;
    let mut well = true;
    if wanted(What::Start) {
        starts(&programs, plan.rounds).await?;
    }
    if wanted(What::Iam) {
        well &= compare_iam(&programs, plan).await?;
    }
    if wanted(What::Smtp) {
        well &= compare_smtp(&programs, plan, &args.load).await?;
    }
    if wanted(What::Memory) {
        for server in start_all(&programs, &[Service::Iam, Service::Smtp(Kind::StartTls)]).await? {
            endurance::many_messages(&server, args.messages).await?;
            endurance::idle_connections(&server, args.idle).await?;
        }
    }
    if wanted(What::Fsync) {
        endurance::fsyncs(&programs).await?;
    }
    Ok(well)
}

async fn starts(programs: &Programs, rounds: usize) -> Result<()> {
    let mut rows = String::new();
    for subject in SUBJECTS {
        let (mut times, mut memory) = (vec![], vec![]);
        for _ in 0..rounds {
            let Some(server) = start_or_skip(subject, programs).await? else { break };
            times.push(server.ready_after.as_secs_f64() * 1e3);
            tokio::time::sleep(SETTLE).await;
            memory.push(server.process.memory());
        }
        if !times.is_empty() {
            let (time, memory) = (report::median(&times), report::median(&memory));
            rows += &format!("| {} | {time:.0} | {memory:.1} |\n", subject.name);
        }
    }
    println!(
        "\n### Start\n\n| server | until ready, ms | idle memory, MB |\n|---|---|---|\n{rows}"
    );
    Ok(())
}

/// Compares IAM servers. Each round has a new server: an account has room for 5,000 users.
async fn compare_iam(programs: &Programs, plan: Plan) -> Result<bool> {
    let plan = Plan { most: iam::MOST_FLOWS, ..plan };
    let servers = start_all(programs, &[Service::Iam]).await?;
    let subjects: Vec<_> =
        servers.iter().map(|server| (server.subject.name, server.subject)).collect();
    drop(servers);
    let mut well = true;
    for clients in [1, CLIENTS] {
        let rows = rounds::compare(&subjects, plan, async |subject, flows| {
            let server = Server::start(subject, programs, &[]).await?;
            iam::flows(&server, clients, flows).await
        });
        let title = format!("CreateUser, PutUserPolicy, CreateAccessKey: connections: {clients}");
        well &= report::print(&title, &rows.await, servers::MOTO, 1);
    }
    Ok(well)
}

async fn compare_smtp(programs: &Programs, plan: Plan, title: &str) -> Result<bool> {
    let servers = start_all(programs, &[Service::Smtp(Kind::TlsWrapper)]).await?;
    let mut well = true;
    for load in LOADS.iter().filter(|load| load.title.starts_with(title)) {
        let servers = servers.iter().filter(|s| s.subject.serves(Service::Smtp(load.kind)));
        let servers: Vec<_> = servers.map(|server| (server.subject.name, server)).collect();
        let rows = rounds::compare(&servers, plan, async |server, sessions| {
            smtp::sessions(server, load.kind, CLIENTS, sessions, load.messages).await
        });
        let title = format!("{}: {CLIENTS} clients", load.title);
        well &= report::print(&title, &rows.await, servers::SINK, load.messages.max(1));
    }
    Ok(well)
}

/// Starts the servers that serve all of these services.
async fn start_all(programs: &Programs, services: &[Service]) -> Result<Vec<Server>> {
    let mut servers = vec![];
    for subject in SUBJECTS {
        if services.iter().all(|service| subject.serves(*service)) {
            servers.extend(start_or_skip(subject, programs).await?);
        }
    }
    Ok(servers)
}

/// Starts a server. Without the local SES there is nothing to measure; without another server there is one row less.
async fn start_or_skip(subject: &'static Subject, programs: &Programs) -> Result<Option<Server>> {
    match Server::start(subject, programs, &[]).await {
        Err(failure) if subject.name != servers::LOCAL => {
            println!("\n**SKIPPED: {}: {failure}**", subject.name);
            Ok(None)
        }
        started => started.map(Some),
    }
}
