//! The operations on topics.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    Call, Notice, Operation, Publication, SnsRefusal, arn, attributes, paged, write_attributes,
};
use crate::{
    account::{SubscriptionState, Topic},
    api::{
        query::{Members, Xml},
        uuid,
    },
};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "CreateTopic",
        members: "Name* Attributes.entry.N.key Attributes.entry.N.value Tags.member.N.Key Tags.member.N.Value",
        has_result: true,
        resource: |call, m| {
            Ok(call.account.topic_arn(&call.caller()?.region, m.required_str("Name")?))
        },
        proceed: create_topic,
    },
    Operation {
        name: "DeleteTopic",
        members: "TopicArn*",
        has_result: false,
        resource: topic_arn,
        proceed: |call, m, _| {
            call.account.delete_topic(arn("TopicArn", m)?);
            Ok(())
        },
    },
    Operation {
        name: "GetTopicAttributes",
        members: "TopicArn*",
        has_result: true,
        resource: topic_arn,
        proceed: get_topic_attributes,
    },
    Operation {
        name: "ListTagsForResource",
        members: "ResourceArn*",
        has_result: true,
        resource: |_, m| Ok(arn("ResourceArn", m)?.to_owned()),
        proceed: |call, m, xml| {
            let topic = call.account.topic(arn("ResourceArn", m)?);
            let tags = &topic.ok_or(SnsRefusal::ResourceNotFound)?.tags;
            xml.list("Tags", tags, |xml, tag| {
                xml.text("Key", &tag.key);
                xml.text("Value", &tag.value);
            });
            Ok(())
        },
    },
    Operation {
        name: "ListTopics",
        members: "NextToken",
        has_result: true,
        resource: |_, _| Ok("*".to_owned()),
        proceed: |call, m, xml| {
            let topics = call.account.topics(&call.caller()?.region);
            let topics = topics.map(|arn| (arn.to_owned(), arn.to_owned()));
            paged(m, xml, "Topics", topics, |xml, arn| xml.text("TopicArn", arn))
        },
    },
    Operation {
        name: "Publish",
        members: "TopicArn TargetArn Message* Subject",
        has_result: true,
        resource: |_, m| Ok(target_arn(m)?.to_owned()),
        proceed: publish,
    },
    Operation {
        name: "SetTopicAttributes",
        members: "TopicArn* AttributeName* AttributeValue",
        has_result: false,
        resource: topic_arn,
        proceed: |call, m, _| {
            let (name, value) = (m.required_str("AttributeName")?, m.get("AttributeValue"));
            let value = value.unwrap_or_default();
            let topic = call.account.topic_mut(arn("TopicArn", m)?);
            let topic = topic.ok_or(SnsRefusal::NotFound("Topic"))?;
            check_attribute(name, value)
                .map_err(|what| SnsRefusal::InvalidParameter(what.to_owned()))?;
            topic.attributes.insert(name.to_owned(), value.to_owned());
            Ok(())
        },
    },
];

pub(super) fn topic_arn(_: &Call<'_>, m: &Members) -> Result<String, SnsRefusal> {
    Ok(arn("TopicArn", m)?.to_owned())
}

fn target_arn(m: &Members) -> Result<&str, SnsRefusal> {
    arn(if m.get("TopicArn").is_none() { "TargetArn" } else { "TopicArn" }, m)
}

fn create_topic(call: &mut Call<'_>, m: &mut Members, xml: &mut Xml) -> Result<(), SnsRefusal> {
    let name = m.required_str("Name")?;
    let set = attributes(m)?;
    if name.ends_with(".fifo") || set.contains(&("FifoTopic", "true")) {
        return Err(SnsRefusal::NotServed("A FIFO topic".to_owned()));
    }
    // Source: SNS API Reference, `CreateTopic`, `Name`
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    if !(1..=256).contains(&name.len()) || !name.bytes().all(is_letter) {
        return Err(SnsRefusal::InvalidParameter("Topic Name".to_owned()));
    }
    let attributes: Result<BTreeMap<_, _>, _> = set
        .into_iter()
        .filter(|set| *set != ("FifoTopic", "false"))
        .map(|(name, value)| {
            check_attribute(name, value)?;
            Ok((name.to_owned(), value.to_owned()))
        })
        .collect();
    let attributes = attributes
        .map_err(|what: &str| SnsRefusal::InvalidParameter(format!("Attributes Reason: {what}")))?;
    let (topic, arn) = (
        Topic { attributes, tags: m.tags()? },
        call.account.topic_arn(&call.caller()?.region, name),
    );
    xml.text("TopicArn", &arn);
    let differs = |what: &str| {
        let reason =
            format!("{what} Reason: Topic already exists with different {}", what.to_lowercase());
        Err(SnsRefusal::InvalidParameter(reason))
    };
    match call.account.topic(&arn) {
        Some(there) if topic.tags.iter().any(|tag| !there.tags.contains(tag)) => differs("Tags"),
        Some(there)
            if !topic.attributes.iter().all(|set| there.attributes.iter().any(|it| it == set)) =>
        {
            differs("Attributes")
        }
        Some(_) => Ok(()),
        None => call.account.put_topic(arn, topic).map_err(SnsRefusal::TopicLimit),
    }
}

