//! The event destinations of a configuration set, for both versions.

use std::collections::BTreeSet;

use super::{Call, SesRefusal, resource_name};
use crate::{
    account::{EventDestination, SesResource, SesResourceKind as Kind, event_destination_name},
    event::EventType,
};

/// Source: SES Developer Guide, "Service quotas in Amazon SES" ("Maximum number of event destinations per configuration
/// set").
const DESTINATIONS: usize = 10;

/// An event destination as a request describes it.
pub(super) struct Described {
    pub(super) name: String,
    pub(super) enabled: bool,
    /// The event types, by their names in this version of the API.
    pub(super) matching_event_types: Vec<String>,
    pub(super) topic_arn: Option<String>,
    /// The kind of another destination, if one is requested.
    pub(super) other_kind: Option<&'static str>,
}

impl Call<'_> {
    pub(super) fn create_event_destination(
        &mut self,
        set: &str,
        described: Described,
        type_of: fn(&str) -> Option<EventType>,
    ) -> Result<(), SesRefusal> {
        self.resource(Kind::ConfigurationSet, set)?;
        let name = resource_name(&described.name)?.to_owned();
        let destination = self.event_destination(described, type_of)?;
        let kept_name = event_destination_name(set, &name);
        if self.account.ses_resource(&self.region, Kind::EventDestination, &kept_name).is_some() {
            return Err(SesRefusal::EventDestinationExists { set: set.to_owned(), name });
        }
        if self.account.event_destinations(&self.region, set).count() >= DESTINATIONS {
            return Err(SesRefusal::TooManyEventDestinations);
        }
        *self.validated = Some(destination.topic_arn.clone());
        let row = SesResource::EventDestination(destination);
        Ok(self.account.put_ses_resource(&self.region, &kept_name, row)?)
    }

    pub(super) fn update_event_destination(
        &mut self,
        set: &str,
        described: Described,
        type_of: fn(&str) -> Option<EventType>,
    ) -> Result<(), SesRefusal> {
        let kept_name = self.known_event_destination(set, &described.name)?;
        let row = SesResource::EventDestination(self.event_destination(described, type_of)?);
        Ok(self.account.put_ses_resource(&self.region, &kept_name, row)?)
    }

    pub(super) fn delete_event_destination(
        &mut self,
        set: &str,
        name: &str,
    ) -> Result<(), SesRefusal> {
        let kept_name = self.known_event_destination(set, name)?;
        self.account.delete_ses_resource(&self.region, Kind::EventDestination, &kept_name);
        Ok(())
    }

    /// Returns the destinations of an existing configuration set.
    pub(super) fn event_destinations_of(
        &self,
        set: &str,
    ) -> Result<Vec<(&str, &EventDestination)>, SesRefusal> {
        self.resource(Kind::ConfigurationSet, set)?;
        Ok(self.account.event_destinations(&self.region, set).collect())
    }

    fn known_event_destination(&self, set: &str, name: &str) -> Result<String, SesRefusal> {
        self.resource(Kind::ConfigurationSet, set)?;
        let kept_name = event_destination_name(set, name);
        match self.account.ses_resource(&self.region, Kind::EventDestination, &kept_name) {
            Some(_) => Ok(kept_name),
            None => Err(SesRefusal::NoEventDestination(set.to_owned())),
        }
    }

    fn event_destination(
        &self,
        described: Described,
        type_of: fn(&str) -> Option<EventType>,
    ) -> Result<EventDestination, SesRefusal> {
        let invalid = |text: String| Err(SesRefusal::InvalidParameter(text));
        if let Some(kind) = described.other_kind {
            return Err(SesRefusal::NotServed(kind));
        }
        let Some(topic_arn) = described.topic_arn else {
            return invalid("An event destination has an SNS destination here.".to_owned());
        };
        let mut matching_event_types = BTreeSet::new();
        for name in &described.matching_event_types {
            match type_of(name) {
                Some(it) => matching_event_types.insert(it),
                None => return invalid(format!("Invalid event type <{name}>.")),
            };
        }
        if matching_event_types.is_empty() {
            return invalid(
                "An event destination has at least one matching event type.".to_owned(),
            );
        }
        if !self.account.is_topic(&topic_arn) {
            return Err(SesRefusal::NoTopic(topic_arn));
        }
        Ok(EventDestination { enabled: described.enabled, matching_event_types, topic_arn })
    }
}
