//! Claims, gathered: what comes while a group is committed is the next group.
//!
//! Thousands of devices that reconnect in a second are a few transactions. A second claim of the same device
//! waits for the next group. A claim is judged by the device's row as it was read before, and committed only if
//! that row has not changed since (see [`store::session::unchanged`]): else the group is judged again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use chassis::Refusal;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Meter};
use proto::hoshu::bus::v1::DeviceRef;
use proto::hoshu::bus::v1::close::Why;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{Tidings, end};
use crate::domain::attempts::Attempts;
use crate::domain::session::{Claim, End, EndReason, Known, Session, Verdict, judge};
use crate::store::session::{Claims as Columns, Granted};
use crate::{Config, Registry, store};

/// Claims that wait at most; one more waits to wait.
const QUEUE: usize = 16_384;

/// What a claim is answered.
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    /// Set when accepted.
    pub(crate) granted: Option<(Known, Session)>,
    /// The session that this claim has ended.
    pub(crate) previous: Option<Session>,
}

/// The queue of claims, and how often each claimant may put one in.
pub(crate) struct Claims {
    queue: mpsc::Sender<Waiting>,
    waiting: tokio::sync::Mutex<mpsc::Receiver<Waiting>>,
    attempts: Mutex<Attempts>,
    refusal_lines: Mutex<Attempts>,
    counted: Counter<u64>,
}

struct Waiting {
    claim: Claim,
    /// It has no attempt left, and is only to be written down.
    spent: bool,
    reply: oneshot::Sender<Result<Answer, Refusal>>,
}

impl Claims {
    pub(crate) fn new(config: &Config, meter: &Meter) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        Self {
            queue,
            waiting: tokio::sync::Mutex::new(waiting),
            attempts: Mutex::new(Attempts::new(config.attempts_per_minute)),
            refusal_lines: Mutex::new(Attempts::new(config.refusal_lines_per_minute)),
            counted: meter
                .u64_counter("registry.claims")
                .with_description("Claims of a session, by verdict")
                .build(),
        }
    }

    /// Asks for a session and waits for the group's commit. Who is over the limit is refused at once; only
    /// as many of those as make a line go further.
    pub(crate) async fn ask(&self, claim: Claim, now_ms: i64) -> Result<Answer, Refusal> {
        let spent = !self
            .attempts
            .lock()
            .expect("not poisoned")
            .admit(claim.claimant(), now_ms);
        if spent && !self.may_make_a_line(&claim.device, now_ms) {
            self.count(Verdict::TooManyAttempts);
            return Ok(Answer {
                verdict: Verdict::TooManyAttempts,
                granted: None,
                previous: None,
            });
        }
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting {
            claim,
            spent,
            reply,
        };
        let stopping = || Refusal::unavailable("the registry");
        self.queue.send(waiting).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?
    }

    /// Whether a refusal of this device is written down; else it is a metric only.
    pub(super) fn may_make_a_line(&self, device: &alink::Device, now_ms: i64) -> bool {
        let mut lines = self.refusal_lines.lock().expect("not poisoned");
        lines.admit(device, now_ms)
    }

    fn count(&self, verdict: Verdict) {
        self.counted
            .add(1, &[KeyValue::new("verdict", format!("{verdict:?}"))]);
    }

    /// What has come, as soon as something has; nothing after a stop, when all has been taken.
    async fn gather(&self, limit: usize, stop: &CancellationToken) -> Vec<Waiting> {
        let mut group = Vec::new();
        let mut waiting = self.waiting.lock().await;
        if stop
            .run_until_cancelled(waiting.recv_many(&mut group, limit))
            .await
            .is_none()
        {
            waiting.close();
            waiting.recv_many(&mut group, limit).await;
        }
        group
    }
}

/// Settles group after group. Several run at once: one gathers while another commits.
pub(crate) async fn settle(registry: Arc<Registry>, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        let mut group = registry
            .claims
            .gather(registry.config.claim_group.max(1), &stop)
            .await;
        if group.is_empty() {
            return Ok(());
        }
        while !group.is_empty() {
            let mut seen = HashSet::with_capacity(group.len());
            let first = |waiting: &Waiting| seen.insert(waiting.claim.device.clone());
            let (round, later): (Vec<_>, Vec<_>) = group.into_iter().partition(first);
            settle_round(&registry, round).await;
            group = later;
        }
    }
}

/// Settles claims of as many devices, and answers them.
async fn settle_round(registry: &Registry, round: Vec<Waiting>) {
    let answers = loop {
        match decide(registry, &round).await {
            Ok(Some(answers)) => break answers,
            Ok(None) => tracing::debug!("a device was changed while it was claimed; judged again"),
            Err(error) => {
                let refusal = Refusal::from(error);
                break round.iter().map(|_| Err(refusal.clone())).collect();
            }
        }
    };
    let mut given_up = GivenUp::default();
    for (waiting, answer) in round.into_iter().zip(answers) {
        if let Ok(answer) = &answer {
            registry.claims.count(answer.verdict);
        }
        if let Err(Ok(answer)) = waiting.reply.send(answer) {
            given_up.note(&waiting.claim, answer, registry);
        }
    }
    if let Err(error) = given_up.end(registry).await {
        tracing::error!(%error, "sessions that nobody waited for could not be ended; their node's lease will");
    }
}

