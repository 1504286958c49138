//! The pages of the console.
//!
//! A page is a form for a command line: a verb reads and changes everything for it, with its output kept for the page
//! in place of a terminal. So a page can do nothing that the command line cannot, and says the same.
//!
//! A new page needs a struct with `#[derive(Template)]`, whose template extends `page.html` and which has a `layout`; a
//! handler that takes a [`Visitor`] (and a [`Form`] if it changes something: the form is checked by then) and answers
//! with [`page()`]; and its path in [`router`], with the parameters that its query may have. Live lines are a list with
//! `data-live`, fed by [`events`](seskey_local::http::events).

mod command;
mod create;
mod credentials;
mod form;
mod handout;
mod job;
mod kept;
mod mailbox;
mod page;
mod review;
mod session;
mod settings;
mod user;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    middleware::from_fn_with_state,
    routing::{MethodRouter, get, post},
};
use seskey::Region;
use seskey_local::inbox::Inbox;

pub(crate) use self::session::Session;
use self::{
    form::{Fields, Form},
    job::Jobs,
    page::{Layout, Nav, Problem, Visitor, page},
};
use crate::{
    args::{Args, Endpoint, Global},
    exit::Exit,
    explain::Result,
    output::Output,
};

/// The function that runs a verb.
pub(crate) type Run = fn(Args, &Output) -> Result<Exit>;

/// The state that all pages share.
pub(crate) struct Console {
    pub(crate) run: Run,
    pub(crate) place: Place,
    pub(crate) session: Session,
    jobs: Jobs,
}

/// The account of the pages, and the endpoint that its credentials log in to.
pub(crate) struct Place {
    /// The global options of every command line.
    pub(crate) global: Global,
    pub(crate) endpoint: Endpoint,
    /// The region that is chosen if a page is given none.
    pub(crate) region: Option<Region>,
    pub(crate) local: Option<Local>,
}

/// The local SES that mounts the pages.
pub(crate) struct Local {
    /// Its SMTP listeners, the regions of their passwords, and whether they begin in TLS.
    pub(crate) listeners: Vec<(SocketAddr, Region, bool)>,
    /// The certificate that clients must trust.
    pub(crate) ca_file: String,
    pub(crate) inbox: Inbox,
}

impl Console {
    pub(crate) fn new(run: Run, place: Place, session: Session) -> Arc<Self> {
        Arc::new(Self { run, place, session, jobs: Jobs::default() })
    }

    /// Asks all jobs under way to stop at the next safe point, and waits for them.
    pub(crate) async fn stop(&self) {
        self.jobs.stop().await;
    }

    /// Returns the users whose new password was not taken.
    pub(crate) fn untaken(&self) -> Vec<String> {
        self.jobs.untaken()
    }
}

/// Returns the routes of all pages.
pub(crate) fn router(console: Arc<Console>) -> Router {
    let asset = |kind: &'static str, text: &'static str| {
        get(async move || ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text))
    };
    let pages = [
        ("/", get(settings::show), settings::PARAMETERS),
        ("/credentials", get(credentials::show), credentials::PARAMETERS),
        ("/credentials/new", get(create::form).post(create::submit), create::FIELDS),
        ("/credentials/{user}", get(user::show), user::PARAMETERS),
        ("/credentials/{user}/{deed}", get(user::back).post(user::submit), &[]),
        ("/mailbox", get(mailbox::list), mailbox::PARAMETERS),
        ("/mailbox/change", post(mailbox::change), &[]),
        ("/mailbox/delete", get(mailbox::ask).post(mailbox::delete_all), &[]),
        ("/mailbox/attempts/{number}", get(mailbox::attempt::show), &[]),
        ("/mailbox/{id}", get(mailbox::message::show), &[]),
        ("/mailbox/{id}/{tab}", get(mailbox::message::tab), &[]),
        ("/mailbox/{id}/frame", get(mailbox::message::frame), &[]),
        ("/mailbox/{id}/message.eml", get(mailbox::message::eml), &[]),
        ("/mailbox/{id}/parts/{number}", get(mailbox::message::part), &[]),
        ("/jobs/{id}", get(job::show), &[]),
        ("/jobs/{id}/events", get(job::events), &[]),
        ("/jobs/{id}/show", get(handout::back).post(handout::show), &[]),
        ("/jobs/{id}/file", get(handout::back).post(handout::file), &[]),
        ("/jobs/{id}/leave", get(handout::back).post(handout::leave), &[]),
        (session::STYLE, asset("text/css", include_str!("../templates/app.css")), &[]),
        (session::SCRIPT, asset("text/javascript", include_str!("../templates/app.js")), &[]),
    ];
    let route = |router: Router<_>,
                 (path, methods, parameters): (_, MethodRouter<_>, &'static [_])| {
        let known = from_fn_with_state((console.clone(), parameters), form::known_parameters);
        router.route(path, methods.layer(known))
    };
    pages
        .into_iter()
        .fold(Router::new(), route)
        .fallback(page::not_found)
        .layer(from_fn_with_state(console.clone(), session::guard))
        .with_state(console)
}
