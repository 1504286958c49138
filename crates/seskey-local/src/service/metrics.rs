//! The metrics of the local SES for Prometheus. Every label is one of a few words of our own.

use std::{sync::atomic::AtomicU64, time::Instant};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use crate::sending::LoginRefused;

/// The media type of [`Metrics::text`]. Source: OpenMetrics 1.0, "Protocol negotiation".
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) struct Metrics {
    registry: Registry,
    started: Instant,
    requests: Family<Request, Counter>,
    smtp_connections: Counter,
    smtp_connections_open: Gauge,
    logins: Family<Login, Counter>,
    messages: Family<Message, Counter>,
    message_bytes: Counter,
    mailbox_messages: Gauge,
    mailbox_bytes: Gauge,
    uptime: Gauge<f64, AtomicU64>,
}

/// An open connection to the SMTP endpoint. It is counted as open until this is dropped.
pub(crate) struct OpenConnection(Gauge);

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("seskey"),
            started: Instant::now(),
            requests: Family::default(),
            smtp_connections: Counter::default(),
            smtp_connections_open: Gauge::default(),
            logins: Family::default(),
            messages: Family::default(),
            message_bytes: Counter::default(),
            mailbox_messages: Gauge::default(),
            mailbox_bytes: Gauge::default(),
            uptime: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("api_requests", "Requests to the APIs", self.requests.clone());
        let connections = self.smtp_connections.clone();
        registry.register("smtp_connections", "Connections to the SMTP endpoint", connections);
        let open = self.smtp_connections_open.clone();
        registry.register("smtp_connections_open", "Those that are open", open);
        registry.register("logins", "Logins to the SMTP endpoint", self.logins.clone());
        registry.register("messages", "Messages, by the code of the reply", self.messages.clone());
        let help = "Size of the messages that were accepted";
        registry.register_with_unit(
            "messages_accepted",
            help,
            Unit::Bytes,
            self.message_bytes.clone(),
        );
        registry.register(
            "mailbox_messages",
            "Messages in the mailbox",
            self.mailbox_messages.clone(),
        );
        let bytes = self.mailbox_bytes.clone();
        registry.register_with_unit("mailbox", "Size of the mailbox", Unit::Bytes, bytes);
        let uptime = self.uptime.clone();
        registry.register_with_unit("uptime", "Time since the start", Unit::Seconds, uptime);
    }

    /// Counts an answer to a request. An operation that is not served counts as `unknown`.
    pub(crate) fn request(&self, service: &'static str, action: Option<&'static str>, status: u16) {
        let action = action.unwrap_or("unknown");
        self.requests.get_or_create(&Request { service, action, status }).inc();
    }

    pub(crate) fn smtp_connection_opened(&self) -> OpenConnection {
        self.smtp_connections.inc();
        self.smtp_connections_open.inc();
        OpenConnection(self.smtp_connections_open.clone())
    }

    pub(crate) fn login(&self, refused: Option<LoginRefused>) {
        let result = match refused {
            None => "accepted",
            Some(LoginRefused::UnknownKey) => "unknown_key",
            Some(LoginRefused::InactiveKey) => "inactive_key",
            Some(LoginRefused::WrongPassword) => "wrong_password",
        };
        self.logins.get_or_create(&Login { result }).inc();
    }

    pub(crate) fn message_accepted(&self, bytes: usize) {
        self.messages.get_or_create(&Message { code: 250 }).inc();
        self.message_bytes.inc_by(bytes as u64);
    }

    pub(crate) fn message_refused(&self, code: u16) {
        self.messages.get_or_create(&Message { code }).inc();
    }

    /// Returns all metrics as text, with those of the mailbox.
    pub(crate) fn text(&self, messages: usize, bytes: usize) -> String {
        self.mailbox_messages.set(messages as i64);
        self.mailbox_bytes.set(bytes as i64);
        self.uptime.set(self.started.elapsed().as_secs_f64());
        let mut out = String::new();
        text::encode(&mut out, &self.registry).expect("a string takes all that is written");
        out
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    service: &'static str,
    action: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Login {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Message {
    code: u16,
}
