//! `seskey local` and `seskey console` as processes.

use std::{
    env,
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
};

use serde_json::Value;

/// A running local SES, killed when it is dropped.
pub struct LocalSes {
    /// The line that it prints when it accepts connections.
    pub ready: Value,
    child: Child,
    stdout: BufReader<ChildStdout>,
    log: PathBuf,
}

impl LocalSes {
    /// Starts a local SES on free ports, with its temporary files and its log in a folder.
    pub fn start(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_by(seskey(folder), folder, arguments, environment)
    }

    /// Starts a local SES by a command that ends in the program's name.
    pub fn start_by(
        mut command: Command,
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let log = folder.join("local.log");
        let mut child = command
            .args(["local", "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0"])
            .args(["--smtps", "127.0.0.1:0"])
            .args(arguments)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line);
        let ready = ready.unwrap_or_else(|_| panic!("{line}{}", fs::read_to_string(&log).unwrap()));
        Self { ready, child, stdout, log }
    }

    /// Returns a text in the ready line, by its JSON pointer.
    pub fn at(&self, pointer: &str) -> &str {
        self.ready.pointer(pointer).unwrap().as_str().unwrap()
    }

    /// Returns the ID of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, and returns the exit status and the output after the ready line.
    pub fn stop(&mut self, signal: &str) -> (ExitStatus, String) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }

    /// Returns the log.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for LocalSes {
    fn drop(&mut self) {
        // it may have ended already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running `seskey console`, killed when it is dropped.
pub struct Console {
    /// The address to open, with its token.
    pub url: String,
    /// The process.
    pub child: Child,
}

impl Console {
    /// Starts the console by a command that ends in the program's name.
    pub fn start(mut command: Command, arguments: &[&str]) -> Self {
        command.arg("console").args(arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        Self { url: ready["console"].as_str().unwrap().to_owned(), child }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // it may have ended already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the program in a folder that is its home and has its temporary files, with no other environment.
pub fn seskey(folder: &Path) -> Command {
    let program = env::var_os("CARGO_BIN_EXE_seskey")
        .expect("cargo gives it to the tests of the binary's crate");
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("TMPDIR", folder)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null());
    command
}
