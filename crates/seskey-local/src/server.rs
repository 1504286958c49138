//! Starts and stops a local SES: the HTTP side, the SMTP side, and what they share.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use rand::{RngExt, SeedableRng, distr::Alphanumeric, rngs::StdRng};
use seskey::{AccessKeyId, Region, Secret, SecretAccessKey, SmtpPassword};
use tokio::{net::TcpListener, task::JoinHandle};

pub use crate::http::Limits;
use crate::{
    account::{
        Account, AccountId, Action, Answer, Circumstances, Identity, Status, fresh_access_key,
    },
    api,
    clock::Clock,
    http,
    mailbox::{Filter, Mailbox, Message},
    message::Header,
    metrics::Metrics,
    refusal,
    sending::{Interface, Login, Refusal, Sent, Settings, Submission},
    ses,
    sigv4::Signed,
    smtp::{
        self, Envelope, Listener, Tls,
        listener::{self, Endpoint},
    },
    tls::{self, CertificateError},
};

/// How a local SES is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the IAM and STS APIs and the mailbox are served.
    pub http: SocketAddr,
    /// Where SMTP is served. If none begins in clear, or none in TLS, there is one on any free port of the loopback.
    pub smtp: Vec<Listener>,
    /// What a client may take of the SMTP endpoint.
    pub smtp_limits: smtp::Limits,
    /// The region of the account's home, and of an SMTP listener that is not mentioned.
    pub region: Region,
    /// The account.
    pub account_id: AccountId,
    /// The access key of the account's root user; made at the start if absent.
    pub root: Option<(AccessKeyId, SecretAccessKey)>,
    /// The identities that are verified from the start, in this region.
    pub identities: Vec<Identity>,
    /// What the account may send.
    pub sending: Settings,
    /// Whether passwords of version 2 are taken too.
    pub accept_v2: bool,
    /// The host names by which the HTTP side is called, beside its address, `localhost` and AWS's own.
    pub hosts: Vec<String>,
    /// What clients of the HTTP side may take; for tests.
    #[doc(hidden)]
    pub limits: Limits,
}

/// A local SES that runs until it is dropped.
pub struct Server {
    /// Where the HTTP side listens.
    pub http: SocketAddr,
    /// Where SMTP with STARTTLS listens: the first of its listeners.
    pub smtp: SocketAddr,
    /// Where SMTP inside TLS listens: the first of its listeners.
    pub smtps: SocketAddr,
    /// All SMTP listeners, with the ports that they got.
    pub listeners: Vec<Listener>,
    /// The access key of the root user.
    pub root: (AccessKeyId, SecretAccessKey),
    /// The certificate of the authority that TLS clients must trust, as PEM.
    pub authority_pem: String,
    ses: Arc<LocalSes>,
    tasks: Vec<JoinHandle<()>>,
}

/// Why a local SES could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// It cannot listen there.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where it was told to listen.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The certificates cannot be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// Why a login was refused; the client is told nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    UnknownKey,
    InactiveKey,
    WrongPassword,
}

/// What all listeners share.
pub(crate) struct LocalSes {
    account: Mutex<Account>,
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
}

impl Config {
    /// Any free port of the loopback, region `us-east-1`, account `000000000000`.
    pub fn ephemeral() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            http: any,
            smtp: vec![],
            smtp_limits: smtp::Limits::default(),
            region: Region::parse("us-east-1").expect("a region of the table"),
            account_id: AccountId::parse("000000000000").expect("12 digits"),
            root: None,
            identities: vec![],
            sending: Settings::default(),
            accept_v2: false,
            hosts: vec![],
            limits: Limits::default(),
        }
    }
}

impl Server {
    /// Starts a local SES on the current Tokio runtime. It accepts connections when this returns.
    ///
    /// # Errors
    /// An address that cannot be listened on.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let (http, http_addr) = listen(config.http).await?;
        let (sockets, listeners) = listen_smtp(config.smtp, &config.region).await?;
        let certificates = tls::certificates(&listeners)?;

