//! The state that all listeners share, and the operations on it.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rand::{RngExt, distr::Alphanumeric, rngs::StdRng};
use seskey::{Region, SecretAccessKey};
use tokio::sync::Semaphore;

pub(crate) use request::Pending;
pub(crate) use search::{BadSearch, Search};
pub use sns::DeliveryPolicy;
pub(crate) use sns::{CERTIFICATES, Outbox, SnsBeside};
pub(crate) use submission::Said;

use self::{
    faults::{Faults, Mail, Plan, SmtpFault},
    metrics::Metrics,
    state::State,
};
use crate::{
    account::{Action, Answer, Principal},
    journal::{CommitFailed, Journal, Snapshot},
    lock::lock,
    mailbox::Attempt,
    refusal::{ApiRefusal, Code},
    sending::{Sent, Settings},
};

mod events;
pub mod faults;
pub mod inbox;
mod login;
pub(crate) mod metrics;
mod request;
mod search;
mod sns;
mod state;
mod submission;

/// A local SES without its sockets.
pub(crate) struct LocalSes {
    state: State,
    region: Region,
    authority_pem: String,
    /// The secret that the password of an unknown user is compared with.
    nobody: SecretAccessKey,
    accept_v2: bool,
    sending: Settings,
    sent: Mutex<Sent>,
    rng: Mutex<StdRng>,
    faults: Mutex<Faults>,
    metrics: Metrics,
    outbox: Outbox,
    /// Limits the requests that wait for a message: each holds a connection, and other requests need some, too.
    waits: Arc<Semaphore>,
}

/// The parts and settings of a local SES.
pub(crate) struct Setup {
    /// The secret of the root user.
    pub(crate) root: SecretAccessKey,
    pub(crate) region: Region,
    pub(crate) sending: Settings,
    /// Whether passwords of version 2 are accepted too.
    pub(crate) accept_v2: bool,
    pub(crate) outbox: Outbox,
}

/// The number of requests that may wait for a message at once: half of the connections that one address may have.
const MAX_WAITS: usize = 250;

impl LocalSes {
    /// Makes a local SES from the stored state. With a journal, all changes are handed in to it.
    pub(crate) fn new(kept: Snapshot, setup: Setup, rng: StdRng, journal: Option<Journal>) -> Self {
        let Setup { root, region, sending, accept_v2, outbox } = setup;
        Self {
            authority_pem: kept.authority.certificate_pem.clone(),
            state: State::new(kept, journal),
            region,
            nobody: root,
            accept_v2,
            sending,
            sent: Mutex::default(),
            rng: Mutex::new(rng),
            faults: Mutex::default(),
            metrics: Metrics::new(),
            outbox,
            waits: Arc::new(Semaphore::new(MAX_WAITS)),
        }
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    pub(crate) fn waits(&self) -> &Arc<Semaphore> {
        &self.waits
    }

    /// Returns the time by the clock of the account.
    pub(crate) fn now(&self) -> Timestamp {
        self.state.clock().now()
    }

    pub(crate) fn arn(&self, principal: &Principal) -> String {
        self.state.account().principal_arn(principal)
    }

    /// Records a refused attempt.
    pub(crate) fn refused(&self, attempt: Attempt) {
        self.state.note(attempt);
    }

    pub(crate) fn region(&self) -> &Region {
        &self.region
    }

    /// Returns the certificate that TLS clients must trust.
    pub(crate) fn authority_pem(&self) -> &str {
        &self.authority_pem
    }

    /// Runs an action of the IAM API as the root user. The caller blocks until it is on disk.
    pub(crate) fn apply(&self, action: Action) -> Result<Answer, ApiRefusal> {
        let now = self.state.clock().now();
        let (answer, commit) =
            self.state.act(|account| account.apply(action, now, &mut *lock(&self.rng)));
        commit.wait().map_err(|CommitFailed| ApiRefusal::Failure(Code::ServiceFailure))?;
        answer
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Returns the metrics as text for Prometheus.
    pub(crate) fn metrics_text(&self) -> String {
        let (messages, bytes) = self.state.mailbox_size();
        self.metrics.text(messages, bytes)
    }

    /// Makes the ID of a connection for its greeting: 9 upper-case letters and digits, a blank, 20 alphanumerics.
    pub(crate) fn connection_id(&self) -> String {
        let mut rng = lock(&self.rng);
        let mut letters =
            |count| (0..count).map(|_| char::from(rng.sample(Alphanumeric))).collect::<String>();
        format!("{} {}", letters(9).to_ascii_uppercase(), letters(20))
    }

    /// Replaces the plan of faults.
    pub(crate) fn set_faults(&self, plan: Plan) {
        self.state.account().set_lag(plan.keys);
        *lock(&self.faults) = Faults::new(plan, self.state.clock().now());
    }

    /// Returns the plan of faults, as it was given.
    pub(crate) fn faults(&self) -> String {
        lock(&self.faults).plan().as_toml().to_owned()
    }

    /// Returns the fault of an SMTP command. `mail` is called only if the plan may have a fault for it.
    pub(crate) fn fault_of_command<'a>(
        &self,
        command: &str,
        mail: impl FnOnce() -> Mail<'a>,
    ) -> Option<SmtpFault> {
        if !lock(&self.faults).are_of_smtp() {
            return None;
        }
        let (mail, now) = (mail(), self.now());
        lock(&self.faults).of_command(command, &mail, now)
    }

    /// Returns the name of the IAM user that owns an access key.
    pub(crate) fn user_of_key(&self, access_key_id: &str) -> Option<String> {
        let account = self.state.account();
        account.access_key(access_key_id)?.owner().user_name().map(str::to_owned)
    }
}
