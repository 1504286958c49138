//! A policy decision in a form that outlives the policies, which may change before it is read.

use serde_json::Value;
use seskey::policy::{Decision, MissingAllow, PolicySource, StatementRef};

use super::authority::Bearing;
use crate::mailbox::{Statement, Verdict};

/// Returns the verdict of a decision by these policies, if it does not allow.
pub(super) fn verdict(policies: &[Bearing<'_>], decision: Decision<'_>) -> Option<Verdict> {
    Some(match decision {
        Decision::Allowed { .. } => return None,
        Decision::ExplicitDeny { by } => Verdict::ExplicitDeny { by: statement(policies, by) },
        Decision::ImplicitDeny { missing: MissingAllow::IdentityPolicy } => {
            let names = policies.iter().map(|(source, _)| source.to_string());
            Verdict::ImplicitDeny { policies: names.take(MAX_POLICIES).collect() }
        }
        Decision::ImplicitDeny { missing: MissingAllow::Boundary { source, allowed_by } } => {
            let allowed_by = statement(policies, allowed_by);
            Verdict::Bounded { boundary: source.to_string(), allowed_by }
        }
    })
}

/// The most policies in a verdict: more than a user and its groups have in nearly every account.
const MAX_POLICIES: usize = 50;

fn statement(policies: &[Bearing<'_>], by: StatementRef<'_>) -> Statement {
    let StatementRef { source, index, sid } = by;
    Statement {
        policy: source.to_string(),
        number: index + 1,
        sid: sid.map(str::to_owned),
        text: text(policies, source, index).unwrap_or_default(),
    }
}

/// Returns the statement as it stands in its document, where a single one needs no list.
fn text(policies: &[Bearing<'_>], source: &PolicySource, index: usize) -> Option<String> {
    let (_, document) = policies.iter().find(|(there, _)| *there == source)?;
    let document: Value = serde_json::from_str(&document.text).ok()?;
    let statements = document.get("Statement")?;
    let statement = statements.get(index).or_else(|| (index == 0).then_some(statements))?;
    serde_json::to_string_pretty(statement).ok()
}
