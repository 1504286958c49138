//! A child process: it gets its input, its output is read, and it is ended when it takes too long or when this process
//! ends. No secret is in its arguments or its environment.

use std::{
    io,
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use seskey::redact::redact;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    time::timeout,
};
use zeroize::Zeroizing;

/// The reason why a process did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The program could not be started.
    #[error("{program} cannot be run: {reason}")]
    NotStarted {
        /// The program.
        program: String,
        /// The kind of failure.
        kind: io::ErrorKind,
        /// The message of the system.
        reason: String,
    },
    /// The process failed.
    #[error("it failed: {said}")]
    Failed {
        /// Its exit status; `None` if a signal ended it.
        code: Option<i32>,
        /// Its last line on stderr, without control characters and passwords; the signal that ended it, if there was
        /// none.
        said: String,
    },
    /// The process took too long, and was ended with all processes that it had started.
    #[error("it was not done after {} seconds", limit.as_secs())]
    TimeLimit {
        /// The time limit.
        limit: Duration,
    },
    /// The output is not the expected JSON.
    #[error("it printed something other than the JSON that it should")]
    Unreadable,
}

/// The result of a process that has ended.
pub(crate) struct Finished {
    status: ExitStatus,
    /// Its output, if stdout was piped.
    pub(crate) stdout: Zeroizing<Vec<u8>>,
    stderr: Zeroizing<Vec<u8>>,
}

/// Runs a user's command in the shell, with these variables and with `input` on its stdin. Its output is dropped. Its
/// message when it fails is kept, without the `hidden` texts.
///
/// # Errors
/// The command did not succeed, or not within the limit.
pub async fn shell(
    command: &str,
    variables: &[(&str, &str)],
    input: &[u8],
    hidden: &[&str],
    limit: Duration,
) -> Result<(), ProcessError> {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).envs(variables.iter().copied()).stdout(Stdio::null());
    run(&mut shell, input, limit).await?.success(hidden, |_| false).map(drop)
}

/// Runs the command with `input` on its stdin, in a process group of its own that ends when this process does.
pub(crate) async fn run(
    command: &mut Command,
    input: &[u8],
    limit: Duration,
) -> Result<Finished, ProcessError> {
    // a system without a shell has no process that could be left behind
    let watch = Watch::begin().ok();
    let leader = watch.as_ref().and_then(|watch| watch.shell.id());
    let leader = leader.and_then(|id| id.try_into().ok());
    command.stdin(Stdio::piped()).stderr(Stdio::piped()).process_group(leader.unwrap_or(0));
    let mut child =
        command.kill_on_drop(true).spawn().map_err(|error| ProcessError::NotStarted {
            program: command.as_std().get_program().to_string_lossy().into_owned(),
            kind: error.kind(),
            reason: error.to_string(),
        })?;
    let mut group = Group(leader.or_else(|| child.id().and_then(|id| id.try_into().ok())));
    let (stdin, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut stdout, mut stderr) = (Zeroizing::default(), Zeroizing::default());
    let status = timeout(limit, async {
        let feed = async move {
            if let Some(mut stdin) = stdin {
                // a command that does not read to the end needs no more
                let _ = stdin.write_all(input).await;
            }
        };
        let talk = async { tokio::join!(feed, drain(out, &mut stdout), drain(err, &mut stderr)) };
        let mut talk = std::pin::pin!(talk);
        tokio::select! {
            _ = &mut talk => child.wait().await,
            // a process that it left running may hold the pipes open for ever
            status = child.wait() => {
                let _ = timeout(LINGER, talk).await;
                status
            }
        }
    })
    .await;
    match status {
        Ok(Ok(status)) => {
            group.0 = None;
            Ok(Finished { status, stdout, stderr })
        }
        Ok(Err(error)) => {
            Err(ProcessError::Failed { code: None, said: cleaned(&error.to_string(), &[]) })
        }
        Err(_) => {
            drop(group);
            let _ = child.wait().await;
            Err(ProcessError::TimeLimit { limit })
        }
    }
}

impl Finished {
    /// Checks that it succeeded. Else gives the first line of stderr that is `chosen`, or the last line, without the
    /// `hidden` texts.
    pub(crate) fn success(
        self,
        hidden: &[&str],
        chosen: impl Fn(&str) -> bool,
    ) -> Result<Self, ProcessError> {
        if self.status.success() {
            return Ok(self);
        }
        let stderr = String::from_utf8_lossy(&self.stderr);
        let lines = || stderr.lines().filter(|line| !line.trim().is_empty());
        let line = lines().find(|line| chosen(line)).or_else(|| lines().next_back());
        // without a message, the signal that ended it
        let unsaid = || self.status.signal().map_or_else(String::new, |_| self.status.to_string());
        let said = line.map_or_else(unsaid, |line| cleaned(line, hidden));
        Err(ProcessError::Failed { code: self.status.code(), said })
    }
}

