//! The delivery of published messages to the subscribers, over HTTP as SNS does it.
//!
//! A publisher does not wait: the message is queued, and one task takes it from there. Each delivery is a task of its
//! own, and each subscription has a bounded number of them, so that a slow subscriber does not hold up the others. The
//! tasks have a thread of their own, so that many subscribers do not slow down mail.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::{JoinSet, spawn_blocking},
    time::{sleep, timeout},
};
use tracing::{info, warn};

pub(crate) use self::beside::SnsBeside;
use self::{
    client::Client,
    document::Document,
    post::{Post, ToSubscriber},
};
use super::LocalSes;
use crate::{
    account::SubscriptionState,
    api::{Notice, Publication, uuid},
    lock::lock,
    sigv4::hex,
    tls::{Authority, CertificateError, MessageSigner},
};

mod beside;
mod client;
mod document;
mod post;

/// The time-out and the retries of a delivery.
#[derive(Debug, Clone)]
pub struct DeliveryPolicy {
    /// The longest wait for the answer.
    pub timeout: Duration,
    /// The wait before each retry.
    pub waits: Vec<Duration>,
}

/// Sources: SNS Developer Guide, "Fanout Amazon SNS notifications to HTTPS endpoints" (15 seconds), "Set the delivery
/// policy for the Amazon SNS subscription" (three retries, 20 seconds apart).
impl Default for DeliveryPolicy {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(15), waits: vec![Duration::from_secs(20); 3] }
    }
}

/// The messages to be sent, and the signer.
pub(crate) struct Outbox {
    /// The `HOST:PORT` by which subscribers reach the HTTP side.
    reached_at: String,
    beside: Option<Arc<SnsBeside>>,
    policy: DeliveryPolicy,
    authority: Authority,
    signer: OnceLock<Option<MessageSigner>>,
    queue: mpsc::Sender<Queued>,
    /// The receiver, which the sending task takes.
    queued: Mutex<Option<mpsc::Receiver<Queued>>>,
    /// The bytes that are left for messages that wait to be sent.
    room: Arc<Semaphore>,
}

struct Queued {
    what: What,
    at: Timestamp,
    room: OwnedSemaphorePermit,
}

enum What {
    ToSubscribers(Notice),
    Beside(Publication),
}

/// The limits on all messages that wait.
const MAX_NOTICES: usize = 10_000;
const MAX_BYTES: usize = 128 * 1024 * 1024;

/// The limit on the bytes that wait for one subscription: a thousand short texts. A subscriber that accepts nothing
/// leaves room for others.
const SHARE: usize = MAX_BYTES / 8;
const SHORT: usize = 16 * 1024;

/// The number of requests that one subscription is sent at once.
const AT_ONCE: usize = 10;

impl Outbox {
    pub(crate) fn new(
        reached_at: String,
        authority: Authority,
        policy: DeliveryPolicy,
        beside: Option<SnsBeside>,
    ) -> Self {
        let (queue, queued) = mpsc::channel(MAX_NOTICES);
        Self {
            reached_at,
            beside: beside.map(Arc::new),
            policy,
            authority,
            signer: OnceLock::new(),
            queue,
            queued: Mutex::new(Some(queued)),
            room: Arc::new(Semaphore::new(MAX_BYTES)),
        }
    }

    /// Returns the certificate with this name.
    pub(crate) fn certificate(&self, name: &str) -> Option<&str> {
        let signer = self.signer.get()?.as_ref()?;
        (name == certificate_name(signer)).then_some(signer.certificate_pem.as_str())
    }

    fn push(&self, what: What, at: Timestamp) {
        let bytes = match &what {
            What::ToSubscribers(Notice::Notification(publication)) | What::Beside(publication) => {
                publication.message.len()
            }
            What::ToSubscribers(_) => 0,
        };
        let permits = u32::try_from(bytes + SMALL).unwrap_or(u32::MAX);
        let room = self.room.clone().try_acquire_many_owned(permits).ok();
        let queued = room.and_then(|room| self.queue.try_send(Queued { what, at, room }).ok());
        if queued.is_none() {
            warn!("too much waits to be sent to subscribers: a notification is lost");
        }
    }

