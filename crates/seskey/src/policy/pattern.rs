//! The patterns of a policy, with wildcards and policy variables, which texts of the request are matched against.

use std::{borrow::Cow, mem};

use super::context::{Known, values_of};

/// Text, wildcards (`*`, `?`) and policy variables (`${aws:username}`), parsed once.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Text(Vec<Token>),
    Variable {
        key: String,
        default: Option<String>,
    },
    /// A variable in a place where none is replaced.
    NoValue,
}

/// A character of the request's text, any one character, or any number of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Char(char),
    AnyChar,
    AnyText,
}

impl Token {
    fn of(c: char) -> Self {
        match c {
            '*' => Self::AnyText,
            '?' => Self::AnyChar,
            c => Self::Char(c),
        }
    }
}

impl Pattern {
    /// Parses a pattern. Without `wildcards` or `variables`, their signs are plain text.
    /// Source: IAM User Guide, "IAM policy elements: Variables and tags".
    pub(super) fn parse(text: &str, wildcards: bool, variables: bool) -> Self {
        let token = if wildcards { Token::of } else { Token::Char };
        let mut pieces = Vec::new();
        let mut tokens = Vec::new();
        let mut rest = text;
        while variables && let Some((before, name, after)) = split_at_variable(rest) {
            tokens.extend(before.chars().map(token));
            match name {
                "*" | "?" | "$" => tokens.extend(name.chars().map(Token::Char)),
                _ => pieces.extend([Piece::Text(mem::take(&mut tokens)), variable(name)]),
            }
            rest = after;
        }
        tokens.extend(rest.chars().map(token));
        pieces.push(Piece::Text(tokens));
        Self(pieces)
    }

    /// Makes a pattern with a variable that never has a value.
    pub(super) fn without_value() -> Self {
        Self(vec![Piece::NoValue])
    }

    /// Whether the text matches.
    pub(super) fn matches(
        &self,
        text: &str,
        same: fn(char, char) -> bool,
        context: Known<'_>,
    ) -> Result<bool, Unresolved> {
        Ok(matches(&self.resolve(context)?, text, same))
    }

    /// Whether it is `*`, which matches any text.
    pub(super) fn is_everything(&self) -> bool {
        matches!(self.0.as_slice(), [Piece::Text(tokens)] if *tokens == [Token::AnyText])
    }

    /// Whether it matches this text and no other, apart from characters that `same` takes for equal.
    pub(super) fn is_text(&self, text: &str, same: fn(char, char) -> bool) -> bool {
        let [Piece::Text(tokens)] = self.0.as_slice() else { return false };
        tokens.iter().all(|token| matches!(token, Token::Char(_))) && matches(tokens, text, same)
    }

    /// Returns the pattern with the values of its variables. A wildcard sign in a value is plain text.
    pub(super) fn resolve(&self, context: Known<'_>) -> Result<Cow<'_, [Token]>, Unresolved> {
        if let [Piece::Text(tokens)] = self.0.as_slice() {
            return Ok(Cow::Borrowed(tokens));
        }
        let mut tokens = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => tokens.extend_from_slice(text),
                Piece::NoValue => return Err(Unresolved::NoValue),
                Piece::Variable { key, default } => {
                    let value = match (values_of(context, key), default) {
                        ([value], _) | (_, Some(value)) => value,
                        ([], None) => return Err(Unresolved::NoValue),
                        (_, None) => return Err(Unresolved::Unusable),
                    };
                    tokens.extend(value.chars().map(Token::Char));
                }
            }
            if tokens.len() > LONGEST {
                return Err(Unresolved::Unusable);
            }
        }
        Ok(Cow::Owned(tokens))
    }
}

/// The reason why a pattern with variables has no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unresolved {
    /// A variable has no value and no default.
    NoValue,
    /// A variable has several values and no default, or the pattern is too long with its values.
    Unusable,
}

/// No text that IAM knows is longer: a longer pattern matches nothing. Variables with long values could fill the
/// memory.
const LONGEST: usize = 65_536;

