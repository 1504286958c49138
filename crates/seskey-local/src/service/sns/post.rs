//! A message on its way to a URL: the request, and the meaning of an answer to it.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{
        HeaderValue, Request, StatusCode, Uri,
        header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT, WWW_AUTHENTICATE},
        uri::Authority,
    },
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::{beside::SnsBeside, document::Document};
use crate::api::Publication;

/// A message to a subscriber or to the SNS beside this one.
pub(super) enum Post {
    Subscriber(ToSubscriber),
    Beside(Arc<SnsBeside>, Publication),
}

/// A message to a subscriber.
pub(super) struct ToSubscriber {
    pub(super) document: Arc<Document>,
    pub(super) subscription_arn: String,
    /// The URL, which may have a user name and a password.
    pub(super) endpoint: String,
    pub(super) raw: bool,
    /// The URL by which the subscriber unsubscribes, if the message has it.
    pub(super) unsubscribe_url: Option<String>,
}

impl Post {
    /// Returns the identifier of the recipient.
    pub(super) fn to(&self) -> String {
        match self {
            Self::Subscriber(it) => it.subscription_arn.clone(),
            Self::Beside(beside, _) => beside.endpoint.to_string(),
        }
    }

    /// Returns the size of its text in bytes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Subscriber(it) => it.document.message().len(),
            Self::Beside(_, publication) => publication.message.len(),
        }
    }

    pub(super) fn message_id(&self) -> &str {
        match self {
            Self::Subscriber(it) => &it.document.message_id,
            Self::Beside(_, publication) => &publication.message_id,
        }
    }

    /// Makes the request. Each attempt has its own, with a password if the endpoint asked for one.
    pub(super) fn request(&self, login: Option<HeaderValue>) -> Option<Request<Body>> {
        match self {
            Self::Subscriber(it) => it.request(login),
            Self::Beside(beside, publication) => beside.request(publication, Timestamp::now()),
        }
    }

    /// Returns the `Authorization` of an endpoint that asks for a password, if its URL has one.
    /// Source: SNS Developer Guide, "Fanout Amazon SNS notifications to HTTPS endpoints".
    pub(super) fn login(&self, answer: &Response) -> Option<HeaderValue> {
        let Self::Subscriber(ToSubscriber { endpoint, .. }) = self else { return None };
        let asks = |value: &HeaderValue| {
            value.as_bytes().get(..5).is_some_and(|it| it.eq_ignore_ascii_case(b"Basic"))
        };
        let asks = answer.status() == StatusCode::UNAUTHORIZED
            && answer.headers().get_all(WWW_AUTHENTICATE).iter().any(asks);
        let (_, login) = target(endpoint).filter(|_| asks)?;
        let login: Vec<u8> = percent_decode_str(&login?).collect();
        let mut value =
            HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(login))).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl ToSubscriber {
    /// Makes the request. Source: SNS Developer Guide, "HTTP/HTTPS headers", "Enabling raw message delivery".
    fn request(&self, login: Option<HeaderValue>) -> Option<Request<Body>> {
        let Document { kind, topic_arn, message_id, .. } = &*self.document;
        let (uri, _) = target(&self.endpoint)?;
        let raw = self.raw && *kind == "Notification";
        let body = match raw {
            true => self.document.message().to_owned(),
            false => self.document.to_json(self.unsubscribe_url.as_deref()),
        };
        let mut request = Request::post(uri)
            .header("x-amz-sns-message-type", *kind)
            .header("x-amz-sns-message-id", message_id)
            .header("x-amz-sns-topic-arn", topic_arn)
            .header(CONTENT_TYPE, "text/plain; charset=UTF-8")
            .header(USER_AGENT, "Amazon Simple Notification Service Agent");
        if *kind != "SubscriptionConfirmation" {
            request = request.header("x-amz-sns-subscription-arn", &self.subscription_arn);
        }
        if raw {
            request = request.header("x-amz-sns-rawdelivery", "true");
        }
        if let Some(login) = login {
            request = request.header(AUTHORIZATION, login);
        }
        request.body(Body::from(body)).ok()
    }
}

/// Splits a URL into its target and the `user:password` in it.
fn target(endpoint: &str) -> Option<(Uri, Option<String>)> {
    let mut parts = endpoint.parse::<Uri>().ok()?.into_parts();
    let authority = parts.authority.take()?;
    let (login, host) = match authority.as_str().rsplit_once('@') {
        Some((login, host)) => (Some(login.to_owned()), host.parse::<Authority>().ok()?),
        None => (None, authority),
    };
    parts.authority = Some(host);
    Some((Uri::from_parts(parts).ok()?, login))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_no_part_of_where_a_url_leads_to() {
        let target = |url| target(url).map(|(uri, login)| (uri.to_string(), login));
        let to = |uri: &str, login: Option<&str>| Some((uri.into(), login.map(str::to_owned)));
        assert_eq!(target("http://localhost:1/a?b"), to("http://localhost:1/a?b", None));
        assert_eq!(target("https://a:b%40@h/x"), to("https://h/x", Some("a:b%40")));
        assert_eq!(target("/nowhere"), None);
    }
}
