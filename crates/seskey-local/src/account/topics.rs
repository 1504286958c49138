//! SNS topics and their subscriptions. Source: SNS API Reference.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use seskey::Region;

use super::{Account, Tag};

/// A topic. Its ARN ends in its name, which is unique in its region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// The attributes that were set, by name.
    pub attributes: BTreeMap<String, String>,
    /// The tags that were given when it was created.
    pub tags: Vec<Tag>,
}

/// A subscription of a URL to a topic. Its ARN is the ARN of the topic, and an ID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The URL.
    pub endpoint: String,
    /// Whether it gets only the text of a message.
    pub raw_message_delivery: bool,
    /// The ARN of the principal that asked for it.
    pub principal: String,
    /// Its state.
    pub state: SubscriptionState,
    /// The token that confirms it.
    pub token: String,
    /// The time when the token was sent.
    pub token_sent: Timestamp,
    /// Whether only a signed request ends it.
    pub authenticate_on_unsubscribe: bool,
}

/// The state of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubscriptionState {
    /// Its endpoint has not confirmed it.
    Pending,
    /// It gets what is published.
    Confirmed,
    /// Its endpoint has ended it, and may undo that.
    Deactivated,
}

/// Too many topics or subscriptions in the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("There are too many of them.")]
pub struct TopicLimit;

impl Account {
    /// Returns the ARN of a topic of this account.
    pub fn topic_arn(&self, region: &Region, name: &str) -> String {
        format!("arn:{}:sns:{region}:{}:{name}", self.partition(), self.id())
    }

    /// Whether there is a topic of that ARN. If there is another SNS, every ARN of a topic counts.
    pub fn is_topic(&self, arn: &str) -> bool {
        let of_sns = |arn: &str| {
            let fields: Vec<&str> = arn.split(':').collect();
            matches!(fields[..], ["arn", _, "sns", _, _, name] if !name.is_empty())
        };
        self.topics.contains_key(arn) || (self.has_sns_beside_it && of_sns(arn))
    }

    /// Records that there is another SNS beside this one, whose topics are not known here.
    pub(crate) fn set_sns_beside_it(&mut self) {
        self.has_sns_beside_it = true;
    }

    /// Returns the topic of that ARN.
    pub fn topic(&self, arn: &str) -> Option<&Topic> {
        self.topics.get(arn)
    }

    /// Returns the same, to change it.
    pub fn topic_mut(&mut self, arn: &str) -> Option<&mut Topic> {
        self.topics.get_mut(&arn.to_owned())
    }

    /// Returns the ARNs of the topics of a region, sorted.
    pub fn topics(&self, region: &Region) -> impl Iterator<Item = &str> {
        let prefix = self.topic_arn(region, "");
        let arns = self.topics.range(prefix.clone()..).map(|(arn, _)| arn.as_str());
        arns.take_while(move |arn| arn.starts_with(&prefix))
    }

    /// Stores a topic, in place of any of that ARN.
    ///
    /// # Errors
    /// There are too many.
    pub fn put_topic(&mut self, arn: String, topic: Topic) -> Result<(), TopicLimit> {
        if self.topics.len() >= TOPICS && !self.topics.contains_key(&arn) {
            return Err(TopicLimit);
        }
        self.topics.insert(arn, topic);
        Ok(())
    }

    /// Deletes a topic and its subscriptions, if it exists.
    pub fn delete_topic(&mut self, arn: &str) {
        let theirs: Vec<String> =
            of_topic(&self.subscriptions, arn).map(|(arn, _)| arn.clone()).collect();
        for subscription in &theirs {
            self.subscriptions.remove(subscription);
        }
        self.topics.remove(&arn.to_owned());
    }

    /// Returns the subscription of that ARN, unless it has ended.
    pub fn subscription(&self, arn: &str) -> Option<&Subscription> {
        self.subscriptions.get(arn).filter(|it| it.is_there())
    }

