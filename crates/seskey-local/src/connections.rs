//! How many connections are open at once: in all, and of one address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The connections of a listener.
pub(crate) struct Connections {
    max: usize,
    max_of_address: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// The place of one connection; free again when this is dropped.
pub(crate) struct Place {
    connections: Arc<Connections>,
    peer: IpAddr,
}

impl Connections {
    pub(crate) fn new(max: usize, max_of_address: usize) -> Arc<Self> {
        Arc::new(Self { max, max_of_address, open: Mutex::default() })
    }

    /// A place for one more connection of an address, unless all are taken.
    pub(crate) fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let mut open = self.lock();
        let total: usize = open.values().sum();
        let of_address = open.get(&peer).copied().unwrap_or_default();
        if total >= self.max || of_address >= self.max_of_address {
            return None;
        }
        open.insert(peer, of_address + 1);
        Some(Place { connections: self.clone(), peer })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        if let Some(count) = open.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_left() {
        let connections = Connections::new(3, 2);
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse::<IpAddr>().unwrap());
        let first = connections.admit(one);
        let second = connections.admit(one);
        assert!(first.is_some() && second.is_some());
        assert!(connections.admit(one).is_none(), "two of one address");
        let third = connections.admit(other);
        assert!(third.is_some());
        assert!(connections.admit(other).is_none(), "three in all");
        drop((first, second));
        assert!(connections.admit(other).is_some());
        drop(third);
        assert!(connections.lock().is_empty(), "nothing is kept of who is gone");
    }
}
