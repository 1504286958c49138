//! Room for incoming messages: their bytes are bounded, however many connections there are.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Makes the room of all messages, in steps of [`STEP`] bytes.
pub(super) fn of_all(bytes: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new((bytes / STEP).min(Semaphore::MAX_PERMITS)))
}

/// The room of one message, given back when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Room {
    taken: Option<OwnedSemaphorePermit>,
    /// Whether there was not enough room for the message.
    pub(super) is_full: bool,
}

/// The bytes that are taken at a time: most messages are shorter.
const STEP: usize = 64 * 1024;

impl Room {
    /// Takes room for a message of at least so many bytes. Returns `false` if there is not enough, and gives all back
    /// then.
    pub(super) fn grow(&mut self, bytes: usize, all: &Arc<Semaphore>) -> bool {
        let taken = self.taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = (bytes / STEP + 1).saturating_sub(taken);
        if self.is_full || missing == 0 {
            return !self.is_full;
        }
        let more = u32::try_from(missing).ok();
        let Some(more) = more.and_then(|more| all.clone().try_acquire_many_owned(more).ok()) else {
            *self = Self { taken: None, is_full: true };
            return false;
        };
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_taken_in_steps_and_given_back() {
        let all = of_all(4 * STEP);
        let (mut first, mut second) = (Room::default(), Room::default());
        assert!(first.grow(0, &all) && first.grow(STEP - 1, &all), "one step");
        assert!(second.grow(2 * STEP, &all), "three");
        assert!(!first.grow(STEP, &all) && first.is_full, "there is no fifth");
        assert!(second.grow(3 * STEP, &all), "what a refused message had is free");
        drop((first, second));
        assert_eq!(all.available_permits(), 4);
    }
}
