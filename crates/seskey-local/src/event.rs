//! The outcomes of an accepted message, and the events by which SES reports them.
//!
//! Sources: SES Developer Guide, "Contents of event data that Amazon SES publishes to Amazon SNS", "Examples of event
//! data that Amazon SES publishes to Amazon SNS" and "Amazon SNS notification contents for Amazon SES"; events recorded
//! from AWS.

use std::{collections::VecDeque, net::IpAddr, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use seskey::Region;

pub use fate::{Bounce, Fate, is_simulator};

use crate::message::Tag;

mod fate;
mod json;

/// The types of events. Source: SES API v2 Reference, `EventType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)] // the names are AWS's
pub enum EventType {
    Send,
    Reject,
    Bounce,
    Complaint,
    Delivery,
    Open,
    Click,
    RenderingFailure,
    DeliveryDelay,
    Subscription,
}

/// Each type with its name in events, in version 1 of the API, which does not have all of them, and in version 2.
const NAMES: [(EventType, &str, Option<&str>, &str); 10] = [
    (EventType::Send, "Send", Some("send"), "SEND"),
    (EventType::Reject, "Reject", Some("reject"), "REJECT"),
    (EventType::Bounce, "Bounce", Some("bounce"), "BOUNCE"),
    (EventType::Complaint, "Complaint", Some("complaint"), "COMPLAINT"),
    (EventType::Delivery, "Delivery", Some("delivery"), "DELIVERY"),
    (EventType::Open, "Open", Some("open"), "OPEN"),
    (EventType::Click, "Click", Some("click"), "CLICK"),
    (
        EventType::RenderingFailure,
        "Rendering Failure",
        Some("renderingFailure"),
        "RENDERING_FAILURE",
    ),
    (EventType::DeliveryDelay, "DeliveryDelay", None, "DELIVERY_DELAY"),
    (EventType::Subscription, "Subscription", None, "SUBSCRIPTION"),
];

impl EventType {
    /// Returns the type of a name in version 1 of the API.
    pub fn of_v1(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, _, v1, _)| *v1 == Some(name)).map(|(it, ..)| *it)
    }

    /// Returns the type of a name in version 2.
    pub fn of_v2(name: &str) -> Option<Self> {
        NAMES.iter().find(|(.., v2)| *v2 == name).map(|(it, ..)| *it)
    }

    /// Returns the type of a name in events, in any case.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, own, ..)| own.eq_ignore_ascii_case(name)).map(|(it, ..)| *it)
    }

    /// Returns the name in events.
    pub fn name(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// Returns the name in version 1 of the API, or else in version 2.
    pub fn v1(self) -> &'static str {
        let (_, _, v1, v2) = NAMES[self as usize];
        v1.unwrap_or(v2)
    }

    /// Returns the name in version 2.
    pub fn v2(self) -> &'static str {
        NAMES[self as usize].3
    }
}

/// The message that events are about, as their `mail` object describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The time when SES accepted it.
    pub timestamp: Timestamp,
    /// Its ID.
    pub message_id: String,
    /// The region of the endpoint.
    pub region: Region,
    /// The sender as given to the API, or the address of MAIL in SMTP.
    pub source: String,
    /// The ARN of its identity; may be absent while every sender counts as verified.
    pub source_arn: Option<String>,
    /// The account ID.
    pub sending_account_id: String,
    /// The envelope's recipients.
    pub destination: Vec<String>,
    /// The header as the sender wrote it, or its beginning.
    pub header: Vec<u8>,
    /// Whether `header` is only the beginning.
    pub is_truncated: bool,
    /// The configuration set that it was sent with.
    pub configuration_set: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// The name of the operation.
    pub operation: &'static str,
    /// The address that it came from.
    pub source_ip: IpAddr,
    /// The name of the IAM identity that sent it.
    pub caller_identity: String,
}

/// An outgoing message: its description in events, and its fate at each recipient.
#[derive(Debug)]
pub struct Dispatch {
    /// Its description in events.
    pub mail: Arc<Mail>,
    /// Each recipient with its fate.
    pub fates: Vec<(String, Fate)>,
}

impl Mail {
    /// Returns the address of the sender.
    pub fn sender(&self) -> &str {
        let (_, address) = self.source.rsplit_once('<').unwrap_or(("", &self.source));
        address.trim_end_matches('>')
    }
}

/// The most bytes of a header in events. Source: the contents of event data ("10 KB or larger").
pub(crate) const MAX_HEADER: usize = 10 * 1024;

/// An event of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number among all events since the start.
    pub number: u64,
    /// The time when it happened.
    pub timestamp: Timestamp,
    /// The ID of a bounce or a complaint.
    pub feedback_id: String,
    /// The recipients that it is about.
    pub recipients: Vec<String>,
    /// The outcome.
    pub outcome: Outcome,
    /// The message.
    pub mail: Arc<Mail>,
}

