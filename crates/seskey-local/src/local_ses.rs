//! What all listeners share: the account, the mailbox, the clock, and what may be done with them.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
};

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng, distr::Alphanumeric, rngs::StdRng};
use seskey::{
    Region, Secret, SecretAccessKey, SmtpPassword,
    diagnose::{Evidence, Finding, Key, Values, diagnose},
};

use crate::{
    account::{Account, Action, Answer, RequestContext, Status},
    api::{self, Received},
    clock::Clock,
    dispatch,
    faults::{ApiFault, Faults, Moment, Plan, SmtpFault},
    journal::{Commit, CommitFailed, Journal, Snapshot, Write},
    lock::lock,
    mailbox::{Filter, Mailbox, Message},
    message::RawMessage,
    metrics::Metrics,
    refusal,
    sending::{
        Envelope, Interface, Login, LoginRefused, SendingRefusal, Sent, Settings, Submission,
    },
    ses,
    sigv4::HttpRequest,
};

/// A local SES without its sockets.
pub(crate) struct LocalSes {
    account: Arc<Mutex<Account>>,
    /// What the password of an unknown user is compared with.
    nobody: SecretAccessKey,
    mailbox: Mutex<Mailbox>,
    rng: Mutex<StdRng>,
    region: Region,
    sending: Settings,
    sent: Mutex<Sent>,
    accept_v2: bool,
    clock: Clock,
    metrics: Metrics,
    faults: Mutex<Faults>,
    authority_pem: String,
    /// Absent while everything is in memory alone.
    journal: Option<Journal>,
}

/// An answer to a request, to be given when what it tells of is kept.
pub(crate) struct Pending {
    service: &'static str,
    pub(crate) action: Option<&'static str>,
    answer: api::Response,
    /// The answer if it cannot be kept; absent while everything is in memory alone.
    failure: Option<api::Response>,
    /// What goes wrong now that the work is done.
    fault: Option<ApiFault>,
    /// The size of the message that was sent, if any.
    message_bytes: Option<usize>,
    commits: [Commit; 2],
}

impl LocalSes {
    /// From what was kept. With a journal, all that changes is handed in to it.
    pub(crate) fn new(
        kept: Snapshot,
        root: &SecretAccessKey,
        region: Region,
        sending: Settings,
        accept_v2: bool,
        rng: StdRng,
        journal: Option<Journal>,
    ) -> Self {
        let clock = Clock::default();
        clock.put_ahead(kept.clock_ahead);
        Self {
            account: Arc::new(Mutex::new(kept.account)),
            nobody: root.clone(),
            mailbox: Mutex::new(kept.mailbox),
            rng: Mutex::new(rng),
            region,
            sending,
            sent: Mutex::default(),
            accept_v2,
            clock,
            metrics: Metrics::new(),
            faults: Mutex::default(),
            authority_pem: kept.authority.certificate_pem,
            journal,
        }
    }

    pub(crate) fn region(&self) -> &Region {
        &self.region
    }

