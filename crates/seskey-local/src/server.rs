//! The start and the stop of a local SES: the HTTP side, the SMTP side, and the state that they share.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use axum::{Router, http::Uri};
use jiff::SignedDuration;
use rand::rngs::StdRng;
use seskey::{AccessKeyId, Region, SecretAccessKey};
use tokio::{
    net::TcpListener,
    runtime::{self, Runtime},
    task::JoinHandle,
};
use tracing::warn;

use crate::{
    account::{AccountId, Action, Answer, Identity, TooManyIdentities},
    journal::{CommitFailed, Database, Journal, JournalError, Seed, Snapshot, Writer},
    refusal,
    sending::Settings,
    service::{LocalSes, Outbox, Setup, SnsBeside, faults::Plan, inbox::Inbox},
    tls::{self, Authority, CertificateError},
    wire::{
        http,
        smtp::{
            self, ListenOn, Listener, Tls,
            listener::{self, Endpoint},
        },
    },
};
pub use crate::{service::DeliveryPolicy, wire::http::Limits};

/// The configuration of a local SES.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address of the APIs and of the mailbox.
    pub http: SocketAddr,
    /// The SMTP listeners. If none begins in clear, or none in TLS, one is added on any free port of the loopback.
    pub smtp: Vec<ListenOn>,
    /// The limits on clients of the SMTP endpoint.
    pub smtp_limits: smtp::Limits,
    /// The region of the SMTP listeners that have none of their own. If absent, the region that `data` was made with,
    /// or `us-east-1`.
    pub region: Option<Region>,
    /// The ID of the account. If absent, the one in `data`, or `000000000000`.
    pub account_id: Option<AccountId>,
    /// The access key of the account's root user. If absent, the one in `data`, or a new one.
    pub root: Option<(AccessKeyId, SecretAccessKey)>,
    /// The identities that are verified from the start, in this region.
    pub identities: Vec<Identity>,
    /// The sending rights and quotas of the account.
    pub sending: Settings,
    /// Whether passwords of version 2 are accepted too.
    pub accept_v2: bool,
    /// The host names of the HTTP side, besides its address, `localhost` and AWS's own.
    pub hosts: Vec<String>,
    /// The limits on clients of the HTTP side; for tests.
    #[doc(hidden)]
    pub limits: Limits,
    /// The delivery of published messages to subscribers of SNS; for tests.
    #[doc(hidden)]
    pub delivery: DeliveryPolicy,
    /// The URL of another SNS, where the events of SES are published too.
    pub sns_endpoint: Option<String>,
    /// The directory that stores the state; if absent, the state is lost at the end.
    pub data: Option<PathBuf>,
    /// The most pages of 4 KiB that the database may have, as if the disk were full then.
    #[doc(hidden)]
    pub max_pages: Option<u32>,
    /// The faults on purpose.
    pub faults: Plan,
}

/// A local SES that runs until it is dropped.
pub struct Server {
    /// The address of the HTTP side.
    pub http: SocketAddr,
    /// The address of the first SMTP listener with STARTTLS.
    pub smtp: SocketAddr,
    /// The address of the first SMTP listener inside TLS.
    pub smtps: SocketAddr,
    /// All SMTP listeners, with the ports that they got.
    pub listeners: Vec<Listener>,
    /// The region of the listeners that were given none of their own.
    pub region: Region,
    /// The ID of the account.
    pub account_id: AccountId,
    /// The access key of the root user.
    pub root: (AccessKeyId, SecretAccessKey),
    /// The certificate of the authority that TLS clients must trust, as PEM.
    pub authority_pem: String,
    ses: Arc<LocalSes>,
    pages: Arc<OnceLock<Router>>,
    tasks: Vec<JoinHandle<()>>,
    /// Sends to subscribers on a thread of its own, so that hundreds of them do not slow down mail.
    deliveries: Option<Runtime>,
    /// Dropped after the tasks are aborted: the drop writes what they handed in.
    _writer: Option<Writer>,
}

/// The reason why a local SES could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// The error of the system.
        source: io::Error,
    },
    /// The certificates cannot be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The directory cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The system cannot start a thread.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// The URL of the other SNS is not valid.
    #[error("{0:?} is no URL of an SNS")]
    SnsEndpoint(String),
    /// There are more identities than the account may have.
    #[error(transparent)]
    TooManyIdentities(#[from] TooManyIdentities),
}

