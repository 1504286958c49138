//! An object of Amazon S3, read by a signed request: AWS's S3 client is larger than this needs.
//!
//! Sources: S3 API, `GetObject`, "Authenticating Requests (AWS Signature Version 4)", "Error responses"; S3 User Guide,
//! "Virtual hosting of general purpose buckets", "Making requests using the REST API" (request redirection).

use std::{borrow::Cow, time::SystemTime};

use aws_credential_types::{Credentials, provider::ProvideCredentials};
use aws_sdk_iam::{
    config::BehaviorVersion,
    error::{BoxError, ConnectorError, ErrorMetadata, SdkError},
};
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4::SigningParams,
};
use aws_smithy_runtime::client::{
    orchestrator::operation::Operation,
    retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier},
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use seskey::Region;

use crate::{
    Account, Cause, Error,
    config::{retries, timeouts},
    pace::code,
    retry::Unreached,
};

/// The reason why an object was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// The call failed. A missing bucket or object gives [`Cause::NoSuchEntity`].
    #[error(transparent)]
    Call(#[from] Error),
    /// The object has more bytes than the limit.
    #[error("it has more than {limit} bytes")]
    TooLarge {
        /// The most bytes that it may have.
        limit: usize,
    },
    /// The object is not text in UTF-8.
    #[error("it is not text in UTF-8")]
    NotText,
}

impl Account {
    /// Reads the text of an object. The request goes to the account's region, and once more to the bucket's region if
    /// S3 says that it is another one.
    ///
    /// # Errors
    /// The object cannot be read, is too large, or is not text.
    #[tracing::instrument(level = "debug", skip(self))]
    pub async fn object(&self, bucket: &str, key: &str) -> Result<String, ObjectError> {
        let usual = self.region().and_then(|region| Region::parse_unknown(region).ok());
        let region = match usual {
            Some(region) => region,
            None => Region::parse("us-east-1").expect("it is in the table"),
        };
        let bytes = match self.ask(bucket, key, &region).await? {
            Answer::Object(bytes) => bytes,
            Answer::Elsewhere(region) => match self.ask(bucket, key, &region).await? {
                Answer::Object(bytes) => bytes,
                Answer::Elsewhere(other) => return Err(nowhere(&region, &other).into()),
            },
        };
        if bytes.len() > LIMIT {
            return Err(ObjectError::TooLarge { limit: LIMIT });
        }
        String::from_utf8(bytes).map_err(|_| ObjectError::NotText)
    }

    async fn ask(&self, bucket: &str, key: &str, region: &Region) -> Result<Answer, Error> {
        let Location { endpoint, path } =
            Location::of(bucket, key, region, self.endpoint_url_of("S3").as_deref());
        let credentials = self.credentials().await?;
        let range = format!("bytes=0-{LIMIT}");
        let (signed, asked) = (region.clone(), format!("{endpoint}{path}"));
        let request = move |()| {
            let time = SystemTime::now();
            let headers = sign_get(&asked, &range, &credentials, signed.as_str(), time)?;
            let mut request = HttpRequest::empty();
            // the endpoint is prepended
            request.set_uri(path.clone())?;
            for (name, value) in headers {
                request.headers_mut().try_append(name, value)?;
            }
            Ok(request)
        };
        let asked = region.clone();
        let operation = Operation::builder()
            .service_name("s3")
            .operation_name("GetObject")
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&endpoint)
            .no_auth()
            .standard_retry(&retries())
            .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(Unreached)
            .timeout_config(timeouts())
            .serializer(request)
            .deserializer(move |response| read(response, &asked))
            .build();
        let answer = operation.invoke(()).await;
        answer.map_err(|error| Error::of(ACTION, Some(&endpoint), &error))
    }

    async fn credentials(&self) -> Result<Credentials, Error> {
        let failed = |error: BoxError| {
            let error = ConnectorError::other(error, None);
            Error::of(ACTION, None, &SdkError::<ErrorMetadata>::dispatch_failure(error))
        };
        let no_credentials = || Error {
            cause: Cause::NoCredentials { reason: None },
            ambiguous: false,
            ..Error::unreadable(ACTION)
        };
        let provider = self.credentials_provider().ok_or_else(no_credentials)?;
        provider.provide_credentials().await.map_err(|error| failed(error.into()))
    }
}

const ACTION: &str = "s3:GetObject";

/// The most bytes that an object may have: more than a `seskey.toml` with 100,000 credentials takes.
const LIMIT: usize = 32 << 20;

#[derive(Debug)]
enum Answer {
    /// The object, with at most one byte more than it may have.
    Object(Vec<u8>),
    /// The bucket is in this region.
    Elsewhere(Region),
}

/// The place that an object is requested from.
#[derive(Debug, PartialEq, Eq)]
struct Location {
    endpoint: String,
    path: String,
}

