//! What a region has of SES beside identities: configuration sets, with the topics that their events are published to,
//! templates of messages, and suppressed addresses, to which nothing is delivered.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use seskey::Region;

use super::{Account, Identity};
use crate::event::EventType;

/// One of them. Its name is unique in its region among those of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SesResource {
    /// A configuration set, which has no settings of its own here.
    ConfigurationSet,
    /// Where a configuration set publishes its events to; its name is [`event_destination_name`].
    EventDestination(EventDestination),
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
    EventDestination,
    Template,
    SuppressedAddress,
}

/// A topic of SNS that events of some types are published to. Source: SES API v2 Reference, `EventDestination`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the members of the data type
pub struct EventDestination {
    pub enabled: bool,
    pub matching_event_types: BTreeSet<EventType>,
    pub topic_arn: String,
}

/// The name of the event destination of a configuration set, unique in its region.
pub fn event_destination_name(set: &str, destination: &str) -> String {
    format!("{set}/{destination}")
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

    /// For which reason nothing is sent to an address: it is on the suppression list of the region, and the account has
    /// that reason among its own.
    pub fn suppression(&self, region: &Region, address: &str) -> Option<&str> {
        let address = Identity::parse(address)?;
        match self.ses_resource(region, SesResourceKind::SuppressedAddress, address.as_str())? {
            SesResource::SuppressedAddress { reason, .. } => {
                self.suppressed_reasons(region).contains(&reason.as_str()).then_some(reason)
            }
            _ => None,
        }
    }

    /// Puts an address on that list, if the account has those put there that this befalls.
    pub(crate) fn suppress(
        &mut self,
        region: &Region,
        address: &str,
        reason: &str,
        now: Timestamp,
    ) {
        let Some(address) = Identity::parse(address) else { return };
        if self.suppressed_reasons(region).contains(&reason) {
            let row =
                SesResource::SuppressedAddress { reason: reason.to_owned(), last_update_time: now };
            // of a full list nobody is told
            let _ = self.put_ses_resource(region, address.as_str(), row);
        }
    }

    /// What puts an address on the suppression list. Source: SES API v2 Reference, `SuppressionAttributes`.
    pub fn suppressed_reasons(&self, region: &Region) -> Vec<&str> {
        match self.root_user().suppressed_reasons.get(region.as_str()) {
            Some(chosen) => chosen.iter().map(String::as_str).collect(),
            None => SUPPRESSED_REASONS.to_vec(),
        }
    }

    /// From now on this does.
    pub fn set_suppressed_reasons(&mut self, region: &Region, reasons: Vec<String>) {
        self.root_user_mut().suppressed_reasons.insert(region.to_string(), reasons);
    }

    /// The event destinations of a configuration set, by name.
    pub fn event_destinations(
        &self,
        region: &Region,
        set: &str,
    ) -> impl Iterator<Item = (&str, &EventDestination)> {
        let prefix =
            key(region, SesResourceKind::EventDestination, &event_destination_name(set, ""));
        self.ses_resources.range(prefix.clone()..).map_while(move |(key, row)| match row {
            SesResource::EventDestination(it) => Some((key.strip_prefix(&prefix)?, it)),
            _ => None,
        })
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

    /// Deletes a resource, and the event destinations of a configuration set with it; `false` if it is not there.
    pub fn delete_ses_resource(
        &mut self,
        region: &Region,
        kind: SesResourceKind,
        name: &str,
    ) -> bool {
        if kind == SesResourceKind::ConfigurationSet {
            let destinations = self.event_destinations(region, name).map(|(it, _)| it.to_owned());
            for destination in destinations.collect::<Vec<_>>() {
                let name = event_destination_name(name, &destination);
                self.ses_resources.remove(&key(region, SesResourceKind::EventDestination, &name));
            }
        }
        self.ses_resources.remove(&key(region, kind, name)).is_some()
    }
}

impl SesResource {
    fn kind(&self) -> SesResourceKind {
        match self {
            Self::ConfigurationSet => SesResourceKind::ConfigurationSet,
            Self::EventDestination(_) => SesResourceKind::EventDestination,
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

/// Source: SES API v2 Reference, `SuppressionListReason`. An account has both since 25 November 2019 (SES Developer Guide,
/// "Using the Amazon SES account-level suppression list").
pub(crate) const SUPPRESSED_REASONS: [&str; 2] = ["BOUNCE", "COMPLAINT"];

/// Source: SES Developer Guide, "Using templates to send personalized email with the Amazon SES API".
const TEMPLATE: usize = 500 * 1024;

/// Ours, for all kinds and regions together.
const RESOURCES: usize = 10_000;
const RESOURCES_BYTES: usize = 64 * 1024 * 1024;

fn key(region: &Region, kind: SesResourceKind, name: &str) -> String {
    let kind = match kind {
        SesResourceKind::ConfigurationSet => "configuration-set",
        SesResourceKind::EventDestination => "event-destination",
        SesResourceKind::Template => "template",
        SesResourceKind::SuppressedAddress => "suppressed",
    };
    format!("{region}/{kind}/{name}")
}
