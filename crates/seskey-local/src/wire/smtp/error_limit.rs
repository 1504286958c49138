//! How many commands, errors and failed logins a connection may have.

use super::{Limits, Reply};

/// What was done on a connection since its last message.
#[derive(Debug, Default)]
pub(super) struct ErrorLimit {
    commands: u32,
    errors: u32,
    failed_logins: u32,
}

impl ErrorLimit {
    /// Takes note of the reply to a command, and gives the one to write: `Err` is the last one.
    pub(super) fn count(&mut self, reply: Reply, limits: &Limits) -> Result<Reply, Reply> {
        self.commands += 1;
        self.errors += u32::from(reply.code() >= 500);
        self.failed_logins += u32::from(reply.code() == 535);
        if self.failed_logins >= limits.failed_logins && reply.code() == 535 {
            Err(reply)
        } else if self.errors > limits.errors {
            Err(Reply::new(421, "Too many errors"))
        } else if self.commands > limits.commands {
            Err(Reply::new(421, "Too many commands"))
        } else {
            Ok(reply)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written in answer to commands, each of which would have this reply; up to the last.
    fn written(code: u16, limits: &Limits) -> (usize, u16) {
        let mut limit = ErrorLimit::default();
        for count in 1..100 {
            if let Err(last) = limit.count(Reply::new(code, ""), limits) {
                return (count, last.code());
            }
        }
        (100, code)
    }

    #[test]
    fn it_ends() {
        let limits = Limits { failed_logins: 3, errors: 20, commands: 50, ..Limits::default() };
        for (code, expected) in
            [(250, (51, 421)), (452, (51, 421)), (500, (21, 421)), (535, (3, 535))]
        {
            assert_eq!(written(code, &limits), expected, "{code}");
        }
        assert_eq!(written(535, &Limits { errors: 1, ..limits }), (2, 421));
    }
}
