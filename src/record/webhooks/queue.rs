//! What the dispatcher says to PostgreSQL. Each function is one statement, and so one short transaction; none is open while something is sent.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, types::Json};
use uuid::Uuid;

use super::{super::changes::Change, deliveries::Attempt, webhook};
use crate::repository::{Author, Error};

/// A page of the feed becomes deliveries at once.
const PAGE: i64 = 1000;
/// A delivery that was taken and not heard of again is taken by others after so many seconds. It outlives an attempt (`send::TIME`).
const LEASE: f64 = 60.0;
/// A webhook has so many deliveries under way; one that fails has fewer, so that many dead receivers do not use up what all share.
const PLACES: i64 = 4;
const PLACES_WHEN_FAILING: i64 = 2;
/// So many failures in a row are failing.
const FAILING: i32 = 5;

/// Turns the next page of the feed into deliveries of the webhook that is furthest behind, with its cursor. False when none is behind.
pub(super) async fn fan_out(connection: &mut PgConnection) -> Result<bool, Error> {
    Ok(sqlx::query_scalar("select fan_out_deliveries($1)").bind(PAGE).fetch_one(connection).await?)
}

/// A delivery whose turn it is.
#[derive(Debug, FromRow)]
pub(super) struct Due {
    pub(super) delivery_id: Uuid,
    pub(super) lease: Uuid,
    pub(super) webhook_id: Uuid,
    pub(super) url: String,
    pub(super) secrets: Vec<Vec<u8>>,
    pub(super) failures: i32,
    pub(super) now: DateTime<Utc>,
    #[sqlx(flatten)]
    pub(super) change: Change,
}

/// How statements of the dispatcher are planned: anew each time, and by indexes. Its connection lives long, and a plan made while nothing waited,
/// or by statistics of that time, would read the whole queue at each claim.
pub const PLANNING: &str = "set plan_cache_mode = force_custom_plan; set enable_seqscan = off";

/// Prepares the connection of a dispatcher.
pub(super) async fn prepare(connection: &mut PgConnection) -> Result<(), Error> {
    sqlx::raw_sql(PLANNING).execute(connection).await?;
    Ok(())
}

/// Takes what is due. Of each webhook it reads the turns that are due, in the order of their index, and no more of them than there are places for.
pub const CLAIM: &str = "with rooms as (
         select w.id, case when w.failures >= $5 then $4 else $3 end - coalesce(b.count, 0) as places
         from webhooks w left join unnest($1::uuid[], $2::bigint[]) b (id, count) using (id)
         where w.active order by random()
     ),
     due as (
         select d.id from rooms cross join lateral (
             select d.id from deliveries d
             where d.webhook_id = rooms.id and d.turn and d.next_attempt_at <= now()
             order by d.next_attempt_at, d.position limit greatest(rooms.places, 0) for update skip locked
         ) d limit $6
     ),
     taken as (
         update deliveries d set lease = gen_random_uuid(), next_attempt_at = now() + make_interval(secs => $7)
         from due where d.id = due.id returning d.*
     )
     select t.id as delivery_id, t.lease, t.webhook_id, t.failures, w.url, now() as now,
         array(select s.secret from webhook_secrets s where s.webhook_id = w.id and (s.ends_at is null or s.ends_at > now())
               order by s.created_at desc, s.id desc) as secrets,
         c.position, c.id, c.kind, c.entity_id as resource_id, c.version, c.action, c.at, c.recorded_at, c.actor, c.request_id, c.reason,
         c.before, c.after, cleared.told(c.classification, c.before, c.after) as classification
     from taken t join webhooks w on w.id = t.webhook_id
     cross join lateral (select * from changes c where c.position = t.position limit 1) c";

/// Takes deliveries that are due: of one resource and webhook the earliest that waits, and nothing that another replica has.
pub(super) async fn claim(connection: &mut PgConnection, room: i64, busy: &[(Uuid, i64)]) -> Result<Vec<Due>, Error> {
    let (ids, counts): (Vec<Uuid>, Vec<i64>) = busy.iter().copied().unzip();
    Ok(sqlx::query_as(CLAIM)
        .bind(ids)
        .bind(counts)
        .bind(PLACES)
        .bind(PLACES_WHEN_FAILING)
        .bind(FAILING)
        .bind(room)
        .bind(LEASE)
        .fetch_all(connection)
        .await?)
}

/// What is to become of a delivery.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    Delivered,
    /// Again after so many seconds.
    Again(f64),
    Dead,
}

/// Writes down an attempt. What is not under this lease any more is left alone.
pub(super) async fn settle(
    connection: &mut PgConnection,
    (delivery, lease): (Uuid, Uuid),
    attempt: &Attempt,
    verdict: Verdict,
) -> Result<(), Error> {
    let (status, pause) = match verdict {
        Verdict::Delivered => ("delivered", 0.0),
        Verdict::Again(seconds) => ("waiting", seconds),
        Verdict::Dead => ("dead", 0.0),
    };
    sqlx::query("select settle_delivery($1, $2, $3, $4, $5)")
        .bind(delivery)
        .bind(lease)
        .bind(status)
        .bind(pause)
        .bind(Json(attempt))
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes a webhook inactive whose receiver says that it is gone, unless it was changed meanwhile to another address.
pub(super) async fn deactivate(connection: &mut PgConnection, id: Uuid, url: &str) -> Result<(), Error> {
    let author = Author::service();
    sqlx::query(
        "with old as (select * from webhooks where id = $1 and url = $2 and active for update),
         made as (
             update webhooks w set active = false, inactive_reason = 'the receiver answered 410 Gone', version = w.version + 1, updated_at = now()
             from old where w.id = old.id and w.url = $2 and w.active returning w.*
         )
         insert into changes (kind, entity_id, version, action, actor, request_id, before, after)
         select $3, id, made.version, 'updated', $4, $5, record_of_webhook(to_jsonb(old)), record_of_webhook(to_jsonb(made))
         from made join old using (id)",
    )
    .bind(id)
    .bind(url)
    .bind(webhook::KIND)
    .bind(&author.actor)
    .bind(&author.request_id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes some of what was delivered 30 days ago.
pub(super) async fn sweep(connection: &mut PgConnection) -> Result<u64, Error> {
    let done = sqlx::query(
        "delete from deliveries where id in (
             select id from deliveries where status = 'delivered' and ended_at < now() - interval '30 days'
             order by ended_at limit 500 for update skip locked)",
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// How many deliveries wait, and how many are dead.
pub(super) async fn counts(connection: &mut PgConnection) -> Result<(i64, i64), Error> {
    Ok(sqlx::query_as(
        "select (select count(*) from deliveries where status = 'waiting'), (select count(*) from deliveries where status = 'dead')",
    )
    .fetch_one(connection)
    .await?)
}
