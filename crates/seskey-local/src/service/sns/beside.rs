//! Another SNS beside this one, such as another emulator: the events of SES are published there, too.

use axum::{
    body::Body,
    http::{
        Request, Uri,
        header::{CONTENT_TYPE, HOST},
    },
};
use jiff::Timestamp;
use seskey::{AccessKeyId, SecretAccessKey};

use crate::{
    api::Publication,
    sigv4::{HttpRequest, SignWith},
};

/// The endpoint of the other SNS, and the access key for it.
pub(crate) struct SnsBeside {
    pub(crate) endpoint: Uri,
    /// The access key of the root user of this account: other emulators know no keys.
    pub(crate) key: (AccessKeyId, SecretAccessKey),
}

impl SnsBeside {
    /// Makes the request to publish, signed now. Source: SNS API Reference, `Publish`.
    pub(super) fn request(
        &self,
        publication: &Publication,
        now: Timestamp,
    ) -> Option<Request<Body>> {
        let Publication { topic_arn, subject, message, .. } = publication;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", "Publish").append_pair("Version", "2010-03-31");
        form.append_pair("TopicArn", topic_arn).append_pair("Message", message);
        form.extend_pairs(subject.as_ref().map(|subject| ("Subject", subject)));
        let body = form.finish();
        let host = self.endpoint.authority()?.as_str();
        let headers = [
            (HOST.as_str(), host),
            (CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded; charset=utf-8"),
        ];
        let (access_key_id, secret) = &self.key;
        let with = SignWith {
            access_key_id: access_key_id.as_str(),
            secret: secret.expose(),
            region: topic_arn.split(':').nth(3)?,
            service: "sns",
        };
        let signed = with.headers(
            &HttpRequest {
                method: "POST",
                path: self.endpoint.path(),
                query: "",
                headers: &headers,
                body: body.as_bytes(),
            },
            now,
        );
        let request =
            headers.into_iter().fold(Request::post(&self.endpoint), |request, (name, value)| {
                request.header(name, value)
            });
        let request =
            signed.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        request.body(Body::from(body)).ok()
    }
}
