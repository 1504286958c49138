//! `/mailbox/ID`: a message, and the facts that only its server knows. It is not trusted: its HTML is in a frame of its
//! own, where nothing runs, nothing is loaded and nothing leads elsewhere, and its parts are files, not pages.

use std::{borrow::Cow, sync::Arc};

use askama::Template;
use axum::{
    extract::Path,
    http::{
        HeaderName, StatusCode,
        header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use seskey_local::{
    event::Event,
    mailbox::{Message, Way},
    message::{Letter, Part},
};

use super::{
    super::{Layout, Nav, Visitor, page, page::shown},
    Id, Said, gone, inbox, said, units,
};

#[derive(Template)]
#[template(path = "mailbox_message.html")]
struct MessagePage {
    layout: Layout,
    message: Arc<Message>,
    view: View,
    tabs: Vec<(&'static str, &'static str)>,
    said: Vec<Said>,
    left_out: u32,
    /// The events of the message since the start.
    events: Vec<Arc<Event>>,
}

/// The content of one tab.
struct View {
    tab: &'static str,
    letter: Letter,
    /// The text or the source, if the tab shows it.
    text: String,
    links: Vec<String>,
    codes: Vec<String>,
    /// Whether there is more than is shown.
    is_cut: bool,
}

const TABS: [(&str, &str); 8] = [
    ("html", "HTML"),
    ("text", "Text"),
    ("headers", "Headers"),
    ("source", "Source"),
    ("parts", "Parts"),
    ("links", "Links and codes"),
    ("dialogue", "SMTP dialogue"),
    ("events", "Events"),
];

/// The bytes of a text that a page shows; the file has all.
const MAX_SHOWN: usize = 256 * 1024;
/// The rows of each list that a page shows.
const MAX_ROWS: usize = 1000;

pub(in super::super) async fn show(visitor: Visitor, Path(id): Id) -> Response {
    show_tab(visitor, id, None).await
}

pub(in super::super) async fn tab(
    visitor: Visitor,
    Path((id, tab)): Path<(String, String)>,
) -> Response {
    match TABS.iter().find(|(name, _)| *name == tab) {
        Some((name, _)) => show_tab(visitor, id, Some(name)).await,
        None => page::not_found(visitor).await,
    }
}

async fn show_tab(visitor: Visitor, id: String, tab: Option<&'static str>) -> Response {
    let Some(inbox) = inbox(&visitor) else { return gone(&visitor) };
    let Some(message) = inbox.message(&id) else { return gone(&visitor) };
    if visitor.has_session {
        inbox.set_read(&message.id, true);
    }
    let read = message.clone();
    let view = tokio::task::spawn_blocking(move || View::of(&read.raw_data, tab)).await;
    let view = view.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    let subject = match view.letter.subject.as_str() {
        "" => "(no subject)".to_owned(),
        subject => shown(subject),
    };
    let has_html = view.letter.has_html;
    let dialogue = message.dialogue().filter(|_| view.tab == "dialogue");
    let message_page = MessagePage {
        layout: visitor.layout(subject, Nav::Mailbox),
        tabs: TABS.into_iter().filter(|(name, _)| *name != "html" || has_html).collect(),
        said: dialogue.map(said).unwrap_or_default(),
        left_out: dialogue.map_or(0, |dialogue| dialogue.left_out()),
        events: inbox.events(&message.id),
        view,
        message,
    };
    page(StatusCode::OK, &message_page)
}

impl View {
    /// Makes the view of a tab; if none is chosen, of the HTML if there is any, else of the text.
    fn of(message: &[u8], tab: Option<&'static str>) -> Self {
        let mut letter = Letter::of(message);
        let tab = tab.unwrap_or(if letter.has_html { "html" } else { "text" });
        let text: Cow<'_, [u8]> = match tab {
            "text" => Letter::text(message).into_bytes().into(),
            "source" => message.into(),
            _ => Cow::default(),
        };
        let (mut links, mut codes) = match tab {
            "links" => Letter::links_and_codes(message),
            _ => Default::default(),
        };
        let Letter { from, to, cc, reply_to, headers, parts, .. } = &mut letter;
        let lists = [from, to, cc, reply_to, &mut links, &mut codes];
        let mut is_cut = (text.len() > MAX_SHOWN) | cut(headers) | cut(parts);
        for list in lists {
            is_cut |= cut(list);
        }
        let text = String::from_utf8_lossy(&text[..text.len().min(MAX_SHOWN)]);
        let text = shown(&text.replace("\r\n", "\n").replace('\t', "    "));
        Self { tab, letter, text, links, codes, is_cut }
    }
}

/// Cuts a list to the rows that a page shows. Returns whether there were more.
fn cut<T>(list: &mut Vec<T>) -> bool {
    let is_long = list.len() > MAX_ROWS;
    list.truncate(MAX_ROWS);
    is_long
}

impl MessagePage {
    /// Returns the envelope's recipients.
    fn recipients(&self) -> String {
        let all: Vec<String> = self.message.destination.all().map(shown).collect();
        all.join(", ")
    }

    fn size(&self) -> String {
        units::size(&self.message.raw_data.len())
    }

    /// Returns the type of an event, with its detail if there is one.
    fn named(event: &Event) -> String {
        let (name, detail) = (event.event_type().name(), event.detail());
        if detail.is_empty() { name.to_owned() } else { format!("{name} ({detail})") }
    }

    /// Returns an event as SNS gets it.
    fn json(event: &Event) -> String {
        let text = serde_json::to_string_pretty(&event.published());
        shown(&text.expect("a value is always JSON"))
    }

    /// Returns the events of the message in short.
    fn fate(&self) -> String {
        let names: Vec<String> = self.events.iter().map(|it| Self::named(it)).collect();
        names.join(", ")
    }

    /// Returns the user, the access key, the way and the address that the message came by.
    fn origin(&self) -> Option<[String; 4]> {
        let origin = self.message.origin.as_ref()?;
        let way = match origin.way {
            Way::Smtp(_) => "SMTP".to_owned(),
            Way::Api(operation) => format!("API, {operation}"),
        };
        Some([shown(&origin.user), shown(&origin.access_key_id), way, origin.peer.to_string()])
    }
}

/// Answers with the HTML, for the frame.
pub(in super::super) async fn frame(visitor: Visitor, Path(id): Id) -> Response {
    let message = inbox(&visitor).and_then(|inbox| inbox.message(&id));
    let html = match message {
        Some(message) => tokio::task::spawn_blocking(move || Letter::html(&message.raw_data)).await,
        None => Ok(None),
    };
    let Ok(Some(html)) = html else { return gone(&visitor) };
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, FRAME),
        // a browser would look up the host of a link
        (HeaderName::from_static("x-dns-prefetch-control"), "off"),
    ];
    (headers, html).into_response()
}

