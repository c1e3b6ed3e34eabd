//! Deliveries of providers, and the endpoints that the platform is told at.

use makegood_domain::ids::ProviderId;
use makegood_domain::ports::{DeliveryLine, EndpointState, StoreResult};

use crate::assemble;
use crate::postgres::PgStore;
use crate::postgres::fault::backend;
use crate::postgres::rows::signed;

statements! {
    NEWEST = r#"SELECT provider_id, endpoint, delivery_id, job_id, run_id, event, proven, bytes, received_at
        FROM api.deliveries ORDER BY received_at DESC, provider_id COLLATE "C", delivery_id COLLATE "C" LIMIT $1"#;
    BODY = "SELECT body FROM api.deliveries WHERE provider_id = $1 AND delivery_id = $2";
    ENDPOINTS = r#"SELECT e.name, e.failing_since, e.disabled_at, e.why,
            (SELECT count(*) FROM api.letter_tries t WHERE t.endpoint = e.name AND t.state = 'waiting') AS waiting,
            (SELECT count(*) FROM api.letter_tries t WHERE t.endpoint = e.name AND t.state = 'given_up') AS given_up
        FROM api.endpoints e ORDER BY e.name COLLATE "C""#;
}

impl PgStore {
    pub(in crate::postgres) async fn read_received(&self, limit: u64) -> StoreResult<Vec<DeliveryLine>> {
        let rows = sqlx::query(NEWEST).bind(signed(limit)).fetch_all(&self.pool).await.map_err(backend)?;
        assemble::each(&rows, assemble::delivery_line)
    }

    pub(in crate::postgres) async fn read_body(&self, provider: &ProviderId, id: &str) -> StoreResult<Option<Vec<u8>>> {
        let query = sqlx::query_scalar(BODY).bind(provider.as_str()).bind(id);
        let body: Option<Option<Vec<u8>>> = query.fetch_optional(&self.pool).await.map_err(backend)?;
        Ok(body.flatten())
    }

    pub(in crate::postgres) async fn read_endpoints(&self) -> StoreResult<Vec<EndpointState>> {
        let rows = sqlx::query(ENDPOINTS).fetch_all(&self.pool).await.map_err(backend)?;
        assemble::each(&rows, assemble::endpoint)
    }
}
