//! The interruption of a change.

use std::{future::pending, time::Duration};

use tokio::{sync::watch, time::sleep};

/// A signal that stops a running change at the next safe point: between two calls, or while it waits. A call that was
/// sent is always finished, since its effect would be unknown otherwise.
#[derive(Debug, Clone)]
pub struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Returns an interrupt, and the sender that raises it by sending `true`.
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Returns an interrupt that is never raised.
    pub fn never() -> Self {
        Self::new().1
    }

    /// Whether it was raised.
    pub fn is_raised(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is raised.
    pub(crate) async fn raised(&mut self) {
        if self.0.wait_for(|&raised| raised).await.is_err() {
            pending().await
        }
    }

    /// Waits for the pause; `false` if it was raised meanwhile.
    pub(crate) async fn sleep(&mut self, pause: Duration) -> bool {
        tokio::select! {
            () = self.raised() => false,
            () = sleep(pause) => true,
        }
    }
}
