//! The arguments of `seskey policy`.

use std::path::PathBuf;

use clap::Subcommand;
use seskey::permissions;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    pub(crate) verb: Option<PolicyVerb>,
    /// The account in the ARNs [else: any]
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) sending: Sending,
}

/// The restrictions of a sending policy. Without any, it allows all.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "What the policy allows")]
pub(crate) struct Sending {
    /// An address to send from, with * and ?, such as *@example.com; several
    #[arg(long, value_name = "PATTERN")]
    pub(crate) from: Vec<String>,
    /// An identity to send from: an address or a domain; several
    #[arg(long, value_name = "NAME")]
    pub(crate) identity: Vec<String>,
    /// A configuration set to send with
    #[arg(long, value_name = "NAME")]
    pub(crate) configuration_set: Vec<String>,
    /// A network to send from
    #[arg(long, value_name = "CIDR")]
    pub(crate) source_ip: Vec<String>,
    /// An address to send to, with * and ?; several
    #[arg(long, value_name = "PATTERN")]
    pub(crate) recipient: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyVerb {
    /// Evaluate a policy: may it send from this address to these?
    Check(PolicyCheck),
    /// Print the least policy for the person or role that runs these verbs
    Operator {
        #[arg(long = "for", value_name = "VERBS", value_delimiter = ',', required = true, help = verbs())]
        verbs: Vec<String>,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct PolicyCheck {
    /// The policy document; - is stdin
    #[arg(required_unless_present_any = ["request", "user"])]
    pub(crate) file: Option<PathBuf>,
    /// The address in From
    #[arg(long, value_name = "ADDRESS", required_unless_present = "request")]
    pub(crate) from: Option<String>,
    /// A recipient
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) to: Vec<String>,
    /// A further condition key and its value
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) context: Vec<String>,
    /// The account of the identity [else: 000000000000]
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// The policies of this IAM user and of its groups, within its boundary, in place of a document
    #[arg(long, value_name = "NAME", conflicts_with_all = ["file", "account"])]
    pub(crate) user: Option<String>,
    /// A file with policies and a request as JSON; - is stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "user", "from", "to", "context", "account"])]
    pub(crate) request: Option<PathBuf>,
    /// Exit with 4 unless it is allowed
    #[arg(long)]
    pub(crate) exit_code: bool,
}

fn verbs() -> String {
    format!("The verbs: {}", permissions::VERBS.join(", "))
}