impl Config {
    /// Returns a configuration with free ports of the loopback, region `us-east-1`, account `000000000000`, and all
    /// state in memory.
    pub fn ephemeral() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            http: any,
            smtp: vec![],
            smtp_limits: smtp::Limits::default(),
            region: None,
            account_id: None,
            root: None,
            identities: vec![],
            sending: Settings::default(),
            accept_v2: false,
            hosts: vec![],
            limits: Limits::default(),
            delivery: DeliveryPolicy::default(),
            sns_endpoint: None,
            data: None,
            max_pages: None,
            faults: Plan::default(),
        }
    }
}

impl Server {
    /// Starts a local SES on the current Tokio runtime. It accepts connections when this returns.
    ///
    /// # Errors
    /// An address cannot be listened on, or the directory cannot be used or holds another account than the configured
    /// one.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let (http, http_addr) = listen(config.http).await?;
        let mut rng: StdRng = rand::make_rng();
        let mut database = config.data.as_deref().map(Database::open).transpose()?;
        let seed = Seed {
            account_id: config.account_id,
            region: config.region.clone(),
            root: config.root,
            authority: Authority::new()?,
        };
        let (mut kept, root) = match &mut database {
            Some(database) => Snapshot::open(database, seed, &mut rng)?,
            None => Snapshot::new(seed, &mut rng),
        };
        let region = config.region.unwrap_or_else(|| kept.region.clone());
        let (sockets, listeners) = listen_smtp(config.smtp, &region).await?;
        let addresses = listeners.iter().map(|listener| listener.address.ip());
        let addresses = addresses.chain([http_addr.ip()]).map(|address| address.to_string());
        let hosts = addresses.chain(config.hosts.iter().cloned());
        let regions = listeners.iter().map(|listener| listener.region.clone());
        let tls = tls::server_config(&kept.authority, hosts, regions)?;
        for identity in &config.identities {
            kept.account.create_identity(&region, identity)?;
        }
        let account_id = kept.account.id().clone();
        let journal = database.as_ref().map(|_| Journal::default());
        let beside = config.sns_endpoint.as_deref().map(sns_endpoint).transpose()?;
        let beside = beside.filter(|url| {
            let is_own = is_own(url, http_addr, &config.hosts);
            if is_own {
                warn!(%url, "this is the local SES itself: nothing is published there once more");
            }
            !is_own
        });
        if beside.is_some() {
            kept.account.set_sns_beside_it();
        }
        let beside = beside.map(|endpoint| SnsBeside { endpoint, key: root.clone() });
        let reached_at = reached_at(http_addr, &config.hosts);
        let setup = Setup {
            root: root.1.clone(),
            region,
            sending: config.sending,
            accept_v2: config.accept_v2,
            outbox: Outbox::new(reached_at, kept.authority.clone(), config.delivery, beside),
        };
        let ses = Arc::new(LocalSes::new(kept, setup, rng, journal.clone()));
        ses.set_faults(config.faults);
        let writer = match (database, journal) {
            (Some(database), Some(journal)) => {
                config.max_pages.map_or(Ok(()), |pages| database.limit(pages))?;
                let shown = ses.clone();
                Some(Writer::start(
                    journal,
                    database,
                    ses.state().shared_account(),
                    move |write| shown.state().show(write),
                )?)
            }
            _ => None,
        };
        let endpoint = Arc::new(Endpoint::new(ses.clone(), tls.clone(), config.smtp_limits));
        let pages = http::Pages::default();
        let clock = ses.clone();
        let serving = http::Serving {
            hosts: config.hosts,
            limits: config.limits,
            transport: http::Transport::Either(tls),
            now: Box::new(move || clock.state().clock().now()),
        };
        let app = http::router(ses.clone(), pages.clone());
        let mut tasks = vec![tokio::spawn(http::serve(http, app, serving))];
        for (socket, listener) in sockets.into_iter().zip(&listeners) {
            tasks.push(tokio::spawn(listener::serve(socket, listener.clone(), endpoint.clone())));
        }
        let deliveries =
            runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let deliveries = deliveries.map_err(StartError::Thread)?;
        deliveries.spawn(ses.clone().send_notices());
        let first = |tls| listeners.iter().find(|listener| listener.tls == tls);
        let first = |tls| first(tls).expect("there is one of each kind").address;
        Ok(Self {
            http: http_addr,
            smtp: first(Tls::Starttls),
            smtps: first(Tls::Wrapper),
            listeners,
            region: ses.region().clone(),
            account_id,
            root,
            authority_pem: ses.authority_pem().to_owned(),
            ses,
            pages,
            tasks,
            deliveries: Some(deliveries),
            _writer: writer,
        })
    }

    /// Runs an action of the IAM API as the root user, without HTTP, to prepare an account. The change is on disk when
    /// this returns.
    ///
    /// # Errors
    /// The API would refuse the action.
    pub fn apply(&self, action: Action) -> Result<Answer, refusal::ApiRefusal> {
        self.ses.apply(action)
    }

    /// Sets how far the clock of the account is ahead of the machine's, or behind it.
    ///
    /// # Errors
    /// The change could not be written to disk.
    pub async fn move_clock(&self, ahead: SignedDuration) -> Result<(), refusal::ApiRefusal> {
        let moved = self.ses.state().move_clock(ahead).await;
        moved.map_err(|CommitFailed| refusal::ApiRefusal::Failure(refusal::Code::ServiceFailure))
    }

    /// Publishes to a topic of SNS without HTTP, as SES does with its events.
    pub fn publish(&self, topic_arn: &str, subject: Option<&str>, message: String) {
        self.ses.publish(topic_arn, subject, message);
    }

    /// Returns the number of commits to disk since the start.
    pub fn journal_commits(&self) -> u64 {
        self.ses.state().journal().map_or(0, Journal::commits)
    }

    /// Returns the mailbox, to read and to clear it without HTTP.
    pub fn inbox(&self) -> Inbox {
        Inbox::new(self.ses.clone())
    }

    /// Replaces the plan of faults.
    pub fn set_faults(&self, plan: Plan) {
        self.ses.set_faults(plan);
    }

    /// Serves these pages too, at the root and at every path that the local SES itself does not serve. They can be
    /// mounted only once, and only after the start, since they need to know the addresses.
    pub fn mount(&self, pages: Router) {
        // a second router is ignored
        let _ = self.pages.set(pages);
    }

    /// Returns the URL of the HTTP side, as `--endpoint-url` takes it.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.http)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        if let Some(deliveries) = self.deliveries.take() {
            deliveries.shutdown_background();
        }
    }
}

