//! The arguments of `seskey audit`.

use std::path::PathBuf;

use clap::ValueEnum;
use jiff::SignedDuration;
use seskey::audit::Severity;

use super::{fleet::Accounts, rotate::duration};

#[derive(Debug, clap::Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    pub(crate) accounts: Accounts,
    /// Only this user
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// Say what is known of the user where another tool speaks of this control, such as IAM.22
    #[arg(long, value_name = "CONTROL", requires = "user")]
    pub(crate) explain: Option<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Format::Table, conflicts_with_all = ["json", "explain"])]
    pub(crate) format: Format,
    /// A file for the textfile collector of Prometheus, written anew by each run, beside the answer
    #[arg(long, value_name = "FILE", conflicts_with_all = ["user", "explain"])]
    pub(crate) metrics: Option<PathBuf>,
    /// The greatest age of a key
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "90d")]
    pub(crate) max_age: SignedDuration,
    /// From when on a key counts as unused
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "45d")]
    pub(crate) unused: SignedDuration,
    /// The least severity that is told
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = Least::Low)]
    pub(crate) severity: Least,
    /// Exit with 4 if there are findings
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table, with a summary
    Table,
    /// As docs/audit.schema.json describes it
    Json,
    /// A line a finding
    Csv,
    /// Compliance Findings of the Open Cybersecurity Schema Framework
    Ocsf,
    /// SARIF 2.1.0, with lines of seskey.toml
    Sarif,
    /// A page that needs nothing else
    Html,
    /// OpenMetrics, as --metrics writes them
    Metrics,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Least {
    Informational,
    Low,
    Medium,
    High,
}

impl From<Least> for Severity {
    fn from(least: Least) -> Self {
        match least {
            Least::Informational => Self::Informational,
            Least::Low => Self::Low,
            Least::Medium => Self::Medium,
            Least::High => Self::High,
        }
    }
}
