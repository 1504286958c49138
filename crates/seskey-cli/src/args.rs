//! The command line. The verbs resolve the defaults and the variables of the environment that are not declared here.

pub(crate) mod audit;
mod completions;
mod console;
mod diagnose;
pub(crate) mod fleet;
mod local;
mod man;
mod migrate;
mod policy;
mod render;
pub(crate) mod revoke;
pub(crate) mod rotate;

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use seskey::{AccessKeyId, SecretAccessKey, render::Target};

pub(crate) use completions::Completions;
pub(crate) use console::Console;
pub(crate) use diagnose::Diagnose;
pub(crate) use local::{Local, LogFormat};
pub(crate) use man::Man;
pub(crate) use migrate::Migrate;
pub(crate) use policy::{PolicyArgs, PolicyCheck, PolicyVerb, Sending};
pub(crate) use render::Render;

/// Amazon SES SMTP credentials: derive, create, prove, deliver, rotate, revoke, list, delete; and a local SES to try it
/// on.
///
/// The SMTP user name is the access key ID of an IAM user; the SMTP password is computed from its secret access key,
/// for one region. Exit codes: 0 done, 1 failed and nothing was changed, 2 wrong use, 3 unfinished, 4 findings.
#[derive(Debug, Parser)]
#[command(version, name = "seskey", max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Answer in JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The region of the credential [else: AWS_REGION, AWS_DEFAULT_REGION, the profile]
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// The AWS profile to take credentials and region from
    #[arg(long, global = true, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// The endpoint of IAM, STS, SES and Organizations, such as a local SES [else: AWS_ENDPOINT_URL …, the profile]
    #[arg(long, global = true, value_name = "URL", value_parser = parse_url)]
    pub(crate) endpoint_url: Option<String>,
    /// Say only what went wrong
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Say more; twice: everything
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// The access key of the caller, where a local SES calls itself; no option sets it
    #[arg(skip)]
    pub(crate) access_key: Option<(AccessKeyId, SecretAccessKey)>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Derive the SMTP password from a secret access key
    ///
    /// The secret comes from the first of these that has one: --secret-access-key, --secret-file, the profile of
    /// --profile, stdin if something is piped in, $AWS_SECRET_ACCESS_KEY, a prompt without echo. It is taken out of
    /// quotation marks, NAME=, percent-encoding, and the JSON of aws iam create-access-key.
    Derive(Derive),
    /// Say what a pasted string is: a password, a secret access key, an access key ID
    Inspect(Inspect),
    /// List the regions and their SMTP endpoints
    Regions,
    /// Print the least IAM policy that may send, or check one
    Policy(PolicyArgs),
    /// Print a credential as the configuration of Postfix, msmtp, Kubernetes …
    Render(Render),
    /// Create an SMTP credential as the SES console does, and prove it by a login
    ///
    /// User and permission come before the access key, so that no key ever lives without its policy. The credential logs
    /// in three times before it is answered. Everything is taken back where a step fails. IAM tells the secret only
    /// once: it goes to stdout, into the file of --output, or into the stores of --to.
    Create(Create),
    /// List the SMTP users: those that may send
    List(List),
    /// Say what is wrong with the users that send by SMTP: old and unused keys, permissions, leftovers
    ///
    /// A user is recognised by the last use of its keys, by what the SES console or seskey has made of it, or by what it
    /// may do. Findings name the controls of AWS Security Hub that ask the same, and the command that mends them. IAM
    /// knows of mail by SMTP what CloudTrail does not. docs/audit.md lists the findings.
    Audit(audit::Audit),
    /// Log in to the SMTP endpoint and out
    ///
    /// It prints the server's own reply. Where the login is refused, it says the likeliest reason.
    Verify(Verify),
    /// Say why a login or a message fails: the causes, the likeliest first
    ///
    /// It takes whatever there is: the file that the application reads, the values, the text of the error. Evidence is
    /// gathered from the cheap to the dear, and no more of it where a cause is certain: what was typed, the network, the
    /// SMTP endpoint, IAM and SES with the AWS credentials of the caller. No secret is in the report. docs/diagnose.md lists the
    /// causes.
    Diagnose(Diagnose),
    /// Rotate the access keys of SMTP users with no downtime: do what is due, say what is due next
    ///
    /// The new key is proven by logins and delivered to every store; the old one stays active for the grace time, then
    /// inactive for the quarantine, and only then is deleted. Each run does what is due and ends, so it belongs into cron.
    /// It may be killed at any moment and run twice at once: IAM and the stores are the record, and the next run goes
    /// on.
    Rotate(rotate::Rotate),
    /// Say what apply would do for every credential that seskey.toml declares
    ///
    /// Plan reads IAM and the stores, and changes nothing. docs/fleet.md lists the keys of the file.
    Plan(fleet::Plan),
    /// Create, rotate and deliver every credential that seskey.toml declares
    ///
    /// What rotate does for one user, apply does for each, several at a time. One failure does not stop the others.
    Apply(fleet::Apply),
    /// Deactivate every access key of an SMTP user at once: a leak
    ///
    /// The keys are deactivated first, which waits for nothing. Then, with --replace, a new credential is made and
    /// delivered. Until the quarantine is over, seskey rotate USER --undo activates the keys again.
    Revoke(revoke::Revoke),
    /// Delete an SMTP user with its keys, policies and groups
    ///
    /// A user that signs in otherwise too, with a console password, an MFA device, an SSH key, a certificate or a
    /// credential of another service, is refused as a whole, for IAM would keep it and its mail would have stopped.
    Delete(Delete),
    /// Move an SMTP user from a policy of its own to the group of the SES console
    ///
    /// The user joins the group first, and its own policy goes when it is seen to have the permission by the group too,
    /// so it may send at every moment. Run again after a failure, migrate goes on.
    Migrate(Migrate),
    /// Run a local Amazon SES: IAM, STS, the SMTP endpoint and a mailbox
    ///
    /// Around a COMMAND it ends as the command ends. Without one it serves until it is stopped: at a terminal it prints
    /// lines to paste into another one, elsewhere one line of JSON. It refuses what SES refuses, in SES's words.
    Local(Local),
    /// Serve pages that make and manage the credentials of the account, for a browser
    ///
    /// The pages do what the verbs do, with the AWS credentials of who started it: settings, create, list, rotate, revoke,
    /// delete. They are opened by the address that is printed, which has a token in it. A secret is shown once. Every local
    /// SES serves them too.
    Console(Console),
    /// Serve as an AWS Lambda function: rotation by Secrets Manager, and apply by a schedule
    ///
    /// It takes the four steps of Secrets Manager's rotation, and {"apply": {}}, which does what is due as seskey apply
    /// does. $SESKEY_CONFIG is the path of a seskey.toml in the package, s3://BUCKET/KEY of an object, or ssm:/NAME of a
    /// parameter. A program that is called bootstrap begins with this. docs/lambda.md has the events, the policy and the
    /// limits.
    Lambda,
    /// Show the whole life of a credential on a local SES in this process
    Demo,
    /// Print the completions of a shell
    ///
    /// The completions know regions, the targets of render, the profiles of ~/.aws, the users of seskey.toml, and the
    /// values of options. Other users are asked of IAM at each TAB where $SESKEY_COMPLETE_USERS is set, for two seconds
    /// at most.
    Completions(Completions),
    /// Print a manual page
    Man(Man),
}

