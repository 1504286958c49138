//! A credential that was made, until it is taken: kept in memory alone, and handed out once.
//!
//! Once means that the first Show or download takes it. Show answers with one page, which has a ticket; with that
//! ticket its buttons write the same credential into files, for [`WHILE`] or until Done. Nothing else hands it out
//! again: not a reload of the page, not Back, not a second tab.

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

/// The time for which the page that shows a credential can write it into files.
pub(super) const WHILE: Duration = Duration::from_secs(10 * 60);

/// The credential of a job, in its present state.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    /// There is no credential yet.
    #[default]
    None,
    Whole(Box<Made>),
    /// The credential is on the page that has the ticket.
    Shown {
        made: Box<Made>,
        ticket: Secret,
        since: Instant,
    },
    Gone,
}

/// A credential, and the rest of the answer of `seskey create --json`.
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

/// The state of a credential, as a page may show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    None,
    Whole,
    Gone,
}

impl Kept {
    /// Keeps the credential of an answer in JSON.
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

    /// Looks at the credential, if it is there, without taking it.
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

    /// Takes the credential for the only page that shows it; `None` if it was taken.
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

    /// Takes the credential for a file: for the page that shows it, or in place of that page.
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
            // another page asks: the page that shows it keeps the credential
            other => {
                *state = other;
                None
            }
        }
    }

    /// Forgets the credential, for the page that shows it.
    pub(super) fn forget(&self, ticket: &str) {
        let mut state = self.state();
        if matches!(&*state, State::Shown { ticket: own, .. } if *own == Secret::new(ticket.to_owned()))
        {
            *state = State::Gone;
        }
    }

    /// Locks the state, and ends a show whose time is over. A panic leaves the state as it was.
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

    /// Returns the usual port of the endpoint.
    pub(super) fn port(&self) -> u16 {
        let Ports { starttls, tls_wrapper } = &self.told.ports;
        let usual = starttls.iter().find(|port| **port == 587).or_else(|| starttls.first());
        *usual.or_else(|| tls_wrapper.first()).unwrap_or(&587)
    }

    /// Returns the console's CSV, with the endpoint if it is not AWS's. No cell of it is run by a spreadsheet.
    pub(super) fn csv(&self) -> String {
        let host = &self.told.smtp_endpoint;
        match Region::of_smtp_endpoint(host) {
            Some(_) => csv::write([&self.credential]),
            None => csv::write_with_endpoint(&self.credential, &format!("{host}:{}", self.port())),
        }
    }

    /// Renders the credential for a target, with the address to send from if the target has a place for it.
    pub(super) fn render(&self, target: Target, from: Option<&str>) -> Result<String> {
        let (credential, host) = (self.credential.clone(), self.told.smtp_endpoint.clone());
        let entry = Entry { credential, host, port: self.port(), from: from.map(str::to_owned) };
        render(target, &entry, "").map_err(|error| explain::render::failure(&error, target))
    }
}

/// Parses the name of a target.
pub(super) fn target(name: &str) -> Result<Target> {
    Target::all().find(|target| target.name() == name).ok_or_else(|| {
        Failure::usage(format!("--target: {name:?} is no target"), "choose one of the list")
    })
}
