//! The fate of a message at each of its recipients, and the events that report it.

use std::sync::Arc;

use jiff::Timestamp;
use rand::Rng;

use super::{Event, Mail, Outcome};
use crate::message::message_id;

/// The fate of a message at one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is delivered.
    Delivered,
    /// It is delivered, and an automatic reply says that the recipient is absent.
    Answered,
    /// It is delivered, and the recipient reports it as unsolicited.
    Complained,
    /// It is not delivered.
    Bounced(&'static Bounce),
    /// It is not delivered to an address that has complained before.
    Suppressed,
    /// It is harmful, and no recipient gets it.
    Rejected,
    /// It is not delivered yet, for this reason.
    Delayed(&'static str),
}

/// A kind of bounce.
#[derive(Debug, PartialEq, Eq)]
pub struct Bounce {
    /// The type: `Permanent`, `Transient` or `Undetermined`.
    pub bounce_type: &'static str,
    /// The subtype, such as `General`.
    pub sub_type: &'static str,
    /// The status (RFC 3463) and the reply of the other server, with `{}` for the recipient; absent for an automatic
    /// reply and an undetermined bounce.
    pub diagnostic: Option<(&'static str, &'static str)>,
}

/// Sources: SES Developer Guide, "Bounce types", for the types; events of AWS that their recipients have published, for
/// the texts of the two suppressions and of the simulator. The other texts are guesses.
const BOUNCES: [Bounce; 10] = [
    bounce("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown"),
    bounce("Permanent", "NoEmail", "5.1.1", "smtp; 550 5.1.1 user unknown"),
    bounce(
        "Permanent",
        "Suppressed",
        "5.1.1",
        "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid \
         address. For more information about how to remove an address from the suppression list, see the Amazon SES \
         Developer Guide: http://docs.aws.amazon.com/ses/latest/DeveloperGuide/remove-from-suppressionlist.html",
    ),
    bounce(
        "Permanent",
        SUPPRESSED,
        "5.1.1",
        "Amazon SES did not send the message to this address because it is on the suppression list for your account. For \
         more information about removing addresses from the suppression list, see the Amazon SES Developer Guide at \
         https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html",
    ),
    bounce("Transient", "General", "4.0.0", "smtp; 450 4.0.0 try again later"),
    bounce("Transient", "MailboxFull", "5.2.2", "smtp; 552 5.2.2 mailbox full"),
    bounce("Transient", "MessageTooLarge", "5.3.4", "smtp; 552 5.3.4 message too large"),
    bounce("Transient", "ContentRejected", "5.7.1", "smtp; 554 5.7.1 content rejected"),
    bounce("Transient", "AttachmentRejected", "5.7.1", "smtp; 554 5.7.1 attachment rejected"),
    Bounce { bounce_type: "Undetermined", sub_type: "Undetermined", diagnostic: None },
];

/// The subtype of a message that was not sent because of the account's suppression list.
pub(super) const SUPPRESSED: &str = "OnAccountSuppressionList";

const ON_SUPPRESSION_LIST: &Bounce = &BOUNCES[3];

/// The bounces of the mailbox simulator.
const SIMULATED_BOUNCE: &Bounce =
    &bounce("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 As requested: user unknown <{}>");
const SIMULATED_SUPPRESSION: &Bounce = &bounce(
    "Permanent",
    "General",
    "5.1.1",
    "smtp; 550 5.1.1 As requested: user unknown (suppressed address: {})",
);
const AUTOMATIC_ANSWER: &Bounce =
    &Bounce { bounce_type: "Transient", sub_type: "General", diagnostic: None };

/// Source: SES Developer Guide, "Contents of event data that Amazon SES publishes to Amazon SNS", delay types.
const DELAYS: [&str; 10] = [
    "InternalFailure",
    "General",
    "MailboxFull",
    "SpamDetected",
    "RecipientServerError",
    "IPFailure",
    "TransientCommunicationFailure",
    "BYOIPHostNameLookupUnavailable",
    "Undetermined",
    "SendingDeferral",
];

const fn bounce(
    bounce_type: &'static str,
    sub_type: &'static str,
    status: &'static str,
    said: &'static str,
) -> Bounce {
    Bounce { bounce_type, sub_type, diagnostic: Some((status, said)) }
}

impl Bounce {
    /// Returns the bounce of a type and subtype, such as `Transient/MailboxFull`.
    pub fn named(name: &str) -> Option<&'static Self> {
        let (bounce_type, sub_type) = name.split_once('/')?;
        BOUNCES.iter().find(|it| (it.bounce_type, it.sub_type) == (bounce_type, sub_type))
    }

    /// Whether another server refused it, not SES itself because the address is suppressed.
    pub(super) fn was_handed_on(&self) -> bool {
        !["Suppressed", SUPPRESSED].contains(&self.sub_type)
    }

    /// Returns the names of all bounces.
    pub fn names() -> impl Iterator<Item = String> {
        BOUNCES.iter().map(|it| format!("{}/{}", it.bounce_type, it.sub_type))
    }
}