/// Whether the whole text matches, in time of at most the product of both lengths and without recursion.
pub(super) fn matches(pattern: &[Token], text: &str, same: fn(char, char) -> bool) -> bool {
    let mut at = 0;
    let mut rest = text.chars();
    // for the last `*`: the pattern that follows it, and the text that it has not taken yet
    let mut star = None;
    loop {
        let mut after = rest.clone();
        let fits = match (pattern.get(at), after.next()) {
            (Some(Token::AnyText), _) => {
                at += 1;
                star = Some((at, rest.clone()));
                continue;
            }
            (None, None) => return true,
            (Some(Token::AnyChar), Some(_)) => true,
            (Some(Token::Char(wanted)), Some(given)) => same(*wanted, given),
            _ => false,
        };
        if fits {
            at += 1;
            rest = after;
        } else {
            let Some((resume, untaken)) = &mut star else { return false };
            if untaken.next().is_none() {
                return false;
            }
            at = *resume;
            rest = untaken.clone();
        }
    }
}

/// Whether a text matches a pattern, character for character: `*` is any text, `?` any one character.
/// Source: IAM User Guide, "IAM JSON policy elements: Condition operators", `StringLike`.
pub fn is_like(text: &str, pattern: &str) -> bool {
    let tokens: Vec<_> = pattern.chars().map(Token::of).collect();
    matches(&tokens, text, exact)
}

/// Whether both characters are equal.
pub(super) fn exact(a: char, b: char) -> bool {
    a == b
}

/// Whether both characters are equal, ignoring case.
pub(super) fn ignoring_case(a: char, b: char) -> bool {
    a == b || a.to_lowercase().eq(b.to_lowercase())
}

/// Splits `before${name}after`; a `${` that is never closed is text.
fn split_at_variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// Reads `key`, or `key, 'default'`.
fn variable(name: &str) -> Piece {
    let quoted = |text: &str| Some(text.trim().strip_prefix('\'')?.strip_suffix('\'')?.to_owned());
    let (key, default) = match name.split_once(',') {
        Some((key, default)) if quoted(default).is_some() => (key.trim(), quoted(default)),
        _ => (name, None),
    };
    Piece::Variable { key: key.to_ascii_lowercase(), default }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::Context, *};

    fn glob(pattern: &str, text: &str) -> bool {
        is_like(text, pattern)
    }

    /// The definition, at exponential cost.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => {
                naive(rest, text) || (!text.is_empty() && naive(pattern, &text[1..]))
            }
            (['?', rest @ ..], [_, after @ ..]) => naive(rest, after),
            ([p, rest @ ..], [t, after @ ..]) => p == t && naive(rest, after),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matches_as_defined(pattern in "[ab*?]{0,8}", text in "[abé]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(glob(&pattern, &text), naive(&chars(&pattern), &chars(&text)));
        }

        #[test]
        fn what_a_variable_gives_is_text(value in ".*") {
            let context = Context::new().with("k", [value.as_str()]);
            let pattern = Pattern::parse("<${k}>", true, true);
            let text = format!("<{value}>");
            prop_assert_eq!(pattern.matches(&text, exact, &context), Ok(true));
            prop_assert_eq!(pattern.matches(&format!("{text}x"), exact, &context), Ok(false));
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        assert!(!glob(&("*a".repeat(50) + "b"), &"a".repeat(2000)));
    }

    #[test]
    fn variables_are_resolved() {
        let context = Context::new()
            .with("aws:username", ["jane"])
            .with("many", ["a", "b"])
            .with("star", ["*"]);
        for (pattern, text, expected) in [
            ("${aws:username}", "jane", Ok(true)),
            ("${AWS:UserName}!", "jane!", Ok(true)),
            ("${aws:username}", "${aws:username}", Ok(false)),
            ("${absent}", "", Err(Unresolved::NoValue)),
            ("${absent, 'x y'}", "x y", Ok(true)),
            ("${aws:username,'x'}", "jane", Ok(true)),
            ("${many}", "a", Err(Unresolved::Unusable)),
            ("${many, 'c'}", "c", Ok(true)),
            ("${star}", "anything", Ok(false)),
            ("${*}${?}${$}", "*?$", Ok(true)),
            ("${*}", "a", Ok(false)),
            ("${unclosed", "${unclosed", Ok(true)),
            ("$${aws:username}", "$jane", Ok(true)),
            ("", "", Ok(true)),
        ] {
            assert_eq!(
                Pattern::parse(pattern, true, true).matches(text, exact, &context),
                expected,
                "{pattern}"
            );
        }
    }
}
