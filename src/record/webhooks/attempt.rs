//! An attempt and what follows from it: the words for the log, and when to try again.

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::{
    deliveries::Attempt,
    egress::Egress,
    queue::Verdict,
    send::{Answer, Message, send},
};

/// Seconds to wait after each failed attempt but the last, which is more than 76 hours after the first; each is lengthened by up to a fifth.
/// Then the delivery is dead.
const PAUSES: [u32; 30] = {
    let mut pauses = [3 * 3600; 30];
    pauses[0] = 5;
    pauses[1] = 30;
    pauses[2] = 2 * 60;
    pauses[3] = 10 * 60;
    pauses[4] = 3600;
    pauses
};
/// A receiver can ask for a longer pause, up to this.
const LONGEST: u32 = 3 * 3600;

/// An attempt, and what is to become of the delivery.
pub(super) struct Outcome {
    pub(super) attempt: Attempt,
    pub(super) verdict: Verdict,
    /// The receiver says that it is gone for good.
    pub(super) gone: bool,
}

/// Sends, and judges the answer. `failures` is how many attempts failed before.
pub(super) async fn attempt(message: Message, egress: &Egress, at: DateTime<Utc>, failures: i32) -> Outcome {
    let began = Instant::now();
    let answer = send(message, egress).await;
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let error = match &answer {
        Ok(answer) if answer.status.is_success() => None,
        Ok(answer) if answer.status.is_redirection() => Some(format!(
            "the receiver answered {}; redirects are not followed: give the webhook the new address",
            answer.status.as_u16()
        )),
        Ok(answer) => Some(format!("the receiver answered {}; only 2xx takes a delivery", answer.status.as_u16())),
        Err(words) => Some(words.clone()),
    };
    let answer = answer.ok();
    Outcome {
        verdict: if error.is_none() { Verdict::Delivered } else { after_failure(failures, answer.as_ref()) },
        gone: answer.as_ref().is_some_and(|answer| answer.status.as_u16() == 410),
        attempt: Attempt {
            at,
            status: answer.as_ref().map(|answer| answer.status.as_u16()),
            error,
            duration_ms,
            answer: answer.map(|answer| answer.text),
        },
    }
}

fn after_failure(failures: i32, answer: Option<&Answer>) -> Verdict {
    let Some(pause) = usize::try_from(failures).ok().and_then(|failures| PAUSES.get(failures)) else {
        return Verdict::Dead;
    };
    let asked = answer
        .filter(|answer| [429, 503].contains(&answer.status.as_u16()))
        .and_then(|answer| answer.retry_after)
        .map_or(0, |seconds| u32::try_from(seconds).unwrap_or(LONGEST).min(LONGEST));
    Verdict::Again(f64::from(asked.max(*pause)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_for_at_least_72_hours_and_then_dead() {
        assert!(PAUSES.iter().sum::<u32>() >= 72 * 3600);
        assert_eq!(after_failure(0, None), Verdict::Again(5.0));
        assert_eq!(after_failure(29, None), Verdict::Again(10_800.0));
        assert_eq!(after_failure(30, None), Verdict::Dead);
    }

    #[test]
    fn a_receiver_can_ask_for_a_longer_pause_within_bounds() {
        let answer = |status: u16, seconds| Answer {
            status: axum::http::StatusCode::from_u16(status).unwrap(),
            retry_after: Some(seconds),
            text: String::new(),
        };
        assert_eq!(after_failure(0, Some(&answer(503, 60))), Verdict::Again(60.0));
        assert_eq!(after_failure(0, Some(&answer(429, 1))), Verdict::Again(5.0));
        assert_eq!(after_failure(0, Some(&answer(429, u64::MAX))), Verdict::Again(10_800.0));
        assert_eq!(after_failure(0, Some(&answer(500, 60))), Verdict::Again(5.0));
    }
}
