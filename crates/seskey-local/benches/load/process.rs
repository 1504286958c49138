//! A process and its descendants: their use of resources, and their end.

use std::{
    collections::HashMap,
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::Result;

/// A server's process in a folder of its own. It is stopped when this is dropped.
pub(crate) struct Process {
    child: Child,
    folder: TempDir,
}

/// The length of a clock tick in `/proc` on Linux.
const TICK: Duration = Duration::from_millis(10);

const PATIENCE: Duration = Duration::from_secs(10);

impl Process {
    /// Starts the command in that folder; its output goes to the file `log` there.
    pub(crate) fn start(command: &mut Command, folder: TempDir) -> Result<Self> {
        let log = File::create(folder.path().join("log"))?;
        let child = command
            .current_dir(folder.path())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        Ok(Self { child, folder })
    }

    /// Returns its output.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Returns the CPU time of the process and of all that it has started.
    pub(crate) fn cpu(&self) -> Duration {
        let ticks: u32 = self.tree().iter().map(|process| process.ticks).sum();
        TICK * ticks
    }

    /// Returns the resident memory in MB; of several processes, shared memory is counted once (proc_pid_smaps(5)).
    pub(crate) fn memory(&self) -> f64 {
        let tree = self.tree();
        let field = if tree.len() == 1 { "Rss:" } else { "Pss:" };
        let kib: f64 = tree.iter().map(|process| smaps_rollup(process.id, field)).sum();
        kib * 1024.0 / 1e6
    }

    /// Asks the process and its group to end, and waits until the process has ended.
    pub(crate) fn stop(&mut self) {
        let group = format!("-{}", self.child.id());
        signal("-TERM", &group);
        let asked = Instant::now();
        while self.ended().is_none() {
            if asked.elapsed() > PATIENCE {
                signal("-KILL", &group);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn tree(&self) -> Vec<Stat> {
        let mut children: HashMap<u32, Vec<Stat>> = HashMap::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            if let Some(stat) = Stat::read(&entry.path()) {
                children.entry(stat.parent).or_default().push(stat);
            }
        }
        let mut tree: Vec<Stat> =
            Stat::read(&PathBuf::from(format!("/proc/{}", self.child.id()))).into_iter().collect();
        let mut next = 0;
        while next < tree.len() {
            tree.extend(children.remove(&tree[next].id).unwrap_or_default());
            next += 1;
        }
        tree
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A line of `/proc/PID/stat` (proc_pid_stat(5)).
struct Stat {
    id: u32,
    parent: u32,
    /// The ticks in user mode and in the kernel, with those of its children that have ended.
    ticks: u32,
}

impl Stat {
    fn read(folder: &Path) -> Option<Self> {
        let id = folder.file_name()?.to_str()?.parse().ok()?;
        let text = fs::read_to_string(folder.join("stat")).ok()?;
        // the name, in brackets, may hold anything
        let (_, after_name) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = after_name.split(' ').collect();
        let ticks = fields.get(11..15)?.iter().map(|ticks| ticks.parse::<u32>().unwrap_or(0)).sum();
        Some(Self { id, parent: fields.get(1)?.parse().ok()?, ticks })
    }
}

/// Returns a field of `smaps_rollup`, in KiB.
fn smaps_rollup(id: u32, field: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0.0)
}

fn signal(name: &str, to: &str) {
    // it may have ended meanwhile
    Command::new("kill").args([name, "--", to]).stderr(Stdio::null()).status().ok();
}
