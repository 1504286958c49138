//! The pace of requests. IAM throttles an account as a whole, for all callers, and a throttled request counts too: all
//! clones of an [`Account`](crate::Account) wait in one line, and all slow down when AWS throttles one.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use aws_sdk_iam::{
    config::{
        BehaviorVersion, ConfigBag, HttpClient, Intercept, RuntimeComponents,
        RuntimeComponentsBuilder, RuntimePlugin, SharedHttpClient, http::HttpRequest,
        interceptors::AfterDeserializationInterceptorContextRef, timeout::TimeoutConfig,
    },
    error::BoxError,
};
use aws_smithy_runtime::client::defaults::default_http_client_plugin_v2;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use tokio::{
    sync::Mutex as Line,
    time::{Instant, sleep},
};

use crate::{config::ATTEMPT_TIMEOUT, error::is_throttling};

/// The pace that all clones share.
#[derive(Debug, Clone)]
pub(crate) struct Pace(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    rate: Mutex<Rate>,
    /// The time at which the next request is due. The holder of the lock is the first in the line.
    line: Line<Instant>,
}

/// The time at which a request was sent, attached to its answer.
#[derive(Debug, Clone, Copy)]
struct Sent(Instant);

impl Pace {
    pub(crate) fn new(limit: NonZeroU32) -> Self {
        let line = Line::new(Instant::now());
        Self(Arc::new(Shared { rate: Mutex::new(Rate::new(limit)), line }))
    }

    /// Returns the SDK's own HTTP client, in which each request, retries included, waits for its turn.
    pub(crate) fn http_client(&self) -> SharedHttpClient {
        let pace = self.clone();
        let client = default_http_client();
        http_client_fn(move |settings, components| {
            let inner = client.http_connector(settings, components);
            SharedHttpConnector::new(Connector { inner, pace: pace.clone() })
        })
    }

    /// Waits until it is this caller's turn: first come, first served. A few unused turns are kept.
    async fn turn(&self) {
        let mut due = self.0.line.lock().await;
        let (wait, next) = self.rate().turn(*due, Instant::now());
        sleep(wait).await;
        *due = next;
    }

    fn rate(&self) -> MutexGuard<'_, Rate> {
        self.0.rate.lock().expect("nobody panics while holding the lock")
    }
}

/// Returns timeouts that allow for waiting in the line: an attempt is timed from its turn on, and no call as a whole.
pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .read_timeout(ATTEMPT_TIMEOUT)
        .disable_operation_attempt_timeout()
        .disable_operation_timeout()
        .build()
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    pace: Pace,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, pace) = (self.inner.clone(), self.pace.clone());
        HttpConnectorFuture::new(async move {
            pace.turn().await;
            let sent = Sent(Instant::now());
            let mut response = inner.call(request).await?;
            response.add_extension(sent);
            Ok(response)
        })
    }
}

impl Intercept for Pace {
    fn name(&self) -> &'static str {
        "Pace"
    }

    // the body has been read by now
    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        if let Some(Sent(sent)) = response.extension() {
            let refused = !response.status().is_success();
            let body = response.body().bytes().filter(|_| refused).unwrap_or_default();
            let throttled = code(&String::from_utf8_lossy(body)).is_some_and(is_throttling);
            self.rate().answered(*sent, Instant::now(), throttled);
        }
        Ok(())
    }
}

/// The rate by additive increase, multiplicative decrease: it is halved when AWS throttles, and rises slowly again.
#[derive(Debug)]
struct Rate {
    /// The most requests per second, and the current rate.
    limit: f64,
    current: f64,
    slowed: Option<Instant>,
}

impl Rate {
    fn new(limit: NonZeroU32) -> Self {
        let limit = f64::from(limit.get());
        Self { limit, current: limit, slowed: None }
    }

    /// Returns how long to wait for a turn that is due then, and when the next one is due.
    fn turn(&self, due: Instant, now: Instant) -> (Duration, Instant) {
        let interval = Duration::from_secs_f64(self.current.recip());
        let turn = due.max(now);
        ((turn - now).saturating_sub(interval * BURST), turn + interval)
    }

    fn answered(&mut self, sent: Instant, now: Instant, throttled: bool) {
        if !throttled {
            self.current = (self.current + self.limit * RECOVERY).min(self.limit);
        } else if self.slowed.is_none_or(|slowed| sent >= slowed) {
            // the answer to an earlier request says nothing about the new pace
            self.current = (self.current / 2.0).max(self.limit * SLOWEST);
            self.slowed = Some(now);
            tracing::debug!(per_second = self.current, "slowed down");
        }
    }
}

/// Returns the code of an error. Sources: IAM API, "Common Error Types"; both APIs speak the AWS Query protocol. S3
/// API, "Error responses".
pub(crate) fn code(body: &str) -> Option<&str> {
    Some(body.split_once("<Code>")?.1.split_once("</Code>")?.0)
}

fn default_http_client() -> SharedHttpClient {
    default_http_client_plugin_v2(BehaviorVersion::latest())
        .and_then(|plugin| {
            plugin.runtime_components(&RuntimeComponentsBuilder::new("Pace")).http_client()
        })
        .expect("the feature default-https-client is on")
}

/// The most unused turns that are kept.
const BURST: u32 = 4;

/// The part of the limit by which each answer raises the pace.
const RECOVERY: f64 = 1.0 / 200.0;

/// The lowest pace, as a part of the limit. Requests are signed before they wait, and a signature is valid for minutes
/// only.
const SLOWEST: f64 = 1.0 / 8.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_as_fast_once_for_all_that_were_on_their_way() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut rate = Rate::new(NonZeroU32::new(16).unwrap());
        for (sent, now, throttled, current) in [
            (0, 0, false, 16.0),
            (0, 1, true, 8.0),
            (0, 1, true, 8.0),
            (0, 2, true, 8.0),
            (1, 2, true, 4.0),
            (3, 3, true, 2.0),
            (4, 4, true, 2.0),
            (4, 4, false, 2.08),
        ] {
            rate.answered(at(sent), at(now), throttled);
            assert!((rate.current - current).abs() < 1e-9, "{sent} {now}: {}", rate.current);
        }
        for _ in 0..200 {
            rate.answered(at(5), at(5), false);
        }
        assert!((rate.current - 16.0).abs() < 1e-9, "{}", rate.current);
    }

    #[test]
    fn a_small_burst_and_then_the_pace() {
        let rate = Rate::new(NonZeroU32::new(10).unwrap());
        let start = Instant::now();
        for now in [start, start + Duration::from_secs(60)] {
            let mut due = start;
            let waits = [0, 0, 0, 0, 0, 100, 200, 300].map(Duration::from_millis);
            for expected in waits {
                let (wait, next) = rate.turn(due, now);
                assert_eq!(wait, expected);
                due = next;
            }
        }
    }

    #[test]
    fn the_code_of_a_refusal() {
        let throttled = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code></Error></ErrorResponse>";
        assert_eq!(code(throttled), Some("Throttling"));
        assert_eq!(code("<Code>"), None);
        assert_eq!(code(""), None);
    }
}
