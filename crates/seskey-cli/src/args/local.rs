//! The arguments of `seskey local`.

use std::{ffi::OsString, path::PathBuf};

use clap::ValueEnum;

#[derive(Debug, clap::Args)]
pub(crate) struct Local {
    /// Where IAM, STS, SES, SNS and the mailbox are served, over HTTP and HTTPS [default: 127.0.0.1:4566; around a COMMAND
    /// any free port]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) http: Option<String>,
    /// Where SMTP begins in clear and turns to TLS; several, each perhaps for a region of its own [default:
    /// 127.0.0.1:2587; around a COMMAND any free port]
    #[arg(long, value_name = "[REGION=]ADDRESS:PORT")]
    pub(crate) smtp: Vec<String>,
    /// Where SMTP begins in TLS; several, as with --smtp [default: 127.0.0.1:2465; around a COMMAND any free port]
    #[arg(long, value_name = "[REGION=]ADDRESS:PORT")]
    pub(crate) smtps: Vec<String>,
    /// SMTP connections from one address at a time
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) max_connections: usize,
    /// The account [default: 000000000000, or the one in DIR]
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// Keep everything in this directory [default: in memory, gone at the end]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// A verified identity of the region: an address or a domain [without any, every sender is verified]
    #[arg(long, value_name = "NAME")]
    pub(crate) identity: Vec<String>,
    /// Be in the sandbox: recipients must be verified too, 200 in 24 hours and one in a second
    #[arg(long)]
    pub(crate) sandbox: bool,
    /// The recipients that may be sent to in 24 hours [default: no limit]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) max_24_hour_send: Option<u64>,
    /// The recipients that may be sent to in a second [default: no limit]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) max_send_rate: Option<u64>,
    /// Take passwords of the legacy algorithm
    #[arg(long)]
    pub(crate) accept_v2: bool,
    /// What goes wrong on purpose: a TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
    /// A host name by which the HTTP side is called, such as that of its container [beside localhost, its address and
    /// AWS's own names]
    #[arg(long, value_name = "NAME")]
    pub(crate) host_name: Vec<String>,
    /// The form of the log
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// The access key ID of the root user; its secret is in $SESKEY_LOCAL_ROOT_SECRET_ACCESS_KEY [default: a new
    /// key, or the one in DIR]
    #[arg(long, value_name = "ACCESS_KEY_ID")]
    pub(crate) root_access_key_id: Option<String>,
    /// The IAM user that the command sends as; made, if it is not there
    #[arg(long, value_name = "NAME", default_value = "ses-smtp-user.local")]
    pub(crate) user: String,
    /// The address that the command sends from, in $SMTP_FROM; else one of the first identity, else app@example.com
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<String>,
    /// Run this command with the local SES in its environment, and end as it ends: SMTP_HOST, SMTP_PORT, SMTP_USERNAME,
    /// SMTP_PASSWORD, SMTP_URL, AWS_* and the files of certificates
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For eyes
    Text,
    /// A JSON object a line
    Json,
}
