//! The operations on subscriptions.

use std::collections::BTreeMap;

use super::{
    Call, Confirmation, Notice, Operation, SnsRefusal, arn, attributes, paged, topics::topic_arn,
    write_attributes,
};
use crate::{
    account::{Subscription, SubscriptionState},
    api::{
        query::{Members, Xml},
        uuid,
    },
    sigv4::hex,
};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "ConfirmSubscription",
        members: "TopicArn* Token* AuthenticateOnUnsubscribe",
        has_result: true,
        resource: topic_arn,
        proceed: confirm_subscription,
    },
    Operation {
        name: "GetSubscriptionAttributes",
        members: "SubscriptionArn*",
        has_result: true,
        resource: everything,
        proceed: get_subscription_attributes,
    },
    Operation {
        name: "ListSubscriptions",
        members: "NextToken",
        has_result: true,
        resource: everything,
        proceed: |call, m, xml| {
            let topics: Vec<&str> = call.account.topics(&call.caller()?.region).collect();
            listed(call, m, xml, &topics)
        },
    },
    Operation {
        name: "ListSubscriptionsByTopic",
        members: "TopicArn* NextToken",
        has_result: true,
        resource: topic_arn,
        proceed: |call, m, xml| {
            let topic_arn = arn("TopicArn", m)?;
            call.account.topic(topic_arn).ok_or(SnsRefusal::NotFound("Topic"))?;
            listed(call, m, xml, &[topic_arn])
        },
    },
    Operation {
        name: "SetSubscriptionAttributes",
        members: "SubscriptionArn* AttributeName* AttributeValue",
        has_result: false,
        resource: everything,
        proceed: |call, m, _| {
            let (name, value) = (m.required_str("AttributeName")?, m.get("AttributeValue"));
            let subscription = call.account.subscription_mut(subscription_arn(m)?);
            let subscription = subscription.ok_or(SnsRefusal::NotFound("Subscription"))?;
            subscription.raw_message_delivery =
                raw_message_delivery(name, value.unwrap_or_default())
                    .map_err(SnsRefusal::InvalidParameter)?;
            Ok(())
        },
    },
    Operation {
        name: "Subscribe",
        members: "TopicArn* Protocol* Endpoint Attributes.entry.N.key Attributes.entry.N.value ReturnSubscriptionArn",
        has_result: true,
        resource: topic_arn,
        proceed: subscribe,
    },
    Operation {
        name: "Unsubscribe",
        members: "SubscriptionArn*",
        has_result: false,
        resource: everything,
        proceed: unsubscribe,
    },
];

/// Returns `*`: the operation has no resource. Source: Service Authorization Reference, "Actions, resources, and
/// condition keys for Amazon SNS".
fn everything(_: &Call<'_>, _: &Members) -> Result<String, SnsRefusal> {
    Ok("*".to_owned())
}

fn subscribe(call: &mut Call<'_>, m: &mut Members, xml: &mut Xml) -> Result<(), SnsRefusal> {
    let topic_arn = arn("TopicArn", m)?;
    let endpoint = endpoint(m)?;
    let mut raw = false;
    for (name, value) in attributes(m)? {
        raw = raw_message_delivery(name, value)
            .map_err(|what| SnsRefusal::InvalidParameter(format!("Attributes Reason: {what}")))?;
    }
    let returns_arn = m.flag("ReturnSubscriptionArn")?;
    call.account.topic(topic_arn).ok_or(SnsRefusal::NotFound("Topic"))?;
    let there = call.account.subscriptions_of(topic_arn).find(|(_, it)| it.endpoint == endpoint);
    let arn = match there.map(|(arn, it)| (arn.to_owned(), it.state)) {
        Some((arn, SubscriptionState::Confirmed)) => {
            xml.text("SubscriptionArn", &arn);
            return Ok(());
        }
        // the endpoint is asked again
        Some((arn, _)) => arn,
        None => format!("{topic_arn}:{}", uuid(call.rng)),
    };
    let subscription = Subscription {
        endpoint: endpoint.to_owned(),
        raw_message_delivery: raw,
        principal: call.account.principal_arn(&call.caller()?.principal),
        state: SubscriptionState::Pending,
        token: token(call),
        token_sent: call.now,
        authenticate_on_unsubscribe: false,
    };
    let put = call.account.put_subscription(arn.clone(), subscription.clone());
    put.map_err(SnsRefusal::SubscriptionLimit)?;
    xml.text("SubscriptionArn", if returns_arn { &arn } else { "pending confirmation" });
    let confirmation = confirmation(call, arn, subscription);
    *call.notice = Some(Notice::SubscriptionConfirmation(confirmation));
    Ok(())
}

