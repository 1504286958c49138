//! `[account.NAME]`

use std::path::PathBuf;

use super::{
    error::Fault,
    read::{Reader, Section, filled},
};
use crate::Partition;

/// An account, and the way to reach it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// The profile of the shared configuration files; absent for the default chain.
    pub profile: Option<String>,
    /// The roles to assume: the first with these credentials, each further one with those of the role before.
    pub roles: Vec<Role>,
    /// The endpoint of IAM and STS, in place of AWS's.
    pub endpoint_url: Option<String>,
    /// The `HOST:PORT` that credentials are proven at, in place of the SMTP endpoint of their region.
    pub smtp_endpoint: Option<String>,
    /// The file with the certificate that it is trusted by.
    pub ca_file: Option<PathBuf>,
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// The external ID of its trust policy.
    pub external_id: Option<String>,
}

impl Account {
    /// Returns the ID of the account, if its role names it.
    pub fn id(&self) -> Option<&str> {
        self.roles.last()?.arn.split(':').nth(4)
    }

    pub(super) fn read(reader: &mut Reader, section: &Section) -> Self {
        reader.check(section);
        let external_id = reader.text(section, "external-id", filled);
        let role = reader.text(section, "role-arn", role_arn);
        let account = Self {
            profile: reader.text(section, "profile", filled),
            roles: role.map(|arn| Role { arn, external_id }).into_iter().collect(),
            endpoint_url: reader.text(section, "endpoint-url", endpoint_url),
            smtp_endpoint: reader.text(section, "smtp-endpoint", smtp_endpoint),
            ca_file: reader.text(section, "ca-file", filled).map(PathBuf::from),
        };
        if !section.has("role-arn") {
            reader.refuse(section, "external-id", Fault::Without { needs: "role-arn" });
        }
        account
    }
}

/// Checks for `arn:PARTITION:iam::ACCOUNT:role/NAME`. Source: IAM User Guide, "IAM identifiers".
fn role_arn(text: &str) -> Result<String, Fault> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts[..] {
        ["arn", partition, "iam", "", account, resource]
            if Partition::parse(partition).is_ok()
                && is_account_id(account)
                && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty()) =>
        {
            Ok(text.to_owned())
        }
        _ => Err(Fault::RoleArn { given: text.to_owned() }),
    }
}

/// Whether this is the ID of an account. Source: Organizations API, `Account`.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn endpoint_url(text: &str) -> Result<String, Fault> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match host {
        Some(host) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err(Fault::EndpointUrl { given: text.to_owned() }),
    }
}

fn smtp_endpoint(text: &str) -> Result<String, Fault> {
    match text.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>())) {
        Some((host, Ok(1..))) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err(Fault::SmtpEndpoint { given: text.to_owned() }),
    }
}
