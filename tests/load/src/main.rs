//! Many devices at once, from outside: how fast the platform answers them, and what an idle one costs.
//!
//! Makes its own product and devices through REST, drives them over MQTT on this machine alone, and
//! prints what it measured as JSON. A broker that lets in anyone can be driven the same way, for comparison.
//! One thread, so that on a small machine the other side has the rest.

mod answer;
mod command_line;
mod connect;
mod device;
mod echo;
mod fleet;
mod flood;
mod house;
mod idle;
mod latency;
mod logged;
mod post;
mod processes;
mod set;
mod span;
mod wire;

use serde::Serialize;

use command_line::Mode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let (target, mode) = command_line::read()?;
    match mode {
        Mode::Post(plan) => print(&post::measure(&target, &plan).await?),
        Mode::Flood(plan) => print(&flood::measure(&target, &plan).await?),
        Mode::Connect(plan) => print(&connect::measure(&target, &plan).await?),
        Mode::Idle(plan) => print(&idle::measure(&target, &plan).await?),
        Mode::Set(plan) => print(&set::measure(&target, &plan).await?),
        Mode::Echo(plan) => print(&echo::measure(&target, &plan).await?),
    }
}

fn print(measured: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(measured)?);
    Ok(())
}
