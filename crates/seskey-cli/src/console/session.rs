//! The access to the pages: a browser that opened the address that was printed at the start may do everything.
//!
//! The connection loop has refused by then requests that name another host, or that a page of another site made a
//! browser send.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, LOCATION, REFERRER_POLICY, SET_COOKIE,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use seskey::Secret;

use super::{Console, Fields, Problem, Visitor};

/// The secrets that open the pages.
pub(crate) struct Session {
    /// The token in the printed address.
    token: Secret,
    /// The value of the cookie. It is in no address.
    cookie: Secret,
    /// The token in each form.
    form: Secret,
    /// The name of the cookie. Cookies know no ports, so two consoles need two names.
    name: String,
    /// Whether the cookie is sent over TLS alone.
    secure: bool,
    /// Whether everything but secrets is shown to everybody.
    reading_is_free: bool,
}

/// The parameter of the query that opens the session, on any page.
pub(super) const TOKEN: &str = "token";

pub(super) const STYLE: &str = "/console/app.css";
pub(super) const SCRIPT: &str = "/console/app.js";

impl Session {
    pub(crate) fn new(secure: bool, reading_is_free: bool) -> Self {
        let secret = || Secret::new(format!("{:032x}", rand::random::<u128>()));
        let prefix = if secure { "__Host-" } else { "" };
        Self {
            token: secret(),
            cookie: secret(),
            form: secret(),
            name: format!("{prefix}seskey-{:08x}", rand::random::<u32>()),
            secure,
            reading_is_free,
        }
    }

    /// Returns the address that opens the pages.
    pub(crate) fn url(&self, origin: &str) -> String {
        format!("{origin}/?{TOKEN}={}", self.token.expose())
    }

    pub(super) fn form_token(&self) -> &str {
        self.form.expose()
    }

    pub(super) fn is_of_form(&self, token: &str) -> bool {
        self.form == Secret::new(token.to_owned())
    }

    /// Whether a request comes from a browser that opened the printed address.
    pub(super) fn is_open(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(COOKIE).iter();
        let mut pairs =
            cookies.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
        pairs.any(|pair| {
            pair.trim().split_once('=').is_some_and(|(name, value)| {
                name == self.name && self.cookie == Secret::new(value.to_owned())
            })
        })
    }

    fn set_cookie(&self) -> String {
        let (name, value) = (&self.name, self.cookie.expose());
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}")
    }
}

/// Lets admitted requests through. Adds the headers that isolate a page to every response.
pub(super) async fn guard(
    State(console): State<Arc<Console>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match admitted(&console, &request) {
        Ok(()) => next.run(request).await,
        Err(answer) => *answer,
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn admitted(console: &Arc<Console>, request: &Request) -> Result<(), Box<Response>> {
    let session = &console.session;
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let fields = Fields::parse(query);
    if reads && fields.has(TOKEN) {
        if session.token == Secret::new(fields.get(TOKEN).to_owned()) {
            // `//name` would be another host
            let here = format!("/{}", path.trim_start_matches(['/', '\\']));
            let headers = [(LOCATION, here), (SET_COOKIE, session.set_cookie())];
            return Err(Box::new((StatusCode::SEE_OTHER, headers).into_response()));
        }
    } else if [STYLE, SCRIPT].contains(&path)
        || session.is_open(request.headers())
        || reads && session.reading_is_free
    {
        return Ok(());
    }
    let problem = Problem::new(
        "this page needs the token of the console",
        "open the address that seskey printed when it was started: it ends in ?token=… and opens the pages for this browser",
    );
    let answer = Visitor::of(request, console).problem(StatusCode::FORBIDDEN, problem);
    Err(Box::new(answer.into_response()))
}

/// The headers of every response, unless its handler sets one itself. A page runs and loads only parts of this console,
/// is in no frame, and is stored nowhere.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (CACHE_CONTROL, "no-store"),
    // with no-referrer a browser would send `Origin: null` with the console's own forms
    (REFERRER_POLICY, "same-origin"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];