/// The policy of the frame, whose images are in it as data. The frame is not even a page of this origin.
const FRAME: &str = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/// The policy of a file that is no page.
const FILE: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

/// Answers with the message as a file.
pub(in super::super) async fn eml(visitor: Visitor, Path(id): Id) -> Response {
    let Some(message) = inbox(&visitor).and_then(|inbox| inbox.message(&id)) else {
        return gone(&visitor);
    };
    file(&format!("{}.eml", message.id), "message/rfc822", message.raw_data.clone())
}

/// Answers with a part as a file.
pub(in super::super) async fn part(
    visitor: Visitor,
    Path((id, number)): Path<(String, usize)>,
) -> Response {
    let Some(message) = inbox(&visitor).and_then(|inbox| inbox.message(&id)) else {
        return gone(&visitor);
    };
    let part = tokio::task::spawn_blocking(move || Letter::part(&message.raw_data, number)).await;
    match part {
        Ok(Some((part, bytes))) => file(&file_name(&part), "application/octet-stream", bytes),
        _ => gone(&visitor),
    }
}

/// Returns the file name of a part, without characters that would name another place or reverse its end.
fn file_name(part: &Part) -> String {
    let named = part.file_name.as_deref().unwrap_or_default();
    let named: String = shown(named)
        .chars()
        .map(|c| if c.is_control() || "\u{fffd}/\\:*?\"<>|".contains(c) { '_' } else { c })
        .take(MAX_NAME)
        .collect();
    match named.trim_matches(['.', ' ']) {
        "" => format!("part-{}", part.number),
        named => named.to_owned(),
    }
}

/// The greatest length of a file name, in characters.
const MAX_NAME: usize = 100;

fn file(name: &str, media_type: &'static str, bytes: Vec<u8>) -> Response {
    let ascii: String = name.chars().map(|c| if c.is_ascii_graphic() { c } else { '_' }).collect();
    let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC);
    let disposition = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}");
    let headers = [
        (CONTENT_TYPE, media_type.to_owned()),
        (CONTENT_DISPOSITION, disposition),
        (CONTENT_SECURITY_POLICY, FILE.to_owned()),
    ];
    (headers, bytes).into_response()
}
