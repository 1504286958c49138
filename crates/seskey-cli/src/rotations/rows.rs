//! Outcomes and plans as rows of JSON.

use serde_json::{Value, json};
use seskey::{
    rotation::{Reason, Step},
    store::Store,
};
use seskey_aws::lifecycle::rotate::End;

use super::{Who, report::Ended};
use crate::{
    exit::Exit,
    explain::{
        self, Failure,
        step::{self, words},
    },
};

/// The outcome of a user whose run a signal prevented.
pub(super) const NOT_BEGUN: &str = "not_begun";

/// Returns the outcome of a user. The problem says why it does not go on by itself.
pub(super) fn row(who: &Who, stores: &[Store], ended: &Ended, problem: Option<&Failure>) -> Value {
    let mut row = json!({"user_name": who.user, "account": who.account});
    let mut set = |name: &str, value: Value| row[name] = value;
    let mut problem = problem;
    match ended {
        Ended::Failed(failure) => {
            let changed = failure.exit == Exit::Unfinished;
            set("outcome", if changed { "unfinished" } else { "failed" }.into());
            problem = Some(failure);
        }
        Ended::Out(outcome, rotation) => {
            // the credential logs in where it was proven
            let server = &rotation.proof.server;
            set(
                "steps",
                outcome.steps.iter().map(|step| step_row(step, &who.user, stores)).collect(),
            );
            match &outcome.end {
                End::Done { due } => {
                    set("outcome", "done".into());
                    set("due", due.map(step::time).into());
                }
                End::Waits { until, why, key } => {
                    set("outcome", "waiting".into());
                    set("until", step::time(*until).into());
                    set("why", step::wait_name(*why).into());
                    set("access_key_id", key.as_str().into());
                }
                End::Stopped(Reason::Limit(step)) => {
                    set("outcome", "stage".into());
                    set("next", words(step, stores).name.into());
                }
                End::Stopped(_) => set("outcome", "stopped".into()),
                _ if outcome.steps.is_empty() => set("outcome", NOT_BEGUN.into()),
                _ => set("outcome", "interrupted".into()),
            }
            if let Some(used) = &outcome.last_used {
                let at = step::time(used.at);
                set("last_used", json!({"at": at, "service": used.service, "region": used.region}));
            }
            if let Some(credential) = &outcome.at_hand {
                set("smtp_user_name", credential.user_name.as_str().into());
                set("smtp_password", credential.password.expose().into());
                set("smtp_endpoint", server.host.clone().into());
                set("smtp_port", server.port.into());
            }
        }
    }
    if let Some(problem) = problem {
        set("error", problem.message.clone().into());
        set("hint", problem.hint.clone().into());
    }
    row
}

/// Returns a step: its name, and what it is about.
pub(super) fn step_row(step: &Step, user: &str, stores: &[Store]) -> Value {
    let mut row = json!({"step": words(step, stores).name});
    if let Some(key) = step::key(step) {
        row["access_key_id"] = key.as_str().into();
    }
    match step {
        Step::Deliver { store, .. } | Step::PutBack { store, .. } => {
            row["store"] = stores.get(*store).map(ToString::to_string).into();
        }
        Step::WaitUntil { until, why, .. } => {
            row["until"] = step::time(*until).into();
            row["why"] = step::wait_name(*why).into();
        }
        Step::Done { due } => row["due"] = due.map(step::time).into(),
        Step::Stop(reason) => {
            row["reason"] = explain::rotation::end_of_plan(reason, user, stores).into()
        }
        _ => {}
    }
    row
}
