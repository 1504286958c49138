//! `moto_server`, an emulator of AWS.

use std::{
    env,
    io::{BufRead, BufReader, ErrorKind, Read},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    thread,
};

/// A server, killed when it is dropped.
pub(crate) struct Moto {
    pub(crate) address: SocketAddr,
    server: Child,
}

impl Moto {
    /// Starts `$SESKEY_MOTO_SERVER`, else the `moto_server` of the `PATH`; `None` if that is not installed.
    pub(crate) fn start() -> Option<Self> {
        let chosen = env::var_os("SESKEY_MOTO_SERVER");
        let program = chosen.clone().unwrap_or_else(|| "moto_server".into());
        let mut command = Command::new(program);
        command.args(["--host", "127.0.0.1", "--port", "0"]).stderr(Stdio::piped());
        let mut server = match command.stdout(Stdio::null()).spawn() {
            Err(error) if error.kind() == ErrorKind::NotFound && chosen.is_none() => return None,
            server => server.unwrap(),
        };
        let mut said = BufReader::new(server.stderr.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "moto_server ended");
            if let Some((_, address)) = line.trim().split_once("Running on http://") {
                break address.parse().unwrap();
            }
        };
        // it writes a line for each request
        thread::spawn(move || said.read_to_end(&mut Vec::new()));
        Some(Self { address, server })
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}
