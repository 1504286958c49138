//! What stands between the program and IAM, and kills it at a call.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use rustix::process::{Pid, Signal, kill_process};

/// Whether the call has had its effect when the program dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

/// Counts calls, and kills at one of them.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    calls: usize,
    kill: Option<(usize, Moment)>,
    child: Option<Pid>,
}

impl Proxy {
    pub(crate) fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let served = proxy.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let served = served.clone();
                thread::spawn(move || served.serve(client.unwrap(), upstream));
            }
        });
        proxy
    }

    /// From now on calls are counted anew, and the one of this number is the last.
    pub(crate) fn kill_at(&self, number: usize, moment: Moment) {
        *self.state.lock().unwrap() = State { kill: Some((number, moment)), ..State::default() };
    }

    /// Whether the call was made that kills.
    pub(crate) fn has_killed(&self) -> bool {
        self.state.lock().unwrap().kill.is_none()
    }

    /// Who is to be killed.
    pub(crate) fn watch(&self, id: u32) {
        self.state.lock().unwrap().child = Pid::from_raw(id.try_into().unwrap());
    }

    fn serve(&self, mut client: TcpStream, upstream: SocketAddr) {
        let mut server = TcpStream::connect(upstream).unwrap();
        while let Some(request) = message(&mut client) {
            let moment = self.count();
            if moment == Some(Moment::Before) {
                return self.kill();
            }
            server.write_all(&request).unwrap();
            let Some(answer) = message(&mut server) else { return };
            if moment == Some(Moment::After) {
                return self.kill();
            }
            if client.write_all(&answer).is_err() {
                return;
            }
        }
    }

    fn count(&self) -> Option<Moment> {
        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        let calls = state.calls;
        state.kill.take_if(|(number, _)| *number == calls).map(|(_, moment)| moment)
    }

    fn kill(&self) {
        if let Some(child) = self.state.lock().unwrap().child {
            // it may just have ended by itself
            let _ = kill_process(child, Signal::KILL);
        }
    }
}

/// One HTTP message with a `Content-Length`.
fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut bytes, mut piece) = (vec![], [0; 16_384]);
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some(bytes);
            }
        }
        match stream.read(&mut piece) {
            Ok(length @ 1..) => bytes.extend_from_slice(&piece[..length]),
            _ => return None,
        }
    }
}
