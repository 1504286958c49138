//! The operations of version 1 on event destinations and on topics for notifications.
//!
//! Source: SES API Reference; the texts about missing resources are recorded from AWS.

use super::{Members, Operation, SesRefusal, identity, op, settings::notification_type};
use crate::{api::ses::events::Described, event::EventType};

pub(super) const OPERATIONS: &[Operation] = &[
    op("CreateConfigurationSetEventDestination", |call, m, _| {
        let (set, described) = described(m)?;
        call.create_event_destination(&set, described, EventType::of_v1)
    }),
    op("DeleteConfigurationSetEventDestination", |call, m, _| {
        let set = m.required_text("ConfigurationSetName")?;
        call.delete_event_destination(&set, m.required_str("EventDestinationName")?)
    }),
    op("DescribeConfigurationSet", |call, m, xml| {
        let set = m.required_str("ConfigurationSetName")?;
        let destinations = call.event_destinations_of(set)?;
        xml.element("ConfigurationSet", |xml| xml.text("Name", set));
        if m.texts("ConfigurationSetAttributeNames").iter().any(|it| it == "eventDestinations") {
            xml.list("EventDestinations", &destinations, |xml, (name, destination)| {
                let types = destination.matching_event_types.iter();
                let mut types: Vec<String> = types.map(|it| it.v1().to_owned()).collect();
                types.sort();
                xml.text("Name", name);
                xml.text("Enabled", &destination.enabled.to_string());
                xml.texts("MatchingEventTypes", &types);
                xml.element("SNSDestination", |xml| xml.text("TopicARN", &destination.topic_arn));
            });
        }
        Ok(())
    }),
    op("SetIdentityNotificationTopic", |call, m, _| {
        let kind = notification_type(m)?;
        let topic_arn = m.get("SnsTopic").filter(|arn| !arn.is_empty()).map(str::to_owned);
        if let Some(arn) = topic_arn.as_ref().filter(|arn| !call.account.is_topic(arn)) {
            return Err(SesRefusal::InvalidParameter(format!("Invalid SNS topic: {arn}.")));
        }
        let identity = identity(call, m)?;
        let settings = call.account.identity_settings_mut(&call.region, &identity);
        let settings = settings.ok_or_else(|| SesRefusal::UnknownIdentity(identity.to_string()))?;
        match topic_arn {
            Some(arn) => settings.notification_topics.insert(kind.to_owned(), arn),
            None => settings.notification_topics.remove(kind),
        };
        Ok(())
    }),
    op("UpdateConfigurationSetEventDestination", |call, m, _| {
        let (set, described) = described(m)?;
        call.update_event_destination(&set, described, EventType::of_v1)
    }),
];

fn described(m: &Members) -> Result<(String, Described), SesRefusal> {
    let is_given = |kind: &str| m.begins_with(&format!("EventDestination.{kind}."));
    let others = ["KinesisFirehoseDestination", "CloudWatchDestination"];
    let described = Described {
        name: m.required_text("EventDestination.Name")?,
        enabled: m.flag("EventDestination.Enabled")?,
        matching_event_types: m.texts("EventDestination.MatchingEventTypes"),
        topic_arn: m.get("EventDestination.SNSDestination.TopicARN").map(str::to_owned),
        other_kind: others.into_iter().find(|kind| is_given(kind)),
    };
    Ok((m.required_text("ConfigurationSetName")?, described))
}
