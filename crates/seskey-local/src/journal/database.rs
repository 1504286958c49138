//! The database: SQLite with a write-ahead log that is synced to the disk at each commit.

use std::{
    io,
    path::{Path, PathBuf},
};

use jiff::SignedDuration;
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior,
};
use seskey::{Region, Secret};

use super::{JournalError, Snapshot, Write, folder::Folder, write};
use crate::{
    account::{Account, Row},
    mailbox::{Body, Mailbox, Message},
    tls::Authority,
};

/// The database of a directory that no other process uses.
pub(crate) struct Database {
    connection: Connection,
    /// The messages in it and their bytes; unknown after the start and after a failure.
    mailbox: Option<(usize, usize)>,
    path: PathBuf,
    folder: Folder,
}

/// The application ID in the header of the file: "ssky".
const APPLICATION_ID: i64 = 0x7373_6b79;

/// The SQL that makes each format from the one before it; the first, from an empty database.
const STEPS: [&str; 2] = [
    "
    CREATE TABLE account (name TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (name, key)) STRICT, WITHOUT ROWID;
    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE message (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        source TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        description TEXT NOT NULL,
        raw_data BLOB NOT NULL
    ) STRICT;
    ",
    // in the first format the texts of a message are in its description, and a row of the account lies between its
    // neighbours, where it splits their pages
    "
    ALTER TABLE message ADD COLUMN subject BLOB;
    ALTER TABLE message ADD COLUMN html_part BLOB;
    ALTER TABLE message ADD COLUMN text_part BLOB;
    ALTER TABLE account RENAME TO old_account;
    CREATE TABLE account (name TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (name, key)) STRICT;
    INSERT INTO account SELECT * FROM old_account;
    DROP TABLE old_account;
    ",
];

/// The size of the log at a thousand pages, when SQLite moves it into the database.
const LOG_SIZE: u64 = 1_000 * (4096 + 24) + 32;

const REGION: &str = "region";
const AUTHORITY_KEY: &str = "authority-key";
const AUTHORITY_CERTIFICATE: &str = "authority-certificate";
/// The time when the authority was made; absent if the account was made at that time.
const AUTHORITY_MADE: &str = "authority-made";
pub(super) const CLOCK_AHEAD: &str = "clock-ahead-milliseconds";

impl Database {
    /// Opens the database of a directory, and makes both if they do not exist.
    ///
    /// # Errors
    /// The directory is in use or cannot be used, or the database is not one of ours or is of a newer version.
    pub(crate) fn open(directory: &Path) -> Result<Self, JournalError> {
        let folder = Folder::open(directory)?;
        let path = folder.database(make)?;
        let failed = |source| unusable(&path, source);
        let mut connection = connect(&path).map_err(failed)?;
        let format = format(&connection).map_err(failed)?;
        let (known, found) = (STEPS.len() as i64, format.ok_or_else(|| foreign(&path))?);
        if found > known {
            return Err(JournalError::Newer { path, found, known });
        }
        folder.tighten()?;
        prepare(&mut connection, found).map_err(failed)?;
        Ok(Self { connection, mailbox: None, path, folder })
    }