/// The protocols of SNS. Source: SNS API Reference, `Subscribe`, `Protocol`. The text about one that is not served is
/// our own.
const PROTOCOLS: [&str; 9] =
    ["http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"];

/// The length of the longest URL, our own limit.
const LONGEST_ENDPOINT: usize = 2048;

/// Reads the URL of an HTTP endpoint, without a request to it.
fn endpoint(m: &Members) -> Result<&str, SnsRefusal> {
    let (protocol, endpoint) = (m.required_str("Protocol")?, m.get("Endpoint").unwrap_or_default());
    let invalid = |what: String| Err(SnsRefusal::InvalidParameter(what));
    match protocol {
        "http" | "https" => {
            let rest = endpoint.strip_prefix(protocol).and_then(|rest| rest.strip_prefix("://"));
            let uri = endpoint.parse::<axum::http::Uri>().ok();
            match (rest, uri.and_then(|uri| uri.host().map(str::to_owned))) {
                (Some(_), Some(host)) if !host.is_empty() && endpoint.len() <= LONGEST_ENDPOINT => {
                    Ok(endpoint)
                }
                (None, _) => invalid("Endpoint must match the specified protocol".to_owned()),
                _ => invalid("HTTP(S) Endpoint".to_owned()),
            }
        }
        known if PROTOCOLS.contains(&known) => {
            Err(SnsRefusal::NotServed(format!("The protocol {known}")))
        }
        other => invalid(format!("Amazon SNS does not support this protocol string: {other}")),
    }
}

/// Returns the value of the one attribute that is served, or the error in it.
fn raw_message_delivery(name: &str, value: &str) -> Result<bool, String> {
    match (name, value.parse()) {
        ("RawMessageDelivery", Ok(raw)) => Ok(raw),
        ("RawMessageDelivery", Err(_)) => {
            Err(format!("{name}: Invalid value [{value}]. Must be true or false."))
        }
        _ => Err("AttributeName".to_owned()),
    }
}

fn confirm_subscription(
    call: &mut Call<'_>,
    m: &mut Members,
    xml: &mut Xml,
) -> Result<(), SnsRefusal> {
    let (topic_arn, token) = (arn("TopicArn", m)?, m.required_str("Token")?);
    if !token.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(SnsRefusal::InvalidToken);
    }
    let authenticate = m.flag("AuthenticateOnUnsubscribe")? && call.caller.is_some();
    let confirmed = call.account.confirm_subscription(topic_arn, token, authenticate, call.now);
    let arn = confirmed.ok_or_else(|| SnsRefusal::InvalidParameter("Token".to_owned()))?;
    xml.text("SubscriptionArn", &arn);
    Ok(())
}

/// Ends a subscription. An endpoint that ends its own by a URL is told how to undo that.
/// Source: SNS API Reference, `Unsubscribe`.
fn unsubscribe(call: &mut Call<'_>, m: &mut Members, _: &mut Xml) -> Result<(), SnsRefusal> {
    let arn = subscription_arn(m)?;
    let Some(subscription) = call.account.subscription(arn).cloned() else { return Ok(()) };
    if call.caller.is_some() {
        call.account.unsubscribe(arn, None);
        return Ok(());
    }
    if subscription.authenticate_on_unsubscribe {
        return Err(SnsRefusal::AuthenticateOnUnsubscribe);
    }
    let token = token(call);
    call.account.unsubscribe(arn, Some((token.clone(), call.now)));
    let ended = Subscription { token, ..subscription };
    let confirmation = confirmation(call, arn.to_owned(), ended);
    *call.notice = Some(Notice::UnsubscribeConfirmation(confirmation));
    Ok(())
}