        let mut rng: StdRng = rand::make_rng();
        let root = config.root.unwrap_or_else(|| fresh_access_key(&config.account_id, &mut rng));
        let mut account = Account::new(
            config.account_id,
            config.region.partition(),
            root.clone(),
            Timestamp::now(),
        );
        for identity in &config.identities {
            account.create_identity(&config.region, identity);
        }
        let ses = Arc::new(LocalSes {
            account: Mutex::new(account),
            nobody: root.1.clone(),
            mailbox: Mutex::default(),
            rng: Mutex::new(rng),
            region: config.region,
            sending: config.sending,
            sent: Mutex::default(),
            accept_v2: config.accept_v2,
            clock: Clock::default(),
            metrics: Metrics::new(),
        });
        let endpoint =
            Arc::new(Endpoint::new(ses.clone(), certificates.server, config.smtp_limits));
        let hosts = http::Hosts::new(&config.hosts);
        let mut tasks = vec![tokio::spawn(http::serve(http, ses.clone(), hosts, config.limits))];
        for (socket, listener) in sockets.into_iter().zip(&listeners) {
            tasks.push(tokio::spawn(listener::serve(socket, listener.clone(), endpoint.clone())));
        }
        let first = |tls| listeners.iter().find(|listener| listener.tls == tls);
        let first = |tls| first(tls).expect("there is one of each kind").address;
        Ok(Self {
            http: http_addr,
            smtp: first(Tls::Starttls),
            smtps: first(Tls::Wrapper),
            listeners,
            root,
            authority_pem: certificates.authority_pem,
            ses,
            tasks,
        })
    }

    /// Does an action of the IAM API as the root user, without the wire: to prepare an account.
    ///
    /// # Errors
    /// What the API would refuse.
    pub fn apply(&self, action: Action) -> Result<Answer, refusal::Refusal> {
        lock(&self.ses.account).apply(action, self.ses.clock.now(), &mut *lock(&self.ses.rng))
    }

    /// The URL of the HTTP side, as `--endpoint-url` takes it.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.http)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl LocalSes {
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
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
    ) -> Result<Login, Refused> {
        let login = self.check_login(user_name, password, region);
        self.metrics.login(login.as_ref().err().copied());
        login
    }

    fn check_login(
        &self,
        user_name: &str,
        password: &Secret,
        region: &Region,
    ) -> Result<Login, Refused> {
        let key = lock(&self.account).access_key(user_name).cloned();
        let secret = key.as_ref().map_or(&self.nobody, |key| key.secret());
        // every way out comes after all of the work
        let right = is_password_of(secret, password, region, self.accept_v2);
        let key = key.ok_or(Refused::UnknownKey)?;
        if key.status() != Status::Active {
            return Err(Refused::InactiveKey);
        }
        if !right {
            return Err(Refused::WrongPassword);
        }
        lock(&self.account).record_use(user_name, "ses-smtp", region.as_str(), self.clock.now());
        Ok(Login { access_key_id: user_name.to_owned(), principal: key.owner().clone() })
    }

    /// Takes a message into the mailbox, and gives its ID.
    pub(crate) fn send(
        &self,
        login: &Login,
        envelope: Envelope,
        message: &[u8],
        peer: IpAddr,
        region: &Region,
    ) -> Result<String, Refusal> {
        let submission = Submission {
            interface: Interface::Smtp,
            action: "ses:SendRawEmail",
            principal: &login.principal,
            envelope: &envelope,
            return_path: None,
            message,
            header: &Header::read(message),
            circumstances: Circumstances {
                peer,
                secure_transport: true,
                user_agent: None,
                now: self.clock.now(),
            },
            region,
        };
        submission
            .check_form()
            .and_then(|()| submission.check_account(&lock(&self.account), &self.sending))
            .and_then(|()| submission.count(&mut lock(&self.sent), &self.sending))
            .inspect_err(|refusal| self.metrics.message_refused(refusal.reply().code()))?;
        let mut rng = StdRng::from_rng(&mut *lock(&self.rng));
        let message = submission.deliver(&mut rng);
        let id = message.id.clone();
        self.metrics.message_accepted(message.raw_data.len());
        lock(&self.mailbox).push(message);
        Ok(id)
    }

    pub(crate) fn messages(
        &self,
        filter: &Filter,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<Arc<Message>> {
        lock(&self.mailbox).list(filter, after, limit)
    }

    pub(crate) fn delete_messages(&self, filter: &Filter) {
        lock(&self.mailbox).delete(filter);
    }

    /// Answers a request to the IAM, the STS or the SES API.
    pub(crate) fn answer(&self, request: &Signed<'_>, peer: IpAddr) -> api::Response {
        let now = self.clock.now();
        // neither the account nor the randomness is held while a signature or a long answer is worked out
        let key_of = |id: &str| lock(&self.account).signing_key(id, now);
        let clocks = [now, Timestamp::now()];
        let signer = api::authenticate(request, self.region.partition(), key_of, clocks);
        let mut rng = StdRng::from_rng(&mut *lock(&self.rng));
        let mut account = lock(&self.account);
        let answer = if ses::serves(request) {
            let sent = &mut lock(&self.sent);
            let (answer, message) = ses::answer(
                &mut account,
                sent,
                &self.sending,
                request,
                signer,
                peer,
                now,
                &mut rng,
            );
            if let Some(message) = message {
                self.metrics.message_accepted(message.raw_data.len());
                lock(&self.mailbox).push(message);
            }
            answer
        } else {
            api::answer(&mut account, request, signer, peer, now, &mut rng)
        };
        self.metrics.request(api::service(request), api::action(request), answer.status);
        answer
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

/// A panic in another connection leaves the state as the last whole change left it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Listens on all, and on one of each kind that is not there.
async fn listen_smtp(
    mut listeners: Vec<Listener>,
    region: &Region,
) -> Result<(Vec<TcpListener>, Vec<Listener>), StartError> {
    for tls in [Tls::Starttls, Tls::Wrapper] {
        if !listeners.iter().any(|listener| listener.tls == tls) {
            let address = SocketAddr::from(([127, 0, 0, 1], 0));
            listeners.push(Listener { address, region: region.clone(), tls });
        }
    }
    let mut sockets = vec![];
    for listener in &mut listeners {
        let (socket, address) = listen(listener.address).await?;
        listener.address = address;
        sockets.push(socket);
    }
    Ok((sockets, listeners))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Principal;

    /// "The SMTP interface does not take temporary credentials", whatever is derived from them.
    /// Source: Developer Guide, "Obtaining Amazon SES SMTP credentials".
    #[tokio::test]
    async fn a_temporary_access_key_logs_nobody_in() {
        let server = Server::start(Config::ephemeral()).await.expect("free ports");
        let action = Action::GetSessionToken {
            caller: Principal::Root,
            duration: jiff::SignedDuration::from_hours(1),
        };
        let Ok(Answer::SessionToken(credentials)) = server.apply(action) else {
            panic!("the root user may have a session")
        };
        let log_in = |user_name: &str, secret: &SecretAccessKey| {
            let region = &server.ses.region;
            let password = SmtpPassword::derive(secret, region);
            server.ses.log_in(user_name, &Secret::new(password.expose().to_owned()), region)
        };
        let secret = SecretAccessKey::parse(credentials.secret_access_key.expose());
        let secret = secret.expect("a secret of the account");
        assert_eq!(log_in(&credentials.access_key_id, &secret), Err(Refused::UnknownKey));
        assert!(log_in(server.root.0.as_str(), &server.root.1).is_ok());
    }
}
