//! The ID of this run, and the runs that have certainly ended: those on this host whose process is gone.

use std::{fs, process};

use seskey::rotation::RunId;

/// Returns the ID of this process on this host.
pub(in crate::lifecycle) fn this_run() -> RunId {
    run_id(&host(), &process::id().to_string())
}

/// Whether the run was on this host, and its process is gone.
pub(super) fn is_gone(run: &RunId) -> bool {
    let host = host();
    let here = run.is_on_the_host_of(&run_id(&host, "0"));
    // without a list of the processes, none is known to be gone
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    here && !host.is_empty()
        && !processes.flatten().any(|entry| {
            let name = entry.file_name();
            name.to_str().is_some_and(|process| run_id(&host, process) == *run)
        })
}

fn run_id(host: &str, process: &str) -> RunId {
    // another process gets the same number in time, with another start time
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let started = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(19));
    RunId::of(host, &format!("{process} {}", started.unwrap_or_default()))
}

/// Returns the scope of unique process numbers: this boot of the machine, and this namespace of processes.
fn host() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    match boot.trim() {
        "" => String::new(),
        boot => format!("{boot} {}", namespace.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_over_when_its_process_is_gone() {
        let mut child = process::Command::new("sleep").arg("60").spawn().unwrap();
        let run = run_id(&host(), &child.id().to_string());
        assert!(!is_gone(&run) && !is_gone(&this_run()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(is_gone(&run));
        assert!(!is_gone(&RunId::of("another host", "4711 0")));
    }
}
