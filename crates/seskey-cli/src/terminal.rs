//! A prompt without echo that leaves the terminal as it was, whatever ends it.

use std::{fs::File, io, thread, time::Duration};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::{Handle, Signals},
    low_level::emulate_default_handler,
};
use zeroize::Zeroizing;

/// Asks on the terminal, without echo.
///
/// # Errors
/// When there is no terminal.
pub(crate) fn prompt(question: &str) -> io::Result<Zeroizing<String>> {
    let _restored = Restored::new()?;
    let answer = rpassword::prompt_password(question).map(Zeroizing::new);
    if answer.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
        // the signal is about to end the process: nothing is to be printed before
        thread::sleep(Duration::from_secs(1));
    }
    answer
}

/// A guard: while it lives, a signal that ends the process first restores the echo of the terminal.
struct Restored(Handle);

impl Restored {
    fn new() -> io::Result<Self> {
        let terminal = File::options().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(&terminal)?;
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
        let handle = signals.handle();
        thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                restore(&terminal, &before);
                // the process ends here, as it would without this handler
                let _ = emulate_default_handler(signal);
            }
        });
        Ok(Self(handle))
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn restore(terminal: &File, before: &Termios) {
    // the process is ending, so an error cannot be reported
    let _ = tcsetattr(terminal, OptionalActions::Now, before);
}