    /// Returns its directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.folder.path
    }

    /// Limits the database to so many pages, as if the disk were full then.
    pub(crate) fn limit(&self, pages: u32) -> Result<(), JournalError> {
        self.connection.pragma_update(None, "max_page_count", pages).map_err(|e| self.failed(e))
    }

    /// Writes the first state in one transaction.
    pub(crate) fn begin(&mut self, kept: &mut Snapshot) -> Result<(), JournalError> {
        kept.account.record_changes();
        let rows = Write::Rows(kept.account.take_changes());
        let transaction = self.connection.transaction();
        let written = transaction.and_then(|transaction| {
            write::set(&transaction, REGION, kept.region.as_str())?;
            set_authority(&transaction, &kept.authority)?;
            write::apply(&transaction, &rows, &mut (0, 0))?;
            transaction.commit()
        });
        written.map_err(|error| self.failed(error))
    }

    /// Replaces the authority.
    pub(crate) fn replace_authority(&mut self, authority: &Authority) -> Result<(), JournalError> {
        let transaction = self.connection.transaction();
        let written = transaction.and_then(|transaction| {
            set_authority(&transaction, authority)?;
            transaction.commit()
        });
        written.map_err(|error| self.failed(error))
    }

    /// Reads the whole state. Returns none if the database is empty.
    pub(crate) fn load(&self) -> Result<Option<Snapshot>, JournalError> {
        let Some(account) = self.account()? else { return Ok(None) };
        let setting = |name: &'static str| {
            let value = self.setting(name).map_err(|error| self.failed(error))?;
            value.ok_or_else(|| self.damaged("setting", name))
        };
        let region = setting(REGION)?;
        let region = Region::parse_unknown(&region).map_err(|_| self.damaged("setting", REGION))?;
        let ahead = self.setting(CLOCK_AHEAD).map_err(|error| self.failed(error))?;
        let ahead = ahead.map_or(Ok(0), |millis| millis.parse());
        let ahead = ahead.map_err(|_| self.damaged("setting", CLOCK_AHEAD))?;
        let made = self.setting(AUTHORITY_MADE).map_err(|error| self.failed(error))?;
        let made = made.map_or(Ok(account.create_date()), |made| made.parse());
        let made = made.map_err(|_| self.damaged("setting", AUTHORITY_MADE))?;
        Ok(Some(Snapshot {
            account,
            mailbox: self.messages()?,
            authority: Authority {
                key_pem: Secret::new(setting(AUTHORITY_KEY)?),
                certificate_pem: setting(AUTHORITY_CERTIFICATE)?,
                made,
            },
            region,
            clock_ahead: SignedDuration::from_millis(ahead),
        }))
    }

    /// Reads the account. Returns none if it is empty.
    pub(crate) fn account(&self) -> Result<Option<Account>, JournalError> {
        let rows = self.rows().map_err(|error| self.failed(error))?;
        if rows.is_empty() {
            return Ok(None);
        }
        let no_account = |source| JournalError::NoAccount { path: self.path.clone(), source };
        Account::restore(rows).map(Some).map_err(no_account)
    }

    /// Extends the write-ahead log to its greatest length: a commit takes three times as long while a file grows.
    pub(crate) fn lengthen_log(&self) -> io::Result<()> {
        self.folder.lengthen_log(LOG_SIZE)
    }

    /// Writes all changes or none. They are on disk when this returns.
    pub(crate) fn write<'a>(
        &mut self,
        writes: impl Iterator<Item = &'a Write>,
    ) -> Result<(), JournalError> {
        let known = self.mailbox.take();
        let transaction = self.connection.transaction();
        let written = transaction.and_then(|transaction| {
            let mut mailbox = known.map_or_else(|| write::size_of_mailbox(&transaction), Ok)?;
            for write in writes {
                write::apply(&transaction, write, &mut mailbox)?;
            }
            transaction.commit()?;
            Ok(mailbox)
        });
        self.mailbox = Some(written.map_err(|error| self.failed(error))?);
        Ok(())
    }

    /// Moves the log into the database, and closes it.
    pub(crate) fn close(self) -> Result<(), JournalError> {
        let Self { connection, path, .. } = self;
        connection.close().map_err(|(_, source)| JournalError::Database { path, source })
    }

    fn rows(&self) -> rusqlite::Result<Vec<Row>> {
        let mut statement =
            self.connection.prepare("SELECT name, key, value FROM account ORDER BY name, key")?;
        let rows = statement.query_map((), |row| {
            Ok(Row { table: row.get(0)?, key: row.get(1)?, value: Some(row.get(2)?) })
        })?;
        rows.collect()
    }

    fn setting(&self, name: &str) -> rusqlite::Result<Option<String>> {
        let value = "SELECT value FROM setting WHERE name = ?1";
        self.connection.query_row(value, [name], |row| row.get(0)).optional()
    }

    fn messages(&self) -> Result<Mailbox, JournalError> {
        let mut mailbox = Mailbox::default();
        let mut read = || {
            let sql = "SELECT id, description, raw_data, subject, html_part, text_part FROM message
                ORDER BY number";
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query(())?;
            while let Some(row) = rows.next()? {
                match message(row)? {
                    Some(message) => mailbox.push(message),
                    None => return row.get::<_, String>(0).map(Some),
                }
            }
            Ok(None)
        };
        match read().map_err(|error| self.failed(error))? {
            Some(id) => Err(self.damaged("message", &id)),
            None => Ok(mailbox),
        }
    }

    fn failed(&self, source: rusqlite::Error) -> JournalError {
        unusable(&self.path, source)
    }

    fn damaged(&self, table: &'static str, key: &str) -> JournalError {
        JournalError::BadRow { path: self.path.clone(), table, key: key.to_owned() }
    }
}