/// A shell that leads a process group and kills it when this process ends, even by a signal: a pipe that only this
/// process holds then ends, too. No safe call asks the system for that.
struct Watch {
    // killed before its pipe closes, or it would end what a command has left running on purpose
    shell: Child,
}

impl Watch {
    fn begin() -> io::Result<Self> {
        let mut shell = Command::new("sh");
        shell.args(["-c", "read line; kill -s KILL 0"]).process_group(0).kill_on_drop(true);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { shell: shell.spawn()? })
    }
}

/// The process group of a child, killed on drop unless the child has ended.
struct Group(Option<i32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0.and_then(Pid::from_raw) {
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// Reads to the end, and keeps the last bytes.
async fn drain(from: Option<impl AsyncRead + Unpin>, kept: &mut Zeroizing<Vec<u8>>) {
    let Some(mut from) = from else { return };
    let mut piece = Zeroizing::new([0; 4096]);
    kept.reserve(piece.len());
    while let Ok(length @ 1..) = from.read(&mut piece[..]).await {
        if kept.len() + length > MAX_KEPT {
            let half = kept.len() / 2;
            kept.drain(..half);
        }
        kept.extend_from_slice(&piece[..length]);
    }
}

/// Makes a line fit to be shown: no control characters, no password, not long.
fn cleaned(line: &str, hidden: &[&str]) -> String {
    let line = line.trim().chars().filter(|c| !c.is_control()).take(MAX_SEARCHED);
    redact(&line.collect::<String>(), hidden).chars().take(MAX_SAID).collect()
}

/// The time to wait for the rest of the output when a command has ended.
const LINGER: Duration = Duration::from_secs(1);

/// The most bytes of a process's output that are kept: a Kubernetes object may have 1.5 MiB.
const MAX_KEPT: usize = 4 << 20;

/// The number of characters of a message that are searched for passwords: the rest of them is enough to be shown.
const MAX_SEARCHED: usize = 2048;

/// The number of characters of a message that are shown.
const MAX_SAID: usize = 300;

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use base64::{Engine, prelude::BASE64_STANDARD};

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).stdout(Stdio::piped());
        command
    }

    #[tokio::test]
    async fn all_that_it_started_ends_at_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let limit = Duration::from_millis(500);
        // the grandchild would go on sleeping
        let script = "sleep 600 & echo $! > child; sleep 600";
        let result = run(shell(script).current_dir(&folder), b"", limit).await;
        assert_eq!(result.err(), Some(ProcessError::TimeLimit { limit }));
        let Ok(child) = std::fs::read_to_string(folder.path().join("child")) else { return };
        let stat = format!("/proc/{}/stat", child.trim());
        let started = Instant::now();
        while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
            assert!(started.elapsed() < Duration::from_secs(60), "{stat} is alive");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test]
    async fn what_it_leaves_running_is_not_waited_for() {
        let limit = Duration::from_secs(50);
        let finished = run(&mut shell("echo done; sleep 100 & exit 0"), b"", limit).await;
        assert_eq!(finished.ok().unwrap().stdout.as_slice(), b"done\n");
    }

    #[tokio::test]
    async fn input_that_is_not_read_and_output_without_end() {
        let limit = Duration::from_secs(60);
        let input = vec![b'x'; 1 << 20];
        assert!(run(&mut shell("exec true"), &input, limit).await.ok().unwrap().status.success());
        let script = "exec head -c 10000000 /dev/zero";
        let finished = run(&mut shell(script), &input, limit).await.ok().unwrap();
        assert!((MAX_KEPT / 2..=MAX_KEPT).contains(&finished.stdout.len()));
    }

    #[test]
    fn what_is_shown_has_no_password_in_it() {
        let password = "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9";
        let line = format!(" \x1b[31mno: x/{password}{password}: hidden \t");
        assert_eq!(cleaned(&line, &[]), "[31mno: x/[redacted]: hidden");
        let encoded = BASE64_STANDARD.encode("hidden passphrase: ");
        let said = cleaned(&format!("no: {}", encoded.repeat(300)), &["hidden passphrase: "]);
        assert!(said.starts_with("no: [redacted]=") && said.len() <= 300, "{said}");
        assert_eq!(cleaned(&"ü".repeat(400), &[]), "ü".repeat(300));
    }
}