/// The outcome of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was accepted, and will be delivered if that is possible.
    Send,
    /// It was delivered.
    Delivery,
    /// It was not delivered, or there was an automatic reply.
    Bounce(&'static Bounce),
    /// A recipient reported it as unsolicited.
    Complaint,
    /// It was not delivered to an address that has complained before.
    Suppressed,
    /// It was found to be harmful, and discarded.
    Reject,
    /// It was not delivered yet, for this reason.
    DeliveryDelay(&'static str),
}

impl Event {
    /// Returns its type.
    pub fn event_type(&self) -> EventType {
        match self.outcome {
            Outcome::Send => EventType::Send,
            Outcome::Delivery => EventType::Delivery,
            Outcome::Bounce(_) => EventType::Bounce,
            Outcome::Complaint | Outcome::Suppressed => EventType::Complaint,
            Outcome::Reject => EventType::Reject,
            Outcome::DeliveryDelay(_) => EventType::DeliveryDelay,
        }
    }

    /// Returns a detail: type and subtype of a bounce, subtype of a suppression, reason of a delay or a rejection.
    pub fn detail(&self) -> String {
        match self.outcome {
            Outcome::Bounce(Bounce { bounce_type, sub_type, .. }) => {
                format!("{bounce_type}/{sub_type}")
            }
            Outcome::DeliveryDelay(delay) => delay.to_owned(),
            Outcome::Suppressed => fate::SUPPRESSED.to_owned(),
            Outcome::Reject => json::BAD_CONTENT.to_owned(),
            Outcome::Send | Outcome::Delivery | Outcome::Complaint => String::new(),
        }
    }

    /// Returns the bytes of the parts that may be long. The parts of the message count half, as it has two events or
    /// more.
    fn size(&self) -> usize {
        let Mail { header, tags, destination, .. } = &*self.mail;
        let lengths = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
        let tags: usize = tags.iter().map(|(name, value)| name.len() + value.len()).sum();
        lengths(&self.recipients) + (header.len() + tags + lengths(destination)) / 2
    }
}

/// The events since the start; the oldest are forgotten.
#[derive(Debug, Default)]
pub struct Events {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
    /// The number of the newest event so far.
    newest: u64,
}

const MAX_EVENTS: usize = 20_000;
const MAX_BYTES: usize = 16 * 1024 * 1024;

impl Events {
    /// Adds an event, and gives it its number.
    pub fn push(&mut self, event: Event) -> Arc<Event> {
        self.newest += 1;
        let event = Arc::new(Event { number: self.newest, ..event });
        self.bytes += event.size();
        self.events.push_back(event.clone());
        while self.events.len() > MAX_EVENTS || self.bytes > MAX_BYTES && self.events.len() > 1 {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.size();
        }
        event
    }

    /// Returns the events with greater numbers, the oldest first.
    pub fn behind(&self, number: u64) -> impl Iterator<Item = &Arc<Event>> {
        let begin = self.events.partition_point(|event| event.number <= number);
        self.events.range(begin..)
    }

    /// Returns the number of the newest event so far.
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// Returns the events of a message, the oldest first.
    pub fn of_message(&self, id: &str) -> Vec<Arc<Event>> {
        self.events.iter().filter(|event| event.mail.message_id == id).cloned().collect()
    }

    /// Forgets all events.
    pub fn clear(&mut self) {
        self.events.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    pub(crate) fn mail(header: &str) -> Arc<Mail> {
        Arc::new(Mail {
            timestamp: Timestamp::UNIX_EPOCH,
            message_id: "0100-1".to_owned(),
            region: Region::parse("us-east-1").unwrap(),
            source: "a@b.c".to_owned(),
            source_arn: None,
            sending_account_id: "000000000000".to_owned(),
            destination: vec!["d@e.f".to_owned()],
            header: header.into(),
            is_truncated: false,
            configuration_set: None,
            tags: vec![],
            operation: "SendSmtpEmail",
            source_ip: Ipv4Addr::LOCALHOST.into(),
            caller_identity: "app".to_owned(),
        })
    }

    #[test]
    fn each_name_is_of_one_type() {
        for (n, (it, name, v1, v2)) in NAMES.into_iter().enumerate() {
            assert_eq!(it as usize, n);
            assert_eq!(EventType::named(&name.to_lowercase()), Some(it));
            assert_eq!(EventType::of_v2(v2), Some(it));
            assert_eq!(v1.and_then(EventType::of_v1), v1.map(|_| it));
            assert_eq!(it.name(), name);
        }
        assert_eq!(EventType::of_v1("deliveryDelay"), None);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut events = Events::default();
        let event = |size| Event {
            number: 0,
            timestamp: Timestamp::UNIX_EPOCH,
            feedback_id: String::new(),
            recipients: vec!["x".repeat(size)],
            outcome: Outcome::Send,
            mail: mail(""),
        };
        for size in [MAX_BYTES / 2, MAX_BYTES / 2, 1] {
            events.push(event(size));
        }
        let numbers = |events: &Events| events.behind(0).map(|it| it.number).collect::<Vec<_>>();
        assert_eq!(numbers(&events), [2, 3]);
        assert_eq!(events.behind(2).count(), 1);
        for _ in 0..MAX_EVENTS {
            events.push(event(0));
        }
        assert_eq!(events.behind(0).count(), MAX_EVENTS);
        events.clear();
        assert_eq!(events.push(event(0)).number, MAX_EVENTS as u64 + 4);
    }
}
