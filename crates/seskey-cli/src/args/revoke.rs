//! What is typed after `seskey revoke`.

use super::{
    Endpoint,
    rotate::{Records, Terms},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Revoke {
    /// The IAM user
    pub(crate) user: String,
    /// Then make a new credential, and deliver it
    #[arg(long, requires = "to")]
    pub(crate) replace: bool,
    /// Where the credential is: it is watched until it does not log in any more, and replaced there; several
    #[arg(long, value_name = "STORE")]
    pub(crate) to: Vec<String>,
    /// Delete the older access key at once if there are two, which leaves no room for a new one: no --undo brings it
    /// back
    #[arg(long, requires = "replace")]
    pub(crate) make_room: bool,
    #[command(flatten)]
    pub(crate) terms: Terms,
    #[command(flatten)]
    pub(crate) records: Records,
    #[command(flatten)]
    pub(crate) endpoint: Endpoint,
}
