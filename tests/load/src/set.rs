//! Commands: a property set through REST, to the device's answer and back.

use std::time::Instant;

use alink::topic::Kind;
use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::answer;
use crate::command_line::Target;
use crate::fleet::{self, AT_ONCE};
use crate::house::{House, Made};
use crate::latency::{Latency, Percentiles};

/// Not counted: connections and caches are made by them.
const FIRST: usize = 50;

pub(crate) struct Plan {
    pub(crate) sets: usize,
}

/// Over one connection that is kept open, one request at a time.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measured {
    sets: usize,
    set_milliseconds: Option<Percentiles>,
    /// `GET /account`, in turn with the sets: REST, token and a database, and no device.
    empty_call_milliseconds: Option<Percentiles>,
}

#[derive(Deserialize)]
struct Request<'a> {
    id: &'a str,
}

pub(crate) async fn measure(target: &Target, plan: &Plan) -> anyhow::Result<Measured> {
    let house = House::new(target)?;
    let made = fleet::make_with_model(&house, 1).await?;
    let mut welcomed = fleet::connect(target, made, AT_ONCE).await?;
    let member = welcomed.members.pop().context("no device")?;
    let topic = Kind::PropertySetReply.topic_of(member.made.device.as_ref());
    tokio::select! {
        ended = answer::every_message(member.link, &topic, done) => {
            ended?;
            anyhow::bail!("the device stopped answering")
        }
        measured = set(&house, &member.made, plan.sets) => measured,
    }
}

fn done(request: &[u8]) -> anyhow::Result<Vec<u8>> {
    let Request { id } = serde_json::from_slice(request).context("a set")?;
    Ok(format!(r#"{{"id":"{id}","code":200,"data":{{}},"message":"success"}}"#).into_bytes())
}

async fn set(house: &House, made: &Made, sets: usize) -> anyhow::Result<Measured> {
    let (mut set, mut empty) = (Latency::default(), Latency::default());
    for number in 0..FIRST + sets {
        let begun = Instant::now();
        house
            .set_label(&made.device, &format!("label {number}"))
            .await?;
        let answered = Instant::now();
        house.account().await?;
        if number >= FIRST {
            set.note(answered - begun);
            empty.note(answered.elapsed());
        }
    }
    Ok(Measured {
        sets,
        set_milliseconds: set.percentiles(),
        empty_call_milliseconds: empty.percentiles(),
    })
}
