//! The signals that ask the program to stop.

use std::{
    fs,
    future::poll_fn,
    io,
    sync::{Arc, atomic::AtomicBool},
    task::Poll,
};

use rustix::process::Signal;
use seskey_aws::lifecycle::Interrupt;
use signal_hook::flag;
use tokio::signal::unix;

use crate::{
    explain::{Failure, Result},
    output::Output,
};

/// Returns an interrupt that the first SIGINT, SIGTERM or SIGHUP raises. The second ends the process at once: work
/// under way is left as by a kill, so the exit code is the one for unfinished work. A run for a page has an interrupt
/// of its own.
pub(crate) fn interrupt(output: &Output) -> Result<Interrupt> {
    if let Some(transcript) = output.transcript() {
        return Ok(transcript.interrupt());
    }
    let (raise, interrupt) = Interrupt::new();
    let mut stop = stop()?;
    end_at_the_second_signal()?;
    let output = output.clone();
    tokio::spawn(async move {
        stop.recv().await;
        output.note("it stops at the next safe point; the same signal once more ends it at once");
        // the receiver is gone when the work is done
        let _ = raise.send(true);
    });
    Ok(interrupt)
}

/// Ends the process at the second signal, whatever it is busy with: the signal handler itself ends it.
pub(crate) fn end_at_the_second_signal() -> Result<()> {
    let is_second = Arc::new(AtomicBool::new(false));
    for signal in signals() {
        let signal = signal.as_raw();
        flag::register_conditional_shutdown(signal, UNFINISHED, Arc::clone(&is_second))
            .and_then(|_| flag::register(signal, Arc::clone(&is_second)))
            .map_err(not_caught)?;
    }
    Ok(())
}

/// Lets a write beyond the limit of a file's size (setrlimit(2), RLIMIT_FSIZE) fail, as on a full disk, and not end the
/// process.
pub(crate) fn survive_large_files() {
    // without the handler, the write ends the process
    let _ = flag::register(Signal::XFSZ.as_raw(), Arc::default());
}

/// SIGINT, SIGTERM or SIGHUP, whichever comes first.
pub(crate) struct StopSignal(Vec<(Signal, unix::Signal)>);

pub(crate) fn stop() -> Result<StopSignal> {
    let caught = signals().map(|kind| Ok((kind, unix::signal(kind.as_raw().into())?)));
    caught.collect::<io::Result<_>>().map(StopSignal).map_err(not_caught)
}

impl StopSignal {
    pub(crate) async fn recv(&mut self) -> Signal {
        poll_fn(|context| {
            let mut polled =
                self.0.iter_mut().map(|(kind, caught)| caught.poll_recv(context).map(|_| *kind));
            polled.find(Poll::is_ready).unwrap_or(Poll::Pending)
        })
        .await
    }
}

/// Returns the signals that ask to stop. `nohup` starts a program with SIGHUP ignored, and it is to stay ignored.
fn signals() -> impl Iterator<Item = Signal> {
    let is_ignored = |signal: Signal| {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> (signal.as_raw() - 1) & 1 == 1)
    };
    let signals = [Signal::INT, Signal::TERM, Signal::HUP].into_iter();
    signals.filter(move |&signal| signal != Signal::HUP || !is_ignored(signal))
}

fn not_caught(error: io::Error) -> Failure {
    Failure::new(format!("cannot catch signals: {error}"), "the system does not let it")
}

/// The code of [`Exit::Unfinished`](crate::exit::Exit::Unfinished).
const UNFINISHED: i32 = 3;
