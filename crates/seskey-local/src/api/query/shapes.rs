//! The forms of the parameters. Source: botocore 1.44.5, `iam/2010-05-08/service-2.json`; the words for names, paths
//! and access key IDs are those that IAM was seen to use.

use crate::refusal::Constraint;

/// The form of a text.
pub(crate) struct Shape {
    min: usize,
    max: usize,
    otherwise: Constraint,
    matches: fn(&str) -> bool,
}

impl Shape {
    /// Returns the first constraint that the text violates, if any.
    pub(crate) fn violation(&self, text: &str) -> Option<Constraint> {
        match text.chars().count() {
            length if length < self.min => Some(Constraint::MinLength(self.min)),
            length if length > self.max => Some(Constraint::MaxLength(self.max)),
            _ => (!(self.matches)(text)).then_some(self.otherwise),
        }
    }
}

pub(crate) const USER_NAME: Shape = name(64);
pub(crate) const EXISTING_USER_NAME: Shape = name(128);
pub(crate) const GROUP_NAME: Shape = name(128);
pub(crate) const ROLE_NAME: Shape = name(64);
pub(crate) const POLICY_NAME: Shape = name(128);
pub(crate) const ROLE_SESSION_NAME: Shape =
    Shape { min: 2, otherwise: Constraint::Pattern(r"[\w+=,.@-]*"), ..name(64) };

