//! A change in progress: it records what it makes, so that this can be undone.

use std::{future::Future, time::Duration};

use super::{
    Interrupt,
    create::Event,
    undo::{Made, Thing},
};
use crate::{Account, Error};

/// The account of a change, its interrupt, the receiver of its events, and the things made so far.
pub(super) struct Change<'a> {
    pub(super) account: &'a Account,
    pub(super) interrupt: Interrupt,
    pub(super) on_event: &'a mut (dyn FnMut(Event) + Send),
    pub(super) made: Vec<Made>,
}

/// The reason why a change stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stopped {
    Call(Error),
    /// The sending group has policies, and none allows sending.
    GroupCannotSend {
        policies: Vec<String>,
    },
    Interrupted,
}

impl<'a> Change<'a> {
    pub(super) fn begin(
        account: &'a Account,
        interrupt: Interrupt,
        on_event: &'a mut (dyn FnMut(Event) + Send),
    ) -> Self {
        Self { account, interrupt, on_event, made: Vec::new() }
    }

    /// Makes one thing and records it, also when the answer was lost and the thing may exist.
    pub(super) async fn make<T>(
        &mut self,
        thing: impl FnOnce(Option<&T>) -> Thing,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Stopped> {
        self.go_on()?;
        let outcome = call.await;
        if !outcome.as_ref().is_err_and(|error| !error.ambiguous) {
            let made = Made { what: thing(outcome.as_ref().ok()), certain: outcome.is_ok() };
            tracing::debug!(?made, "made");
            if made.certain {
                (self.on_event)(Event::Made(made.what.clone()));
            }
            self.made.push(made);
        }
        Ok(outcome?)
    }

    /// Fails once the interrupt is raised.
    pub(super) fn go_on(&self) -> Result<(), Stopped> {
        if self.interrupt.is_raised() { Err(Stopped::Interrupted) } else { Ok(()) }
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

/// Repeats a call that does not see yet what was made a moment ago. The refusal is clear, so nothing is done twice.
/// Source: IAM User Guide, "Changes that I make are not always immediately visible".
pub(super) async fn settled<T, F: Future<Output = Result<T, Error>>>(
    call: impl Fn() -> F,
) -> Result<T, Error> {
    for _ in 0..SETTLING {
        match call().await {
            Err(error) if error.is_no_such_entity() => tokio::time::sleep(SETTLING_PAUSE).await,
            outcome => return outcome,
        }
    }
    call().await
}

/// The interval of IAM's own waiter for a new user, with fewer attempts.
pub(super) const SETTLING: u32 = 10;
pub(super) const SETTLING_PAUSE: Duration = Duration::from_secs(1);
