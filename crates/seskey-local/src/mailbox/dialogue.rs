//! The dialogue of an SMTP session, line by line, with the times.

use std::{mem, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer, ser::SerializeSeq};

/// The lines from the beginning of a session to the login, and then those for one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialogue {
    begun: Timestamp,
    /// The lines up to the login, the same for all messages of the session.
    opening: Arc<Lines>,
    own: Lines,
}

/// A recorder of the lines of a session.
#[derive(Debug)]
pub struct Recorder {
    begun: Timestamp,
    opening: Arc<Lines>,
    is_open: bool,
    own: Lines,
}

/// A line of a dialogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Line<'a> {
    /// The time of the line.
    #[serde(rename = "Timestamp")]
    pub at: Timestamp,
    /// Its speaker.
    pub by: By,
    /// The line, without passwords and without anything of a message.
    #[serde(rename = "Line")]
    pub text: &'a str,
}

/// The speaker of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The client.
    Client,
    /// The local SES.
    Server,
    /// No speaker: a note about what happened.
    Note,
}

/// Lines in one text, since a session has many short ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Lines {
    text: String,
    marks: Vec<Mark>,
    left_out: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    /// Milliseconds since the session began.
    at: u32,
    /// The end of the line in the text.
    end: u32,
    by: By,
}

/// The most bytes of the opening, and of the lines for one message, which has 50 recipients at most. Further lines are
/// counted; the last one is kept.
const MAX_BYTES: usize = 16 * 1024;

impl Recorder {
    /// Starts the record of a session that begins now.
    pub fn new(now: Timestamp) -> Self {
        Self { begun: now, opening: Arc::default(), is_open: false, own: Lines::default() }
    }

    /// Records a line.
    pub fn say(&mut self, now: Timestamp, by: By, line: &str) {
        let at = since(self.begun, now);
        match self.is_open {
            true => self.own.push(at, by, line),
            false => Arc::make_mut(&mut self.opening).push(at, by, line),
        }
    }

    /// Records that the client has logged in: further lines belong to a message.
    pub fn opened(&mut self) {
        self.is_open = true;
    }

    /// Returns the dialogue so far.
    pub fn so_far(&self) -> Dialogue {
        Dialogue { begun: self.begun, opening: self.opening.clone(), own: self.own.clone() }
    }

    /// Returns the dialogue for the message that has ended.
    pub fn of_message(&mut self) -> Dialogue {
        let own = mem::take(&mut self.own);
        Dialogue { begun: self.begun, opening: self.opening.clone(), own }
    }
}

impl Dialogue {
    /// Adds the last line.
    pub fn say(&mut self, now: Timestamp, by: By, line: &str) {
        let at = since(self.begun, now);
        // `push` would leave it out after too many lines
        self.own.append(at, by, line);
        self.own.shrink();
    }

    /// Returns the lines in their order.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let line = |(mark, text): (Mark, _)| Line {
            at: self.begun + SignedDuration::from_millis(mark.at.into()),
            by: mark.by,
            text,
        };
        self.opening.iter().chain(self.own.iter()).map(line)
    }

    /// Returns the number of lines left out, as there were too many.
    pub fn left_out(&self) -> u32 {
        self.opening.left_out + self.own.left_out
    }

    /// Returns the bytes that it takes, without those shared with other messages of the session.
    pub(super) fn own_size(&self) -> usize {
        self.own.size()
    }

    /// Returns the bytes that it takes if it shares nothing.
    pub(super) fn whole_size(&self) -> usize {
        self.opening.size() + self.own.size()
    }
}

impl Serialize for Dialogue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut lines = serializer.serialize_seq(None)?;
        self.lines().try_for_each(|line| lines.serialize_element(&line))?;
        lines.end()
    }
}

impl Lines {
    fn push(&mut self, at: u32, by: By, line: &str) {
        match self.text.len() + line.len() <= MAX_BYTES {
            true => self.append(at, by, line),
            false => self.left_out += 1,
        }
    }

    fn append(&mut self, at: u32, by: By, line: &str) {
        self.text.push_str(line);
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        self.marks.push(Mark { at, end, by });
    }

    fn size(&self) -> usize {
        self.text.len() + size_of_val(self.marks.as_slice())
    }

    fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.marks.shrink_to_fit();
    }

    fn iter(&self) -> impl Iterator<Item = (Mark, &str)> {
        let mut begin = 0;
        self.marks.iter().map(move |mark| {
            let end = mark.end as usize;
            (*mark, &self.text[mem::replace(&mut begin, end)..end])
        })
    }
}

/// Returns the time since the beginning in milliseconds; the clock may be set back.
fn since(begun: Timestamp, now: Timestamp) -> u32 {
    u32::try_from(now.duration_since(begun).as_millis().max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(dialogue: &Dialogue) -> Vec<&str> {
        dialogue.lines().map(|line| line.text).collect()
    }

    #[test]
    fn each_message_has_the_opening_and_its_own_lines() {
        let now = Timestamp::UNIX_EPOCH;
        let later = now + SignedDuration::from_millis(1500);
        let mut recorder = Recorder::new(now);
        recorder.say(now, By::Server, "220 hi");
        assert_eq!(texts(&recorder.so_far()), ["220 hi"]);
        recorder.say(now, By::Client, "EHLO a");
        recorder.opened();
        recorder.say(later, By::Client, "MAIL 1");
        let mut first = recorder.of_message();
        first.say(later, By::Server, "250 Ok 1");
        recorder.say(later, By::Client, "MAIL 2");
        assert_eq!(texts(&first), ["220 hi", "EHLO a", "MAIL 1", "250 Ok 1"]);
        assert_eq!(texts(&recorder.so_far()), ["220 hi", "EHLO a", "MAIL 2"]);
        let last = first.lines().last().expect("there are four");
        assert_eq!((last.at, last.by), (later, By::Server));
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let now = Timestamp::UNIX_EPOCH;
        let mut recorder = Recorder::new(now);
        recorder.opened();
        for _ in 0..1000 {
            recorder.say(now, By::Client, &"x".repeat(100));
        }
        let mut dialogue = recorder.of_message();
        dialogue.say(now, By::Server, "250 Ok");
        assert!(dialogue.own.text.len() <= MAX_BYTES + 6);
        assert_eq!(dialogue.lines().count() + dialogue.left_out() as usize, 1001);
        assert_eq!(dialogue.lines().last().map(|line| line.text), Some("250 Ok"));
    }
}