/// Reads a message from its row. Returns none if its description is damaged.
fn message(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Message>> {
    let Ok(mut message) = serde_json::from_str::<Message>(row.get_ref(1)?.as_str()?) else {
        return Ok(None);
    };
    let text = |column| -> rusqlite::Result<Option<String>> {
        let bytes = row.get::<_, Option<Vec<u8>>>(column)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    };
    message.raw_data = row.get(2)?;
    message.subject = text(3)?.or(message.subject);
    if let Some(Body { html_part, text_part }) = message.body {
        let (html_part, text_part) = (text(4)?.or(html_part), text(5)?.or(text_part));
        message.body = Some(Body { html_part, text_part });
    }
    Ok(Some(message))
}

fn set_authority(transaction: &Transaction<'_>, authority: &Authority) -> rusqlite::Result<()> {
    write::set(transaction, AUTHORITY_KEY, authority.key_pem.expose())?;
    write::set(transaction, AUTHORITY_CERTIFICATE, &authority.certificate_pem)?;
    write::set(transaction, AUTHORITY_MADE, &authority.made.to_string())
}

/// Makes a database from an empty file.
fn make(path: &Path) -> Result<(), JournalError> {
    let made = connect(path).and_then(|mut connection| {
        prepare(&mut connection, 0)?;
        connection.close().map_err(|(_, error)| error)
    });
    made.map_err(|error| unusable(path, error))
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    // waits for another writer, where a transaction that begins as a reader would fail
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    Ok(connection)
}

/// Returns the format of the database, or none if it is not ours.
fn format(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let number = |sql| connection.query_row(sql, (), |row| row.get::<_, i64>(0));
    let ours = number("PRAGMA application_id")? == APPLICATION_ID;
    ours.then(|| number("PRAGMA user_version")).transpose()
}

fn prepare(connection: &mut Connection, found: i64) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction()?;
    let steps = STEPS.iter().enumerate().skip(usize::try_from(found).unwrap_or_default());
    for (before, step) in steps {
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", before as i64 + 1)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    transaction.commit()
}

fn unusable(path: &Path, source: rusqlite::Error) -> JournalError {
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => foreign(path),
        _ => JournalError::Database { path: path.to_owned(), source },
    }
}

