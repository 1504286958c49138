//! Room for the notes among the tags of a user.

use super::{HAND_OVER_TAG, INTENT_TAG, RETIRED_TAG};
use crate::user::REGION_TAG;

/// The number of tags that a user can have. Source: IAM User Guide, "IAM and AWS STS quotas".
pub const TAGS_PER_USER: usize = 50;

/// Returns the number of these tags that must go to make room for every note of a rotation, and for the region.
pub fn tags_too_many<'a>(keys: impl IntoIterator<Item = &'a str>) -> usize {
    let others = keys.into_iter().filter(|key| !OWN.contains(key)).count();
    (others + OWN.len()).saturating_sub(TAGS_PER_USER)
}

const OWN: [&str; 4] = [INTENT_TAG, HAND_OVER_TAG, RETIRED_TAG, REGION_TAG];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_need_no_other_room() {
        let many: Vec<String> = (0..TAGS_PER_USER).map(|number| format!("tag-{number}")).collect();
        for (others, own, too_many) in
            [(0, &[][..], 0), (46, &[], 0), (46, &OWN[..], 0), (47, &OWN[1..], 1), (50, &[], 4)]
        {
            let keys = many[..others].iter().map(String::as_str).chain(own.iter().copied());
            assert_eq!(tags_too_many(keys), too_many, "{others}");
        }
    }
}