    /// Makes the signed document of a notice. The key is made when it is first needed, since that takes a moment.
    fn document(&self, notice: Notice, at: Timestamp) -> Option<Document> {
        let url = format!("http://{}", self.reached_at);
        let mut document = Document::new(notice, &url, at);
        let signer = self.signer.get_or_init(|| match self.new_signer() {
            Ok(signer) => Some(signer),
            Err(error) => {
                warn!(%error, "cannot make what signs notifications");
                None
            }
        });
        let signer = signer.as_ref()?;
        let certificate = certificate_name(signer);
        // clients that verify a signature require HTTPS
        let url = format!("https://{}{CERTIFICATES}{certificate}", self.reached_at);
        document.sign(signer, url).ok()?;
        Some(document)
    }

    fn new_signer(&self) -> Result<MessageSigner, CertificateError> {
        MessageSigner::new(&self.authority, "sns.amazonaws.com")
    }
}

/// The path of the certificates on the HTTP side.
pub(crate) const CERTIFICATES: &str = "/_seskey/sns/";

/// The bytes that a message counts for, besides its text.
const SMALL: usize = 1024;

/// Returns the name of a certificate in AWS's form.
fn certificate_name(signer: &MessageSigner) -> String {
    let hash = Sha256::digest(&signer.certificate_pem);
    format!("SimpleNotificationService-{}.pem", hex(&hash[..16]))
}

impl LocalSes {
    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Publishes to a topic. It never blocks; the subscribers are determined when the message is sent.
    pub(crate) fn publish(&self, topic_arn: &str, subject: Option<&str>, message: String) {
        if message.len() > Publication::MAX_MESSAGE {
            warn!(topic_arn, bytes = message.len(), "too long to be published");
            return;
        }
        let (topic_arn, subject) = (topic_arn.to_owned(), subject.map(str::to_owned));
        let message_id = uuid(&mut *lock(&self.rng));
        let publication = Publication { topic_arn, message_id, subject, message };
        // messages published here through the API stay here, so that two local SES do not send them in a circle
        if self.outbox.beside.is_some() {
            self.outbox.push(What::Beside(publication.clone()), self.now());
        }
        self.notify(Notice::Notification(publication));
    }

    /// Queues a notice for its subscribers.
    pub(super) fn notify(&self, notice: Notice) {
        self.outbox.push(What::ToSubscribers(notice), self.now());
    }

    /// Sends the queued messages forever. Deliveries on their way end with this task.
    pub(crate) async fn send_notices(self: Arc<Self>) {
        let Some(mut queued) = lock(&self.outbox.queued).take() else { return };
        let (mut deliveries, mut lanes) = (JoinSet::new(), Lanes::default());
        let mut client = None;
        loop {
            tokio::select! {
                Some(Queued { what, at, room }) = queued.recv() => {
                    let posts = match what {
                        What::ToSubscribers(notice) => self.posts(notice, at).await,
                        What::Beside(publication) => {
                            let beside = self.outbox.beside.clone();
                            beside.map(|it| Post::Beside(it, publication)).into_iter().collect()
                        }
                    };
                    let room = Arc::new(room);
                    for post in posts {
                        let Some(client) = self.client(&mut client).await else { continue };
                        let Some(place) = lanes.place(post.to(), post.size()) else {
                            warn!(to = post.to(), "does not answer: a notification is lost");
                            continue;
                        };
                        let (ses, room) = (self.clone(), room.clone());
                        deliveries.spawn(async move {
                            ses.deliver(&client, &post, &place).await;
                            drop((place, room));
                        });
                    }
                }
                Some(ended) = deliveries.join_next() => {
                    if let Err(panic) = ended {
                        warn!(%panic, "a delivery broke off");
                    }
                }
            }
        }
    }

    /// Returns the client, made when it is first needed: the certificates of the system are files.
    async fn client(&self, made: &mut Option<Client>) -> Option<Client> {
        if made.is_none() {
            let pem = self.authority_pem.clone();
            let new = spawn_blocking(move || Client::new(&pem)).await.ok()?;
            *made = new.inspect_err(|error| warn!(%error, "cannot send to subscribers")).ok();
        }
        made.clone()
    }