fn sns_endpoint(url: &str) -> Result<Uri, StartError> {
    let uri = url.parse::<Uri>().ok();
    let uri = uri.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    uri.ok_or_else(|| StartError::SnsEndpoint(url.to_owned()))
}

/// Whether a URL leads to the HTTP side itself.
fn is_own(url: &Uri, http: SocketAddr, hosts: &[String]) -> bool {
    let default = if url.scheme_str() == Some("https") { 443 } else { 80 };
    let port = url.port_u16().unwrap_or(default);
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
    let is_here = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified() || ip == http.ip();
    port == http.port()
        && (host == "localhost"
            || hosts.iter().any(|own| own.eq_ignore_ascii_case(&host))
            || host.parse().is_ok_and(is_here))
}

/// Returns the host and the port by which others reach the HTTP side.
fn reached_at(http: SocketAddr, hosts: &[String]) -> String {
    match (hosts.first(), http) {
        (Some(host), _) if host.contains(':') => format!("[{host}]:{}", http.port()),
        (Some(host), _) => format!("{host}:{}", http.port()),
        (None, SocketAddr::V4(it)) if it.ip().is_unspecified() => {
            SocketAddr::from((Ipv4Addr::LOCALHOST, it.port())).to_string()
        }
        (None, SocketAddr::V6(it)) if it.ip().is_unspecified() => {
            SocketAddr::from((Ipv6Addr::LOCALHOST, it.port())).to_string()
        }
        (None, address) => address.to_string(),
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Listens on all addresses, and on one more for each kind of TLS that is missing.
async fn listen_smtp(
    mut places: Vec<ListenOn>,
    region: &Region,
) -> Result<(Vec<TcpListener>, Vec<Listener>), StartError> {
    for tls in [Tls::Starttls, Tls::Wrapper] {
        if !places.iter().any(|place| place.tls == tls) {
            let address = SocketAddr::from(([127, 0, 0, 1], 0));
            places.push(ListenOn { address, region: None, tls });
        }
    }
    let (mut sockets, mut listeners) = (vec![], vec![]);
    for ListenOn { address, region: own, tls } in places {
        let (socket, address) = listen(address).await?;
        sockets.push(socket);
        listeners.push(Listener { address, region: own.unwrap_or_else(|| region.clone()), tls });
    }
    Ok((sockets, listeners))
}
