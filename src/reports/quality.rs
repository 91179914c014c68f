//! What a plan lacks of what the references for national strategies ask of one.

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    gaps::{self, Kind},
    scope::Scope,
};
use crate::{api::Error, values::Text};

/// What the report of quality can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {}

/// Something that the plan lacks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QualityRow)]
pub(crate) struct Row {
    /// What is lacking, such as `initiative_without_lead`.
    pub(crate) kind: String,
    /// What lacks it: `strategy`, `objective`, `initiative`, `step`, `dependency` or `indicator`.
    pub(crate) noun: String,
    /// Its id.
    pub(crate) id: Uuid,
    /// Its code; of a dependency the codes of both sides.
    pub(crate) code: Option<String>,
    /// Its title.
    pub(crate) title: Option<Text>,
    /// What is missing or wrong.
    pub(crate) detail: String,
    /// Who asks for it, separated by semicolons; null for what contradicts itself, which nobody has to ask for.
    pub(crate) asked_by: Option<String>,
}

/// Which gaps matter here, and who asks for what closes them: NCSI 3.0 indicator 1.5 (action plan), Directive (EU) 2022/2555 (NIS2) article 7,
/// and the findings of GAO-24-106916 on the plan of the United States.
const ASKED: [(Kind, Option<&str>); 9] = [
    (Kind::StrategyWithoutLegalAct, Some("NCSI 1.5 (the action plan is approved)")),
    (Kind::ObjectiveWithoutInitiative, Some("NCSI 1.5 (objectives are translated into initiatives)")),
    (Kind::InitiativeWithoutStep, Some("NCSI 1.5 (concrete steps)")),
    (
        Kind::InitiativeWithoutLead,
        Some("NCSI 1.5 (named entities); NIS2 art. 7(1)(f) (authorities and stakeholders involved)"),
    ),
    (Kind::InitiativeWithoutDeadline, Some("NCSI 1.5 (timelines)")),
    (Kind::DeadlineUnparsed, Some("NCSI 1.5 (timelines)")),
    (
        Kind::InitiativeWithoutMoney,
        Some("NCSI 1.5 (financial resources); NIS2 art. 7(1) (resources required); GAO-24-106916 (estimates of cost)"),
    ),
    (Kind::InitiativeWithoutPeople, Some("NCSI 1.5 (human resources); NIS2 art. 7(1) (resources required)")),
    (Kind::DependencyContradictsDates, None),
];

impl Report for Parameters {
    const NAME: &'static str = "quality";
    const SUMMARY: &'static str = "What the plan lacks of what NCSI, NIS2 and GAO ask of one.";
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let mut rows: Vec<Row> = Vec::new();
        let found = gaps::Parameters { kind: ASKED.iter().map(|(kind, _)| *kind).collect() };
        for gap in found.rows(scope, connection).await? {
            let asked = ASKED.iter().find(|(kind, _)| kind.word() == gap.kind).and_then(|(_, asked)| *asked);
            rows.push(Row {
                kind: gap.kind,
                noun: gap.noun,
                id: gap.id,
                code: gap.code,
                title: gap.title,
                detail: gap.detail,
                asked_by: asked.map(str::to_owned),
            });
        }
        Ok(rows)
    }
}
