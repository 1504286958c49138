//! The arguments of `seskey man`.

use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// The command that the page is about, such as rotate, or policy check [else: seskey itself]
    #[arg(value_name = "VERB")]
    pub(crate) command: Vec<String>,
    /// Write all pages into this directory, which is made if it is not there
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub(crate) dir: Option<PathBuf>,
}
