//! Measurements over time: the memory over many messages, idle connections, and how often the disk is waited for.

use std::{fs, sync::Arc, time::Duration};

use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
};

use crate::{
    Result,
    servers::{DURABLE, Programs, SUBJECTS, Server},
    smtp::{Endpoint, Kind, sessions},
};

const CLIENTS: usize = 8;
const MESSAGES_A_SESSION: usize = 100;

/// Prints the memory and the messages per second, ten times while so many messages are sent.
pub(crate) async fn many_messages(server: &Server, messages: usize) -> Result<()> {
    println!("\n### {}: memory over many messages\n", server.subject.name);
    println!("| messages | MB | a second |\n|---|---|---|");
    println!("| 0 | {:.1} | |", server.process.memory());
    let slice = messages / 10 / MESSAGES_A_SESSION;
    for done in 1..=10 {
        let rate = messages_a_second(server, slice).await?;
        let messages = done * slice * MESSAGES_A_SESSION;
        println!("| {messages} | {:.1} | {rate:.0} |", server.process.memory());
    }
    Ok(())
}

/// Prints the messages per second and the memory, without and with so many connections that are logged in and idle
/// except for a NOOP now and then. Each of them must answer to the end.
pub(crate) async fn idle_connections(server: &Server, count: usize) -> Result<()> {
    let sessions = 2_000;
    let rate = messages_a_second(server, sessions).await?;
    let memory = server.process.memory();
    println!("\n### {}: idle connections\n", server.subject.name);
    println!("| connections | MB | messages a second beside them |\n|---|---|---|");
    println!("| 0 | {memory:.1} | {rate:.0} |");

    let (stop, stopped) = watch::channel(false);
    let (opened, mut open) = mpsc::channel(count);
    let gate = Arc::new(Semaphore::new(CLIENTS));
    let mut held = JoinSet::new();
    for _ in 0..count {
        let endpoint = server.endpoint(Kind::TlsWrapper);
        held.spawn(hold(endpoint, gate.clone(), opened.clone(), stopped.clone()));
    }
    for _ in 0..count {
        tokio::select! {
            _ = open.recv() => {}
            Some(ended) = held.join_next() => ended??,
        }
    }
    let rate = messages_a_second(server, sessions).await?;
    println!("| {count} | {:.1} | {rate:.0} |", server.process.memory());
    stop.send(true)?;
    while let Some(ended) = held.join_next().await {
        ended??;
    }
    Ok(())
}

/// Prints how many times the durable server waited for the disk while 100 clients sent at once.
pub(crate) async fn fsyncs(programs: &Programs) -> Result<()> {
    let subject = SUBJECTS.iter().find(|subject| subject.name == DURABLE).expect("it is there");
    let folder = tempfile::tempdir()?;
    let counts = folder.path().join("counts");
    let counts_path = counts.to_str().ok_or("a folder that is not UTF-8")?;
    let strace = [&STRACE[..], &["--output", counts_path]].concat();
    let server = match Server::start(subject, programs, &strace).await {
        Ok(server) => server,
        Err(failure) => {
            println!("\n**SKIPPED: fsyncs of {DURABLE}: {failure}**");
            return Ok(());
        }
    };
    let (clients, count) = (100, 200);
    let round = sessions(&server, Kind::StartTls, clients, count, MESSAGES_A_SESSION).await?;
    // strace writes its counts when the traced process has ended
    drop(server);
    let counts = fs::read_to_string(counts)?;
    let fsyncs: usize = counts.lines().filter_map(calls).sum();
    let messages = count * MESSAGES_A_SESSION;
    println!("\n### {DURABLE}: fsyncs, {clients} clients\n");
    println!("| messages | fsyncs, from start to stop | a message | messages a second, traced |");
    println!("|---|---|---|---|");
    println!(
        "| {messages} | {fsyncs} | {:.3} | {:.0} |",
        fsyncs as f64 / messages as f64,
        messages as f64 / round.elapsed.as_secs_f64()
    );
    Ok(())
}

const SYNCS: &str = "fsync,fdatasync,msync,sync_file_range";

/// The tracer: it stops at no other calls, and ends when it is asked to.
const STRACE: [&str; 7] = [
    "strace",
    "--follow-forks",
    "--seccomp-bpf",
    "--interruptible=waiting",
    "--summary-only",
    "--trace",
    SYNCS,
];

/// Returns the calls in a line of strace's summary: `% time, seconds, usecs/call, calls, errors, syscall`.
fn calls(line: &str) -> Option<usize> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let syscall = fields.last().is_some_and(|name| SYNCS.split(',').any(|one| one == *name));
    syscall.then(|| fields.get(3)?.parse().ok()).flatten()
}

async fn messages_a_second(server: &Server, count: usize) -> Result<f64> {
    let round = sessions(server, Kind::StartTls, CLIENTS, count, MESSAGES_A_SESSION).await?;
    Ok((count * MESSAGES_A_SESSION) as f64 / round.elapsed.as_secs_f64())
}

/// Logs in and stays until it is told to stop. It sends commands more often than the server's time-out of 10 s.
async fn hold(
    endpoint: Endpoint,
    gate: Arc<Semaphore>,
    opened: mpsc::Sender<()>,
    mut stopped: watch::Receiver<bool>,
) -> Result<()> {
    let permit = gate.acquire().await?;
    let mut session = endpoint.log_in().await?;
    drop(permit);
    opened.send(()).await?;
    while tokio::time::timeout(Duration::from_secs(5), stopped.changed()).await.is_err() {
        session.noop().await?;
    }
    session.noop().await?;
    session.quit().await
}