/// The attributes that are stored; they change nothing here. `Policy` is not evaluated: there is one account, and SES
/// may publish.
const ATTRIBUTES: [&str; 4] = ["DisplayName", "Policy", "SignatureVersion", "TracingConfig"];

/// Source: SNS Developer Guide, "Amazon SNS endpoints and quotas": a policy has 30 KB.
const LONGEST_ATTRIBUTE: usize = 30 * 1024;

/// Refuses an attribute that is unknown, too long or not served.
fn check_attribute(name: &str, value: &str) -> Result<(), &'static str> {
    match ATTRIBUTES.contains(&name) {
        false => Err("AttributeName"),
        true if value.len() > LONGEST_ATTRIBUTE => Err("AttributeValue"),
        // signatures of version 1 use SHA-1
        true if name == "SignatureVersion" && value != "2" => {
            Err("SignatureVersion: only version 2 is served here")
        }
        true => Ok(()),
    }
}

fn get_topic_attributes(
    call: &mut Call<'_>,
    m: &mut Members,
    xml: &mut Xml,
) -> Result<(), SnsRefusal> {
    let arn = arn("TopicArn", m)?;
    let topic = call.account.topic(arn).ok_or(SnsRefusal::NotFound("Topic"))?;
    let owner = call.account.id().as_str();
    let count = |state| {
        call.account.subscriptions_of(arn).filter(|(_, it)| it.state == state).count().to_string()
    };
    let mut attributes: BTreeMap<&str, String> = BTreeMap::from([
        ("DisplayName", String::new()),
        ("EffectiveDeliveryPolicy", effective_delivery_policy()),
        ("Owner", owner.to_owned()),
        ("Policy", default_policy(arn, owner)),
        ("SignatureVersion", "2".to_owned()),
        ("SubscriptionsConfirmed", count(SubscriptionState::Confirmed)),
        ("SubscriptionsDeleted", "0".to_owned()),
        ("SubscriptionsPending", count(SubscriptionState::Pending)),
        ("TopicArn", arn.to_owned()),
    ]);
    attributes.extend(topic.attributes.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let attributes: Vec<_> =
        attributes.iter().map(|(name, value)| (*name, value.as_str())).collect();
    write_attributes(xml, &attributes);
    Ok(())
}

/// Returns the delivery policy, as recorded from AWS.
fn effective_delivery_policy() -> String {
    json!({"http": {
        "defaultHealthyRetryPolicy": {
            "minDelayTarget": 20, "maxDelayTarget": 20, "numRetries": 3, "numMaxDelayRetries": 0,
            "numNoDelayRetries": 0, "numMinDelayRetries": 0, "backoffFunction": "linear",
        },
        "disableSubscriptionOverrides": false,
        "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
    }})
    .to_string()
}

/// Returns the default policy, as recorded from AWS.
fn default_policy(topic_arn: &str, owner: &str) -> String {
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [
                "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission",
                "SNS:RemovePermission", "SNS:DeleteTopic", "SNS:Subscribe",
                "SNS:ListSubscriptionsByTopic", "SNS:Publish",
            ],
            "Resource": topic_arn,
            "Condition": {"StringEquals": {"AWS:SourceOwner": owner}},
        }],
    })
    .to_string()
}

fn publish(call: &mut Call<'_>, m: &mut Members, xml: &mut Xml) -> Result<(), SnsRefusal> {
    let invalid = |what: &str| Err(SnsRefusal::InvalidParameter(what.to_owned()));
    let topic_arn = target_arn(m)?.to_owned();
    let subject = m.take("Subject");
    // Source: SNS API Reference, `Publish`, `Subject`
    let is_line = |it: &String| {
        (1..=100).contains(&it.chars().count()) && !it.contains(|c: char| c.is_control())
    };
    if !subject.iter().all(is_line) {
        return invalid("Subject");
    }
    let message = m.take_required("Message")?;
    match message.len() {
        0 => return invalid("Empty message"),
        1..=Publication::MAX_MESSAGE => {}
        _ => return invalid("Message too long"),
    }
    call.account.topic(&topic_arn).ok_or(SnsRefusal::NotFound("Topic"))?;
    let message_id = uuid(call.rng);
    xml.text("MessageId", &message_id);
    let publication = Publication { topic_arn, message_id, subject, message };
    *call.notice = Some(Notice::Notification(publication));
    Ok(())
}