impl Verb {
    /// Returns the SMTP endpoint that the verb logs in to, if it has one.
    pub(crate) fn endpoint(&mut self) -> Option<&mut Endpoint> {
        match self {
            Self::Create(args) => Some(&mut args.endpoint),
            Self::Verify(args) => Some(&mut args.endpoint),
            Self::Diagnose(args) => Some(&mut args.endpoint),
            Self::Rotate(args) => Some(&mut args.endpoint),
            Self::Revoke(args) => Some(&mut args.endpoint),
            _ => None,
        }
    }
}

/// The sources of a secret access key, in this order: these options, the profile, stdin, $AWS_SECRET_ACCESS_KEY, a
/// prompt.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Where the secret access key comes from")]
pub(crate) struct SecretSource {
    /// The secret itself, visible to other users of the machine and in the shell's history
    #[arg(long, value_name = "SECRET", conflicts_with = "secret_file")]
    pub(crate) secret_access_key: Option<String>,
    /// A file that holds the secret; - is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Derive {
    /// The regions that the password is for
    // plain strings: the parser must not print a secret that was typed in their place
    #[arg(value_name = "REGION")]
    pub(crate) regions: Vec<String>,
    /// The algorithm; v2 is the legacy one, which knows no region
    #[arg(long, value_enum, default_value_t = AlgorithmArg::V4)]
    pub(crate) algorithm: AlgorithmArg,
    /// Every region that has an SMTP endpoint
    #[arg(long, conflicts_with_all = ["regions", "batch"])]
    pub(crate) all_regions: bool,
    /// Take a region that is not in the table
    #[arg(long)]
    pub(crate) allow_unknown_region: bool,
    /// CSV or JSON of access_key_id, secret_access_key, region, or what aws iam create-access-key answered, one or
    /// many; answered as CSV with smtp_password. Where a row has no region, --region counts. - is stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["regions", "secret_access_key", "secret_file"])]
    pub(crate) batch: Option<PathBuf>,
    // the group comes last: its heading would stand above the options after it
    #[command(flatten)]
    pub(crate) secret: SecretSource,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AlgorithmArg {
    V4,
    V2,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Inspect {
    /// A file that holds the string to inspect; - is stdin [else: stdin, a prompt]
    #[arg(long, value_name = "FILE")]
    pub(crate) value_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) secret: SecretSource,
}

/// The credential that a verb is about.
#[derive(Debug, clap::Args)]
pub(crate) struct Given {
    /// The credential in the console's CSV or in a form that render writes; - is stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["user_name", "password_file"])]
    pub(crate) credentials: Option<PathBuf>,
    /// The SMTP user name
    #[arg(long, value_name = "ACCESS_KEY_ID", required_unless_present = "credentials")]
    pub(crate) user_name: Option<String>,
    /// A file that holds the SMTP password; - is stdin [else: stdin, a prompt]
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

/// The SMTP endpoint to log in to.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The SMTP endpoint")]
pub(crate) struct Endpoint {
    /// The endpoint to log in to, such as a local SES [else: the region's]
    #[arg(long, value_name = "HOST:PORT", env = "SESKEY_SMTP_ENDPOINT", hide_env_values = true)]
    pub(crate) smtp_endpoint: Option<String>,
    /// The certificate authority to trust beside the system's, as PEM
    #[arg(long, value_name = "FILE", env = "SESKEY_CA_FILE", hide_env_values = true)]
    pub(crate) ca_file: Option<PathBuf>,
    /// Begin in clear and turn to TLS [default, but for ports 465 and 2465]
    #[arg(long, conflicts_with = "tls_wrapper")]
    pub(crate) starttls: bool,
    /// Begin in TLS
    #[arg(long)]
    pub(crate) tls_wrapper: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// The name of the IAM user [default: ses-smtp-user. and the time]
    #[arg(value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Where the sending policy goes [default: group; inline when the policy is restricted]
    #[arg(long, value_enum)]
    pub(crate) style: Option<Style>,
    /// The path of the IAM user
    #[arg(long, value_name = "PATH", default_value = "/")]
    pub(crate) path: String,
    /// A tag of the IAM user
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) tag: Vec<String>,
    /// The managed policy that bounds the user's permissions
    #[arg(long, value_name = "ARN")]
    pub(crate) permissions_boundary: Option<String>,
    /// Take a region that is not in the table
    #[arg(long)]
    pub(crate) allow_unknown_region: bool,
    /// Do not log in with the credential
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// The form of the answer [default: what the name of the file of --output says, such as app.json, app.csv or .env;
    /// else text]
    #[arg(long, value_enum, conflicts_with = "json")]
    pub(crate) format: Option<Format>,
    /// End with the lines to paste for what is to read it: a TARGET of seskey render, whose --help lists them
    #[arg(long = "for", value_name = "TARGET", value_parser = render::targets(), hide_possible_values = true, conflicts_with_all = ["format", "to"])]
    pub(crate) reader: Option<Target>,
    /// A file for the answer, readable by its owner alone [else: stdout]
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Overwrite the file
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
    /// Where the credential is delivered, rather than answered; several
    #[arg(long, value_name = "STORE", conflicts_with_all = ["output", "format", "no_verify"])]
    pub(crate) to: Vec<String>,
    /// A command for the shell, run when every store holds the credential
    #[arg(long, value_name = "COMMAND", requires = "to")]
    pub(crate) after: Option<String>,
    /// Say what would be made, and make nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) sending: Sending,
    #[command(flatten)]
    pub(crate) endpoint: Endpoint,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Style {
    /// The group AWSSESSendingGroupDoNotRename, as the console since September 2024
    Group,
    /// A policy of the user's own, as the console before
    Inline,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    Csv,
    Env,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Every user, not only those that may send
    #[arg(long)]
    pub(crate) all: bool,
    /// What the lines are sorted by; of times the longest ago first [default: as IAM lists them]
    #[arg(long, value_enum, value_name = "COLUMN")]
    pub(crate) sort: Option<Column>,
    /// Only lines like these: COLUMN=PATTERN, with * and ?, or COLUMN>TIME, such as age>90d; several
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Vec<String>,
    #[command(flatten)]
    pub(crate) accounts: fleet::Accounts,
}

/// A column of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Column {
    Account,
    User,
    Style,
    Region,
    AccessKey,
    Status,
    Age,
    LastUsed,
}

#[derive(Debug, clap::Args)]
#[command(mut_arg("password_file", |arg| arg.visible_alias("secret-file")))]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) given: Given,
    /// The host name of the endpoint
    #[arg(long, value_name = "NAME", conflicts_with = "smtp_endpoint")]
    pub(crate) host: Option<String>,
    /// The port [default: 587 or 465]
    #[arg(long, value_name = "PORT", conflicts_with = "smtp_endpoint")]
    pub(crate) port: Option<u16>,
    /// Ask IAM, with the AWS credentials of the caller, whether it may send from this address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<String>,
    /// … to these
    #[arg(long, value_name = "ADDRESS", requires = "from")]
    pub(crate) to: Vec<String>,
    /// Send a message from that address to the mailbox simulator
    #[arg(long, requires = "from")]
    pub(crate) send: bool,
    #[command(flatten)]
    pub(crate) endpoint: Endpoint,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Delete {
    /// The name of the IAM user
    pub(crate) user: String,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Say what would be deleted, and delete nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

fn parse_url(text: &str) -> Result<String, &'static str> {
    let is_url = text.starts_with("http://") || text.starts_with("https://");
    is_url.then(|| text.to_owned()).ok_or("it begins with neither http:// nor https://")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Args::command().debug_assert();
    }
}
