//! The limits on the commands, errors and failed logins of a connection.

use super::{Limits, Reply};

/// The counts of a connection since its last message.
#[derive(Debug, Default)]
pub(super) struct ErrorLimit {
    commands: u32,
    errors: u32,
    failed_logins: u32,
}

impl ErrorLimit {
    /// Counts the reply to a command. Returns the reply to write: `Err` is the last one.
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

    /// Returns the number of replies up to the last one, and its code, if each command has this reply.
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
