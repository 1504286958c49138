//! Event destinations, default configuration sets and the reasons for suppression, in version 2.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::json;

use super::{Call, On, Route, SesRefusal, bounded, resources::route};
use crate::{
    account::{Identity, SUPPRESSED_REASONS, SesResourceKind as Kind},
    api::ses::events::Described,
    event::EventType,
};

const DESTINATIONS: &str = "/v2/email/configuration-sets/{}/event-destinations";
const DESTINATION: &str = "/v2/email/configuration-sets/{}/event-destinations/{}";

pub(super) const ROUTES: &[Route] = &[
    route("POST", DESTINATIONS, "CreateConfigurationSetEventDestination", |call, input| {
        let given: New = input.json()?;
        let described = given.event_destination.described(given.event_destination_name);
        call.create_event_destination(&input.names[0], described, EventType::of_v2)?;
        Ok(json!({}))
    }),
    route("GET", DESTINATIONS, "GetConfigurationSetEventDestinations", |call, input| {
        let destinations = call.event_destinations_of(&input.names[0])?.into_iter();
        let described = destinations.map(|(name, it)| {
            let types = it.matching_event_types.iter().map(|it| it.v2());
            json!({
                "Name": name,
                "Enabled": it.enabled,
                "MatchingEventTypes": types.collect::<Vec<_>>(),
                "SnsDestination": {"TopicArn": it.topic_arn},
            })
        });
        Ok(json!({"EventDestinations": described.collect::<Vec<_>>()}))
    }),
    route("PUT", DESTINATION, "UpdateConfigurationSetEventDestination", |call, input| {
        let given: Updated = input.json()?;
        let described = given.event_destination.described(input.names[1].clone());
        call.update_event_destination(&input.names[0], described, EventType::of_v2)?;
        Ok(json!({}))
    }),
    route("DELETE", DESTINATION, "DeleteConfigurationSetEventDestination", |call, input| {
        call.delete_event_destination(&input.names[0], &input.names[1])?;
        Ok(json!({}))
    }),
    Route {
        method: "PUT",
        path: "/v2/email/identities/{}/configuration-set",
        name: "PutEmailIdentityConfigurationSetAttributes",
        on: On::Identity,
        proceed: |call, input| {
            let identity = input.identity(call)?;
            let set = input.json::<DefaultSet>()?.configuration_set_name;
            set_default(call, &identity, set)?;
            Ok(json!({}))
        },
    },
    route(
        "PUT",
        "/v2/email/account/suppression",
        "PutAccountSuppressionAttributes",
        |call, input| {
            let reasons = input.json::<Suppression>()?.suppressed_reasons;
            if let Some(reason) =
                reasons.iter().find(|it| !SUPPRESSED_REASONS.contains(&it.as_str()))
            {
                return Err(SesRefusal::InvalidParameter(format!("Invalid reason: {reason}.")));
            }
            call.account.set_suppressed_reasons(&call.region, reasons);
            Ok(json!({}))
        },
    ),
];

/// Sets the configuration set for messages of an identity that name none.
pub(super) fn set_default(
    call: &mut Call<'_>,
    identity: &Identity,
    set: Option<String>,
) -> Result<(), SesRefusal> {
    if let Some(set) = &set {
        call.resource(Kind::ConfigurationSet, set)?;
    }
    let settings = call.account.identity_settings_mut(&call.region, identity);
    let settings = settings.ok_or_else(|| SesRefusal::NoSuchIdentity(identity.to_string()))?;
    settings.configuration_set = set;
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct New {
    #[serde(deserialize_with = "bounded::text")]
    event_destination_name: String,
    #[serde(deserialize_with = "bounded::no_text")]
    event_destination: Definition,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Updated {
    #[serde(deserialize_with = "bounded::no_text")]
    event_destination: Definition,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DefaultSet {
    #[serde(default, deserialize_with = "bounded::optional_text")]
    configuration_set_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Suppression {
    #[serde(default, deserialize_with = "bounded::texts")]
    suppressed_reasons: Vec<String>,
}

/// Source: SES API v2 Reference, `EventDestinationDefinition`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    #[serde(default, deserialize_with = "bounded::no_text")]
    enabled: bool,
    #[serde(default, deserialize_with = "bounded::texts")]
    matching_event_types: Vec<String>,
    #[serde(default, deserialize_with = "bounded::optional_no_text")]
    sns_destination: Option<Sns>,
    kinesis_firehose_destination: Option<IgnoredAny>,
    cloud_watch_destination: Option<IgnoredAny>,
    event_bridge_destination: Option<IgnoredAny>,
    pinpoint_destination: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sns {
    #[serde(deserialize_with = "bounded::text")]
    topic_arn: String,
}

impl Definition {
    fn described(self, name: String) -> Described {
        let others = [
            (self.kinesis_firehose_destination.is_some(), "KinesisFirehoseDestination"),
            (self.cloud_watch_destination.is_some(), "CloudWatchDestination"),
            (self.event_bridge_destination.is_some(), "EventBridgeDestination"),
            (self.pinpoint_destination.is_some(), "PinpointDestination"),
        ];
        Described {
            name,
            enabled: self.enabled,
            matching_event_types: self.matching_event_types,
            topic_arn: self.sns_destination.map(|it| it.topic_arn),
            other_kind: others.into_iter().find(|(is_given, _)| *is_given).map(|(_, kind)| kind),
        }
    }
}
