//! The arguments of `seskey migrate`.

use std::time::Duration;

use jiff::SignedDuration;

#[derive(Debug, clap::Args)]
pub(crate) struct Migrate {
    /// The name of the IAM user
    pub(crate) user: String,
    /// Go on although its own policy restricts what it may send, and the group's does not
    #[arg(long)]
    pub(crate) widen: bool,
    /// How long to wait between the two: AWS takes its time to see a change everywhere
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    pub(crate) settle: Duration,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    let duration = text.parse::<SignedDuration>().ok();
    let duration = duration.and_then(|duration| Duration::try_from(duration).ok());
    duration.ok_or("it is no duration such as 10s or 1m")
}
