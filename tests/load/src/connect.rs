//! Devices that come back all at once: each shows its signature and is let in.

use serde::Serialize;

use crate::command_line::Target;
use crate::fleet;
use crate::latency::Percentiles;

pub(crate) struct Plan {
    pub(crate) devices: usize,
    pub(crate) at_once: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measured {
    devices: usize,
    at_once: usize,
    connects_per_second: f64,
    connect_milliseconds: Option<Percentiles>,
}

pub(crate) async fn measure(target: &Target, plan: &Plan) -> anyhow::Result<Measured> {
    let made = fleet::make(target, plan.devices).await?;
    let welcomed = fleet::connect(target, made, plan.at_once).await?;
    let connects_per_second = welcomed.per_second();
    for member in welcomed.members {
        member.link.goodbye().await;
    }
    Ok(Measured {
        devices: plan.devices,
        at_once: plan.at_once,
        connects_per_second,
        connect_milliseconds: welcomed.latency.percentiles(),
    })
}
