//! The memory of a large message goes back to the system when the message is forgotten.

use std::{env, os::unix::process::CommandExt, process::Command};

/// The variable, and its value: the size in bytes from which glibc maps an allocation, and unmaps it when it is freed.
/// If it is not set, glibc raises the size as allocations are freed, up to 32 MiB, and each thread keeps the memory of
/// messages. glibc reads it when a program starts. Source: mallopt(3), M_MMAP_THRESHOLD.
pub(super) const MMAP_THRESHOLD: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "131072");

/// Starts the program anew in this process, so that glibc reads the size. If that fails, the program goes on without
/// it.
pub(super) fn give_back() {
    let (name, value) = MMAP_THRESHOLD;
    if cfg!(target_env = "gnu") && env::var_os(name).is_none() {
        let mut words = env::args_os();
        let (Ok(program), Some(called)) = (env::current_exe(), words.next()) else { return };
        // exec returns only if it failed
        let _ = Command::new(program).arg0(called).args(words).env(name, value).exec();
    }
}
