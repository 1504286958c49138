//! A request to an API: its fault on purpose, its answer, and the wait until its changes are on disk.

use std::net::IpAddr;

use jiff::Timestamp;
use rand::{SeedableRng, rngs::StdRng};

use super::{
    LocalSes,
    faults::{ApiFault, Moment},
};
use crate::{
    api::{self, Mail, Notice, Received, Service},
    event::Dispatch,
    journal::{Commit, CommitFailed, Write},
    lock::lock,
    refusal::{ApiRefusal, Code},
    sigv4::HttpRequest,
};

/// An answer to a request, to be sent when the changes that it reports are stored.
pub(crate) struct Pending {
    service: &'static str,
    pub(crate) action: Option<&'static str>,
    answer: api::Response,
    /// The answer if the changes cannot be stored; absent while all state is in memory.
    failure: Option<api::Response>,
    /// The fault after the work is done.
    fault: Option<ApiFault>,
    /// The size of the message that was sent, if any.
    message_bytes: Option<usize>,
    notice: Option<Notice>,
    commits: [Commit; 2],
    /// The message that goes out, with its fates.
    dispatch: Option<Dispatch>,
}

impl LocalSes {
    /// Works out the answer to a request to an API. The body is a parameter of its own: it may hold a large message,
    /// and is freed when the message has been taken from it.
    ///
    /// # Errors
    /// The fault of the plan, before any work is done.
    pub(crate) fn answer(
        &self,
        head: &HttpRequest<'_>,
        body: Vec<u8>,
        peer: IpAddr,
        secure_transport: bool,
    ) -> Result<Pending, ApiFault> {
        let request = &HttpRequest { body: &body, ..*head };
        let now = self.state.clock().now();
        // a signature is checked without the lock of the account, an answer is made without that of the random numbers
        let coin = || lock(&self.faults).coin();
        let key_of = |id: &str| self.state.account().signing_key(id, now, coin);
        let clocks = [now, Timestamp::now()];
        let mut signer = api::authenticate(request, self.region.partition(), key_of, clocks);
        let (service, action) = (Service::of(request).name(), api::action(request));
        let fault = match (&signer, action) {
            (Ok(_), Some(action)) => lock(&self.faults).of_call(action, now),
            _ => None,
        };
        match fault {
            Some(fault @ (ApiFault::Cut(Moment::Before) | ApiFault::Hang(Moment::Before))) => {
                return Err(fault);
            }
            Some(ApiFault::Refuse(code)) => signer = Err(ApiRefusal::Failure(code)),
            _ => {}
        }
        let mut rng = StdRng::from_rng(&mut *lock(&self.rng));
        let ((answer, mail), changes) = self.state.act(|account| {
            let received = Received { request: head, signer, peer, secure_transport, now };
            api::answer(account, &mut lock(&self.sent), &self.sending, received, body, &mut rng)
        });
        let failure = self.state.journal().map(|_| {
            let refusal = ApiRefusal::Failure(Code::ServiceFailure);
            api::refuse(head, refusal, answer.request_id.clone())
        });
        let (mut message, mut dispatch, mut notice) = (None, None, None);
        match mail {
            Some(Mail::Accepted(accepted)) => {
                message = accepted.message;
                dispatch = Some(accepted.dispatch);
            }
            Some(Mail::Refused(attempt)) => self.refused(*attempt),
            Some(Mail::Notice(given)) => notice = Some(*given),
            None => {}
        }
        let message_bytes = message.as_ref().map(|message| message.raw_data.len());
        let message = message.map_or_else(Commit::default, |message| {
            self.state.hand_in(Write::Message(message.into()))
        });
        let commits = [changes, message];
        Ok(Pending {
            service,
            action,
            answer,
            failure,
            fault,
            message_bytes,
            notice,
            commits,
            dispatch,
        })
    }

    /// Waits until the changes that an answer reports are stored.
    ///
    /// # Errors
    /// The fault of the plan, after all work is done.
    pub(crate) async fn settle(&self, pending: Pending) -> Result<api::Response, ApiFault> {
        let [changes, message] = pending.commits;
        let kept = changes.done().await.and(message.done().await);
        let answer = match (kept, pending.failure) {
            (Err(CommitFailed), Some(failure)) => failure,
            _ => {
                if let Some(bytes) = pending.message_bytes {
                    self.metrics.message_accepted(bytes);
                }
                if let Some(dispatch) = pending.dispatch {
                    self.follow(dispatch).await;
                }
                if let Some(notice) = pending.notice {
                    self.notify(notice);
                }
                pending.answer
            }
        };
        self.metrics.request(pending.service, pending.action, answer.status);
        match pending.fault {
            Some(fault @ (ApiFault::Cut(_) | ApiFault::Hang(_))) => Err(fault),
            _ => Ok(answer),
        }
    }
}
