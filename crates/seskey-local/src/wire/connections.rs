//! Incoming connections, and the limits on those that are open at once: in all, and from one address.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tracing::warn;

use crate::lock::lock;

/// The connections that share a limit.
pub(crate) struct Connections {
    max: usize,
    max_of_address: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    of: HashMap<IpAddr, usize>,
}

/// The place of one connection. It is free again when this is dropped.
pub(crate) struct Place {
    connections: Arc<Connections>,
    address: IpAddr,
}

/// Accepts connections forever, and runs a `task` for each. The open connections end with this task.
pub(crate) async fn accept<Task: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    task: impl Fn(TcpStream, SocketAddr) -> Task,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, peer)) => {
                    connections.spawn(task(tcp, peer));
                }
                Err(error) => {
                    // out of descriptors: only waiting helps
                    warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(ended) = connections.join_next() => {
                if let Err(panic) = ended {
                    warn!(%panic, "a connection broke off");
                }
            }
        }
    }
}

impl Connections {
    pub(crate) fn new(max: usize, max_of_address: usize) -> Arc<Self> {
        Arc::new(Self { max, max_of_address, open: Mutex::default() })
    }

    /// Takes a place for one more connection of an address. Returns none if all are taken.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        // an IPv4 client is the same one on a socket of both versions of IP
        let address = address.to_canonical();
        let mut open = lock(&self.open);
        let of_address = open.of.get(&address).copied().unwrap_or_default();
        if open.all >= self.max || of_address >= self.max_of_address {
            return None;
        }
        open.all += 1;
        open.of.insert(address, of_address + 1);
        Some(Place { connections: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = lock(&self.connections.open);
        open.all -= 1;
        if let Entry::Occupied(mut of_address) = open.of.entry(self.address) {
            *of_address.get_mut() -= 1;
            if *of_address.get() == 0 {
                of_address.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_by_address_and_in_all() {
        let connections = Connections::new(3, 2);
        let admit = |address: &str| connections.admit(address.parse().unwrap());
        let (first, second) = (admit("192.0.2.1"), admit("::ffff:192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(admit("192.0.2.1").is_none(), "the third of one address");
        let third = admit("192.0.2.2");
        assert!(third.is_some() && admit("192.0.2.3").is_none(), "the fourth of all");
        drop(first);
        assert!(admit("192.0.2.1").is_some());
        drop((second, third));
        assert!(lock(&connections.open).of.is_empty() && lock(&connections.open).all == 0);
    }
}
