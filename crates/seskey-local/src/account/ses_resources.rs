//! The SES resources of a region beside identities: configuration sets, with the topics that their events are published
//! to, templates of messages, and suppressed addresses, to which nothing is delivered.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use seskey::Region;

use super::{Account, Identity};
use crate::event::EventType;

/// An SES resource. Its name is unique among the resources of its kind in its region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SesResource {
    /// A configuration set, which has no settings of its own here.
    ConfigurationSet,
    /// A destination for the events of a configuration set; its name is [`event_destination_name`].
    EventDestination(EventDestination),
    /// A template. Source: SES API Reference, `Template`.
    Template(Template),
    /// An address that nothing is sent to. Source: SES API v2 Reference, `SuppressedDestination`.
    SuppressedAddress {
        /// `BOUNCE` or `COMPLAINT`.
        reason: String,
        /// The time when it was added to the list.
        last_update_time: Timestamp,
    },
}

/// The kinds of SES resources.
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

/// Returns the name of the event destination of a configuration set, unique in its region.
pub fn event_destination_name(set: &str, destination: &str) -> String {
    format!("{set}/{destination}")
}

/// The parts of a message, with placeholders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the members of the data type
pub struct Template {
    pub subject: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
    pub created: Timestamp,
}

/// A limit of the account that would be exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SesResourceLimit {
    /// The number of resources, or the bytes of all templates.
    #[error("There are too many of them.")]
    Resources,
    /// The bytes in the parts of one template.
    #[error("Template is more than {TEMPLATE} bytes long.")]
    Template,
}

impl Account {
    /// Returns the resource of that kind and name.
    pub fn ses_resource(
        &self,
        region: &Region,
        kind: SesResourceKind,
        name: &str,
    ) -> Option<&SesResource> {
        self.ses_resources.get(&key(region, kind, name))
    }

    /// Returns the reason why nothing is sent to an address: the address is on the suppression list of the region, and
    /// the account has that reason among its own.
    pub fn suppression(&self, region: &Region, address: &str) -> Option<&str> {
        let address = Identity::parse(address)?;
        match self.ses_resource(region, SesResourceKind::SuppressedAddress, address.as_str())? {
            SesResource::SuppressedAddress { reason, .. } => {
                self.suppressed_reasons(region).contains(&reason.as_str()).then_some(reason)
            }
            _ => None,
        }
    }

    /// Puts an address on that list, if the account has that reason among its own.
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
            // a full list is not reported
            let _ = self.put_ses_resource(region, address.as_str(), row);
        }
    }

    /// Returns the reasons that put an address on the suppression list. Source: SES API v2 Reference,
    /// `SuppressionAttributes`.
    pub fn suppressed_reasons(&self, region: &Region) -> Vec<&str> {
        match self.root_user().suppressed_reasons.get(region.as_str()) {
            Some(chosen) => chosen.iter().map(String::as_str).collect(),
            None => SUPPRESSED_REASONS.to_vec(),
        }
    }

    /// Sets those reasons.
    pub fn set_suppressed_reasons(&mut self, region: &Region, reasons: Vec<String>) {
        self.root_user_mut().suppressed_reasons.insert(region.to_string(), reasons);
    }

    /// Returns the event destinations of a configuration set, by name.
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

    /// Returns all resources of a kind in a region, sorted by name.
    pub fn ses_resources_of(
        &self,
        region: &Region,
        kind: SesResourceKind,
    ) -> impl Iterator<Item = (&str, &SesResource)> {
        let prefix = key(region, kind, "");
        let rows = self.ses_resources.range(prefix.clone()..);
        rows.map_while(move |(key, row)| Some((key.strip_prefix(&prefix)?, row)))
    }

    /// Stores a resource, in place of any of its kind and name.
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

    /// Deletes a resource, and with a configuration set its event destinations; `false` if it does not exist.
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

    /// Returns the bytes of a template. Other resources are small and count as 0.
    fn size(&self) -> usize {
        let Self::Template(Template { subject, text, html, .. }) = self else { return 0 };
        [subject, text, html].into_iter().flatten().map(String::len).sum()
    }
}

/// Source: SES API v2 Reference, `SuppressionListReason`. An account has both since 25 November 2019 (SES Developer
/// Guide, "Using the Amazon SES account-level suppression list").
pub(crate) const SUPPRESSED_REASONS: [&str; 2] = ["BOUNCE", "COMPLAINT"];

/// Source: SES Developer Guide, "Using templates to send personalized email with the Amazon SES API".
const TEMPLATE: usize = 500 * 1024;

/// Our own limits, for all kinds and regions together.
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
