//! The arguments of `seskey diagnose`.

use std::path::PathBuf;

use super::Endpoint;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Diagnose {
    /// The file that the application reads: a .env, sasl_passwd, a URL, JSON, CSV; - is stdin
    #[arg(long, visible_alias = "credentials", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The SMTP user name, as the application has it
    // a plain string: the parser must not print a secret that was typed in its place
    #[arg(long, value_name = "NAME")]
    pub(crate) user_name: Option<String>,
    /// A file that holds the SMTP password; - is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// A file that holds the secret access key that the password should come from; - is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// The host that the application connects to
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,
    /// The port that it connects to
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// The sender: IAM is asked whether it may send from this address, SES whether that is verified
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<String>,
    /// … to this one; SES is asked whether it holds back what goes there
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) to: Option<String>,
    /// The configuration set that the message names [else: what the error text names, the sender's default one]
    #[arg(long, value_name = "NAME")]
    pub(crate) configuration_set: Option<String>,
    /// What the application or the server said; - is a log on stdin, which is read too where nothing else is given
    #[arg(long, value_name = "TEXT")]
    pub(crate) error: Option<String>,
    /// Ask neither the network nor AWS
    #[arg(long)]
    pub(crate) offline: bool,
    /// Where the login is refused, try the endpoints of the other regions
    #[arg(long, conflicts_with = "offline")]
    pub(crate) try_regions: bool,
    /// End with 4 where a cause was found
    #[arg(long)]
    pub(crate) exit_code: bool,
    #[command(flatten)]
    pub(crate) endpoint: Endpoint,
}