    /// Returns the same, to change it.
    pub fn subscription_mut(&mut self, arn: &str) -> Option<&mut Subscription> {
        self.subscription(arn)?;
        self.subscriptions.get_mut(&arn.to_owned())
    }

    /// Returns the subscriptions of a topic, by ARN.
    pub fn subscriptions_of(&self, topic_arn: &str) -> impl Iterator<Item = (&str, &Subscription)> {
        let all = of_topic(&self.subscriptions, topic_arn);
        all.filter(|(_, it)| it.is_there()).map(|(arn, it)| (arn.as_str(), it))
    }

    /// Stores a subscription under this ARN.
    ///
    /// # Errors
    /// There are too many.
    pub fn put_subscription(
        &mut self,
        arn: String,
        subscription: Subscription,
    ) -> Result<(), TopicLimit> {
        let now = subscription.token_sent;
        let forgotten =
            |it: &Subscription| it.state != SubscriptionState::Confirmed && !it.is_token_good(now);
        let forgotten = self.subscriptions.iter().filter(|(_, it)| forgotten(it));
        for arn in forgotten.map(|(arn, _)| arn.clone()).collect::<Vec<_>>() {
            self.subscriptions.remove(&arn);
        }
        if self.subscriptions.len() >= SUBSCRIPTIONS && !self.subscriptions.contains_key(&arn) {
            return Err(TopicLimit);
        }
        self.subscriptions.insert(arn, subscription);
        Ok(())
    }

    /// Confirms the subscription of this token, and returns its ARN. A second call changes nothing.
    pub fn confirm_subscription(
        &mut self,
        topic_arn: &str,
        token: &str,
        authenticate_on_unsubscribe: bool,
        now: Timestamp,
    ) -> Option<String> {
        let is_meant = |it: &Subscription| it.token == token && it.is_token_good(now);
        let found = of_topic(&self.subscriptions, topic_arn).find(|(_, it)| is_meant(it));
        let arn = found.map(|(arn, _)| arn.clone())?;
        let subscription = self.subscriptions.get_mut(&arn)?;
        if subscription.state != SubscriptionState::Confirmed {
            subscription.state = SubscriptionState::Confirmed;
            subscription.authenticate_on_unsubscribe = authenticate_on_unsubscribe;
        }
        Some(arn)
    }

    /// Ends a subscription for good, unless a token is given, by which its endpoint may undo that.
    pub fn unsubscribe(&mut self, arn: &str, token: Option<(String, Timestamp)>) {
        match (token, self.subscription_mut(arn)) {
            (Some((token, token_sent)), Some(subscription)) => {
                let state = SubscriptionState::Deactivated;
                *subscription = Subscription { state, token, token_sent, ..subscription.clone() };
            }
            _ => drop(self.subscriptions.remove(&arn.to_owned())),
        }
    }
}

impl Subscription {
    /// Returns `http` or `https`, the scheme of its URL.
    pub fn protocol(&self) -> &str {
        self.endpoint.split(':').next().unwrap_or_default()
    }

    /// Whether it is listed.
    fn is_there(&self) -> bool {
        self.state != SubscriptionState::Deactivated
    }

    /// Whether the token is valid: "Confirmation tokens are valid for two days" (SNS API Reference, `Subscribe`).
    fn is_token_good(&self, now: Timestamp) -> bool {
        now.duration_since(self.token_sent) <= SignedDuration::from_hours(48)
    }
}

fn of_topic<'a>(
    subscriptions: &'a BTreeMap<String, Subscription>,
    topic_arn: &str,
) -> impl Iterator<Item = (&'a String, &'a Subscription)> {
    let prefix = format!("{topic_arn}:");
    let rows = subscriptions.range(prefix.clone()..);
    rows.take_while(move |(arn, _)| arn.starts_with(&prefix))
}

/// Our own limits: AWS has 100,000 topics, of 12,500,000 subscriptions each.
const TOPICS: usize = 1_000;
const SUBSCRIPTIONS: usize = 10_000;
