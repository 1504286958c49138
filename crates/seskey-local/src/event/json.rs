//! The JSON of events, and of the notifications that an identity may get of some of them. The members are in the order
//! recorded from AWS.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{Bounce, Event, EventType, Mail, Outcome, fate::SUPPRESSED};
use crate::message::{Letter, RawMessage, decoded};

/// The reason why SES discards a message. Source: SES Developer Guide, "Reject object".
pub(super) const BAD_CONTENT: &str = "Bad content";

impl Event {
    /// Returns the JSON of event publishing.
    pub fn published(&self) -> Value {
        let mail = self.mail.object(Told::Event(self.event_type()));
        self.object("eventType", mail, self.contents(false))
    }

    /// Returns the notification of the identity; only bounces, complaints and deliveries have one.
    pub fn notification(&self, with_headers: bool) -> Option<Value> {
        let told = Told::Notification { with_headers };
        let is_told = [EventType::Bounce, EventType::Complaint, EventType::Delivery];
        is_told
            .contains(&self.event_type())
            .then(|| self.object("notificationType", self.mail.object(told), self.contents(true)))
    }

    /// Returns the type, the message and the contents. For a bounce or a complaint the message comes last.
    fn object(&self, type_name: &str, mail: Value, contents: Value) -> Value {
        let name = match self.event_type() {
            EventType::Bounce => "bounce",
            EventType::Complaint => "complaint",
            EventType::Delivery => "delivery",
            EventType::DeliveryDelay => "deliveryDelay",
            EventType::Reject => "reject",
            _ => "send",
        };
        let mut object = Map::new();
        object.insert(type_name.to_owned(), self.event_type().name().into());
        let mut members = [("mail", mail), (name, contents)];
        if matches!(self.event_type(), EventType::Bounce | EventType::Complaint) {
            members.reverse();
        }
        object.extend(members.map(|(name, value)| (name.to_owned(), value)));
        object.into()
    }

    fn contents(&self, is_notification: bool) -> Value {
        let (now, recipients) = (time(self.timestamp), &self.recipients);
        let outgoing = format!("a8-1.smtp-out.{}amazonses.com", self.mail.outgoing());
        let mut contents = match self.outcome {
            Outcome::Send => json!({}),
            Outcome::Reject => json!({"reason": BAD_CONTENT}),
            Outcome::Delivery => json!({
                "timestamp": now,
                "processingTimeMillis": self.timestamp.duration_since(self.mail.timestamp).as_millis() as i64,
                "recipients": recipients,
                "smtpResponse": "250 2.6.0 Message received",
                "remoteMtaIp": LOCAL,
                "reportingMTA": outgoing,
            }),
            Outcome::Bounce(bounce) => json!({
                "feedbackId": self.feedback_id,
                "bounceType": bounce.bounce_type,
                "bounceSubType": bounce.sub_type,
                "bouncedRecipients": recipients.iter().map(|it| bounce.recipient(it)).collect::<Vec<_>>(),
                "timestamp": now,
                "remoteMtaIp": LOCAL,
                "reportingMTA": match bounce.was_handed_on() {
                    true => format!("dns; {outgoing}"),
                    false => "dns; amazonses.com".to_owned(),
                },
            }),
            Outcome::Complaint => json!({
                "feedbackId": self.feedback_id,
                "complaintSubType": null,
                "complainedRecipients": complained(recipients),
                "timestamp": now,
                "userAgent": "Amazon SES Mailbox Simulator",
                "complaintFeedbackType": "abuse",
                "arrivalDate": now,
            }),
            Outcome::Suppressed => json!({
                "feedbackId": self.feedback_id,
                "complaintSubType": SUPPRESSED,
                "complainedRecipients": complained(recipients),
                "timestamp": now,
                "arrivalDate": now,
            }),
            Outcome::DeliveryDelay(reason) => json!({
                "timestamp": now,
                "delayType": reason,
                "expirationTime": time(self.mail.timestamp + LONGEST_DELAY),
                "delayedRecipients": recipients.iter().map(|it| json!({
                    "status": "4.4.7",
                    "emailAddress": it,
                    "diagnosticCode": "smtp; 451 4.4.7 delayed",
                })).collect::<Vec<_>>(),
            }),
        };
        // only notifications have the address of the other server
        let was_handed_on = match self.outcome {
            Outcome::Bounce(bounce) => bounce.was_handed_on(),
            _ => true,
        };
        if !(is_notification && was_handed_on)
            && let Some(members) = contents.as_object_mut()
        {
            members.shift_remove("remoteMtaIp");
        }
        contents
    }
}

