//! The arguments of `seskey plan` and `seskey apply`.

use std::path::PathBuf;

use super::rotate::{Records, Wait};

#[derive(Debug, clap::Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) fleet: Fleet,
    /// Exit with 4 if there is anything to do
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) fleet: Fleet,
    #[command(flatten)]
    pub(crate) records: Records,
    /// A file for the textfile collector of Prometheus, written anew by each run: deadlines, ages, and what came of each
    /// credential, as OpenMetrics
    #[arg(long, value_name = "FILE", conflicts_with = "users", help_heading = "Records")]
    pub(crate) metrics: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) wait: Wait,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Fleet {
    /// The users to go through [else: all that the file declares]
    #[arg(value_name = "USER")]
    pub(crate) users: Vec<String>,
    /// The file that declares the credentials
    #[arg(long, short, value_name = "FILE", default_value = "seskey.toml")]
    pub(crate) file: PathBuf,
}

/// The accounts to go through, in place of the caller's alone.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Accounts {
    /// Every account that this seskey.toml declares, and those of its organization
    #[arg(long, short, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Every account of the organization, each by the role of this name
    #[arg(long, value_name = "ROLE", conflicts_with = "file")]
    pub(crate) organization: Option<String>,
}