/// Judges and commits. Nothing when a device was changed meanwhile: then nothing was written.
async fn decide(
    registry: &Registry,
    round: &[Waiting],
) -> sqlx::Result<Option<Vec<Result<Answer, Refusal>>>> {
    let now = registry.now();
    let mut tx = registry.pool.begin().await?;
    let product_keys: Vec<_> = round
        .iter()
        .map(|w| w.claim.device.product_key.as_str())
        .collect();
    let names: Vec<_> = round
        .iter()
        .map(|w| w.claim.device.device_name.as_str())
        .collect();
    let mut known: HashMap<_, _> = store::session::known(&mut tx, &product_keys, &names)
        .await?
        .into_iter()
        .collect();

    let mut columns = Columns::default();
    let mut tidings = Tidings::default();
    let mut judged = Vec::with_capacity(round.len());
    for (at, waiting) in round.iter().enumerate() {
        let claim = &waiting.claim;
        let known = known.remove(&at);
        let verdict = verdict(registry, waiting, known.as_ref());
        match (&verdict, &known) {
            (Ok(Verdict::Accepted), Some(known)) => {
                columns.device_ids.push(known.device_id);
                columns.revisions.push(known.revision);
                columns.nodes.push(claim.node.clone());
                columns.client_addresses.push(claim.client_address.clone());
            }
            (Ok(refused), Some(known)) => {
                // Who has no attempt left has passed this limit already.
                let line = waiting.spent
                    || registry
                        .claims
                        .may_make_a_line(&claim.device, now.timestamp_millis());
                if let Some(why) = refused.refusal().filter(|_| line) {
                    let from = (claim.client_address.as_str(), claim.protocol.as_str());
                    tidings.refused(device_ref(&claim.device, known), why, from, now);
                }
            }
            _ => {}
        }
        judged.push((verdict, known));
    }

    let mut granted: HashMap<i64, Granted> = HashMap::new();
    if !columns.device_ids.is_empty() {
        let mut nodes = columns.nodes.clone();
        nodes.sort_unstable();
        nodes.dedup();
        store::lease::hold(&mut tx, &nodes, now).await?;
        let rows = store::session::claim(&mut tx, &columns, now).await?;
        granted.extend(rows.into_iter().map(|row| (row.device_id, row)));
        if !store::session::unchanged(&mut tx, &columns).await? {
            return Ok(None);
        }
    }

    let mut answers = Vec::with_capacity(round.len());
    for (waiting, (verdict, known)) in round.iter().zip(judged) {
        let claim = &waiting.claim;
        answers.push(verdict.map(|verdict| {
            let granted = known.and_then(|known| Some((granted.remove(&known.device_id)?, known)));
            let Some((granted, known)) = granted.filter(|_| verdict == Verdict::Accepted) else {
                return Answer {
                    verdict,
                    granted: None,
                    previous: None,
                };
            };
            let session = Session {
                node: claim.node.clone(),
                number: granted.number,
            };
            tidings.online(
                device_ref(&claim.device, &known),
                &session,
                granted.previous.as_ref(),
                claim,
                now,
            );
            Answer {
                verdict,
                granted: Some((known, session)),
                previous: granted.previous,
            }
        }));
    }
    if !tidings.is_empty() {
        store::told::insert(&mut tx, tidings.into_rows()).await?;
        tx.commit().await?;
        registry.written.send_replace(());
    }
    Ok(Some(answers))
}

fn verdict(
    registry: &Registry,
    waiting: &Waiting,
    known: Option<&Known>,
) -> Result<Verdict, Refusal> {
    if waiting.spent {
        return Ok(Verdict::TooManyAttempts);
    }
    let Some(known) = known else {
        return Ok(Verdict::Unknown);
    };
    let secret = registry
        .vault
        .open(&known.sealed_secret)
        .map_err(Refusal::internal)?;
    let secret = String::from_utf8(secret).map_err(Refusal::internal)?;
    Ok(judge(&waiting.claim, &secret, known.disabled))
}

/// Sessions whose claimants did not wait for the answer: nobody holds their connections.
#[derive(Default)]
struct GivenUp {
    ends: Vec<End>,
    tidings: Tidings,
}

impl GivenUp {
    fn note(&mut self, claim: &Claim, answer: Answer, registry: &Registry) {
        let Some((known, session)) = answer.granted else {
            return;
        };
        let now = registry.now();
        // The claimant would have told the previous node; its connection is no one's now.
        if let Some(previous) = answer.previous {
            self.tidings.close(
                device_ref(&claim.device, &known),
                &previous,
                Why::Kicked,
                now,
            );
        }
        self.ends.push(End {
            device_id: known.device_id,
            number: session.number,
            reason: EndReason::ours("the gateway node did not wait for the session"),
            at: now,
        });
    }

    async fn end(self, registry: &Registry) -> sqlx::Result<()> {
        if self.ends.is_empty() {
            return Ok(());
        }
        end(registry, &self.ends, self.tidings).await
    }
}

pub(super) fn device_ref(device: &alink::Device, known: &Known) -> DeviceRef {
    DeviceRef {
        product_key: device.product_key.to_string(),
        device_name: device.device_name.to_string(),
        device_id: known.device_id,
        account_id: known.account_id.clone(),
    }
}
