//! Many devices at once, from outside: how fast the platform answers them, and what an idle one costs.
//!
//! Makes its own product and devices through REST, drives them over MQTT on this machine alone, and
//! prints what it measured as JSON. One thread, so that on a small machine the platform has the rest.

mod command_line;
mod device;
mod fleet;
mod house;
mod idle;
mod latency;
mod logged;
mod post;
mod processes;
mod wire;

use command_line::Mode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let (target, mode) = command_line::read()?;
    let measured = match mode {
        Mode::Post(plan) => serde_json::to_string_pretty(&post::measure(&target, &plan).await?)?,
        Mode::Idle(plan) => serde_json::to_string_pretty(&idle::measure(&target, &plan).await?)?,
    };
    println!("{measured}");
    Ok(())
}
