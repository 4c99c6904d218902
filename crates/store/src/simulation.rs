//! What really happened, in the form that a policy can be tried on: each distinct action once,
//! with how it was decided and how often.

use ringfence_model::{Action, AgentName, Effect};
use serde::Serialize;
use sqlx::{QueryBuilder, Sqlite};

use crate::columns::effect;
use crate::error::StoreError;
use crate::filter::Filter;
use crate::store::Store;

/// An action that was decided on, as often as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordedAction {
    /// Who tried.
    pub agent: AgentName,
    /// What it tried.
    pub action: Action,
    /// How the policy of then decided. A refusal after the decision does not show here, because
    /// no policy made it.
    pub effect: Effect,
    /// How often.
    pub count: u64,
}

impl Store {
    /// The distinct actions among the events that the filter lets through, the most frequent
    /// first. What was refused for its form or by a limit is left out: no policy was asked about it.
    ///
    /// # Errors
    /// Where the database fails or a stored action cannot be read.
    pub async fn actions_for_simulation(
        &self,
        filter: &Filter,
    ) -> Result<Vec<RecordedAction>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT MAX(e.seq), e.agent, e.action, e.effect, COUNT(*) FROM events e WHERE 1 = 1
             AND e.code NOT IN ('host-mismatch', 'malformed', 'upgrade-refused', 'limit-reached', 'unavailable')",
        );
        filter.narrow(&mut query);
        query.push(
            " GROUP BY e.agent, e.action, e.effect ORDER BY COUNT(*) DESC, MAX(e.seq) DESC LIMIT ",
        );
        query.push_bind(i64::from(filter.answers()));
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.pool).await?;
        rows.iter().map(read).collect()
    }
}

type Row = (i64, String, String, String, i64);

fn read((seq, agent, action, decided, count): &Row) -> Result<RecordedAction, StoreError> {
    let corrupt = |why: &dyn ToString| StoreError::corrupt(*seq, why.to_string());
    let effect = [Effect::Allow, Effect::Deny]
        .into_iter()
        .find(|known| effect(*known) == decided);
    Ok(RecordedAction {
        agent: agent.parse().map_err(|error| corrupt(&error))?,
        action: serde_json::from_str(action).map_err(|error| corrupt(&error))?,
        effect: effect.ok_or_else(|| corrupt(&"its effect is not known"))?,
        count: u64::try_from(*count).unwrap_or(0),
    })
}