    /// Makes the posts of a notice, one for each subscriber.
    async fn posts(self: &Arc<Self>, notice: Notice, at: Timestamp) -> Vec<Post> {
        let to = match &notice {
            Notice::SubscriptionConfirmation(it) | Notice::UnsubscribeConfirmation(it) => {
                vec![(it.subscription_arn.clone(), it.subscription.endpoint.clone(), false)]
            }
            Notice::Notification(publication) => {
                let account = self.state.account();
                let all = account.subscriptions_of(&publication.topic_arn);
                let confirmed = all.filter(|(_, it)| it.state == SubscriptionState::Confirmed);
                confirmed
                    .map(|(arn, it)| (arn.to_owned(), it.endpoint.clone(), it.raw_message_delivery))
                    .collect()
            }
        };
        if to.is_empty() {
            return vec![];
        }
        let is_notification = matches!(notice, Notice::Notification(_));
        let of_thread = self.clone();
        let document = spawn_blocking(move || of_thread.outbox.document(notice, at)).await;
        let Some(document) = document.ok().flatten().map(Arc::new) else { return vec![] };
        to.into_iter()
            .map(|(subscription_arn, endpoint, raw)| {
                let (document, reached_at) = (document.clone(), &self.outbox.reached_at);
                let unsubscribe_url = is_notification.then(|| {
                    format!(
                        "http://{reached_at}/?Action=Unsubscribe&SubscriptionArn={subscription_arn}"
                    )
                });
                let to =
                    ToSubscriber { document, subscription_arn, endpoint, raw, unsubscribe_url };
                Post::Subscriber(to)
            })
            .collect()
    }

    /// Sends a post until it is accepted, finally refused, or out of retries.
    async fn deliver(&self, client: &Client, post: &Post, place: &Place) {
        let DeliveryPolicy { timeout: time, waits } = &self.outbox.policy;
        let (to, message_id) = (&post.to(), post.message_id());
        for wait in [Duration::ZERO].iter().chain(waits) {
            sleep(*wait).await;
            if !self.is_wanted(post) {
                return;
            }
            let _turn = place.turns.acquire().await;
            let outcome = match timeout(*time, client.send(post)).await {
                Ok(Ok(status)) if status < 300 => {
                    info!(to, message_id, status, "sent");
                    return;
                }
                Ok(Ok(status)) if is_final(status) => {
                    warn!(to, message_id, status, "refused, and not sent again");
                    return;
                }
                Ok(Ok(status)) => format!("the answer is {status}"),
                Ok(Err(error)) => error,
                Err(_) => "no answer in time".to_owned(),
            };
            warn!(to, message_id, outcome, "not taken");
        }
    }

    /// Whether a post is still wanted: a topic or a subscription that is deleted gets no more.
    fn is_wanted(&self, post: &Post) -> bool {
        let Post::Subscriber(ToSubscriber { document, subscription_arn, .. }) = post else {
            return true;
        };
        document.kind == "UnsubscribeConfirmation"
            || self.state.account().subscription(subscription_arn).is_some()
    }
}

/// Whether a status ends the retries: "SNS considers all 5XX errors and 429 (too many requests sent) errors as
/// retryable" (SNS Developer Guide, "Fanout Amazon SNS notifications to HTTPS endpoints").
fn is_final(status: u16) -> bool {
    status < 500 && status != 429
}

/// The lanes of the recipients with deliveries on their way.
#[derive(Default)]
struct Lanes(HashMap<String, Lane>);

struct Lane {
    /// The bytes that are left.
    room: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

/// The place of one delivery in a lane.
struct Place {
    turns: Arc<Semaphore>,
    _room: OwnedSemaphorePermit,
}

impl Lanes {
    /// Takes a place for so many bytes in the lane of a recipient. Returns none if the lane is full.
    fn place(&mut self, to: String, bytes: usize) -> Option<Place> {
        if !self.0.contains_key(&to) {
            self.0.retain(|_, lane| lane.room.available_permits() < SHARE);
        }
        let lane = self.0.entry(to).or_insert_with(|| Lane {
            room: Arc::new(Semaphore::new(SHARE)),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        });
        let bytes = u32::try_from(bytes.max(SHORT)).ok()?;
        let room = lane.room.clone().try_acquire_many_owned(bytes).ok()?;
        Some(Place { turns: lane.turns.clone(), _room: room })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_who_takes_nothing_leaves_room_for_others() {
        let mut lanes = Lanes::default();
        let mut places = |to: &str, bytes| -> Vec<Place> {
            std::iter::from_fn(|| lanes.place(to.to_owned(), bytes)).collect()
        };
        let long = places("dead", Publication::MAX_MESSAGE);
        assert_eq!(long.len(), SHARE / Publication::MAX_MESSAGE);
        let short = places("other", 1);
        assert_eq!(short.len(), 1024);
        drop(long);
        assert_eq!(places("dead", 1).len(), 1024);
    }
}
