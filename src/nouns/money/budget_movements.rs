//! Budget movements: how the money of an allocation is allotted, committed and paid. They are only added to; what is wrong is reversed.
//!
//! The ceilings between the stages, and the rules about other movements, are judged by the database (migration 0015), under any interleaving
//! of writers. Here stand the rules of a movement by itself. `docs/reference/money.md` has both.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{budget_allocations::BudgetAllocationId, cost};
use crate::{
    base::values::{Classification, ExternalId, Id, Money, Text},
    nouns::plan::{initiatives::InitiativeId, legal_acts::LegalActId},
    repository::{Author, Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// What happens to the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum MovementKind {
    /// A part of the appropriation is released for use.
    Allotment,
    /// A contract or an order binds a part of what is allotted.
    Commitment,
    /// What was committed is delivered, and the claim is right.
    Verification,
    /// Someone with authority orders that it be paid.
    PaymentOrder,
    /// It is paid.
    Payment,
    /// What is allotted and not committed, or a part of it, is given back.
    Deallotment,
    /// A commitment, or a part of it, is given up.
    Decommitment,
    /// A payment, or a part of it, comes back.
    Reimbursement,
    /// Appropriation goes to another allocation of the same fiscal year.
    Virement,
    /// Appropriation goes to an allocation of a later fiscal year.
    CarryForward,
    /// The appropriation itself is changed, by an act or with a reason.
    Revision,
    /// A movement is taken back as a whole.
    Reversal,
}

impl MovementKind {
    /// Whether it has two halves, on two allocations.
    fn is_transfer(self) -> bool {
        matches!(self, Self::Virement | Self::CarryForward)
    }

    /// Whether it can follow another movement.
    fn follows(self) -> bool {
        !self.is_transfer() && !matches!(self, Self::Allotment | Self::Revision | Self::Reversal)
    }
}

/// Which way an appropriation is revised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = RevisionDirection)]
pub enum Direction {
    /// More than before.
    Increase,
    /// Less than before.
    Decrease,
}

/// An entry in the ledger of an allocation. It is never changed and never deleted: a reversal takes it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct BudgetMovement {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The allocation whose money moves; its phase is `appropriation`.
    pub allocation_id: BudgetAllocationId,
    /// What happens to the money.
    pub kind: MovementKind,
    /// How much, in the currency of the allocation; more than zero.
    #[sqlx(flatten)]
    pub money: Money,
    /// The day on which it happened, until today, in the fiscal year of the allocation; a commitment may be earlier.
    pub dated_on: NaiveDate,
    /// The day that counts for the bank, where it is another.
    pub value_on: Option<NaiveDate>,
    /// For a revision: whether the appropriation grows or shrinks.
    pub direction: Option<Direction>,
    /// The movement that this one carries on: of a payment the payment order, and it must be named; of a payment order the verification, of
    /// a verification or decommitment the commitment, of a commitment or deallotment the allotment, of a reimbursement the payment.
    pub follows_id: Option<BudgetMovementId>,
    /// For a reversal: the movement that it takes back, as a whole.
    pub reverses_id: Option<BudgetMovementId>,
    /// For a virement or carry-forward: the allocation to which the money goes.
    pub to_allocation_id: Option<BudgetAllocationId>,
    /// In the other half of a virement or carry-forward, which the service makes: the allocation from which the money comes. Not to be posted.
    pub from_allocation_id: Option<BudgetAllocationId>,
    /// The other half of a virement or carry-forward. Made by the service, not to be posted.
    pub counterpart_id: Option<BudgetMovementId>,
    /// Who receives or returns the money, as written.
    #[schema(min_length = 1, max_length = 300)]
    pub counterparty: Option<String>,
    /// The number of the document, such as a contract or an order, as written.
    #[schema(min_length = 1, max_length = 100)]
    pub reference: Option<String>,
    /// The act on which it rests; a revision has one, or a reason.
    pub legal_act_id: Option<LegalActId>,
    /// Remarks.
    #[sqlx(json(nullable))]
    pub note: Option<Text>,
    /// The principal who recorded it, such as `key:5f1c09d2ab34`. Made by the service, not to be posted; null for what came with a plan file
    /// that does not say.
    #[schema(max_length = 300)]
    pub recorded_by: Option<String>,
}

/// The id of a budget movement.
pub type BudgetMovementId = Id<BudgetMovement>;

/// Which budget movements.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = BudgetMovementFilter)]
pub struct Filter {
    /// On one of these allocations.
    pub allocation_id: Vec<BudgetAllocationId>,
    /// On an allocation of one of these initiatives itself.
    pub initiative_id: Vec<InitiativeId>,
    /// Of one of these kinds.
    pub kind: Vec<MovementKind>,
    /// That carry on one of these.
    pub follows_id: Vec<BudgetMovementId>,
    /// That reverse one of these.
    pub reverses_id: Vec<BudgetMovementId>,
    /// Resting on one of these acts.
    pub legal_act_id: Vec<LegalActId>,
    /// In one of these currencies, ISO 4217.
    pub currency: Vec<String>,
    /// With one of these document numbers.
    pub reference: Vec<String>,
    /// Recorded by one of these principals.
    pub recorded_by: Vec<String>,
    /// Dated before this day.
    pub dated_on_before: Option<NaiveDate>,
    /// Dated after this day.
    pub dated_on_after: Option<NaiveDate>,
    /// At least this amount; choose a currency too.
    #[schema(value_type = Option<String>, pattern = r"^(0|[1-9][0-9]{0,15})(\.[0-9]{1,4})?$")]
    pub amount_min: Option<Decimal>,
    /// At most this amount; choose a currency too.
    #[schema(value_type = Option<String>, pattern = r"^(0|[1-9][0-9]{0,15})(\.[0-9]{1,4})?$")]
    pub amount_max: Option<Decimal>,
    /// Whether it is reversed.
    pub is_reversed: Option<bool>,
}