    pub(crate) fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// Does an action of the IAM API as the root user; the caller blocks until it is on disk.
    pub(crate) fn apply(&self, action: Action) -> Result<Answer, refusal::ApiRefusal> {
        let now = self.clock.now();
        let (answer, commit) =
            self.act(|account| account.apply(action, now, &mut *lock(&self.rng)));
        commit
            .wait()
            .map_err(|CommitFailed| refusal::ApiRefusal::Failure(refusal::Code::ServiceFailure))?;
        answer
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The certificate that TLS clients must trust.
    pub(crate) fn authority_pem(&self) -> &str {
        &self.authority_pem
    }

    /// What it has done, as text for Prometheus.
    pub(crate) fn metrics_text(&self) -> String {
        let (messages, bytes) = lock(&self.mailbox).size();
        self.metrics.text(messages, bytes)
    }

    /// What tells the connections apart in a greeting: 9 upper-case letters and digits, a blank, 20 alphanumerics.
    pub(crate) fn connection_id(&self) -> String {
        let mut rng = lock(&self.rng);
        let mut letters =
            |count| (0..count).map(|_| char::from(rng.sample(Alphanumeric))).collect::<String>();
        format!("{} {}", letters(9).to_ascii_uppercase(), letters(20))
    }

    /// Checks SMTP credentials for a region. A wrong user name costs the same work as a wrong password. Why they are
    /// refused is for the log alone.
    pub(crate) fn log_in(
        &self,
        user_name: &str,
        password: &Secret,
        region: &Region,
    ) -> Result<Login, LoginRefused> {
        let login = self.check_login(user_name, password, region);
        self.metrics.login(login.as_ref().err().copied());
        login
    }

    fn check_login(
        &self,
        user_name: &str,
        password: &Secret,
        region: &Region,
    ) -> Result<Login, LoginRefused> {
        let key = lock(&self.account)
            .seen_access_key(user_name, self.clock.now(), || lock(&self.faults).coin())
            .cloned();
        let secret = key.as_ref().map_or(&self.nobody, |key| key.secret());
        // every way out comes after all of the work
        let right = is_password_of(secret, password, region, self.accept_v2);
        let key = key.ok_or(LoginRefused::UnknownKey)?;
        if key.status() != Status::Active {
            return Err(LoginRefused::InactiveKey);
        }
        if !right {
            return Err(LoginRefused::WrongPassword);
        }
        let now = self.clock.now();
        // nobody waits for that
        let _ = self.act(|account| account.record_use(user_name, "ses-smtp", region.as_str(), now));
        Ok(Login { access_key_id: user_name.to_owned(), principal: key.owner().clone() })
    }

    /// Why a login was refused, by the table of causes: here nothing is hidden. For the log alone.
    pub(crate) fn why_refused(
        &self,
        user_name: &str,
        password: &Secret,
        region: &Region,
        refused: LoginRefused,
    ) -> Option<Finding> {
        let (key, is_user) = {
            let account = lock(&self.account);
            let key = account.seen_access_key(user_name, self.clock.now(), || false).cloned();
            (key, account.has_user(user_name))
        };
        let evidence = Evidence::of(Values {
            user_name: Some(user_name),
            password: Some(password.expose()),
            secret: key.as_ref().map(|key| key.secret()),
            region: Some(region),
            ..Values::default()
        });
        let evidence = Evidence {
            logged_in: Some(false),
            is_iam_user: Some(is_user),
            key: Some(match refused {
                LoginRefused::UnknownKey => Key::Unknown,
                LoginRefused::InactiveKey => Key::Inactive,
                LoginRefused::WrongPassword => Key::Active,
            }),
            ..evidence
        };
        diagnose(&evidence).findings.into_iter().next()
    }

    /// Takes a message into the mailbox, and gives its ID.
    pub(crate) async fn send(
        &self,
        login: &Login,
        envelope: Envelope,
        message: Vec<u8>,
        peer: IpAddr,
        region: &Region,
    ) -> Result<String, SendingRefusal> {
        let kept = match self.judge(login, &envelope, message, peer, region) {
            Ok(message) => {
                let (id, bytes) = (message.id.clone(), message.raw_data.len());
                let kept = self.hand_in(Write::Message(message.into())).done().await;
                kept.map(|()| (id, bytes))
                    .map_err(|CommitFailed| SendingRefusal::TemporaryServiceFailure)
            }
            Err(refusal) => Err(refusal),
        };
        match kept {
            Ok((id, bytes)) => {
                self.metrics.message_accepted(bytes);
                Ok(id)
            }
            Err(refusal) => {
                self.metrics.message_refused(refusal.reply().0);
                Err(refusal)
            }
        }
    }

    /// Whether a message from the SMTP endpoint is taken.
    fn judge(
        &self,
        login: &Login,
        envelope: &Envelope,
        bytes: Vec<u8>,
        peer: IpAddr,
        region: &Region,
    ) -> Result<Message, SendingRefusal> {
        let message = &RawMessage::split(&bytes);
        let submission = Submission {
            interface: Interface::Smtp,
            action: "ses:SendRawEmail",
            principal: &login.principal,
            envelope,
            return_path: None,
            message,
            header: &message.header()?,
            circumstances: RequestContext {
                access_key_id: &login.access_key_id,
                peer,
                secure_transport: true,
                user_agent: None,
                now: self.clock.now(),
            },
            region,
        };
        submission.check_form()?;
        submission.check_account(&lock(&self.account), &self.sending)?;
        submission.count(&mut lock(&self.sent), &self.sending)?;
        let id = submission.new_id(&mut *lock(&self.rng));
        let deliver = submission.deliver(id);
        Ok(deliver(bytes))
    }

    pub(crate) fn messages(
        &self,
        filter: &Filter,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<Arc<Message>> {
        lock(&self.mailbox).list(filter, after, limit)
    }

    pub(crate) async fn delete_messages(&self, filter: Filter) -> Result<(), CommitFailed> {
        self.hand_in(Write::DeleteMessages(filter)).done().await
    }

    /// Puts the clock ahead of the machine's by so much, or behind it.
    pub(crate) async fn move_clock(&self, ahead: SignedDuration) -> Result<(), CommitFailed> {
        self.hand_in(Write::ClockAhead(ahead)).done().await
    }

    /// From now on things go wrong by this plan.
    pub(crate) fn set_faults(&self, plan: Plan) {
        lock(&self.account).set_lag(plan.keys);
        *lock(&self.faults) = Faults::new(plan, self.clock.now());
    }

    /// The plan by which things go wrong, as it was given.
    pub(crate) fn faults(&self) -> String {
        lock(&self.faults).plan().as_toml().to_owned()
    }

    /// What goes wrong with a command of SMTP.
    pub(crate) fn fault_of_command(&self, command: &str) -> Option<SmtpFault> {
        lock(&self.faults).of_command(command)
    }

    /// Works out the answer to a request to the IAM, the STS or the SES API, whose body is given apart: it may hold a
    /// large message, and is let go of when that is taken from it.
    ///
    /// # Errors
    /// What goes wrong on purpose, before anything is done.
    pub(crate) fn answer(
        &self,
        head: &HttpRequest<'_>,
        body: Vec<u8>,
        peer: IpAddr,
    ) -> Result<Pending, ApiFault> {
        let request = &HttpRequest { body: &body, ..*head };
        let now = self.clock.now();
        // neither the account nor the randomness is held while a signature or a long answer is worked out
        let coin = || lock(&self.faults).coin();
        let key_of = |id: &str| lock(&self.account).signing_key(id, now, coin);
        let clocks = [now, Timestamp::now()];
        let mut signer = api::authenticate(request, self.region.partition(), key_of, clocks);
        let (service, action) = (api::service(request), dispatch::action(request));
        let fault = match (&signer, action) {
            (Ok(_), Some(action)) => lock(&self.faults).of_call(action, now),
            _ => None,
        };
        match fault {
            Some(fault @ (ApiFault::Cut(Moment::Before) | ApiFault::Hang(Moment::Before))) => {
                return Err(fault);
            }
            Some(ApiFault::Refuse(code)) => signer = Err(refusal::ApiRefusal::Failure(code)),
            _ => {}
        }
        let mut rng = StdRng::from_rng(&mut *lock(&self.rng));
        let ((answer, message), changes) = self.act(|account| {
            if ses::serves(head) {
                let sent = &mut lock(&self.sent);
                let received = Received { request: head, signer, peer, now };
                ses::answer(account, sent, &self.sending, received, body, &mut rng)
            } else {
                let request = &HttpRequest { body: &body, ..*head };
                let received = Received { request, signer, peer, now };
                (api::answer(account, received, &mut rng), None)
            }
        });
        let failure = self.journal.as_ref().map(|_| {
            let refusal = refusal::ApiRefusal::Failure(refusal::Code::ServiceFailure);
            dispatch::refuse(head, refusal, &answer.request_id)
        });
        let message_bytes = message.as_ref().map(|message| message.raw_data.len());
        let message = message
            .map_or_else(Commit::default, |message| self.hand_in(Write::Message(message.into())));
        let commits = [changes, message];
        Ok(Pending { service, action, answer, failure, fault, message_bytes, commits })
    }

    /// Waits until what an answer tells of is kept.
    ///
    /// # Errors
    /// What goes wrong on purpose, now that everything is done.
    pub(crate) async fn settle(&self, pending: Pending) -> Result<api::Response, ApiFault> {
        let Pending { service, action, answer, failure, fault, message_bytes, commits } = pending;
        let [changes, message] = commits;
        let answer = match (changes.done().await.and(message.done().await), failure) {
            (Err(CommitFailed), Some(failure)) => failure,
            _ => {
                if let Some(bytes) = message_bytes {
                    self.metrics.message_accepted(bytes);
                }
                answer
            }
        };
        self.metrics.request(service, action, answer.status);
        match fault {
            Some(fault @ (ApiFault::Cut(_) | ApiFault::Hang(_))) => Err(fault),
            _ => Ok(answer),
        }
    }

    pub(crate) fn account(&self) -> Arc<Mutex<Account>> {
        self.account.clone()
    }

    /// Shows what is kept; the account shows its changes itself.
    pub(crate) fn show(&self, write: Write) {
        match write {
            Write::Rows(_) => {}
            Write::Message(message) => lock(&self.mailbox).push(message),
            Write::DeleteMessages(filter) => lock(&self.mailbox).delete(&filter),
            Write::ClockAhead(ahead) => self.clock.put_ahead(ahead),
        }
    }

    /// Does something with the account and hands what that changed to the journal. It may be told when the commit says
    /// that it is kept.
    fn act<T>(&self, act: impl FnOnce(&mut Account) -> T) -> (T, Commit) {
        let mut account = lock(&self.account);
        let done = act(&mut account);
        let journal = self.journal.as_ref();
        (done, journal.map_or_else(Commit::default, |journal| journal.rows(account.take_changes())))
    }

    /// Hands in what is not of the account; it is shown when it is kept.
    fn hand_in(&self, write: Write) -> Commit {
        match &self.journal {
            Some(journal) => journal.write(write),
            None => {
                self.show(write);
                Commit::default()
            }
        }
    }
}

/// Derives both passwords and compares with both, whatever comes of the first.
fn is_password_of(
    secret: &SecretAccessKey,
    password: &Secret,
    region: &Region,
    accept_v2: bool,
) -> bool {
    let is = |right: SmtpPassword| Secret::new(right.expose().to_owned()) == *password;
    is(SmtpPassword::derive(secret, region)) | (is(SmtpPassword::derive_v2(secret)) & accept_v2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{account::Principal, journal::Seed, tls::Authority};

    /// "The SMTP interface does not take temporary credentials", whatever is derived from them.
    /// Source: Developer Guide, "Obtaining Amazon SES SMTP credentials".
    #[test]
    fn a_temporary_access_key_logs_nobody_in() {
        let mut rng: StdRng = rand::make_rng();
        let authority = Authority::new().expect("certificates");
        let seed = Seed { account_id: None, region: None, root: None, authority };
        let (kept, root) = Snapshot::new(seed, &mut rng);
        let region = kept.region.clone();
        let ses =
            LocalSes::new(kept, &root.1, region.clone(), Settings::default(), false, rng, None);
        let action = Action::GetSessionToken {
            caller: Principal::Root,
            duration: SignedDuration::from_hours(1),
        };
        let Ok(Answer::SessionToken(credentials)) = ses.apply(action) else {
            panic!("the root user may have a session")
        };
        let log_in = |user_name: &str, secret: &SecretAccessKey| {
            let password = SmtpPassword::derive(secret, &region);
            ses.log_in(user_name, &Secret::new(password.expose().to_owned()), &region)
        };
        let secret = SecretAccessKey::parse(credentials.secret_access_key.expose());
        let secret = secret.expect("a secret of the account");
        assert_eq!(log_in(&credentials.access_key_id, &secret), Err(LoginRefused::UnknownKey));
        assert!(log_in(root.0.as_str(), &root.1).is_ok());
    }
}
