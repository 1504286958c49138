//! What a region has of SES beside identities: configuration sets, which are there or not, templates of messages, and
//! suppressed addresses, to which nothing is delivered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use seskey::Region;

use super::{Account, Identity};

/// One of them. Its name is unique in its region among those of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SesResource {
    /// A configuration set, which has no settings here.
    ConfigurationSet,
    /// A template. Source: SES API Reference, `Template`.
    Template(Template),
    /// An address that nothing is to be sent to. Source: SES API v2 Reference, `SuppressedDestination`.
    SuppressedAddress {
        /// `BOUNCE` or `COMPLAINT`.
        reason: String,
        /// When it was put there.
        last_update_time: Timestamp,
    },
}

/// The kinds of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum SesResourceKind {
    ConfigurationSet,
    Template,
    SuppressedAddress,
}

/// The parts of a message, with what is to be filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the members of the data type
pub struct Template {
    pub subject: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
    pub created: Timestamp,
}

/// More than an account may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SesResourceLimit {
    /// Of resources.
    #[error("There are too many of them.")]
    Resources,
    /// Of bytes in the parts of a template.
    #[error("Template is more than {TEMPLATE} bytes long.")]
    Template,
}

impl Account {
    /// The resource of that kind and name.
    pub fn ses_resource(
        &self,
        region: &Region,
        kind: SesResourceKind,
        name: &str,
    ) -> Option<&SesResource> {
        self.ses_resources.get(&key(region, kind, name))
    }

    /// Whether an address is on the suppression list of the region.
    pub fn is_suppressed(&self, region: &Region, address: &str) -> bool {
        let address = Identity::parse(address);
        let row = |it: &Identity| {
            self.ses_resource(region, SesResourceKind::SuppressedAddress, it.as_str()).is_some()
        };
        address.as_ref().is_some_and(row)
    }

    /// All of a kind in a region, in the order of their names.
    pub fn ses_resources_of(
        &self,
        region: &Region,
        kind: SesResourceKind,
    ) -> impl Iterator<Item = (&str, &SesResource)> {
        let prefix = key(region, kind, "");
        let rows = self.ses_resources.range(prefix.clone()..);
        rows.map_while(move |(key, row)| Some((key.strip_prefix(&prefix)?, row)))
    }

    /// Puts a resource in place of the one of its kind and name.
    ///
    /// # Errors
    /// There are too many, or it is too long.
    pub fn put_ses_resource(
        &mut self,
        region: &Region,
        name: &str,
        resource: SesResource,
    ) -> Result<(), SesResourceLimit> {
        let key = key(region, resource.kind(), name);
        let size = resource.size();
        if size > TEMPLATE {
            return Err(SesResourceLimit::Template);
        }
        let others = || self.ses_resources.iter().filter(|(other, _)| **other != key);
        let bytes = size + others().map(|(_, other)| other.size()).sum::<usize>();
        if others().count() >= RESOURCES || bytes > RESOURCES_BYTES {
            return Err(SesResourceLimit::Resources);
        }
        self.ses_resources.insert(key, resource);
        Ok(())
    }

    /// Deletes a resource; `false` if it is not there.
    pub fn delete_ses_resource(
        &mut self,
        region: &Region,
        kind: SesResourceKind,
        name: &str,
    ) -> bool {
        self.ses_resources.remove(&key(region, kind, name)).is_some()
    }
}

impl SesResource {
    fn kind(&self) -> SesResourceKind {
        match self {
            Self::ConfigurationSet => SesResourceKind::ConfigurationSet,
            Self::Template(_) => SesResourceKind::Template,
            Self::SuppressedAddress { .. } => SesResourceKind::SuppressedAddress,
        }
    }

    /// The bytes of a template; the others are small.
    fn size(&self) -> usize {
        let Self::Template(Template { subject, text, html, .. }) = self else { return 0 };
        [subject, text, html].into_iter().flatten().map(String::len).sum()
    }
}

/// Source: SES Developer Guide, "Using templates to send personalized email with the Amazon SES API".
const TEMPLATE: usize = 500 * 1024;

/// Ours, for all kinds and regions together.
const RESOURCES: usize = 10_000;
const RESOURCES_BYTES: usize = 64 * 1024 * 1024;

fn key(region: &Region, kind: SesResourceKind, name: &str) -> String {
    let kind = match kind {
        SesResourceKind::ConfigurationSet => "configuration-set",
        SesResourceKind::Template => "template",
        SesResourceKind::SuppressedAddress => "suppressed",
    };
    format!("{region}/{kind}/{name}")
}
