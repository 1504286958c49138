//! A failure without a known cause: it is reported, never passed over.

use super::{Cause, Certainty, Evidence, Finding, Phase};

/// The name of the finding that has no cause.
pub const UNEXPLAINED: &str = "unexplained";

const fn of(phase: Phase) -> Cause {
    Cause {
        id: UNEXPLAINED,
        phase,
        sentence: "something failed, and no cause that is known fits",
        remedy: "",
        source: "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html",
        is_shown_by_aws: false,
        judge: |_| None,
    }
}

static PHASES: [Cause; 6] = [
    of(Phase::Offline),
    of(Phase::Network),
    of(Phase::Tls),
    of(Phase::Login),
    of(Phase::Sending),
    of(Phase::After),
];

/// Returns the failure that was seen or reported.
pub(super) fn finding(evidence: &Evidence) -> Option<Finding> {
    let said = || evidence.said.as_ref();
    let (phase, shown) = match &evidence.failed {
        Some((phase, shown)) => (*phase, shown.clone()),
        None if evidence.logged_in == Some(false) => (Phase::Login, evidence.refuser().to_owned()),
        None => (
            said()?.phase,
            "the error is known, and the other evidence excludes its causes".to_owned(),
        ),
    };
    let cause = PHASES.iter().find(|cause| cause.phase == phase)?;
    let remedy = match phase {
        Phase::Network | Phase::Tls => {
            "openssl s_client {STARTTLS}-connect {HOST}:{PORT}: it shows what answers"
        }
        _ => {
            "seskey verify --user-name {ACCESS_KEY_ID} --region {REGION}: it shows the reply; take user name, password and host anew from one source"
        }
    };
    Some(Finding {
        cause,
        certainty: Certainty::Possible(u8::MAX),
        evidence: shown,
        remedy: evidence.filled(remedy),
    })
}