/// The kind of JSON that describes a message.
#[derive(Clone, Copy, PartialEq)]
enum Told {
    Event(EventType),
    Notification { with_headers: bool },
}

impl Mail {
    fn object(&self, told: Told) -> Value {
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("timestamp", time(self.timestamp).into());
        put("source", self.source.as_str().into());
        if let Some(arn) = &self.source_arn {
            put("sourceArn", arn.as_str().into());
        }
        if let Told::Notification { .. } = told {
            put("sourceIp", self.source_ip.to_string().into());
            put("callerIdentity", self.caller_identity.as_str().into());
        }
        put("sendingAccountId", self.sending_account_id.as_str().into());
        put("messageId", self.message_id.as_str().into());
        put("destination", json!(self.destination));
        let letter = Letter::of(&self.header);
        if told != (Told::Notification { with_headers: false }) {
            let fields = RawMessage::split(&self.header).written();
            let headers = fields.iter();
            let headers =
                headers.map(|(name, value)| json!({"name": name, "value": decoded(value)}));
            put("headersTruncated", self.is_truncated.into());
            put("headers", headers.collect());
            put("commonHeaders", self.common_headers(&fields, &letter, told));
        }
        if let Told::Event(event_type) = told {
            put("tags", self.tags(&letter, event_type));
        }
        object.into()
    }

    fn common_headers(&self, fields: &[(String, String)], letter: &Letter, told: Told) -> Value {
        let field = |wanted: &str| {
            let found = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| Value::from(value.as_str()))
        };
        let list = |of: &[String]| (!of.is_empty()).then(|| json!(of));
        let message_id = match told {
            Told::Event(_) => Some(Value::from(self.message_id.as_str())),
            Told::Notification { .. } => field("Message-ID"),
        };
        let members = [
            ("returnPath", field("Return-Path")),
            ("from", list(&letter.from)),
            ("replyTo", list(&letter.reply_to)),
            ("date", field("Date")),
            ("to", list(&letter.to)),
            ("cc", list(&letter.cc)),
            ("messageId", message_id),
            (
                "subject",
                field("Subject").map(|text| decoded(text.as_str().unwrap_or_default()).into()),
            ),
        ];
        let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(there.collect())
    }

    /// Returns the tags of SES, and the message's own.
    fn tags(&self, letter: &Letter, event_type: EventType) -> Value {
        let mut tags = Map::new();
        let mut put = |name: &str, value: &str| {
            let values = tags.entry(name).or_insert_with(|| json!([]));
            values.as_array_mut().expect("they are lists").push(value.into());
        };
        put("ses:operation", self.operation);
        if let Some(name) = &self.configuration_set {
            put("ses:configuration-set", name);
        }
        put("ses:source-ip", &self.source_ip.to_string());
        let domain =
            letter.from.first().and_then(|author| author.trim_end_matches('>').rsplit_once('@'));
        if let Some((_, domain)) = domain {
            put("ses:from-domain", domain);
        }
        for (name, value) in &self.tags {
            put(name, value);
        }
        put("ses:caller-identity", &self.caller_identity);
        if event_type == EventType::Delivery {
            put("ses:outgoing-ip", LOCAL);
        }
        tags.into()
    }

    /// Returns the part of the names of outgoing hosts that depends on the region.
    fn outgoing(&self) -> String {
        match self.region.as_str() {
            "us-east-1" => String::new(),
            region => format!("{region}."),
        }
    }
}

impl Bounce {
    fn recipient(&self, address: &str) -> Value {
        match self.diagnostic {
            Some((status, said)) => json!({
                "emailAddress": address,
                "action": "failed",
                "status": status,
                "diagnosticCode": said.replace("{}", address),
            }),
            None => json!({"emailAddress": address}),
        }
    }
}

fn complained(recipients: &[String]) -> Value {
    recipients.iter().map(|it| json!({"emailAddress": it})).collect()
}

