//! The arguments of `seskey rotate`.

use std::path::PathBuf;

use clap::ValueEnum;
use jiff::SignedDuration;

use super::Endpoint;

#[derive(Debug, clap::Args)]
pub(crate) struct Rotate {
    /// The IAM users
    #[arg(value_name = "USER", required_unless_present = "all")]
    pub(crate) users: Vec<String>,
    /// Every user that may send
    #[arg(long, conflicts_with = "users")]
    pub(crate) all: bool,
    /// Where the credential is delivered: file:PATH, secretsmanager:NAME, ssm:/NAME, kubernetes:NAMESPACE/NAME,
    /// exec:COMMAND; several. {user} in it stands for the name of the user
    #[arg(long, value_name = "STORE", required_unless_present = "undo")]
    pub(crate) to: Vec<String>,
    /// How far to go now
    #[arg(long, value_enum, default_value_t = Stage::Retire)]
    pub(crate) stage: Stage,
    /// Activate the old key again that was deactivated, unless its quarantine is over
    #[arg(long, conflicts_with_all = ["to", "now", "stage", "after"])]
    pub(crate) undo: bool,
    /// Say what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take a region that is not in the table
    #[arg(long)]
    pub(crate) allow_unknown_region: bool,
    #[command(flatten)]
    pub(crate) terms: Terms,
    #[command(flatten)]
    pub(crate) pace: Pace,
    #[command(flatten)]
    pub(crate) wait: Wait,
    #[command(flatten)]
    pub(crate) records: Records,
    #[command(flatten)]
    pub(crate) endpoint: Endpoint,
}

/// The terms of a rotation: the greatest age of a key, and the time that the old one is kept.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The rotation")]
pub(crate) struct Terms {
    /// The age at which a key is rotated
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "90d")]
    pub(crate) max_age: SignedDuration,
    /// How long the old key stays active after the hand-over
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "7d")]
    pub(crate) grace: SignedDuration,
    /// How long the old key stays inactive before it is deleted
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "7d")]
    pub(crate) quarantine: SignedDuration,
    /// Rotate now, whatever the age of the key; a password in a store that does not log in is replaced
    #[arg(long)]
    pub(crate) now: bool,
    /// Wait until the old key was not used for the whole grace time, rather than stop where it is still used
    #[arg(long)]
    pub(crate) wait_unused: bool,
    /// Go on where a person would look first: the old key is still used, stores are not named or empty, two keys are
    /// active, or the user may not send
    #[arg(long, alias = "even-if-used", conflicts_with = "wait_unused")]
    pub(crate) force: bool,
    /// A command for the shell, run when every store holds the new credential
    #[arg(long, value_name = "COMMAND")]
    pub(crate) after: Option<String>,
}

/// The time to wait for another run.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The rotation")]
pub(crate) struct Wait {
    /// How long to wait for what another run may be about to do; what is due later is left to the next run
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1m")]
    pub(crate) wait: SignedDuration,
}

/// The pace of a run over many users.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Many users")]
pub(crate) struct Pace {
    /// How many users at the same time
    #[arg(long, value_name = "N", default_value = "32")]
    pub(crate) concurrency: std::num::NonZeroUsize,
    /// How many calls to IAM in a second, all users together; IAM throttles an account as a whole
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) calls_per_second: std::num::NonZeroU32,
}

/// The records of a run. They hold no secret.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Records")]
pub(crate) struct Records {
    /// A file to which every step is appended, a JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(crate) log_json: Option<PathBuf>,
    /// A command for the shell that gets JSON on its standard input when something was done for a user, or failed
    #[arg(long, value_name = "exec:COMMAND", value_parser = exec)]
    pub(crate) notify: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stage {
    /// To a new key, proven and answered: put it into the store within 15 minutes
    Create,
    /// To the new key in every store
    Deliver,
    /// To the end of the old key, in time
    Retire,
}

pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    seskey::duration::parse(text).map_err(|error| error.to_string())
}

fn exec(text: &str) -> Result<String, &'static str> {
    text.strip_prefix("exec:").map(str::to_owned).ok_or("it does not begin with exec:")
}