fn foreign(path: &Path) -> JournalError {
    JournalError::Foreign { path: path.to_owned() }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::mailbox::{Destination, Filter};

    /// Generates a write, by the values that distinguish it from others of its kind.
    fn write() -> impl Strategy<Value = (u8, u8, bool)> {
        (0..4_u8, 0..6_u8, any::<bool>())
    }

    fn make((kind, number, given): (u8, u8, bool), count: usize) -> Write {
        let text = |of: u8| format!("{of}");
        match kind {
            0 => Write::Rows(vec![
                Row {
                    table: text(number % 2),
                    key: text(number),
                    value: given.then(|| text(kind)),
                },
                Row {
                    table: "last-used".into(),
                    key: text(number),
                    value: Some(format!("{count}")),
                },
            ]),
            1 => Write::DeleteMessages(Filter {
                ids: given.then(|| [text(number)].into()),
                email: (number % 3 == 0).then(|| text(number)),
            }),
            _ => Write::Message(std::sync::Arc::new(Message {
                id: text(number),
                region: "us-east-1".into(),
                timestamp: Timestamp::UNIX_EPOCH,
                destination: Destination { to_addresses: vec![text(kind)], ..Default::default() },
                raw_data: format!("{count}\r\n\u{fffd}").into_bytes(),
                source: text(number),
                subject: None,
                body: None,
                origin: None,
            })),
        }
    }

    fn shown(mailbox: &Mailbox) -> String {
        format!("{:?}", mailbox.list(&Filter::default(), None, usize::MAX))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

        /// After any batches of writes the database has what a model in memory has, also when it is opened again.
        #[test]
        fn what_is_written_is_read(batches in prop::collection::vec(prop::collection::vec(write(), 1..8), 1..8)) {
            let folder = tempfile::tempdir().unwrap();
            let directory = folder.path().join("data");
            let (mut rows, mut mailbox) = (std::collections::BTreeMap::new(), Mailbox::default());
            let mut database = Database::open(&directory).unwrap();
            for (place, batch) in batches.into_iter().enumerate() {
                let batch: Vec<Write> = batch.into_iter().map(|write| make(write, place)).collect();
                database.write(batch.iter()).unwrap();
                for write in batch {
                    match write {
                        Write::Rows(changed) => for row in changed {
                            let key = (row.table.clone(), row.key.clone());
                            if row.value.is_some() { rows.insert(key, row); } else { rows.remove(&key); }
                        },
                        Write::Message(message) => mailbox.push(message),
                        Write::DeleteMessages(filter) => mailbox.delete(&filter),
                        Write::ClockAhead(_) => {}
                    }
                }
                if place % 3 == 0 {
                    database.close().unwrap();
                    database = Database::open(&directory).unwrap();
                }
                prop_assert_eq!(database.rows().unwrap(), rows.values().cloned().collect::<Vec<_>>());
                prop_assert_eq!(shown(&database.messages().unwrap()), shown(&mailbox));
            }
        }
    }

    #[test]
    fn a_batch_is_written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = Database::open(&folder.path().join("data")).unwrap();
        let small = make((0, 0, true), 1);
        database.write([&small].into_iter()).unwrap();
        let before = database.rows().unwrap();
        database.limit(20).unwrap();
        let row = |key: &str, size| Row {
            table: "user".into(),
            key: key.into(),
            value: Some("x".repeat(size)),
        };
        let large = Write::Rows(vec![row("a", 10), row("b", 200_000), row("c", 10)]);
        for _ in 0..2 {
            let error = database.write([&large].into_iter()).unwrap_err();
            assert!(
                matches!(&error, JournalError::Database { source, .. }
                if source.sqlite_error_code() == Some(ErrorCode::DiskFull)),
                "{error:?}"
            );
            assert_eq!(database.rows().unwrap(), before);
        }
        let fits = make((0, 1, true), 2);
        database.write([&fits].into_iter()).unwrap();
        assert_eq!(database.rows().unwrap().len(), 4);
    }

    /// The texts that SES composed a message from are read from columns of their own or, in the first format, from the
    /// description. A long message is written in another way than a short one.
    #[test]
    fn messages_of_every_format_and_size() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("data");
        Folder::open(&directory).unwrap();
        let path = directory.join("seskey.db");
        std::fs::File::create(&path).unwrap();
        let first = connect(&path).unwrap();
        first.execute_batch(STEPS[0]).unwrap();
        first.pragma_update(None, "user_version", 1).unwrap();
        first.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        let old = r#"{"Id": "1", "Region": "us-east-1", "Timestamp": "1970-01-01T00:00:00",
            "Destination": {"ToAddresses": [], "CcAddresses": [], "BccAddresses": []}, "Source": "a@b.c",
            "Subject": "s", "Body": {"html_part": null, "text_part": "t"}}"#;
        let sql = "INSERT INTO message (id, source, bytes, description, raw_data)
            VALUES ('1', 'a@b.c', 3, ?1, x'78')";
        first.execute(sql, [old]).unwrap();
        first.close().unwrap();

        let mut database = Database::open(&directory).unwrap();
        let mut mailbox = database.messages().unwrap();
        let [found] = &mailbox.list(&Filter::default(), None, 9)[..] else { panic!("one message") };
        assert_eq!((&*found.raw_data, found.subject.as_deref()), (&b"x"[..], Some("s")));
        assert_eq!(found.body.as_ref().unwrap().text_part.as_deref(), Some("t"));
        let text = |size: usize| Some("\u{e4}".repeat(size));
        for (place, size) in [1, 40_000, 3_000_000].into_iter().enumerate() {
            for (html_part, text_part) in
                [(None, None), (text(size), None), (None, text(size)), (text(3), text(size))]
            {
                let message = Message {
                    id: place.to_string(),
                    subject: html_part.is_some().then(|| "\u{e4}".into()),
                    body: Some(Body { html_part, text_part }),
                    raw_data: vec![7; size],
                    ..found.without_texts()
                };
                database.write([Write::Message(message.clone().into())].iter()).unwrap();
                mailbox.push(message);
            }
        }
        database.close().unwrap();
        let database = Database::open(&directory).unwrap();
        assert!(shown(&database.messages().unwrap()) == shown(&mailbox));
    }

    #[test]
    fn a_full_mailbox_forgets_the_oldest_on_disk_too() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = Database::open(&folder.path().join("data")).unwrap();
        let mut mailbox = Mailbox::default();
        for batch in [9_000, 1_003, 500] {
            let writes: Vec<Write> =
                (0..batch).map(|number| make((2, (number % 250) as u8, true), number)).collect();
            database.write(writes.iter()).unwrap();
            for write in writes {
                if let Write::Message(message) = write {
                    mailbox.push(message);
                }
            }
        }
        let count = "SELECT count(*) FROM message";
        let count = database.connection.query_row(count, (), |row| row.get::<_, usize>(0));
        assert!((10_000..10_160).contains(&count.unwrap()));
        assert!(shown(&database.messages().unwrap()) == shown(&mailbox));

        let filter = Filter { email: Some("7".into()), ..Filter::default() };
        mailbox.delete(&filter);
        database.write([Write::DeleteMessages(filter)].iter()).unwrap();
        assert!(shown(&database.messages().unwrap()) == shown(&mailbox));
    }
}