pub(crate) const PATH: Shape = Shape {
    min: 1,
    max: 512,
    otherwise: Constraint::Form(
        "It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    ),
    matches: |text| text == "/" || is_path(text, |c| c.is_ascii_graphic()),
};
pub(crate) const POLICY_PATH: Shape = Shape {
    min: 1,
    max: 512,
    otherwise: Constraint::Form(
        "It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    ),
    matches: |text| {
        text == "/" || (is_path(text, |c| c == '/' || is_name(c)) && !text.contains("//"))
    },
};
pub(crate) const PATH_PREFIX: Shape = Shape {
    min: 1,
    max: 512,
    otherwise: PREFIX_FORM,
    matches: |text| text.starts_with('/') && text.chars().all(|c| ('!'..='\u{7f}').contains(&c)),
};
/// A prefix of the paths of managed policies.
pub(crate) const POLICY_PATH_PREFIX: Shape = Shape { otherwise: PREFIX_FORM, ..POLICY_PATH };
pub(crate) const ACCESS_KEY_ID: Shape = Shape {
    min: 16,
    max: 128,
    otherwise: Constraint::Form("It must contain only alphanumeric characters."),
    matches: |text| text.chars().all(is_word),
};
pub(crate) const CREDENTIAL_ID: Shape =
    Shape { min: 20, otherwise: Constraint::Pattern(r"[\w]+"), ..ACCESS_KEY_ID };
pub(crate) const EXTERNAL_ID: Shape = Shape {
    min: 2,
    max: 1224,
    otherwise: Constraint::Pattern(r"[\w+=,.@:\/-]*"),
    matches: |text| text.chars().all(|c| is_name(c) || ":/".contains(c)),
};
pub(crate) const SERVICE_NAME: Shape =
    Shape { min: 1, max: 128, otherwise: Constraint::Pattern(".*"), matches: |_| true };
pub(crate) const ENTITY_TYPE: Shape =
    Shape { min: 1, max: 128, otherwise: Constraint::Pattern(".*"), matches: |_| true };
pub(crate) const ARN: Shape =
    Shape { min: 20, max: 2048, otherwise: Constraint::Pattern(".*"), matches: |_| true };
pub(crate) const RESOURCE_NAME: Shape =
    Shape { min: 1, max: 2048, otherwise: Constraint::Pattern(".*"), matches: |_| true };
pub(crate) const ACTION_NAME: Shape =
    Shape { min: 3, max: 128, otherwise: Constraint::Pattern(".*"), matches: |_| true };
pub(crate) const CONTEXT_VALUE: Shape =
    Shape { min: 0, max: 2048, otherwise: Constraint::Pattern(".*"), matches: |_| true };
pub(crate) const CONTEXT_KEY_NAME: Shape =
    Shape { min: 5, max: 256, otherwise: Constraint::Pattern(".*"), matches: |_| true };
pub(crate) const POLICY_DOCUMENT: Shape = Shape {
    min: 1,
    max: 131_072,
    otherwise: Constraint::Pattern(r"[\u0009\u000A\u000D\u0020-\u00FF]+"),
    matches: |text| text.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}')),
};
pub(crate) const PASSWORD: Shape = Shape { max: 128, ..POLICY_DOCUMENT };
pub(crate) const ROLE_DESCRIPTION: Shape = Shape {
    min: 0,
    max: 1000,
    otherwise: Constraint::Pattern(r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*"),
    matches: |text| {
        (POLICY_DOCUMENT.matches)(text) && !text.contains(|c| ('\u{7f}'..='\u{a0}').contains(&c))
    },
};
pub(crate) const POLICY_DESCRIPTION: Shape =
    Shape { min: 0, max: 1000, otherwise: Constraint::Pattern(".*"), matches: |_| true };
pub(crate) const POLICY_VERSION_ID: Shape = Shape {
    min: 1,
    max: 128,
    otherwise: Constraint::Pattern(r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?"),
    matches: |text| {
        text.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c| ('1'..='9').contains(&c)))
    },
};
pub(crate) const TAG_KEY: Shape = Shape {
    min: 1,
    max: 128,
    otherwise: Constraint::Pattern(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+"),
    matches: |text| text.chars().all(is_tag),
};
pub(crate) const TAG_VALUE: Shape = Shape {
    min: 0,
    max: 256,
    otherwise: Constraint::Pattern(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"),
    matches: |text| text.chars().all(is_tag),
};

const fn name(max: usize) -> Shape {
    Shape {
        min: 1,
        max,
        otherwise: Constraint::Form(
            "It must contain only alphanumeric characters and/or the following: +=,.@_-",
        ),
        matches: |text| text.chars().all(is_name),
    }
}

const PREFIX_FORM: Constraint = Constraint::Form(
    "It must begin with the / character and contain only alphanumeric characters and/or / characters.",
);

fn is_path(text: &str, inner: fn(char) -> bool) -> bool {
    text.len() > 2 && text.starts_with('/') && text.ends_with('/') && text.chars().all(inner)
}

fn is_name(c: char) -> bool {
    is_word(c) || "+=,.@-".contains(c)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether a tag may have it: letters and numbers of any script, blanks that are not control characters, and a few
/// signs.
fn is_tag(c: char) -> bool {
    c.is_alphanumeric() || "_.:/=+-@".contains(c) || (c.is_whitespace() && !c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_but_legal_and_not_legal() {
        for (shape, good, bad) in [
            (&USER_NAME, vec!["=+,.@-_", "a", "0"], vec!["", "a b", "a/b", "é", "a\n", "a:b"]),
            (
                &PATH,
                vec!["/", "/a/", "/system/mail/", "///", "/~!/"],
                vec!["", "a", "/a", "a/", "//", "/a b/", "/é/"],
            ),
            (&POLICY_PATH, vec!["/", "/a/", "/a-1/b_2/"], vec!["", "//", "/a", "/a//b/", "/a:b/"]),
            (&PATH_PREFIX, vec!["/", "/sys", "/sys/\u{7f}"], vec!["", "sys", "/a b"]),
            (
                &ACCESS_KEY_ID,
                vec!["AKIAIOSFODNN7EXAMPLE"],
                vec!["AKIA", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"],
            ),
            (
                &TAG_KEY,
                vec!["seskey:region", "Größe", "日本 語"],
                vec!["", "a\tb", "a*b", "a\u{0}"],
            ),
            (&TAG_VALUE, vec!["", "a=b+c@d/e"], vec!["a;b", "a\r"]),
            (&POLICY_VERSION_ID, vec!["v1", "v10"], vec!["", "1", "v0", "v"]),
        ] {
            good.iter().for_each(|text| assert_eq!(shape.violation(text), None, "{text:?}"));
            bad.iter().for_each(|text| assert_ne!(shape.violation(text), None, "{text:?}"));
        }
        assert_eq!(USER_NAME.violation(&"x".repeat(64)), None);
        assert_eq!(USER_NAME.violation(&"x".repeat(65)), Some(Constraint::MaxLength(64)));
    }
}
