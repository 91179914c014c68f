//! Points put together: of an area, and of the whole.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::nouns::readiness::framework_parts::FrameworkTier;

/// What an indicator counts.
#[derive(Debug, Clone, Default)]
pub(in crate::reports) struct Counted {
    /// Its most points; none where the framework gives it none.
    pub(in crate::reports) most: Option<Decimal>,
    pub(in crate::reports) is_answered: bool,
    pub(in crate::reports) claimed: Decimal,
    pub(in crate::reports) proven: Decimal,
    /// Met in full, of one without points.
    pub(in crate::reports) is_met: bool,
    /// The same, proven.
    pub(in crate::reports) is_met_proven: bool,
}

impl Counted {
    /// Whether all that it gives is claimed, and proven.
    pub(in crate::reports) fn in_full(&self) -> (bool, bool) {
        match self.most {
            Some(most) => (self.is_answered && self.claimed >= most, self.is_answered && self.proven >= most),
            None => (self.is_met, self.is_met_proven),
        }
    }
}

/// A sum of indicators.
#[derive(Debug, Clone, Default)]
pub(in crate::reports) struct Tally {
    pub(in crate::reports) indicators: i64,
    pub(in crate::reports) answered: i64,
    pub(in crate::reports) unscored: i64,
    pub(in crate::reports) claimed_in_full: i64,
    pub(in crate::reports) proven_in_full: i64,
    pub(in crate::reports) most: Decimal,
    pub(in crate::reports) claimed: Decimal,
    pub(in crate::reports) proven: Decimal,
}

impl Tally {
    pub(in crate::reports) fn add(&mut self, counted: &Counted) {
        let (claimed, proven) = counted.in_full();
        self.indicators += 1;
        self.answered += i64::from(counted.is_answered);
        self.unscored += i64::from(counted.most.is_none());
        self.claimed_in_full += i64::from(claimed);
        self.proven_in_full += i64::from(proven);
        self.most += counted.most.unwrap_or_default();
        self.claimed += counted.claimed;
        self.proven += counted.proven;
    }

    pub(in crate::reports) fn join(&mut self, other: &Self) {
        self.indicators += other.indicators;
        self.answered += other.answered;
        self.unscored += other.unscored;
        self.claimed_in_full += other.claimed_in_full;
        self.proven_in_full += other.proven_in_full;
        self.most += other.most;
        self.claimed += other.claimed;
        self.proven += other.proven;
    }

    /// The percentages claimed and proven; none where there are no points.
    pub(in crate::reports) fn shares(&self) -> Option<(Decimal, Decimal)> {
        let of = |points: Decimal| (points * Decimal::ONE_HUNDRED).checked_div(self.most);
        Some((of(self.claimed)?, of(self.proven)?))
    }
}

/// The percentages of the whole: by the weights of the areas where there are any, else by points. An area without points weighs nothing.
pub(in crate::reports) fn shares_of_all(
    areas: &[(Option<Decimal>, Tally)],
    whole: &Tally,
) -> Option<(Decimal, Decimal)> {
    if areas.iter().all(|(weight, _)| weight.is_none()) {
        return whole.shares();
    }
    let (mut weights, mut claimed, mut proven) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
    for (weight, tally) in areas {
        let (Some(weight), Some(shares)) = (weight, tally.shares()) else { continue };
        weights += weight;
        claimed += weight * shares.0;
        proven += weight * shares.1;
    }
    Some((claimed.checked_div(weights)?, proven.checked_div(weights)?))
}

/// A percentage as it is shown: two decimals.
pub(in crate::reports) fn shown(percent: Decimal) -> String {
    format!("{:.2}", percent.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero))
}

/// Points as they are shown.
pub(in crate::reports) fn points(points: Decimal) -> String {
    points.normalize().to_string()
}

/// What a percentage is called.
pub(in crate::reports) fn tier(tiers: &[FrameworkTier], percent: Decimal) -> Option<String> {
    let reached = tiers.iter().rev().find(|tier| tier.from_percent.number() <= percent);
    reached.map(|tier| tier.code.0.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(weight: Option<i64>, most: i64, proven: i64) -> (Option<Decimal>, Tally) {
        let tally = Tally { most: most.into(), claimed: most.into(), proven: proven.into(), ..Tally::default() };
        (weight.map(Decimal::from), tally)
    }

    #[test]
    fn weights_decide_where_there_are_any() {
        let whole = |areas: &[(Option<Decimal>, Tally)]| {
            let mut whole = Tally::default();
            for (_, tally) in areas {
                whole.join(tally);
            }
            shares_of_all(areas, &whole).map(|(_, proven)| shown(proven))
        };
        assert_eq!(whole(&[area(None, 3, 3), area(None, 6, 0)]).unwrap(), "33.33");
        assert_eq!(whole(&[area(Some(1), 3, 3), area(Some(1), 6, 0)]).unwrap(), "50.00");
        assert_eq!(whole(&[area(Some(1), 3, 3), area(Some(9), 0, 0)]).unwrap(), "100.00");
        assert_eq!(whole(&[area(None, 0, 0)]), None);
    }
}
