//! The runtime API of AWS Lambda, and a function that it serves.
//!
//! Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".

use std::{
    io,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use crate::proxy;

/// A function: a process that asks for events.
pub struct Function {
    child: Child,
    /// Reads the log of the function, so that the function does not block.
    log: Option<JoinHandle<String>>,
    events: Sender<(Value, Duration)>,
    answers: Receiver<Result<Value, Value>>,
}

/// The result of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Invoked {
    /// The answer of the function.
    Answered(Value),
    /// The error that the function reported.
    Failed(Value),
    /// The function died before it answered.
    Died,
}

impl Function {
    /// Starts the command as Lambda starts a function.
    pub fn start(mut command: Command) -> Self {
        let (events, waiting) = channel::<(Value, Duration)>();
        let (answered, answers) = channel();
        let waiting = Mutex::new(waiting);
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
        let address = proxy::start(nowhere, move |request, _| {
            let text = String::from_utf8_lossy(request);
            let (head, body) = text.split_once("\r\n\r\n")?;
            let mut words = head.split(' ');
            let (method, path) = (words.next()?, words.next()?);
            let path = path.strip_prefix("/2018-06-01/runtime/").unwrap();
            match (method, path.rsplit('/').next()?) {
                ("GET", "next") => {
                    let (event, left) = waiting.lock().unwrap().recv().ok()?;
                    Some(next(&event, left))
                }
                ("POST", kind @ ("response" | "error")) => {
                    let body = serde_json::from_str(body).unwrap();
                    answered.send(if kind == "error" { Err(body) } else { Ok(body) }).ok()?;
                    Some(proxy::answer(202, "application/json", r#"{"status":"OK"}"#))
                }
                _ => panic!("no call of the runtime API: {head}"),
            }
        });
        let mut child = command
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "seskey")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let log = thread::spawn(|| io::read_to_string(stdout).unwrap());
        Self { child, log: Some(log), events, answers }
    }

    /// Returns the ID of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends an event with the time that is left for it, and returns the result.
    pub fn invoke(&mut self, event: &Value, left: Duration) -> Invoked {
        self.events.send((event.clone(), left)).unwrap();
        loop {
            match self.answers.recv_timeout(Duration::from_millis(20)) {
                Ok(Ok(answer)) => return Invoked::Answered(answer),
                Ok(Err(error)) => return Invoked::Failed(error),
                Err(RecvTimeoutError::Timeout) if self.child.try_wait().unwrap().is_none() => {}
                Err(_) => return Invoked::Died,
            }
        }
    }

    /// Ends the function, and returns its log.
    pub fn end(mut self) -> String {
        // it may have died before
        let _ = self.child.kill();
        self.log.take().unwrap().join().unwrap()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn next(event: &Value, left: Duration) -> Vec<u8> {
    let deadline = (SystemTime::now() + left).duration_since(UNIX_EPOCH).unwrap().as_millis();
    let body = event.to_string();
    let length = body.len();
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:seskey";
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
         Lambda-Runtime-Deadline-Ms: {deadline}\r\nLambda-Runtime-Invoked-Function-Arn: {arn}\r\n\r\n{body}"
    )
    .into_bytes()
}
