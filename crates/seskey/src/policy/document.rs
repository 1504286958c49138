//! A parsed policy document.

use super::{
    condition::{Condition, any, satisfies},
    context::{Context, Known, Request},
    pattern::{Pattern, exact, ignoring_case},
    principal::{Meant, Principal},
};

/// A policy that AWS would store: an identity-based policy, made by [`Policy::parse`] or [`Policy::parse_managed`], or
/// a policy of a resource, made by [`Policy::parse_resource`].
#[derive(Debug, Clone)]
pub struct Policy {
    pub(super) version: Version,
    pub(super) statements: Vec<Statement>,
}

/// The version of the policy language. Source: IAM User Guide, "IAM JSON policy elements: Version".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, also the default if `Version` is absent: `${…}` is text.
    V2008,
    /// `2012-10-17`: with policy variables.
    V2012,
}

/// The effect of a statement that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum Effect {
    Allow,
    Deny,
}

/// One statement of a policy.
#[derive(Debug, Clone)]
pub struct Statement {
    pub(super) sid: Option<String>,
    pub(super) effect: Effect,
    /// The principals; absent in an identity-based policy.
    pub(super) principals: Option<Vec<Principal>>,
    pub(super) actions: Selection,
    pub(super) resources: Selection,
    pub(super) conditions: Vec<Condition>,
}

/// `Action` or `Resource`; with `excluding`, `NotAction` or `NotResource`.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    pub(super) excluding: bool,
    pub(super) patterns: Vec<Pattern>,
}

impl Policy {
    /// Returns the version of its language.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Returns the statements in the order of the document, at least one.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Whether a statement allows the action on some resource, under any conditions.
    pub fn may_allow(&self, action: &str) -> bool {
        self.of_effect(Effect::Allow).any(|statement| statement.is_about(action))
    }

    /// Whether a statement denies the action on some resource, under any conditions.
    pub fn may_deny(&self, action: &str) -> bool {
        self.of_effect(Effect::Deny).any(|statement| statement.is_about(action))
    }

    /// Whether a statement allows the action on every resource, without conditions. Only `*` counts as every resource:
    /// an ARN of wildcards is not examined.
    pub fn allows_everywhere(&self, action: &str) -> bool {
        let everywhere = |statement: &Statement| {
            statement.conditions.is_empty()
                && !statement.resources.excluding
                && statement.resources.patterns.iter().any(Pattern::is_everything)
        };
        self.of_effect(Effect::Allow)
            .any(|statement| statement.is_about(action) && everywhere(statement))
    }

    /// Returns the first statement that denies the action on the resource in any request, with its place. A resource
    /// with wildcards stands for all that they match.
    pub fn denies_always(&self, action: &str, resource: &str) -> Option<(usize, &Statement)> {
        let always = |(_, Statement { effect, resources, conditions, .. }): &(_, &Statement)| {
            *effect == Effect::Deny
                && conditions.is_empty()
                && !resources.excluding
                && resources.selects(resource, exact, &Context::new(), Effect::Allow)
        };
        let mut statements = self.statements.iter().enumerate().filter(always);
        statements.find(|(_, statement)| statement.is_about(action))
    }

    /// Returns the keys, in lower case, of the conditions under which a statement allows the action on the resource.
    pub fn conditions_of(&self, action: &str, resource: &str) -> impl Iterator<Item = &str> {
        let matching = move |statement: &&Statement| {
            let Statement { resources, effect, .. } = statement;
            statement.is_about(action)
                && resources.selects(resource, exact, &Context::new(), *effect)
        };
        let allowing = self.of_effect(Effect::Allow).filter(matching);
        allowing.flat_map(|statement| statement.conditions.iter().map(|it| it.key.as_str()))
    }

    /// Whether no statement allows another action.
    pub fn allows_nothing_but(&self, action: &str) -> bool {
        self.allows_none_but(&[action])
    }

    /// Whether no statement allows other actions than these.
    pub fn allows_none_but(&self, actions: &[&str]) -> bool {
        let is_one =
            |pattern: &Pattern| actions.iter().any(|action| pattern.is_text(action, ignoring_case));
        self.of_effect(Effect::Allow).all(|Statement { actions, .. }| {
            !actions.excluding && actions.patterns.iter().all(is_one)
        })
    }

    /// Whether a statement allows the action, on some resource and under any conditions, but not the other one.
    pub fn may_allow_without(&self, action: &str, other: &str) -> bool {
        self.of_effect(Effect::Allow)
            .any(|statement| statement.is_about(action) && !statement.is_about(other))
    }

    fn of_effect(&self, effect: Effect) -> impl Iterator<Item = &Statement> {
        self.statements.iter().filter(move |statement| statement.effect == effect)
    }
}

impl Statement {
    /// Returns the statement ID, if it has one.
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// Returns its effect.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    fn is_about(&self, action: &str) -> bool {
        self.actions.selects(action, ignoring_case, &Context::new(), self.effect)
    }

    /// Returns the way in which it names the requester, if it does: an identity-based policy names its holder in
    /// person.
    pub(super) fn meant(&self, context: Known<'_>) -> Option<Meant> {
        match &self.principals {
            None => Some(Meant::InPerson),
            Some(principals) => principals.iter().filter_map(|p| p.means(context)).max(),
        }
    }

    /// Whether action, resource and conditions all match, so that the effect applies.
    pub(super) fn applies(&self, request: &Request<'_>) -> bool {
        let Request { action, resource, context } = *request;
        self.actions.selects(action, ignoring_case, context, self.effect)
            && self.resources.selects(resource, exact, context, self.effect)
            && self.conditions.iter().all(|condition| condition.holds(context, self.effect))
    }
}

impl Selection {
    fn selects(
        &self,
        text: &str,
        same: fn(char, char) -> bool,
        context: Known<'_>,
        effect: Effect,
    ) -> bool {
        let matched =
            any(self.patterns.iter().map(|pattern| pattern.matches(text, same, context).ok()));
        satisfies(matched, self.excluding, effect)
    }
}

/// Returns the size of a policy document as the quotas count it: its characters without white space. The quota is 2,048
/// for the inline policies of a user, 5,120 for a group's (all its policies together), and 6,144 for a managed policy.
/// Source: IAM User Guide, "IAM and AWS STS quotas".
pub fn counted_size(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}
