//! The arguments of `seskey revoke`.

use super::{
    Endpoint,
    rotate::{Records, Wait},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Revoke {
    /// The IAM user
    pub(crate) user: String,
    /// Then make a new credential, and deliver it
    #[arg(long, requires = "to")]
    pub(crate) replace: bool,
    /// Where the new credential is delivered: file:PATH, secretsmanager:NAME, ssm:/NAME, kubernetes:NAMESPACE/NAME,
    /// exec:COMMAND; several
    #[arg(long, value_name = "STORE", requires = "replace")]
    pub(crate) to: Vec<String>,
    /// A command for the shell, run when every store holds the new credential
    #[arg(long, value_name = "COMMAND", requires = "replace")]
    pub(crate) after: Option<String>,
    /// Where two access keys leave no room for a new one, delete one of them at once: no --undo brings it back
    #[arg(long, requires = "replace")]
    pub(crate) make_room: bool,
    /// Say what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) records: Records,
    #[command(flatten)]
    pub(crate) wait: Wait,
    #[command(flatten)]
    pub(crate) endpoint: Endpoint,
}
