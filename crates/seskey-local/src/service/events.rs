//! What becomes of a message after it was accepted: it is told, published, and remembered by the account.

use seskey::Region;

use super::LocalSes;
use crate::{
    account::{Account, Identity},
    event::{Dispatch, Event, Fate},
    lock::lock,
};

/// The subject that SES gives what it publishes by an event destination; notifications of identities have none.
/// Source: recorded.
const SUBJECT: &str = "Amazon SES Email Event Notification";

impl LocalSes {
    /// What becomes of an accepted message at its recipients, unless the plan of faults has something else for them.
    pub(super) async fn follow(&self, dispatch: Dispatch) {
        let Dispatch { mail, fates } = dispatch;
        let Ok(region) = Region::parse_unknown(&mail.region) else { return };
        let now = self.now();
        let fates = lock(&self.faults).fates(&mail, fates);
        lock(&self.sent).count_failures(&region, &fates, now);
        let reasons = fates.iter().filter(|(address, _)| Fate::at_simulator(address).is_none());
        let to_suppress: Vec<_> = reasons
            .filter_map(|(address, fate)| Some((address, fate.reason_to_suppress()?)))
            .collect();
        if !to_suppress.is_empty() {
            let suppress = |account: &mut Account| {
                for (address, reason) in &to_suppress {
                    account.suppress(&region, address, reason, now);
                }
            };
            let ((), commit) = self.state.act(suppress);
            // what cannot be kept is undone; the message is kept already
            let _ = commit.done().await;
        }
        let events = Event::of(&mail, &fates, now, &region, &mut *lock(&self.rng));
        for event in self.state.tell(events) {
            let notices = notices(&self.state.account(), &region, &event);
            for (topic_arn, subject, text) in notices {
                self.publish(&topic_arn, subject, text);
            }
        }
    }
}

/// What is published of an event: topic, subject and text.
fn notices(
    account: &Account,
    region: &Region,
    event: &Event,
) -> Vec<(String, Option<&'static str>, String)> {
    let configuration_set = &event.mail.configuration_set;
    let event_type = event.event_type();
    let destinations =
        configuration_set.iter().flat_map(|set| account.event_destinations(region, set));
    let wanted = destinations
        .filter(|(_, it)| it.enabled && it.matching_event_types.contains(&event_type))
        .map(|(_, it)| (it.topic_arn.clone(), Some(SUBJECT), event.published().to_string()));
    wanted.chain(notification(account, region, event)).collect()
}

/// The notification that the identity of the sender has of an event, if it has one.
fn notification(
    account: &Account,
    region: &Region,
    event: &Event,
) -> Option<(String, Option<&'static str>, String)> {
    let (_, identity) = event.mail.source_arn.as_ref()?.split_once(":identity/")?;
    let settings = account.identity_settings(region, &Identity::parse(identity)?)?;
    let kind = event.event_type().name();
    let topic_arn = settings.notification_topics.get(kind)?;
    let text = event.notification(settings.headers_in_notifications.contains(kind))?;
    Some((topic_arn.clone(), None, text.to_string()))
}
