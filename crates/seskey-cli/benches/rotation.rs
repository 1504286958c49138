//! `seskey apply` over a whole account of the local SES whose calls are throttled and whose keys take effect late:
//!
//! ```text
//! cargo bench --profile dist -p seskey-cli --bench rotation -- --users 1000 --per-second 100
//! ```
//!
//! It prints Markdown: how long the rotation of all takes beside what the throttling and the lag allow at best, the peak
//! of the memory, and what a run costs when nothing is due.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use seskey::{
    AccessKeyId, Region, SecretAccessKey,
    user::{REGION_TAG, UserName, UserPath},
};
use seskey_aws::{
    Account, Options,
    lifecycle::{
        Interrupt,
        create::{CreateRequest, Style, create_user},
    },
};

const SESKEY: &str = env!("CARGO_BIN_EXE_seskey");

#[derive(Parser)]
struct Args {
    /// How many users are rotated
    #[arg(long, default_value_t = 150)]
    users: usize,
    /// How many calls the account takes in a second, after a burst of twice as many
    #[arg(long, default_value_t = 20)]
    per_second: u32,
    /// For how many seconds a new key is refused
    #[arg(long, default_value_t = 10)]
    late: u64,
    /// How many users at the same time [default: seskey's own]
    #[arg(long)]
    concurrency: Option<u32>,
    /// The binary that is measured [default: the one of this profile]
    #[arg(long, default_value = SESKEY)]
    seskey: PathBuf,
    /// Said by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let args = Args::parse();
    let folder = tempfile::tempdir().unwrap();
    let local = Local::start(&args.seskey);
    local.make_users(args.users);
    fs::write(folder.path().join("seskey.toml"), fleet(&args, folder.path())).unwrap();
    local.ask("POST", "/_seskey/faults", &faults(&args));

    println!("| {} users | calls | a user | time | at best | ratio | peak memory |", args.users);
    println!("|---|---|---|---|---|---|---|");
    let late = Duration::from_secs(args.late);
    local.measure(&args, folder.path(), "all are rotated", late);
    local.measure(&args, folder.path(), "nothing is due", Duration::ZERO);
}

/// `seskey.toml`, with a file for each user.
fn fleet(args: &Args, folder: &Path) -> String {
    let mut toml = format!("calls-per-second = {}\n", args.per_second);
    if let Some(concurrency) = args.concurrency {
        writeln!(toml, "concurrency = {concurrency}").unwrap();
    }
    for user in 0..args.users {
        let file = folder.join(format!("{user}.json"));
        let file = file.display();
        write!(toml, "\n[[credential]]\nuser = \"user-{user}\"\nto = [\"file:{file}\"]\n").unwrap();
    }
    toml
}

fn faults(args: &Args) -> String {
    let Args { per_second, late, .. } = args;
    let burst = per_second * 2;
    format!(
        "[keys]\ncreated = \"{late}s\"\n\n[[rate]]\nper-second = {per_second}\nburst = {burst}\n"
    )
}

/// A local SES. It ends when this is dropped.
struct Local {
    child: Child,
    /// What its ready line says.
    ready: serde_json::Value,
}

impl Local {
    fn start(seskey: &Path) -> Self {
        let ports = ["--http", "--smtp", "--smtps"].map(|option| [option, "127.0.0.1:0"]);
        let mut child = Command::new(seskey)
            .args(["local", "--quiet"])
            .args(ports.concat())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, ready: serde_json::from_str(&line).unwrap() }
    }

    fn said(&self, name: &str) -> &str {
        self.ready.pointer(name).unwrap().as_str().unwrap()
    }

    /// Each with one key, which nobody has delivered.
    fn make_users(&self, users: usize) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let key = AccessKeyId::parse(self.said("/root/access_key_id")).unwrap();
            let secret = SecretAccessKey::parse(self.said("/root/secret_access_key")).unwrap();
            let account = Account::connect(&Options {
                region: Some(self.region()),
                endpoint_url: Some(self.said("/endpoint_url").to_owned()),
                access_key: Some((key, secret)),
                ..Options::default()
            })
            .await;
            for user in 0..users {
                let request = CreateRequest {
                    user_name: UserName::parse(&format!("user-{user}")).unwrap(),
                    path: UserPath::parse("/").unwrap(),
                    tags: vec![(REGION_TAG.to_owned(), self.region().to_string())],
                    permissions_boundary: None,
                    style: Style::Group,
                    region: self.region(),
                    proof: None,
                };
                create_user(&account, &request, Interrupt::never(), &mut |_| ()).await.unwrap();
                account.create_access_key(request.user_name.as_str()).await.unwrap();
            }
        });
    }

    fn region(&self) -> Region {
        Region::parse(self.said("/region")).unwrap()
    }

    /// One run, beside what the throttling and the lag allow: the last user's key takes effect after its last call.
    fn measure(&self, args: &Args, folder: &Path, what: &str, late: Duration) {
        // the bucket is full again
        thread::sleep(Duration::from_secs(3));
        let (calls, start) = (self.calls(), Instant::now());
        let mut apply = Command::new(&args.seskey)
            .arg("apply")
            .current_dir(folder)
            .env("AWS_ENDPOINT_URL", self.said("/endpoint_url"))
            .env("AWS_REGION", self.said("/region"))
            .env("AWS_ACCESS_KEY_ID", self.said("/root/access_key_id"))
            .env("AWS_SECRET_ACCESS_KEY", self.said("/root/secret_access_key"))
            .env("SESKEY_SMTP_ENDPOINT", self.said("/smtp"))
            .env("SESKEY_CA_FILE", self.said("/ca_file"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let peak = peak_of(&mut apply);
        let took = start.elapsed().as_secs_f64();
        assert!(apply.wait().unwrap().success());
        let calls = self.calls() - calls;
        let best = calls / f64::from(args.per_second) + late.as_secs_f64();
        println!(
            "| {what} | {calls} | {:.2} | {took:.1} s | {best:.1} s | {:.2} | {peak:.1} MB |",
            calls / args.users as f64,
            took / best,
        );
    }

    /// How many requests were answered so far, refused ones included.
    fn calls(&self) -> f64 {
        let metrics = self.ask("GET", "/_seskey/metrics", "");
        let counts = metrics.lines().filter(|line| line.starts_with("seskey_api_requests_total{"));
        counts.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()).sum()
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let host = self.said("/http");
        let mut stream = TcpStream::connect(host).unwrap();
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all((head + body).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.split(' ').nth(1).unwrap().starts_with('2'), "{answer}");
        answer
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // asked to end, it removes its certificate file
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        self.child.wait().unwrap();
    }
}

/// The most that was resident until the process ended, in MB (proc_pid_status(5), VmHWM).
fn peak_of(process: &mut Child) -> f64 {
    let status = format!("/proc/{}/status", process.id());
    let mut peak = 0.0;
    while process.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(kib) =
            line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok())
        {
            peak = kib * 1024.0 / 1e6;
        }
        thread::sleep(Duration::from_millis(20));
    }
    peak
}
