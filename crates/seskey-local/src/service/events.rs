//! The events of a message after it was accepted: they are recorded, published, and applied to the account.

use super::LocalSes;
use crate::{
    account::{Account, Identity},
    event::{Dispatch, Event, Fate},
    lock::lock,
};

/// The subject of the events that SES publishes to an event destination; notifications of identities have none.
/// Source: recorded.
const SUBJECT: &str = "Amazon SES Email Event Notification";

impl LocalSes {
    /// Applies the fates of the recipients of an accepted message. The plan of faults may have other fates for them.
    pub(super) async fn follow(&self, dispatch: Dispatch) {
        let Dispatch { mail, fates } = dispatch;
        let region = &mail.region;
        let now = self.now();
        let fates = lock(&self.faults).fates(&mail, fates);
        lock(&self.sent).count_failures(region, &fates, now);
        let reasons = fates.iter().filter(|(address, _)| Fate::at_simulator(address).is_none());
        let to_suppress: Vec<_> = reasons
            .filter_map(|(address, fate)| Some((address, fate.reason_to_suppress()?)))
            .collect();
        if !to_suppress.is_empty() {
            let suppress = |account: &mut Account| {
                for (address, reason) in &to_suppress {
                    account.suppress(region, address, reason, now);
                }
            };
            let ((), commit) = self.state.act(suppress);
            // a change that cannot be written is undone; the message is stored already
            let _ = commit.done().await;
        }
        let events = Event::of(&mail, &fates, now, &mut *lock(&self.rng));
        for event in self.state.tell(events) {
            let Topics { of_set, of_identity } = topics(&self.state.account(), &event);
            for topic_arn in of_set {
                self.publish(&topic_arn, Some(SUBJECT), event.published().to_string());
            }
            if let Some((topic_arn, with_headers)) = of_identity
                && let Some(notification) = event.notification(with_headers)
            {
                self.publish(&topic_arn, None, notification.to_string());
            }
        }
    }
}

/// The topics that an event is published to.
struct Topics {
    /// The topics of the event destinations of its configuration set.
    of_set: Vec<String>,
    /// The topic of the identity, and whether the notification has the headers.
    of_identity: Option<(String, bool)>,
}

fn topics(account: &Account, event: &Event) -> Topics {
    let region = &event.mail.region;
    let set = event.mail.configuration_set.iter();
    let destinations = set.flat_map(|set| account.event_destinations(region, set));
    let wanted = destinations
        .filter(|(_, it)| it.enabled && it.matching_event_types.contains(&event.event_type()));
    let of_identity = || {
        let (_, identity) = event.mail.source_arn.as_ref()?.split_once(":identity/")?;
        let settings = account.identity_settings(region, &Identity::parse(identity)?)?;
        let kind = event.event_type().name();
        let topic_arn = settings.notification_topics.get(kind)?.clone();
        Some((topic_arn, settings.headers_in_notifications.contains(kind)))
    };
    Topics {
        of_set: wanted.map(|(_, it)| it.topic_arn.clone()).collect(),
        of_identity: of_identity(),
    }
}
