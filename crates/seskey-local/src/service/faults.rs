//! Faults on purpose: what goes wrong with an API call or an SMTP command, and when.
//!
//! The same plan with the same seed goes wrong in the same places of the same sequence of calls.

use std::collections::HashMap;

use jiff::Timestamp;
use rand::{RngExt, SeedableRng, rngs::StdRng};

pub use plan::{ApiFault, Moment, Plan, SmtpFault};

use crate::refusal::Code;
use plan::{Bucket, Rule};

mod plan;

/// A plan, and how far it has come.
#[derive(Debug)]
pub struct Faults {
    plan: Plan,
    rng: StdRng,
    /// How often each action of an API was called, and each command of SMTP was given.
    calls: HashMap<(Wire, String), u64>,
    /// What is left in each bucket of the plan, and since when.
    levels: Vec<(f64, Timestamp)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Wire {
    Api,
    Smtp,
}

impl Default for Faults {
    /// Nothing goes wrong.
    fn default() -> Self {
        Self::new(Plan::default(), Timestamp::UNIX_EPOCH)
    }
}

impl Faults {
    /// From now on things go wrong by this plan: calls are counted anew, and all buckets are full.
    pub fn new(plan: Plan, now: Timestamp) -> Self {
        let levels = plan.rate.iter().map(|bucket| (bucket.burst, now)).collect();
        Self { rng: StdRng::seed_from_u64(plan.seed), plan, calls: HashMap::new(), levels }
    }

    /// The plan that is in force.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What befalls a call of an action such as `CreateUser`. To be asked once for each call.
    pub fn of_call(&mut self, action: &str, now: Timestamp) -> Option<ApiFault> {
        if self.plan.api.is_empty() && self.plan.rate.is_empty() {
            return None;
        }
        let call = count(&mut self.calls, Wire::Api, action);
        let Self { plan, rng, levels, .. } = self;
        // every bucket that the call comes out of is drawn from, so that two rules are two limits
        let mut throttled = false;
        for (bucket, level) in plan.rate.iter().zip(levels) {
            if bucket.action.as_deref().is_none_or(|named| named == action) {
                throttled |= !draw(bucket, level, now);
            }
        }
        if throttled {
            return Some(ApiFault::Refuse(Code::Throttling));
        }
        plan.api.iter().find(|rule| befalls(rule, action, call, rng)).map(|rule| rule.fault)
    }

    /// What befalls a command such as `MAIL`; the end of a message counts as the command `.`, and a new connection as
    /// `CONNECT`. To be asked once for each.
    pub fn of_command(&mut self, command: &str) -> Option<SmtpFault> {
        if self.plan.smtp.is_empty() {
            return None;
        }
        let command = command.to_ascii_uppercase();
        let call = count(&mut self.calls, Wire::Smtp, &command);
        let Self { plan, rng, .. } = self;
        let mut rules = plan.smtp.iter();
        rules.find(|rule| befalls(rule, &command, call, rng)).map(|rule| rule.fault.clone())
    }

    /// Whether a key that flaps is there this time.
    pub fn coin(&mut self) -> bool {
        self.rng.random()
    }
}

/// The number of this call, from 1.
fn count(calls: &mut HashMap<(Wire, String), u64>, wire: Wire, name: &str) -> u64 {
    let calls = calls.entry((wire, name.to_owned())).or_default();
    *calls += 1;
    *calls
}

fn befalls<Fault>(rule: &Rule<Fault>, name: &str, call: u64, rng: &mut StdRng) -> bool {
    rule.name.as_deref().is_none_or(|named| named == name)
        && (rule.calls.is_empty() || rule.calls.iter().any(|wanted| wanted.get() == call))
        && rng.random_bool(rule.probability)
}

/// Takes one call out of a bucket that fills as time goes; `false` if it is empty.
fn draw(bucket: &Bucket, (level, since): &mut (f64, Timestamp), now: Timestamp) -> bool {
    let seconds = now.duration_since(*since).as_secs_f64().max(0.0);
    *level = (*level + seconds * bucket.per_second).min(bucket.burst);
    *since = now;
    let enough = *level >= 1.0;
    if enough {
        *level -= 1.0;
    }
    enough
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(plan: &str) -> Faults {
        Faults::new(Plan::parse(plan).unwrap(), Timestamp::UNIX_EPOCH)
    }

    fn at(seconds: f64) -> Timestamp {
        Timestamp::from_millisecond((seconds * 1000.0) as i64).unwrap()
    }

    #[test]
    fn nothing_goes_wrong_by_itself() {
        let mut none = Faults::default();
        assert_eq!(none.of_call("CreateUser", at(0.0)), None);
        assert_eq!(none.of_command("MAIL"), None);
    }

    #[test]
    fn the_nth_call_of_an_action() {
        let mut faults = faults(
            "[[api]]\naction = \"CreateAccessKey\"\ncalls = [2]\ncut = \"after\"\n\
             [[api]]\ncalls = [3]\nrefuse = \"ServiceFailure\"\n",
        );
        let mut call = |action| faults.of_call(action, at(0.0));
        assert_eq!(call("CreateAccessKey"), None);
        assert_eq!(call("CreateUser"), None);
        assert_eq!(call("CreateAccessKey"), Some(ApiFault::Cut(Moment::After)));
        assert_eq!(call("CreateAccessKey"), Some(ApiFault::Refuse(Code::ServiceFailure)));
        assert_eq!(call("CreateAccessKey"), None);
    }

    #[test]
    fn a_bucket_is_emptied_and_fills_again() {
        let mut faults = faults("[[rate]]\nper-second = 2\nburst = 3\n");
        let mut calls = |second, count| -> usize {
            (0..count).filter(|_| faults.of_call("GetUser", at(second)).is_none()).count()
        };
        assert_eq!(calls(0.0, 5), 3);
        assert_eq!(calls(1.0, 5), 2);
        assert_eq!(calls(1.4, 5), 0);
        assert_eq!(calls(1.5, 5), 1);
        assert_eq!(calls(100.0, 5), 3);
        assert_eq!(calls(99.0, 5), 0, "a clock that goes back fills nothing");
    }

    #[test]
    fn each_bucket_is_a_limit_of_its_own() {
        let mut faults = faults(
            "[[rate]]\nper-second = 1\nburst = 2\n\
             [[rate]]\naction = \"CreateUser\"\nper-second = 1\nburst = 1\n",
        );
        let throttled = Some(ApiFault::Refuse(Code::Throttling));
        assert_eq!(faults.of_call("CreateUser", at(0.0)), None);
        assert_eq!(faults.of_call("CreateUser", at(0.0)), throttled);
        assert_eq!(faults.of_call("GetUser", at(0.0)), throttled);
    }

    #[test]
    fn the_same_seed_is_the_same_chance() {
        let plan =
            |seed| format!("seed = {seed}\n[[smtp]]\nprobability = 0.5\ndrop = \"before\"\n");
        let run = |seed| -> Vec<bool> {
            let mut faults = faults(&plan(seed));
            (0..64).map(|_| faults.of_command("mail").is_some()).collect()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        assert!((16..48).contains(&run(1).iter().filter(|&&wrong| wrong).count()));
    }
}
