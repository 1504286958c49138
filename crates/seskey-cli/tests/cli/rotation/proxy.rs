//! A proxy between the program and IAM, which kills the program at a call.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use rustix::process::{Pid, Signal, kill_process};
use testkit::proxy;

/// Whether the call has had its effect when the program dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

/// A proxy that counts calls, and kills the program at one of them.
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
    ages_keys: bool,
}

impl Proxy {
    pub(crate) fn start(upstream: SocketAddr) -> Self {
        let state = Arc::<Mutex<State>>::default();
        Self { address: counting(upstream, &state), state }
    }

    /// Returns the address of a proxy before another server, whose calls count too.
    pub(crate) fn before(&self, upstream: SocketAddr) -> SocketAddr {
        counting(upstream, &self.state)
    }

    /// Counts calls anew from now on, and kills the next process at the call of this number.
    pub(crate) fn kill_at(&self, number: usize, moment: Moment) {
        let mut state = self.state.lock().unwrap();
        (state.calls, state.kill, state.child) = (0, Some((number, moment)), None);
    }

    /// Makes every new key a minute and a half old at once from now on, so that no run waits for it to settle.
    pub(crate) fn age_keys(&self) {
        self.state.lock().unwrap().ages_keys = true;
    }

    /// Whether the call that kills was made.
    pub(crate) fn has_killed(&self) -> bool {
        self.state.lock().unwrap().kill.is_none()
    }

    /// Sets the process to kill.
    pub(crate) fn watch(&self, id: u32) {
        self.state.lock().unwrap().child = Pid::from_raw(id.try_into().unwrap());
    }
}

impl State {
    fn count(&mut self) -> Option<Moment> {
        self.calls += 1;
        self.kill.take_if(|(number, _)| *number == self.calls).map(|(_, moment)| moment)
    }

    fn kill(&self) {
        if let Some(child) = self.child {
            // it may just have ended by itself
            let _ = kill_process(child, Signal::KILL);
        }
    }
}

fn counting(upstream: SocketAddr, state: &Arc<Mutex<State>>) -> SocketAddr {
    let counted = Arc::clone(state);
    proxy::start(upstream, move |request, ask| {
        let moment = counted.lock().unwrap().count();
        if moment == Some(Moment::Before) {
            counted.lock().unwrap().kill();
            return None;
        }
        let answer = ask()?;
        if moment == Some(Moment::After) {
            counted.lock().unwrap().kill();
            return None;
        }
        let makes_key = || String::from_utf8_lossy(request).contains("Action=CreateAccessKey");
        if counted.lock().unwrap().ages_keys && makes_key() {
            proxy::send(upstream, OLDER.as_bytes())?;
        }
        Some(answer)
    })
}

/// A request that moves the clock of a local SES.
const OLDER: &str = "POST /_seskey/clock HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n{\"advance\": \"90s\"}";
