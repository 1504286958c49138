//! The JSON that is sent to a subscriber, signed. Sources: SNS Developer Guide, "Parsing Amazon SNS message formats",
//! "Verifying the signatures of Amazon SNS messages".

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::{
    api::{Confirmation, Notice, Publication},
    tls::{CertificateError, MessageSigner},
};

/// A message to subscribers.
pub(super) struct Document {
    /// The type, such as `Notification`.
    pub(super) kind: &'static str,
    pub(super) topic_arn: String,
    pub(super) message_id: String,
    /// The members by name, in the order of the documentation.
    members: Vec<(&'static str, String)>,
}

impl Document {
    /// Makes a document whose links lead to the HTTP side, at this URL.
    pub(super) fn new(notice: Notice, url: &str, at: Timestamp) -> Self {
        match notice {
            Notice::Notification(publication) => {
                Self::of("Notification", publication, None, url, at)
            }
            Notice::SubscriptionConfirmation(Confirmation {
                topic_arn,
                subscription,
                message_id,
                ..
            }) => {
                let message = format!(
                    "You have chosen to subscribe to the topic {topic_arn}.\n\
                     To confirm the subscription, visit the SubscribeURL included in this message."
                );
                let text = Publication { topic_arn, message_id, subject: None, message };
                Self::of("SubscriptionConfirmation", text, Some(subscription.token), url, at)
            }
            Notice::UnsubscribeConfirmation(Confirmation {
                topic_arn,
                subscription_arn,
                subscription,
                message_id,
            }) => {
                let message = format!(
                    "You have chosen to deactivate subscription {subscription_arn}.\n\
                     To cancel this operation and restore the subscription, visit the SubscribeURL included in this \
                     message."
                );
                let text = Publication { topic_arn, message_id, subject: None, message };
                Self::of("UnsubscribeConfirmation", text, Some(subscription.token), url, at)
            }
        }
    }

    fn of(
        kind: &'static str,
        text: Publication,
        token: Option<String>,
        url: &str,
        at: Timestamp,
    ) -> Self {
        let Publication { topic_arn, message_id, subject, message } = text;
        let subscribe = |token: &String| {
            format!("{url}/?Action=ConfirmSubscription&TopicArn={topic_arn}&Token={token}")
        };
        let at = at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
        let subscribe_url = token.as_ref().map(subscribe);
        let members = [
            ("Type", Some(kind.to_owned())),
            ("MessageId", Some(message_id.clone())),
            ("Token", token),
            ("TopicArn", Some(topic_arn.clone())),
            ("Subject", subject),
            ("Message", Some(message)),
            ("SubscribeURL", subscribe_url),
            ("Timestamp", Some(at)),
            ("SignatureVersion", Some("2".to_owned())),
        ];
        let members = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
        Self { kind, topic_arn, message_id, members: members.collect() }
    }

    /// Signs it, and adds the URL of the certificate.
    pub(super) fn sign(
        &mut self,
        signer: &MessageSigner,
        certificate_url: String,
    ) -> Result<(), CertificateError> {
        let signature = signer.sign(&self.string_to_sign())?;
        self.members.push(("Signature", BASE64_STANDARD.encode(signature)));
        self.members.push(("SigningCertURL", certificate_url));
        Ok(())
    }

    fn string_to_sign(&self) -> String {
        let value = |name: &str| self.member(name).map(|value| format!("{name}\n{value}\n"));
        SIGNED.into_iter().filter_map(value).collect()
    }

    fn member(&self, name: &str) -> Option<&str> {
        self.members.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }

    /// Returns the text alone, for subscribers that want no JSON.
    pub(super) fn message(&self) -> &str {
        self.member("Message").unwrap_or_default()
    }

    /// Returns the JSON in SNS's layout. A notification has the URL by which its subscriber unsubscribes.
    pub(super) fn to_json(&self, unsubscribe_url: Option<&str>) -> String {
        let members = self.members.iter().map(|(name, value)| (*name, value.as_str()));
        let last = unsubscribe_url.map(|url| ("UnsubscribeURL", url));
        let lines: Vec<String> = members
            .chain(last)
            .map(|(name, value)| format!("  \"{name}\" : {}", Value::from(value)))
            .collect();
        format!("{{\n{}\n}}", lines.join(",\n"))
    }
}

/// The members that are signed, as far as they are present, in this order.
const SIGNED: [&str; 8] =
    ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_is_laid_out_and_signed_as_documented() {
        let publication = Publication {
            topic_arn: "arn:aws:sns:us-east-1:111122223333:events".into(),
            message_id: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324".into(),
            subject: Some("My First Message".into()),
            message: "\"Grüße\"\n".into(),
        };
        let at = "2012-05-02T00:54:06.65512Z".parse().unwrap();
        let document = Document::new(Notice::Notification(publication), "http://localhost", at);
        assert_eq!(
            document.string_to_sign(),
            "Message\n\"Grüße\"\n\nMessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\n\
             Subject\nMy First Message\nTimestamp\n2012-05-02T00:54:06.655Z\n\
             TopicArn\narn:aws:sns:us-east-1:111122223333:events\nType\nNotification\n"
        );
        assert_eq!(
            document.to_json(Some("http://localhost/")),
            r#"{
  "Type" : "Notification",
  "MessageId" : "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  "TopicArn" : "arn:aws:sns:us-east-1:111122223333:events",
  "Subject" : "My First Message",
  "Message" : "\"Grüße\"\n",
  "Timestamp" : "2012-05-02T00:54:06.655Z",
  "SignatureVersion" : "2",
  "UnsubscribeURL" : "http://localhost/"
}"#
        );
    }
}
