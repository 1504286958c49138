//! A write as SQL.

use rusqlite::{MAIN_DB, Transaction, params, types::ToSqlOutput};
use serde_json::json;

use super::{Write, database::CLOCK_AHEAD};
use crate::{
    account::Row,
    mailbox::{self, Message},
};

/// Applies a write in a transaction, and updates the number of the messages and of their bytes.
pub(super) fn apply(
    transaction: &Transaction<'_>,
    write: &Write,
    mailbox: &mut (usize, usize),
) -> rusqlite::Result<()> {
    match write {
        Write::Rows(rows) => rows.iter().try_for_each(|row| put(transaction, row)),
        Write::Message(message) => {
            let (messages, bytes) = mailbox;
            insert(transaction, message)?;
            (*messages, *bytes) = (*messages + 1, *bytes + message.size());
            if mailbox::overflows_by_far(*messages, *bytes) {
                forget(transaction, mailbox)?;
            }
            Ok(())
        }
        Write::DeleteMessages(filter) => {
            // otherwise they would be in the mailbox again when there is room
            forget(transaction, mailbox)?;
            let matching = "DELETE FROM message
                WHERE (?1 IS NULL OR id IN (SELECT value FROM json_each(?1))) AND (?2 IS NULL OR source = ?2)";
            let ids = filter.ids.as_ref().map(|ids| json!(ids).to_string());
            transaction.execute(matching, params![ids, filter.email])?;
            *mailbox = size_of_mailbox(transaction)?;
            Ok(())
        }
        Write::ClockAhead(ahead) => set(transaction, CLOCK_AHEAD, &ahead.as_millis().to_string()),
    }
}

fn put(transaction: &Transaction<'_>, row: &Row) -> rusqlite::Result<()> {
    let Row { table, key, value } = row;
    match value {
        Some(value) => transaction
            .prepare_cached(
                "INSERT INTO account VALUES (?1, ?2, ?3)
                ON CONFLICT (name, key) DO UPDATE SET value = excluded.value",
            )?
            .execute([table, key, value])?,
        None => transaction
            .prepare_cached("DELETE FROM account WHERE name = ?1 AND key = ?2")?
            .execute([table, key])?,
    };
    Ok(())
}

/// Inserts a message. Texts that may be long are in columns of their own, not in the description.
fn insert(transaction: &Transaction<'_>, message: &Message) -> rusqlite::Result<()> {
    let description = serde_json::to_string(&message.description())
        .expect("a description has texts and lists of texts");
    let body = message.body.as_ref();
    let texts = [
        ("raw_data", Some(message.raw_data.as_slice())),
        ("subject", message.subject.as_deref().map(str::as_bytes)),
        ("html_part", body.and_then(|body| body.html_part.as_deref()).map(str::as_bytes)),
        ("text_part", body.and_then(|body| body.text_part.as_deref()).map(str::as_bytes)),
    ];
    let is_long = message.size() > MAX_ROW;
    let [raw_data, subject, html_part, text_part] = texts.map(|(_, text)| {
        text.map(|text| match is_long {
            true => ToSqlOutput::ZeroBlob(text.len() as u64),
            false => ToSqlOutput::from(text),
        })
    });
    let sql = "INSERT INTO message
        (id, source, bytes, description, raw_data, subject, html_part, text_part)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    transaction.prepare_cached(sql)?.execute(params![
        message.id,
        message.source,
        message.size(),
        description,
        raw_data,
        subject,
        html_part,
        text_part,
    ])?;
    if is_long {
        let number = transaction.last_insert_rowid();
        for (column, text) in texts {
            let Some(text) = text else { continue };
            transaction.blob_open(MAIN_DB, "message", column, number, false)?.write_at(text, 0)?;
        }
    }
    Ok(())
}

/// The most bytes of a message that are written with its row, of which SQLite makes two copies. A longer message is
/// written into zeros, page by page.
const MAX_ROW: usize = 64 * 1024;

/// Deletes the oldest messages until a mailbox can hold the others.
fn forget(transaction: &Transaction<'_>, mailbox: &mut (usize, usize)) -> rusqlite::Result<()> {
    let (messages, bytes) = mailbox;
    let mut oldest =
        transaction.prepare_cached("SELECT number, bytes FROM message ORDER BY number")?;
    let mut rows = oldest.query(())?;
    let mut last = None;
    while mailbox::overflows(*messages, *bytes)
        && let Some(row) = rows.next()?
    {
        last = Some(row.get::<_, i64>(0)?);
        (*messages, *bytes) = (*messages - 1, *bytes - row.get::<_, usize>(1)?);
    }
    transaction.prepare_cached("DELETE FROM message WHERE number <= ?1")?.execute([last])?;
    Ok(())
}

pub(super) fn set(transaction: &Transaction<'_>, name: &str, value: &str) -> rusqlite::Result<()> {
    transaction.execute("INSERT OR REPLACE INTO setting VALUES (?1, ?2)", [name, value])?;
    Ok(())
}

pub(super) fn size_of_mailbox(transaction: &Transaction<'_>) -> rusqlite::Result<(usize, usize)> {
    let size = "SELECT count(*), coalesce(sum(bytes), 0) FROM message";
    transaction.query_row(size, (), |row| Ok((row.get(0)?, row.get(1)?)))
}
