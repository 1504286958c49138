//! A credential that was made, until its reader has it: in memory alone, and handed out once.
//!
//! Once means: the first of Show and of a download takes it. Show answers with one page, which bears a ticket; with that
//! ticket its buttons write the same credential into files, for [`WHILE`] or until Done. Nothing else gives it out again: not
//! the page read anew, not Back, not a second tab.

use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::Deserialize;
use seskey::{
    Region, Secret, SmtpCredential,
    credential::csv,
    render::{Entry, Target, render},
};

use crate::explain::{self, Failure, Result};

/// How long the page that shows a credential can write it into files.
pub(super) const WHILE: Duration = Duration::from_secs(10 * 60);

/// Where the credential is now.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    /// There is none yet.
    #[default]
    None,
    Whole(Box<Made>),
    /// It is on the page that has the ticket.
    Shown {
        made: Box<Made>,
        ticket: Secret,
        since: Instant,
    },
    Gone,
}

/// A credential, and what `seskey create --json` tells beside it.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) credential: SmtpCredential,
    pub(super) told: Told,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Told {
    pub(super) user_name: String,
    pub(super) region: String,
    pub(super) smtp_endpoint: String,
    ports: Ports,
}

#[derive(Debug, Clone, Deserialize)]
struct Ports {
    starttls: Vec<u16>,
    tls_wrapper: Vec<u16>,
}

/// What a page may say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    None,
    Whole,
    Gone,
}

impl Kept {
    /// Keeps what was answered, which is JSON.
    pub(super) fn keep(&self, answer: &Secret) -> Result<()> {
        let made = Made::read(answer.expose()).ok_or_else(|| {
            Failure::unfinished(
                "the credential was made, and its answer cannot be read",
                "delete the user, and report this: it is a bug in seskey",
            )
        })?;
        *self.state() = State::Whole(Box::new(made));
        Ok(())
    }

    /// Looks at it, if it is there, and leaves it.
    pub(super) fn peek<T>(&self, look: impl FnOnce(&Made) -> T) -> Option<T> {
        match &*self.state() {
            State::Whole(made) | State::Shown { made, .. } => Some(look(made)),
            State::None | State::Gone => None,
        }
    }

    pub(super) fn standing(&self) -> Standing {
        match *self.state() {
            State::None => Standing::None,
            State::Whole(_) => Standing::Whole,
            State::Shown { .. } | State::Gone => Standing::Gone,
        }
    }

    /// Takes it for the one page that shows it; absent if it was taken.
    pub(super) fn show(&self) -> Option<(Made, Secret)> {
        let mut state = self.state();
        match mem::take(&mut *state) {
            State::Whole(made) => {
                let ticket = Secret::new(format!("{:032x}", rand::random::<u128>()));
                let shown = (*made).clone();
                *state = State::Shown { made, ticket: ticket.clone(), since: Instant::now() };
                Some((shown, ticket))
            }
            other => {
                *state = other;
                None
            }
        }
    }

    /// Takes it for a file: for the page that shows it, or as the one way in which it is taken.
    pub(super) fn file(&self, ticket: &str) -> Option<Made> {
        let mut state = self.state();
        match mem::take(&mut *state) {
            State::Whole(made) if ticket.is_empty() => {
                *state = State::Gone;
                Some(*made)
            }
            State::Shown { made, ticket: own, since }
                if own == Secret::new(ticket.to_owned()) && since.elapsed() < WHILE =>
            {
                let file = (*made).clone();
                *state = State::Shown { made, ticket: own, since };
                Some(file)
            }
            // another page asks: that which shows it keeps what it has
            other => {
                *state = other;
                None
            }
        }
    }

    /// Forgets it, for the page that shows it.
    pub(super) fn forget(&self, ticket: &str) {
        let mut state = self.state();
        if matches!(&*state, State::Shown { ticket: own, .. } if *own == Secret::new(ticket.to_owned()))
        {
            *state = State::Gone;
        }
    }

    /// A panic leaves it where it was.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(&*state, State::Shown { since, .. } if since.elapsed() >= WHILE) {
            *state = State::Gone;
        }
        state
    }
}

impl Made {
    fn read(answer: &str) -> Option<Self> {
        let told: Told = serde_json::from_str(answer).ok()?;
        let credential = SmtpCredential::read(answer).ok()?.pop()?;
        let iam_user = Some(told.user_name.clone());
        Some(Self { credential: SmtpCredential { iam_user, ..credential }, told })
    }

    /// The port that is usual at the endpoint.
    pub(super) fn port(&self) -> u16 {
        let Ports { starttls, tls_wrapper } = &self.told.ports;
        let usual = starttls.iter().find(|port| **port == 587).or_else(|| starttls.first());
        *usual.or_else(|| tls_wrapper.first()).unwrap_or(&587)
    }

    /// The console's CSV, with the endpoint where that is not AWS's. No cell of it is run by a spreadsheet.
    pub(super) fn csv(&self) -> String {
        let host = &self.told.smtp_endpoint;
        match Region::of_smtp_endpoint(host) {
            Some(_) => csv::write([&self.credential]),
            None => csv::write_with_endpoint(&self.credential, &format!("{host}:{}", self.port())),
        }
    }

    /// The same as the configuration of what reads it, with the address to send from where that has a place for it.
    pub(super) fn render(&self, target: Target, from: Option<&str>) -> Result<String> {
        let (credential, host) = (self.credential.clone(), self.told.smtp_endpoint.clone());
        let entry = Entry { credential, host, port: self.port(), from: from.map(str::to_owned) };
        render(target, &entry, "").map_err(|error| explain::render::failure(&error, target))
    }
}

/// A target as it is typed.
pub(super) fn target(name: &str) -> Result<Target> {
    Target::all().find(|target| target.name() == name).ok_or_else(|| {
        Failure::usage(format!("--target: {name:?} is no target"), "choose one of the list")
    })
}