fn confirmation(
    call: &mut Call<'_>,
    subscription_arn: String,
    subscription: Subscription,
) -> Confirmation {
    let topic_arn = of_subscription(&subscription_arn).to_owned();
    Confirmation { topic_arn, subscription_arn, subscription, message_id: uuid(call.rng) }
}

/// Creates a token, as long as AWS's.
fn token(call: &mut Call<'_>) -> String {
    let mut bytes = [0; 112];
    call.rng.fill_bytes(&mut bytes);
    hex(&bytes)
}

fn get_subscription_attributes(
    call: &mut Call<'_>,
    m: &mut Members,
    xml: &mut Xml,
) -> Result<(), SnsRefusal> {
    let arn = subscription_arn(m)?;
    let it = call.account.subscription(arn).ok_or(SnsRefusal::NotFound("Subscription"))?;
    let word = |is: bool| if is { "true" } else { "false" };
    write_attributes(
        xml,
        &[
            ("ConfirmationWasAuthenticated", word(it.authenticate_on_unsubscribe)),
            ("Endpoint", &shown(&it.endpoint)),
            ("Owner", call.account.id().as_str()),
            ("PendingConfirmation", word(it.state == SubscriptionState::Pending)),
            ("Protocol", it.protocol()),
            ("RawMessageDelivery", word(it.raw_message_delivery)),
            ("SubscriptionArn", arn),
            ("SubscriptionPrincipal", &it.principal),
            ("TopicArn", of_subscription(arn)),
        ],
    );
    Ok(())
}

fn listed(call: &Call<'_>, m: &Members, xml: &mut Xml, topics: &[&str]) -> Result<(), SnsRefusal> {
    let all = topics.iter().flat_map(|topic| call.account.subscriptions_of(topic));
    let all: BTreeMap<&str, &Subscription> = all.collect();
    let all = all.into_iter().map(|(arn, it)| (arn.to_owned(), (arn, it)));
    paged(m, xml, "Subscriptions", all, |xml, (arn, it)| {
        let is_pending = it.state == SubscriptionState::Pending;
        xml.text("TopicArn", of_subscription(arn));
        xml.text("Protocol", it.protocol());
        xml.text("SubscriptionArn", if is_pending { "PendingConfirmation" } else { arn });
        xml.text("Owner", call.account.id().as_str());
        xml.text("Endpoint", &shown(&it.endpoint));
    })
}

/// Reads the ARN of a subscription, which ends in a UUID.
fn subscription_arn(m: &Members) -> Result<&str, SnsRefusal> {
    let arn = arn("SubscriptionArn", m)?;
    let (_, id) = arn.rsplit_once(':').unwrap_or_default();
    let is_letter = |b: u8| b == b'-' || b.is_ascii_hexdigit();
    match id.len() == 36 && id.bytes().all(is_letter) {
        true => Ok(arn),
        false => Err(SnsRefusal::InvalidParameter("SubscriptionId".to_owned())),
    }
}

/// Returns the topic of a subscription.
fn of_subscription(arn: &str) -> &str {
    arn.rsplit_once(':').map_or(arn, |(topic, _)| topic)
}

/// Returns a URL with its password hidden.
fn shown(endpoint: &str) -> String {
    let shown = || {
        let (scheme, rest) = endpoint.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (login, host) = rest[..end].rsplit_once('@')?;
        let (user, _) = login.split_once(':')?;
        Some(format!("{scheme}://{user}:****@{host}{}", &rest[end..]))
    };
    shown().unwrap_or_else(|| endpoint.to_owned())
}
