//! A whole SMTP conversation: the replies to a client are always in order, and no password is shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seskey_local::smtp::{
    Reply, Session, Step,
    framing::{Data, Input, Receiver},
};

/// The only right password; nothing else in a corpus has it.
const PASSWORD: &str = "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9";

/// The longest message here.
const LIMIT: usize = 4096;

// the first byte says when TLS begins; 0xff, which no UTF-8 has, is where the client waits for the server
fuzz_target!(|bytes: &[u8]| {
    let Some((&start, bytes)) = bytes.split_first() else { return };
    let tls_wrapper = start % 2 == 1;
    let transcript = Conversation::new(tls_wrapper).run(bytes.split(|&byte| byte == 0xff));
    if tls_wrapper {
        let unseparated: Vec<u8> = bytes.iter().copied().filter(|&byte| byte != 0xff).collect();
        let pipelined = Conversation::new(true).run([unseparated.as_slice()].into_iter());
        assert_eq!(pipelined, transcript, "it does not matter whether the client waits");
    }
});

/// The server's side, and the client's conclusions from the replies.
struct Conversation {
    session: Session<()>,
    input: Input,
    replies: Vec<String>,
    tls: bool,
    logged_in: bool,
    /// Whether the next line belongs to AUTH.
    in_exchange: bool,
    sender: bool,
    recipients: usize,
}

impl Conversation {
    fn new(tls: bool) -> Self {
        let replies = vec![text(&Session::<()>::greeting("x"))];
        Self {
            session: Session::new(tls),
            input: Input::default(),
            replies,
            tls,
            logged_in: false,
            in_exchange: false,
            sender: false,
            recipients: 0,
        }
    }

    fn run<'a>(mut self, mut reads: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
        loop {
            match self.input.line() {
                Some(Ok(line)) => {
                    if !self.line(&line, &mut reads) {
                        return self.replies;
                    }
                }
                Some(Err(_)) => return self.replies,
                None => match reads.next() {
                    Some(bytes) => self.input.push(bytes),
                    None => return self.replies,
                },
            }
        }
    }

    /// Processes a line, and returns whether the conversation goes on.
    fn line<'a>(&mut self, line: &[u8], reads: &mut impl Iterator<Item = &'a [u8]>) -> bool {
        let verb = line.split(|&byte| byte == b' ').next().unwrap_or_default();
        let verb = if self.in_exchange { vec![] } else { verb.to_ascii_uppercase() };
        match self.session.line(line) {
            Step::Reply(reply) => {
                self.conclude(&verb, reply.code());
                self.write(&reply);
            }
            Step::Close(reply) => {
                self.write(&reply);
                return false;
            }
            Step::StartTls(_) if !self.input.is_empty() => return false,
            Step::StartTls(reply) => {
                assert!(!self.tls && verb == b"STARTTLS");
                self.write(&reply);
                self.session.tls_started();
                self.tls = true;
            }
            Step::Authenticate { user_name, password } => {
                assert!(self.tls && !self.logged_in);
                if !user_name.contains(PASSWORD) {
                    let shown = format!("{:?} {password:?}", self.session);
                    assert!(!shown.contains(PASSWORD), "{shown}");
                }
                let right = password.expose() == PASSWORD;
                let reply = self.session.authenticated(right.then_some(()));
                assert_eq!(reply.code(), if right { 235 } else { 535 });
                self.write(&reply);
                (self.logged_in, self.in_exchange) = (right, false);
            }
            Step::Data(reply) => {
                assert!(self.tls && self.logged_in && self.sender && self.recipients > 0);
                assert_eq!((verb.as_slice(), reply.code()), (&b"DATA"[..], 354));
                self.write(&reply);
                let Some(data) = self.receive(reads) else { return false };
                self.accept(&data);
            }
        }
        assert_eq!(self.session.user().is_some(), self.logged_in);
        true
    }

    fn conclude(&mut self, verb: &[u8], code: u16) {
        assert!(!matches!(code, 235 | 354), "only a login and DATA have these");
        self.in_exchange = code == 334;
        match (verb, code) {
            (b"MAIL", 250) => {
                assert!(self.tls && self.logged_in && !self.sender);
                self.sender = true;
            }
            (b"RCPT", 250) => {
                assert!(self.sender);
                self.recipients += 1;
            }
            (b"EHLO" | b"HELO" | b"RSET", 250) => (self.sender, self.recipients) = (false, 0),
            (b"NOOP", 250) => {}
            (_, code) => assert_ne!(code, 250, "only these are done"),
        }
    }

    fn receive<'a>(&mut self, reads: &mut impl Iterator<Item = &'a [u8]>) -> Option<Data> {
        let mut receiver = Receiver::new();
        loop {
            match self.input.data(&mut receiver, LIMIT) {
                None => self.input.push(reads.next()?),
                data => return data,
            }
        }
    }

    fn accept(&mut self, data: &Data) {
        let envelope = self.session.take_envelope();
        assert_eq!(envelope.recipients.len(), self.recipients);
        for address in envelope.recipients.iter().chain([&envelope.sender]) {
            assert!(address.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{address:?}");
            assert!(address.contains('@'), "{address:?}");
        }
        (self.sender, self.recipients) = (false, 0);
        let length = match data {
            Data::Message(message) => message.len(),
            Data::TooLong => 0,
        };
        self.write(&Reply::new(250, format!("Ok {length}")));
    }

    fn write(&mut self, reply: &Reply) {
        let text = text(reply);
        let lines = text.strip_suffix("\r\n").expect("a reply ends its line").split("\r\n");
        for line in lines {
            assert!(line.starts_with(&reply.code().to_string()), "{text:?}");
            assert!(line.chars().count() <= 1004 && !line.contains(char::is_control), "{text:?}");
            assert!(!line.contains(PASSWORD) || self.logged_in, "{text:?}");
        }
        self.replies.push(text);
    }
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.encode().to_vec()).expect("a reply is text")
}