impl Resource for BudgetMovement {
    const KIND: &'static str = "budget_movement";
    const TABLE: &'static str = "budget_movements";
    const APPEND_ONLY: bool = true;
    const SORTS: &'static [Sort] = &[Sort::CREATED, Sort::date("dated_on", "dated_on"), Sort::UPDATED];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "allocation_id", table: "budget_allocations" },
        Reference { field: "follows_id", table: "budget_movements" },
        Reference { field: "reverses_id", table: "budget_movements" },
        Reference { field: "to_allocation_id", table: "budget_allocations" },
        Reference { field: "from_allocation_id", table: "budget_allocations" },
        Reference { field: "counterpart_id", table: "budget_movements" },
        Reference { field: "legal_act_id", table: "legal_acts" },
    ];
    const PARENTS: &'static [&'static str] = &["allocation_id", "to_allocation_id", "from_allocation_id"];
    const FILTER_REFERENCES: &'static [Reference] = &[Reference { field: "initiative_id", table: "initiatives" }];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        use MovementKind as K;
        cost::check_money("money", &self.money, faults);
        let is_some = !self.money.amount.is_zero();
        faults.check(
            is_some,
            "money/amount",
            "zero",
            "Give an amount above zero; what takes away is a kind of its own.",
        );
        let mut only = |field: &str, given: bool, wanted: bool, of: &str| match (given, wanted) {
            (true, false) => faults.add(field, "not_allowed", format!("Leave it out: only {of} has it.")),
            (false, true) => faults.add(field, "required", format!("Give it: {of} has it.")),
            _ => {}
        };
        only("direction", self.direction.is_some(), self.kind == K::Revision, "a revision");
        only("reverses_id", self.reverses_id.is_some(), self.kind == K::Reversal, "a reversal");
        let is_outgoing = self.kind.is_transfer() && self.from_allocation_id.is_none();
        only("to_allocation_id", self.to_allocation_id.is_some(), is_outgoing, "a virement or carry_forward");
        let is_incoming =
            self.kind.is_transfer() && self.to_allocation_id.is_none() && self.from_allocation_id.is_some();
        only("from_allocation_id", self.from_allocation_id.is_some(), is_incoming, "the other half of a transfer");
        if self.kind == K::Payment {
            only("follows_id", self.follows_id.is_some(), true, "a payment (its payment order)");
        } else if !self.kind.follows() {
            only("follows_id", self.follows_id.is_some(), false, "a movement that carries on another");
        }
        let own = [self.to_allocation_id, self.from_allocation_id].contains(&Some(self.allocation_id));
        faults.check(
            !own,
            "to_allocation_id",
            "the_same",
            "Give another allocation than that from which the money comes.",
        );
    }

    fn needs_reason(_: Option<&Self>, after: Option<&Self>) -> bool {
        after.is_some_and(|after| {
            after.kind.is_transfer() || matches!(after.kind, MovementKind::Revision | MovementKind::Reversal)
        })
    }

    fn posted(mut self, author: &Author, faults: &mut Faults) -> Vec<(Uuid, Self)> {
        let made_here = [
            ("counterpart_id", self.counterpart_id.is_some()),
            ("from_allocation_id", self.from_allocation_id.is_some()),
            ("recorded_by", self.recorded_by.is_some()),
        ];
        for (field, is_given) in made_here {
            faults.check(!is_given, field, "not_allowed", "Leave it out; the service says it.");
        }
        let is_grounded = self.legal_act_id.is_some() || author.reason.is_some();
        let detail = "Name the act that revises the appropriation, or say why in the header Mandate-Reason.";
        faults.check(self.kind != MovementKind::Revision || is_grounded, "legal_act_id", "needs_reason", detail);
        self.recorded_by = Some(author.principal.clone());
        let id = Uuid::now_v7();
        let Some(to) = self.to_allocation_id else {
            return vec![(id, self)];
        };
        let other = Uuid::now_v7();
        self.counterpart_id = Some(other.into());
        let incoming = Self {
            external_id: None,
            allocation_id: to,
            to_allocation_id: None,
            from_allocation_id: Some(self.allocation_id),
            counterpart_id: Some(id.into()),
            ..self.clone()
        };
        vec![(id, self), (other, incoming)]
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, allocation_id, kind, dated_on, value_on, direction, follows_id, reverses_id,
            to_allocation_id, from_allocation_id, counterpart_id, counterparty, reference, legal_act_id, note, recorded_by);
        cost::set(row, Some(&self.money));
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("allocation_id", &filter.allocation_id)
            .ids_where(
                "allocation_id in (select b.id from budget_allocations b where b.initiative_id = any(",
                &filter.initiative_id,
                "))",
            )
            .words("kind", &filter.kind)
            .ids("follows_id", &filter.follows_id)
            .ids("reverses_id", &filter.reverses_id)
            .ids("legal_act_id", &filter.legal_act_id)
            .words("currency", &filter.currency)
            .words("reference", &filter.reference)
            .words("recorded_by", &filter.recorded_by)
            .days("dated_on", filter.dated_on_after, filter.dated_on_before)
            .amounts("amount", filter.amount_min, filter.amount_max)
            .holds(
                "exists (select from budget_movements r where r.reverses_id = budget_movements.id)",
                filter.is_reversed,
            );
    }
}
