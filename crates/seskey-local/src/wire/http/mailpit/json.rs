//! A message in the JSON of Mailpit.

use std::collections::BTreeMap;

use mail_parser::{Address, MessagePart, MimeHeaders};
use serde_json::{Value, json};

use crate::{
    mailbox::Message,
    message::{Parsed, is_inline, media_type},
};

/// Returns a message as a row of a list.
pub(super) fn summary(message: &Message, is_read: bool) -> Value {
    let parsed = Parsed::of(&message.raw_data);
    let readable = parsed.readable();
    let snippet: Vec<&str> = readable.split_whitespace().collect();
    let snippet: String = snippet.join(" ").chars().take(SNIPPET).collect();
    let mut row = common(message, &parsed);
    row["Created"] = json!(message.timestamp.to_string());
    row["Read"] = json!(is_read);
    row["Snippet"] = json!(snippet);
    row["Attachments"] = json!(parsed.attachments().count());
    row
}

/// Returns the whole message.
pub(super) fn message(message: &Message) -> Value {
    let parsed = Parsed::of(&message.raw_data);
    let (inline, attached): (Vec<_>, Vec<_>) =
        parsed.attachments().partition(|(_, part)| is_inline(part));
    let parts = |parts: Vec<(usize, &MessagePart<'_>)>| {
        parts.into_iter().map(|(n, part)| attachment(n, part)).collect::<Vec<Value>>()
    };
    let date = parsed.message().date().map(|date| date.to_rfc3339());
    let mut whole = common(message, &parsed);
    whole["Date"] = json!(date.unwrap_or_else(|| message.timestamp.to_string()));
    whole["ReturnPath"] = json!(message.source);
    whole["Text"] = json!(parsed.readable());
    whole["HTML"] = json!(parsed.html().unwrap_or_default());
    whole["Inline"] = json!(parts(inline));
    whole["Attachments"] = json!(parts(attached));
    whole
}

/// Returns the fields of the header by name, with their raw values, unfolded.
pub(super) fn headers(parsed: &Parsed<'_>) -> Value {
    let mut headers = BTreeMap::<&str, Vec<String>>::new();
    for (name, value) in parsed.message().headers_raw() {
        let lines: Vec<&str> = value.lines().map(str::trim).collect();
        headers.entry(name).or_default().push(lines.join(" ").trim().to_owned());
    }
    json!(headers)
}

/// The characters of the beginning of the text, as in Mailpit.
const SNIPPET: usize = 250;

fn common(message: &Message, parsed: &Parsed<'_>) -> Value {
    let it = parsed.message();
    let from = addresses(it.from()).into_iter().next();
    let bcc = message.destination.bcc_addresses.iter().map(|address| one(None, address));
    json!({
        "ID": message.id,
        "MessageID": it.message_id().unwrap_or_default(),
        "From": from.unwrap_or_else(|| one(None, &message.source)),
        "To": addresses(it.to()),
        "Cc": addresses(it.cc()),
        "Bcc": bcc.collect::<Vec<_>>(),
        "ReplyTo": addresses(it.reply_to()),
        "Subject": parsed.subject().unwrap_or_default(),
        "Size": message.raw_data.len(),
        "Tags": [],
    })
}

fn addresses(of: Option<&Address<'_>>) -> Vec<Value> {
    let addresses = of.into_iter().flat_map(|it| it.iter());
    addresses.map(|it| one(it.name(), it.address().unwrap_or_default())).collect()
}

fn one(name: Option<&str>, address: &str) -> Value {
    json!({"Name": name.unwrap_or_default(), "Address": address})
}

fn attachment(n: usize, part: &MessagePart<'_>) -> Value {
    json!({
        "PartID": n.to_string(),
        "FileName": part.attachment_name().unwrap_or_default(),
        "ContentType": media_type(part),
        "ContentID": part.content_id().unwrap_or_default(),
        "Size": part.contents().len(),
    })
}
