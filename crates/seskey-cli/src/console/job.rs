//! A verb that changes something, and goes on whether or not its page is open.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use askama::Template;
use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::{Response, sse::Event},
};
use seskey::render::Target;
use seskey_local::http;
use tokio::sync::watch;

use super::{
    Console, Layout, Nav, Problem, Visitor,
    command::Command,
    credentials,
    kept::{Kept, Standing},
    page,
    page::shown,
};
use crate::{
    exit::Exit,
    explain::Result,
    output::{Line, Transcript},
};

/// The jobs that were begun, the latest at the end.
#[derive(Default)]
pub(super) struct Jobs {
    jobs: Mutex<Vec<Arc<Job>>>,
    count: AtomicU64,
}

/// A command that is under way or has ended.
pub(super) struct Job {
    pub(super) id: u64,
    /// The title of the page.
    pub(super) title: String,
    /// The IAM user that it is about.
    pub(super) user: String,
    /// The command line, as it is typed.
    pub(super) command: String,
    pub(super) transcript: Arc<Transcript>,
    /// The credential that it makes.
    pub(super) kept: Kept,
    /// The end; absent while the job is under way.
    end: watch::Sender<Option<End>>,
}

#[derive(Debug, Clone)]
pub(super) enum End {
    Done,
    Failed(Problem, Exit),
}

impl Jobs {
    fn add(&self, title: String, user: String, command: &Command) -> Arc<Job> {
        let job = Arc::new(Job {
            id: self.count.fetch_add(1, Ordering::Relaxed) + 1,
            title,
            user,
            command: command.shown(),
            transcript: Arc::default(),
            kept: Kept::default(),
            end: watch::Sender::default(),
        });
        let mut jobs = locked(&self.jobs);
        if jobs.len() >= MAX_JOBS
            && let Some(old) = jobs.iter().position(|job| job.may_be_forgotten())
        {
            jobs.remove(old);
        }
        jobs.push(job.clone());
        job
    }

    pub(super) fn find(&self, id: u64) -> Option<Arc<Job>> {
        locked(&self.jobs).iter().find(|job| job.id == id).cloned()
    }

    /// Returns the jobs about a user, the latest first.
    pub(super) fn of_user(&self, user: &str) -> Vec<Arc<Job>> {
        locked(&self.jobs).iter().rev().filter(|job| job.user == user).cloned().collect()
    }

    pub(super) fn untaken(&self) -> Vec<String> {
        let jobs = locked(&self.jobs);
        let whole = jobs.iter().filter(|job| job.kept.standing() == Standing::Whole);
        whole.filter_map(|job| job.kept.peek(|made| made.told.user_name.clone())).collect()
    }

    pub(super) async fn stop(&self) {
        let jobs = locked(&self.jobs).clone();
        jobs.iter().for_each(|job| job.transcript.stop());
        for job in jobs {
            let _ = job.end.subscribe().wait_for(Option::is_some).await;
        }
    }
}

/// The number of jobs that are kept. Beyond it, the first ended job is forgotten, but none with an untaken password.
const MAX_JOBS: usize = 200;

impl Job {
    pub(super) fn end(&self) -> Option<End> {
        self.end.borrow().clone()
    }

    fn may_be_forgotten(&self) -> bool {
        self.end().is_some() && self.kept.standing() != Standing::Whole
    }

    /// Returns the state in a word.
    pub(super) fn standing(&self) -> &'static str {
        match self.end() {
            None => "under way",
            Some(End::Done) => "done",
            Some(End::Failed(_, Exit::Unfinished)) => "unfinished",
            Some(End::Failed(..)) => "failed",
        }
    }
}

impl Console {
    /// Begins a job. Returns the path of its page.
    pub(super) fn begin(&self, title: String, user: &str, command: &Command) -> String {
        let job = self.jobs.add(title, user.to_owned(), command);
        let path = format!("/jobs/{}", job.id);
        let running = self.start(command, job.transcript.clone());
        tokio::spawn(async move {
            let ended = running.await;
            let kept =
                job.transcript.take_delivered().map_or(Ok(()), |answer| job.kept.keep(&answer));
            let end = end(ended.and_then(|exit| kept.map(|()| exit)));
            job.end.send_replace(Some(end));
        });
        path
    }
}

fn end(ended: Result<Exit>) -> End {
    match ended {
        Ok(Exit::Done | Exit::Findings) => End::Done,
        Ok(exit) => End::Failed(Problem::default(), exit),
        Err(failure) => End::Failed(Problem::of(&failure), failure.exit),
    }
}

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    layout: Layout,
    job: Arc<Job>,
    lines: Vec<(&'static str, String)>,
    answer: String,
    end: Option<End>,
    kept: Standing,
}

pub(super) async fn show(visitor: Visitor, Path(id): Path<u64>) -> Response {
    let Some(job) = visitor.jobs.find(id) else { return gone(&visitor) };
    // read before the lines: a job that has ended has its last line
    let end = job.end();
    let lines = job.transcript.lines().borrow().iter().map(of_line).collect();
    let answer = shown(job.transcript.answered().trim_end());
    let layout = visitor.layout(job.title.clone(), Nav::Credentials);
    // a visitor without a session cannot take it
    let kept = if visitor.has_session { job.kept.standing() } else { Standing::None };
    page(StatusCode::OK, &JobPage { layout, job, lines, answer, end, kept })
}

pub(super) fn gone(visitor: &Visitor) -> Response {
    let problem = Problem::new(
        "nothing is known of this",
        "it was begun before seskey was started again, or long ago; the page of the user shows what there is now",
    );
    visitor.problem(StatusCode::NOT_FOUND, problem)
}

/// Returns the kind of a line as a word, and its text.
fn of_line(line: &Line) -> (&'static str, String) {
    match line {
        Line::Note(text) => ("", shown(text)),
        Line::Warning(text) => ("Warning", shown(text)),
        Line::Failure(text) => ("Failed", shown(text)),
        Line::Hint(text) => ("Hint", shown(text)),
    }
}

/// Sends every line that the page does not have, and then that the job has ended.
pub(super) async fn events(visitor: Visitor, Path(id): Path<u64>, headers: HeaderMap) -> Response {
    let Some(job) = visitor.jobs.find(id) else { return gone(&visitor) };
    let last = headers.get("last-event-id").and_then(|last| last.to_str().ok()?.parse().ok());
    let mut sent: usize = last.unwrap_or(0);
    http::events(async move |page| {
        let (mut lines, mut end) = (job.transcript.lines(), job.end.subscribe());
        loop {
            let is_over = end.borrow().is_some();
            let news: Vec<Line> = lines.borrow_and_update().iter().skip(sent).cloned().collect();
            for line in news {
                sent += 1;
                let (kind, text) = of_line(&line);
                let text = if kind.is_empty() { text } else { format!("{kind}: {text}") };
                let event = Event::default().event("line").id(sent.to_string()).data(text);
                if page.send(event).await.is_err() {
                    return;
                }
            }
            if is_over {
                // an error means that the page has gone
                let _ = page.send(Event::default().event("reload").data("{}")).await;
                return;
            }
            tokio::select! {
                _ = lines.changed() => {}
                _ = end.changed() => {}
            }
        }
    })
}

/// Locks the list. A panic leaves it as it was.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