impl Location {
    /// Puts the bucket into the host name where possible, else into the path: the certificate of S3 is valid for one
    /// label, and an endpoint in place of S3 has no such names.
    fn of(bucket: &str, key: &str, region: &Region, endpoint_url: Option<&str>) -> Self {
        let [bucket_in_path, key] = [bucket, key].map(|it| utf8_percent_encode(it, RESERVED));
        let is_label = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let suffix = region.partition().dns_suffix();
        match endpoint_url {
            None if bucket.bytes().all(is_label) => Self {
                endpoint: format!("https://{bucket}.s3.{region}.{suffix}"),
                path: format!("/{key}"),
            },
            _ => {
                let url = endpoint_url.map(|url| Cow::Borrowed(url.trim_end_matches('/')));
                let url = url.unwrap_or_else(|| format!("https://s3.{region}.{suffix}").into());
                Self { endpoint: url.into_owned(), path: format!("/{bucket_in_path}/{key}") }
            }
        }
    }
}

/// The characters that S3 encodes in a path. Source: S3 API, "Signature Calculations for the Authorization Header",
/// `UriEncode`.
const RESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Returns the headers that sign the request, and the range header.
fn sign_get(
    url: &str,
    range: &str,
    credentials: &Credentials,
    region: &str,
    time: SystemTime,
) -> Result<Vec<(String, String)>, BoxError> {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    let identity = credentials.clone().into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("s3")
        .time(time)
        .settings(settings)
        .build()?
        .into();
    let headers = [("range", range)];
    let body = SignableBody::Bytes(&[]);
    let request = SignableRequest::new("GET", url, headers.into_iter(), body)?;
    let (instructions, _) = sign(request, &params)?.into_parts();
    let signed = instructions.headers().chain(headers);
    Ok(signed.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn read(
    response: &HttpResponse,
    asked: &Region,
) -> Result<Answer, OrchestratorError<ErrorMetadata>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        return Ok(Answer::Object(body.to_vec()));
    }
    let region = response.headers().get("x-amz-bucket-region");
    match region.and_then(|region| Region::parse_unknown(region).ok()) {
        Some(region) if region != *asked => return Ok(Answer::Elsewhere(region)),
        _ => {}
    }
    let text = String::from_utf8_lossy(body);
    match code(&text) {
        // an empty object satisfies no range
        Some("InvalidRange") => Ok(Answer::Object(vec![])),
        code => {
            let message = text.split_once("<Message>").and_then(|(_, it)| it.split_once("</"));
            let metadata = ErrorMetadata::builder()
                .message(message.map(|(message, _)| message).unwrap_or_default());
            let metadata = match code {
                Some(code) => metadata.code(code),
                None => metadata,
            };
            Err(OrchestratorError::operation(metadata.build()))
        }
    }
}

fn nowhere(first: &Region, second: &Region) -> Error {
    let cause = Cause::Other {
        code: "PermanentRedirect".to_owned(),
        message: format!("the bucket is said to be in {first}, and there in {second}"),
    };
    Error { cause, ambiguous: false, ..Error::unreadable(ACTION) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Source: S3 API, "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk",
    /// "Example: GET Object".
    #[test]
    fn the_example_of_the_documentation() {
        let (id, secret) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let credentials = Credentials::new(id, secret, None, None, "test");
        let url = "https://examplebucket.s3.amazonaws.com/test.txt";
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600);
        let headers = sign_get(url, "bytes=0-9", &credentials, "us-east-1", time).unwrap();
        let (_, value) = headers.iter().find(|(name, _)| name == "authorization").unwrap();
        let signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        assert!(value.ends_with(&format!("Signature={signature}")), "{headers:?}");
    }

    #[test]
    fn locations() {
        let of = |bucket, region, url| {
            let region = Region::parse_unknown(region).unwrap();
            let Location { endpoint, path } = Location::of(bucket, "a/b c+ü.toml", &region, url);
            format!("{endpoint} {path}")
        };
        let key = "a/b%20c%2B%C3%BC.toml";
        for (bucket, region, url, expected) in [
            ("mail", "eu-west-1", None, format!("https://mail.s3.eu-west-1.amazonaws.com /{key}")),
            (
                "mail.example.com",
                "cn-north-1",
                None,
                format!("https://s3.cn-north-1.amazonaws.com.cn /mail.example.com/{key}"),
            ),
            ("mail", "eu-west-1", Some("http://h:1/x/"), format!("http://h:1/x /mail/{key}")),
            ("a@b", "eu-west-1", None, format!("https://s3.eu-west-1.amazonaws.com /a%40b/{key}")),
        ] {
            assert_eq!(of(bucket, region, url), expected);
        }
    }
}