/// Formats a time in UTC, to the millisecond.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The address in place of hosts that do not exist here.
const LOCAL: &str = "127.0.0.1";

/// Source: SES API v2 Reference, `DeliveryOptions` (`MaxDeliverySeconds`, "The default value is 50400").
const LONGEST_DELAY: SignedDuration = SignedDuration::from_secs(50_400);

#[cfg(test)]
mod tests {
    use super::{super::tests::mail, *};

    fn event(outcome: Outcome, header: &str) -> Event {
        Event {
            number: 1,
            timestamp: Timestamp::UNIX_EPOCH + SignedDuration::from_millis(25),
            feedback_id: "0100-2".to_owned(),
            recipients: vec!["d@e.f".to_owned()],
            outcome,
            mail: mail(header),
        }
    }

    const HEADER: &str = "X-SES-CONFIGURATION-SET: set\r\nFrom: =?UTF-8?Q?Z=C3=B6e?= <zoe@b.c>\r\nTo: d@e.f\r\n\
        Message-ID: <1@b.c>\r\nSubject: =?UTF-8?Q?Hello_=E2=9C=94?=\r\n\
        Content-Type: multipart/alternative; \r\n\tboundary=\"b\"\r\n\r\n";

    #[test]
    fn headers_are_told_as_they_read() {
        let told = event(Outcome::Send, HEADER).published();
        let headers = told["mail"]["headers"].as_array().expect("a list");
        let values: Vec<&str> = headers.iter().filter_map(|it| it["value"].as_str()).collect();
        assert_eq!(
            values,
            [
                "set",
                "Z\u{f6}e <zoe@b.c>",
                "d@e.f",
                "<1@b.c>",
                "Hello \u{2714}",
                "multipart/alternative;  boundary=\"b\""
            ]
        );
        let common = &told["mail"]["commonHeaders"];
        assert_eq!(common["from"], json!(["Z\u{f6}e <zoe@b.c>"]));
        assert_eq!(common["subject"], "Hello \u{2714}");
        assert_eq!(common["messageId"], "0100-1");
        assert_eq!(told["mail"]["tags"]["ses:from-domain"], json!(["b.c"]));
        assert_eq!(told["mail"]["tags"].get("ses:outgoing-ip"), None);
    }

    #[test]
    fn a_notification_has_no_tags_and_headers_where_they_are_wanted() {
        let delivery = event(Outcome::Delivery, HEADER);
        let short = delivery.notification(false).expect("deliveries are told of");
        assert_eq!(short["notificationType"], "Delivery");
        assert_eq!(short["delivery"]["processingTimeMillis"], 25);
        assert_eq!(short["delivery"]["remoteMtaIp"], LOCAL);
        for absent in ["tags", "headers", "headersTruncated", "commonHeaders"] {
            assert_eq!(short["mail"].get(absent), None, "{absent}");
        }
        let long = delivery.notification(true).expect("deliveries are told of");
        assert_eq!(long["mail"]["commonHeaders"]["messageId"], "<1@b.c>");
        assert_eq!(event(Outcome::Send, HEADER).notification(true), None);
    }

    #[test]
    fn what_is_not_utf_8_is_told_all_the_same() {
        let header = b"From: a@b.c\r\nSubject: caf\xe9\r\n\r\n";
        let latin = Mail { header: header.to_vec(), ..Mail::clone(&mail("")) };
        let told = Event { mail: latin.into(), ..event(Outcome::Send, "") }.published();
        assert_eq!(told["mail"]["headers"][1]["value"], "caf\u{fffd}");
        assert_eq!(told["mail"]["commonHeaders"]["subject"], "caf\u{fffd}");
    }

    #[test]
    fn a_bounce_comes_before_its_message() {
        let bounce = Bounce::named("Permanent/OnAccountSuppressionList").expect("it is known");
        let told = event(Outcome::Bounce(bounce), "").published();
        let names: Vec<&String> = told.as_object().expect("an object").keys().collect();
        assert_eq!(names, ["eventType", "bounce", "mail"]);
        assert_eq!(told["bounce"]["reportingMTA"], "dns; amazonses.com");
        assert_eq!(told["bounce"]["timestamp"], "1970-01-01T00:00:00.025Z");
        assert_eq!(told["mail"]["headers"], json!([]));
    }
}