impl Fate {
    /// Returns the fate of a message to an address of the mailbox simulator; `None` for other addresses. Each address
    /// may have a label. Sources: SES Developer Guide, "Using the mailbox simulator manually"; notifications that their
    /// recipients have published, for the answers.
    pub fn at_simulator(address: &str) -> Option<Self> {
        let address = address.to_ascii_lowercase();
        let local = address.strip_suffix("@simulator.amazonses.com")?;
        Some(match local.split_once('+').map_or(local, |(name, _)| name) {
            "success" => Self::Delivered,
            "bounce" => Self::Bounced(SIMULATED_BOUNCE),
            "ooto" => Self::Answered,
            "complaint" => Self::Complained,
            "suppressionlist" => Self::Bounced(SIMULATED_SUPPRESSION),
            _ => return None,
        })
    }

    /// Returns the fate at an address that is on the account's suppression list for this reason.
    pub fn suppressed(reason: &str) -> Self {
        match reason {
            "COMPLAINT" => Self::Suppressed,
            _ => Self::Bounced(ON_SUPPRESSION_LIST),
        }
    }

    /// Returns the delay for this reason, if it is known.
    pub fn delayed(reason: &str) -> Option<Self> {
        DELAYS.iter().find(|known| **known == reason).map(|reason| Self::Delayed(reason))
    }

    /// Returns the reasons of delays.
    pub fn delays() -> &'static [&'static str] {
        &DELAYS
    }

    /// Returns the reason for which the account's suppression list gets the address, if any.
    /// Source: SES Developer Guide, "Using the Amazon SES account-level suppression list".
    pub fn reason_to_suppress(self) -> Option<&'static str> {
        match self {
            Self::Bounced(it) if it.bounce_type == "Permanent" && it.sub_type != SUPPRESSED => {
                Some("BOUNCE")
            }
            Self::Complained => Some("COMPLAINT"),
            _ => None,
        }
    }

    /// Whether SES sends the message on: it is neither harmful nor for an address on the suppression list.
    pub fn goes_out(self) -> bool {
        match self {
            Self::Bounced(it) => it.sub_type != SUPPRESSED,
            Self::Suppressed | Self::Rejected => false,
            Self::Delivered | Self::Answered | Self::Complained | Self::Delayed(_) => true,
        }
    }

    fn is_delivered(self) -> bool {
        matches!(self, Self::Delivered | Self::Answered | Self::Complained)
    }

    /// Returns the outcome that is reported beside a delivery, if any.
    fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Delivered | Self::Rejected => None,
            Self::Answered => Some(Outcome::Bounce(AUTOMATIC_ANSWER)),
            Self::Complained => Some(Outcome::Complaint),
            Self::Bounced(bounce) => Some(Outcome::Bounce(bounce)),
            Self::Suppressed => Some(Outcome::Suppressed),
            Self::Delayed(reason) => Some(Outcome::DeliveryDelay(reason)),
        }
    }
}

/// Whether an address is one of the mailbox simulator.
pub fn is_simulator(address: &str) -> bool {
    Fate::at_simulator(address).is_some()
}

