//! Somebody asked to stop.

use std::{future::pending, time::Duration};

use tokio::{sync::watch, time::sleep};

/// Tells a running change to stop at the next safe point: between two calls, or while it waits. A call that was sent is
/// always finished, for whether it had its effect would be unknown.
#[derive(Debug, Clone)]
pub struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// An interrupt, and what raises it by sending `true`.
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// One that is never raised.
    pub fn never() -> Self {
        Self::new().1
    }

    /// Whether it was raised.
    pub fn is_raised(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when it is raised.
    pub(crate) async fn raised(&mut self) {
        if self.0.wait_for(|&raised| raised).await.is_err() {
            pending().await
        }
    }

    /// Waits; `false` if it was raised meanwhile.
    pub(crate) async fn sleep(&mut self, pause: Duration) -> bool {
        tokio::select! {
            () = self.raised() => false,
            () = sleep(pause) => true,
        }
    }
}
