//! An SMTP session: it takes a line and returns a step. It uses no socket and no account: where it needs one, the step
//! says so, and the connection loop comes back with the answer.
//!
//! A command is first checked against the progress of the session (TLS, a login), which changes nothing; only then does
//! it proceed. The replies are those of AWS's documents and of published transcripts; the others follow the server
//! software whose words SES uses (see `docs/fidelity.md`).

use std::{borrow::Cow, mem};

use seskey::Secret;

use super::{
    Reply,
    auth::{self, Exchange, Next},
    path::path,
    transcript,
};
use crate::{
    address::is_address,
    mailbox,
    sending::{Envelope, MAX_MESSAGE},
};

/// A session, from the greeting to QUIT.
#[derive(Debug)]
pub struct Session<User> {
    tls: bool,
    user: Option<User>,
    exchange: Option<Exchange>,
    sender: Option<String>,
    recipients: Vec<String>,
}

/// The next action of the connection loop.
#[derive(Debug)]
pub enum Step {
    /// Write the reply and read on.
    Reply(Reply),
    /// Write the reply and close.
    Close(Reply),
    /// Write the reply, negotiate TLS, and tell the session by [`Session::tls_started`].
    StartTls(Reply),
    /// Check the credentials and tell the session by [`Session::authenticated`].
    Authenticate {
        /// The SMTP user name.
        user_name: String,
        /// The SMTP password.
        password: Secret,
    },
    /// Write the reply, receive a message up to its end, and take the envelope by [`Session::take_envelope`].
    Data(Reply),
}

/// The name in the greeting and in EHLO, without a region at every endpoint.
const HOST: &str = "email-smtp.amazonaws.com";

/// The number of recipients that the server remembers; SES itself refuses more than 50 at the end of the message.
const MAX_REMEMBERED_RECIPIENTS: usize = 1000;

/// The reply to an unknown parameter (RFC 5321, section 4.2.2).
const UNKNOWN_PARAMETERS: &str = "MAIL FROM/RCPT TO parameters not recognized or not implemented";

/// The methods of HTTP: RFC 9110, section 9.3, RFC 5789, and the preface of HTTP/2 (RFC 9113, section 3.4).
const HTTP_METHODS: &[&str] =
    &["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI"];

struct Command<User> {
    verb: &'static str,
    /// Whether it is refused before a login.
    login: bool,
    /// Whether it is refused before TLS.
    tls: bool,
    proceed: fn(&mut Session<User>, &str) -> Step,
}