impl Event {
    /// Returns the events of a message, in order. Recipients with the same fate share an event.
    pub fn of(
        mail: &Arc<Mail>,
        fates: &[(String, Fate)],
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Vec<Self> {
        let recipients = |meant: &dyn Fn(Fate) -> bool| -> Vec<String> {
            let meant = fates.iter().filter(|(_, fate)| meant(*fate));
            meant.map(|(address, _)| address.clone()).collect()
        };
        let mut told = vec![];
        if fates.iter().any(|(_, fate)| *fate == Fate::Rejected) {
            told.push((Outcome::Reject, recipients(&|_| true)));
        } else {
            told.push((Outcome::Send, recipients(&|_| true)));
            let delivered = recipients(&Fate::is_delivered);
            told.extend((!delivered.is_empty()).then_some((Outcome::Delivery, delivered)));
            for outcome in fates.iter().filter_map(|(_, fate)| fate.outcome()) {
                if told.iter().all(|(known, _)| *known != outcome) {
                    told.push((outcome, recipients(&|fate| fate.outcome() == Some(outcome))));
                }
            }
        }
        let event = |(outcome, recipients)| Self {
            number: 0,
            timestamp: now,
            feedback_id: message_id(&mail.region, now, rng),
            recipients,
            outcome,
            mail: mail.clone(),
        };
        told.into_iter().map(event).collect()
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::{super::tests::mail, *};

    #[test]
    fn the_simulator_takes_labels() {
        for (address, expected) in [
            ("success@simulator.amazonses.com", true),
            ("Bounce+a.b+c@Simulator.amazonses.com", true),
            ("suppressionlist@simulator.amazonses.com", true),
            ("nobody@simulator.amazonses.com", false),
            ("success@simulator.amazonses.com.example", false),
            ("+success@simulator.amazonses.com", false),
        ] {
            assert_eq!(is_simulator(address), expected, "{address}");
        }
    }

    #[test]
    fn every_bounce_and_delay_has_its_name() {
        for name in Bounce::names() {
            let bounce = Bounce::named(&name).expect("it is in the table");
            assert_eq!(format!("{}/{}", bounce.bounce_type, bounce.sub_type), name);
        }
        assert_eq!(Bounce::named("Permanent"), None);
        assert_eq!(Fate::delayed("General"), Some(Fate::Delayed("General")));
        assert_eq!(Fate::delayed("general"), None);
        assert_eq!(Fate::suppressed("BOUNCE"), Fate::Bounced(ON_SUPPRESSION_LIST));
        assert_eq!(ON_SUPPRESSION_LIST.sub_type, SUPPRESSED);
    }

    #[test]
    fn those_that_fare_alike_are_told_of_together() {
        let full = Bounce::named("Transient/MailboxFull").unwrap();
        let fates = |fates: &[Fate]| -> Vec<(String, Fate)> {
            fates.iter().zip('a'..).map(|(fate, name)| (name.to_string(), *fate)).collect()
        };
        for (given, expected) in [
            (&[Fate::Delivered][..], "Send a, Delivery a"),
            (&[Fate::Bounced(full), Fate::Delivered], "Send ab, Delivery b, Bounce a"),
            (&[Fate::Complained, Fate::Answered], "Send ab, Delivery ab, Complaint a, Bounce b"),
            (
                &[Fate::Delayed("General"), Fate::Suppressed, Fate::Delayed("General")],
                "Send abc, DeliveryDelay ac, Complaint b",
            ),
            (&[Fate::Delivered, Fate::Rejected], "Reject ab"),
        ] {
            let mut rng = StdRng::seed_from_u64(1);
            let now = Timestamp::UNIX_EPOCH;
            let events = Event::of(&mail(""), &fates(given), now, &mut rng);
            let told: Vec<String> = events
                .iter()
                .map(|it| format!("{} {}", it.event_type().name(), it.recipients.concat()))
                .collect();
            assert_eq!(told.join(", "), expected);
        }
    }
}
