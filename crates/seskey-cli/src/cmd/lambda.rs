//! `seskey lambda`: an AWS Lambda function. It takes the four steps of Secrets Manager's rotation, and
//! `{"apply": …}`, which does what is due as `seskey apply` does.
//!
//! Sources: AWS Lambda Developer Guide, "Using the Lambda runtime API"; AWS Secrets Manager User Guide, "Rotation by
//! Lambda function".

mod apply;
mod config;
mod event;
mod metrics;
mod secret;

use std::{
    env,
    time::{Duration, SystemTime},
};

use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;
use seskey_aws::lifecycle::Interrupt;
use tokio::task::spawn_blocking;

use self::event::Event;
use crate::{
    args::Global,
    connect::aws,
    environment::variable,
    exit::Exit,
    explain::{Failure, Result},
    output::Output,
};

pub(crate) fn run(global: &Global, output: &Output) -> Result<Exit> {
    for name in VARIABLES {
        if variable(name).is_none() {
            return Err(Failure::usage(
                format!("${name} is not set: this is not AWS Lambda"),
                "docs/lambda.md shows how to make a function of it; elsewhere it is seskey apply",
            ));
        }
    }
    let (global, output) = (global.clone(), output.clone());
    let handler = service_fn(move |event| one(event, global.clone(), output.clone()));
    aws::block_on(lambda_runtime::run(handler))?.map_err(|error| {
        Failure::new(format!("the runtime API of Lambda: {error}"), "Lambda starts it again")
    })?;
    Ok(Exit::Done)
}

/// Handles one event, on a thread of its own: a panic there fails this event alone.
async fn one(
    event: LambdaEvent<Value>,
    global: Global,
    output: Output,
) -> std::result::Result<Value, Diagnostic> {
    let LambdaEvent { payload, context } = event;
    let handled = spawn_blocking(move || {
        let output = output.of_request(&context.request_id);
        let handled = handle(&payload, &context, &global, &output);
        if let Err(failure) = &handled {
            output.failure(failure, std::iter::empty());
        }
        handled
    });
    let failure = match handled.await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(failure)) => failure,
        Err(_) => Failure::unfinished("it broke off, which is a bug in seskey", "please report it"),
    };
    Err(Diagnostic {
        error_type: format!("{:?}", failure.exit),
        error_message: format!("{} ({})", failure.message, failure.hint),
    })
}

fn handle(payload: &Value, context: &Context, global: &Global, output: &Output) -> Result<Value> {
    let event = Event::parse(payload)?;
    aws::block_on(async {
        let (raise, interrupt) = Interrupt::new();
        let time = TimeLeft::of(context);
        tokio::spawn(async move {
            tokio::time::sleep(time.0.saturating_sub(RESERVE)).await;
            // the receiver is gone when the work is done
            let _ = raise.send(true);
        });
        match event {
            Event::Step(request) => secret::step(&request, time, interrupt, global, output).await,
            Event::Apply(apply) => apply::apply(&apply, interrupt, global, output).await,
        }
    })?
}

/// The time that the function has left.
#[derive(Debug, Clone, Copy)]
struct TimeLeft(Duration);

impl TimeLeft {
    fn of(context: &Context) -> Self {
        let since_1970 = Duration::from_millis(context.deadline);
        // emulators of Lambda send no deadline, or a time without a date: cargo-lambda 600,000
        if since_1970 <= A_DAY {
            return Self(LONGEST);
        }
        let deadline = SystemTime::UNIX_EPOCH + since_1970;
        Self(deadline.duration_since(SystemTime::now()).unwrap_or_default())
    }
}

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest timeout of a function. Source: AWS Lambda Developer Guide, "Lambda quotas" (function timeout).
const LONGEST: Duration = Duration::from_secs(900);

/// The variables that Lambda sets. Source: AWS Lambda Developer Guide, "Defined runtime environment variables".
const VARIABLES: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

/// The time for a call that is under way, and for the answer.
const RESERVE: Duration = Duration::from_secs(5);

/// Returns the name of the function, for its metrics.
fn function_name() -> String {
    env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default()
}