impl<User: 'static> Session<User> {
    /// Makes a session that begins in clear, or inside TLS.
    pub fn new(tls: bool) -> Self {
        Self { tls, user: None, exchange: None, sender: None, recipients: vec![] }
    }

    /// Returns the greeting; `id` identifies the server's instance and the connection.
    pub fn greeting(id: &str) -> Reply {
        Reply::new(220, format!("{HOST} ESMTP SimpleEmailService-d-{id}"))
    }

    /// Takes a line of the client, without its CRLF.
    pub fn line(&mut self, line: &[u8]) -> Step {
        // the exchange ends even if the line is wrong: the next line is a command
        let exchange = self.exchange.take();
        let line = match str::from_utf8(line) {
            Ok(line) if !line.contains(char::is_control) => line,
            _ => return reply(500, "Error: bad syntax"),
        };
        if let Some(exchange) = exchange {
            return self.exchanged(exchange.line(line));
        }
        // shorter than any verb
        if line.len() < 4 {
            return reply(500, "Error: bad syntax");
        }
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let Some(command) =
            Self::COMMANDS.iter().find(|command| command.verb.eq_ignore_ascii_case(verb))
        else {
            let refusal = Reply::new(500, "Error: command not implemented");
            // a browser that was tricked into this would send commands in the body of its request
            return match HTTP_METHODS.contains(&verb) {
                true => Step::Close(refusal),
                false => Step::Reply(refusal),
            };
        };
        match self.check(command) {
            Ok(()) => (command.proceed)(self, argument.trim()),
            Err(refusal) => Step::Reply(refusal),
        }
    }

    /// Returns the verb of a line, if it is a known command.
    pub(super) fn verb(&self, line: &[u8]) -> Option<&'static str> {
        let verb = line.split(|&b| b == b' ').next()?;
        let mut known = Self::COMMANDS.iter().map(|command| command.verb);
        known.find(|known| self.exchange.is_none() && known.as_bytes().eq_ignore_ascii_case(verb))
    }

    /// Returns the part of a line that may be shown, before the session takes it: no password, nor what may be one.
    pub fn shown<'a>(&self, line: &'a [u8]) -> Cow<'a, str> {
        transcript::shown(line, self.verb(line), self.exchange.as_ref())
    }

    /// Returns the step at which mail is refused, if the reply to this line is a refusal.
    pub(super) fn step(&self, line: &[u8]) -> Option<mailbox::Step> {
        if self.exchange.is_some() {
            return Some(mailbox::Step::Login);
        }
        match self.verb(line)? {
            "AUTH" => Some(mailbox::Step::Login),
            "MAIL" => Some(mailbox::Step::Mail),
            "RCPT" => Some(mailbox::Step::Rcpt),
            "DATA" => Some(mailbox::Step::Data),
            _ => None,
        }
    }

    /// Returns the address that a line of MAIL or RCPT names.
    pub(super) fn named<'a>(line: &'a [u8], verb: &str, keyword: &str) -> Option<&'a str> {
        let line = str::from_utf8(line).ok()?;
        let argument = line.get(verb.len()..)?;
        path(argument.trim(), keyword).map(|(address, _)| address)
    }

    /// Returns the envelope so far.
    pub(super) fn envelope(&self) -> (Option<&str>, &[String]) {
        (self.sender.as_deref(), &self.recipients)
    }

    /// Forgets what was said in clear, now that TLS has been negotiated (RFC 3207, section 4.2).
    pub fn tls_started(&mut self) {
        *self = Self::new(true);
    }

    /// Takes the result of the check of the credentials, and returns the reply.
    pub fn authenticated(&mut self, user: Option<User>) -> Reply {
        self.user = user;
        match self.user {
            Some(_) => Reply::new(235, "Authentication successful."),
            None => Reply::new(535, "Authentication Credentials Invalid"),
        }
    }

    /// Returns the user that has logged in.
    pub fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// Ends the transaction and returns its envelope.
    pub fn take_envelope(&mut self) -> Envelope {
        Envelope {
            sender: self.sender.take().unwrap_or_default(),
            recipients: mem::take(&mut self.recipients),
        }
    }

    // HELO, HELP, RSET, VRFY and EXPN in clear, and the order of the two checks, follow that server software.
    const COMMANDS: &[Command<User>] = &[
        Command { verb: "EHLO", login: false, tls: false, proceed: Self::ehlo },
        Command { verb: "HELO", login: false, tls: true, proceed: Self::helo },
        Command { verb: "STARTTLS", login: false, tls: false, proceed: Self::starttls },
        Command { verb: "AUTH", login: false, tls: true, proceed: Self::auth },
        Command { verb: "MAIL", login: true, tls: true, proceed: Self::mail },
        Command { verb: "RCPT", login: true, tls: true, proceed: Self::rcpt },
        Command { verb: "DATA", login: true, tls: true, proceed: Self::data },
        Command { verb: "RSET", login: false, tls: true, proceed: Self::rset },
        Command { verb: "NOOP", login: false, tls: false, proceed: |_, _| reply(250, "Ok") },
        Command { verb: "HELP", login: true, tls: true, proceed: |_, _| reply(214, HOST) },
        Command {
            verb: "VRFY",
            login: true,
            tls: true,
            proceed: |_, _| reply(502, "VRFY command is disabled"),
        },
        Command {
            verb: "EXPN",
            login: true,
            tls: true,
            proceed: |_, _| reply(502, "EXPN command is disabled"),
        },
        Command {
            verb: "QUIT",
            login: false,
            tls: false,
            proceed: |_, _| Step::Close(Reply::new(221, "Bye")),
        },
    ];

    fn check(&self, command: &Command<User>) -> Result<(), Reply> {
        if command.login && self.user.is_none() {
            return Err(Reply::new(530, "Authentication required"));
        }
        if command.tls && !self.tls {
            return Err(Reply::new(530, "Must issue a STARTTLS command first"));
        }
        Ok(())
    }

    fn ehlo(&mut self, name: &str) -> Step {
        if name.is_empty() {
            return reply(501, "Syntax: EHLO hostname");
        }
        self.take_envelope();
        let lines: &[&str] = match self.tls {
            true => &[HOST, "8BITMIME", "AUTH PLAIN LOGIN", "Ok"],
            false => &[HOST, "8BITMIME", "STARTTLS", "AUTH PLAIN LOGIN", "Ok"],
        };
        Step::Reply(Reply::multiline(250, lines))
    }

    fn helo(&mut self, name: &str) -> Step {
        if name.is_empty() {
            return reply(501, "Syntax: HELO <hostname>");
        }
        self.take_envelope();
        reply(250, HOST)
    }

    fn starttls(&mut self, argument: &str) -> Step {
        if !argument.is_empty() {
            return reply(501, "Syntax error (no parameters allowed)");
        }
        if self.tls {
            return reply(454, "TLS not available due to temporary reason: TLS already active");
        }
        Step::StartTls(Reply::new(220, "Ready to start TLS"))
    }

    fn auth(&mut self, argument: &str) -> Step {
        if self.user.is_some() {
            return reply(503, "Refusing any other AUTH command.");
        }
        self.exchanged(auth::begin(argument))
    }

    fn exchanged(&mut self, next: Next) -> Step {
        match next {
            Next::Ask(exchange, reply) => {
                self.exchange = Some(exchange);
                Step::Reply(reply)
            }
            Next::Credentials(user_name, password) => Step::Authenticate { user_name, password },
            Next::Failed(reply) => Step::Reply(reply),
        }
    }

    fn mail(&mut self, argument: &str) -> Step {
        if self.sender.is_some() {
            return reply(503, "5.5.1 Sender already specified.");
        }
        let Some((sender, parameters)) = path(argument, "FROM") else {
            return reply(501, "Syntax: MAIL FROM: <address>");
        };
        if !is_address(sender) {
            return reply(501, "Invalid MAIL FROM address provided");
        }
        for parameter in parameters {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name.to_ascii_uppercase().as_str() {
                "SIZE" if value.parse().is_ok_and(|size: usize| size <= MAX_MESSAGE) => {}
                "SIZE" => return reply(552, "5.3.4 Message size exceeds fixed limit"),
                "BODY" if ["7BIT", "8BITMIME"].iter().any(|it| value.eq_ignore_ascii_case(it)) => {}
                // RFC 4954, section 5
                "AUTH" if !value.is_empty() => {}
                _ => return reply(555, UNKNOWN_PARAMETERS),
            }
        }
        self.sender = Some(sender.to_owned());
        reply(250, "Ok")
    }

    fn rcpt(&mut self, argument: &str) -> Step {
        if self.sender.is_none() {
            return reply(503, "5.5.1 Error: need MAIL command");
        }
        let Some((recipient, parameters)) = path(argument, "TO") else {
            return reply(501, "Syntax: RCPT TO: <address>");
        };
        if !is_address(recipient) {
            return reply(553, format!("<{recipient}> address unknown"));
        }
        if !parameters.is_empty() {
            return reply(555, UNKNOWN_PARAMETERS);
        }
        if self.recipients.len() == MAX_REMEMBERED_RECIPIENTS {
            return reply(452, "Error: too many recipients");
        }
        self.recipients.push(recipient.to_owned());
        reply(250, "Ok")
    }

    fn data(&mut self, _: &str) -> Step {
        if self.sender.is_none() {
            return reply(503, "5.5.1 Error: need MAIL command");
        }
        if self.recipients.is_empty() {
            return reply(503, "Error: need RCPT command");
        }
        Step::Data(Reply::new(354, "End data with <CR><LF>.<CR><LF>"))
    }

    fn rset(&mut self, _: &str) -> Step {
        self.take_envelope();
        reply(250, "Ok")
    }
}

fn reply(code: u16, line: impl AsRef<str>) -> Step {
    Step::Reply(Reply::new(code, line))
}
