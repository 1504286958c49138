//! The arguments of `seskey completions`.

use std::ffi::OsString;

use clap_complete::Shell;

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
    /// The words of a command line, to print what completes the last of them, as the script asks at each TAB
    #[arg(last = true, value_name = "WORD")]
    pub(crate) words: Vec<OsString>,
}
