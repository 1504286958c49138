//! `[account.NAME]`

use std::path::PathBuf;

use super::{
    error::Fault,
    read::{Reader, Section, filled},
};
use crate::Partition;

/// An account, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// The profile of the shared configuration files; absent for the default chain.
    pub profile: Option<String>,
    /// The role that is assumed with these credentials.
    pub role_arn: Option<String>,
    /// What the trust policy of the role asks for.
    pub external_id: Option<String>,
    /// The endpoint of IAM and STS, in place of AWS's.
    pub endpoint_url: Option<String>,
    /// Where credentials are proven, `HOST:PORT`, in place of the SMTP endpoint of their region.
    pub smtp_endpoint: Option<String>,
    /// The certificate that it is trusted by.
    pub ca_file: Option<PathBuf>,
}

impl Account {
    pub(super) fn read(reader: &mut Reader, section: &Section) -> Self {
        reader.check(section);
        let account = Self {
            profile: reader.text(section, "profile", filled),
            role_arn: reader.text(section, "role-arn", role_arn),
            external_id: reader.text(section, "external-id", filled),
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

/// `arn:PARTITION:iam::ACCOUNT:role/NAME`. Source: IAM User Guide, "IAM identifiers".
fn role_arn(text: &str) -> Result<String, Fault> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let is_account = |id: &str| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit());
    match parts[..] {
        ["arn", partition, "iam", "", account, resource]
            if Partition::parse(partition).is_ok()
                && is_account(account)
                && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty()) =>
        {
            Ok(text.to_owned())
        }
        _ => Err(Fault::RoleArn { given: text.to_owned() }),
    }
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
