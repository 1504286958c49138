//! The rounds of one load, in turn over the servers, and their results.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
    vec,
};

use tokio::{task::JoinSet, time::timeout};

use crate::{Failure, Result, report::Row, servers::Server};

/// The number of rounds, the length of each, and the most jobs in it.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) most: usize,
}

/// The measurements of one round.
pub(crate) struct Round {
    pub(crate) elapsed: Duration,
    /// The CPU time of the server.
    pub(crate) cpu: Duration,
    pub(crate) latencies: Vec<Duration>,
}

/// The jobs that are left, for all clients.
pub(crate) struct Jobs<J>(Mutex<vec::IntoIter<J>>);

/// The longest time for a round: a server that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures each subject with as many jobs as it does in about the planned time, in turn, round after round.
pub(crate) async fn compare<T>(
    subjects: &[(&'static str, T)],
    plan: Plan,
    run: impl AsyncFn(&T, usize) -> Result<Round>,
) -> Vec<Row> {
    let mut rows = vec![];
    for (name, subject) in subjects {
        rows.push(match calibrate(subject, plan, &run).await {
            Ok(jobs) => Row::new(name, jobs),
            Err(failure) => Row::failed(name, failure),
        });
    }
    for _ in 0..plan.rounds {
        for (row, (_, subject)) in rows.iter_mut().zip(subjects) {
            if row.failure.is_none() {
                match run(subject, row.jobs).await {
                    Ok(round) => row.add(round),
                    Err(failure) => row.failure = Some(failure.to_string()),
                }
            }
        }
    }
    rows
}

/// Does the jobs with `clients`, each of which takes the next job when it is done with one. The first failure ends all.
pub(crate) async fn race<J: Send + 'static, F>(
    server: &Server,
    jobs: Vec<J>,
    clients: usize,
    client: impl Fn(Arc<Jobs<J>>) -> F,
) -> Result<Round>
where
    F: Future<Output = Result<Vec<Duration>>> + Send + 'static,
{
    let jobs = Arc::new(Jobs(Mutex::new(jobs.into_iter())));
    let mut latencies = vec![];
    let (cpu, start) = (server.process.cpu(), Instant::now());
    let mut running: JoinSet<_> = (0..clients).map(|_| client(jobs.clone())).collect();
    let all = async {
        while let Some(done) = running.join_next().await {
            latencies.extend(done??);
        }
        Ok::<_, Failure>(())
    };
    timeout(PATIENCE, all).await.map_err(|_| "it took too long")??;
    let elapsed = start.elapsed();
    Ok(Round { elapsed, cpu: server.process.cpu().saturating_sub(cpu), latencies })
}

impl<J> Jobs<J> {
    pub(crate) fn next(&self) -> Option<J> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}

/// Warms the server up, and finds how many jobs it does in the time of a round.
async fn calibrate<T>(
    subject: &T,
    plan: Plan,
    run: &impl AsyncFn(&T, usize) -> Result<Round>,
) -> Result<usize> {
    let mut jobs = FEWEST;
    loop {
        let took = run(subject, jobs).await?.elapsed.as_secs_f64();
        if took > plan.seconds / 3.0 || jobs * 2 > plan.most {
            let fitting = (jobs as f64 / took * plan.seconds) as usize;
            return Ok(fitting.clamp(FEWEST, plan.most));
        }
        jobs *= 2;
    }
}

const FEWEST: usize = 8;
