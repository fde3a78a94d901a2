//! Hoshu: one binary, one role per service, and `up` for all of them.

mod account;
mod command_line;
mod configuration;
mod database;
mod health;
#[cfg(test)]
mod layers;
mod parked;
mod roles;
mod run;
mod up;

use std::process::ExitCode;

use command_line::Command;

/// Messages are many small allocations on all threads: with the C library's allocator they cost a quarter of a
/// message's time, and its threads wait for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let (command, options) = command_line::read();
    let done = match command {
        Command::Up => up::run(options),
        Command::Role(noun) => run::role(noun, options),
        Command::CreateAccount(name) => run::short(options, async |settings| {
            account::create(&settings, &name).await
        }),
        Command::InitDatabase => run::short(options, async |settings| {
            database::init_from(&settings).await
        }),
        Command::Config => configuration::print(&options),
        Command::Health => health::print(&options),
        Command::ListParked => run::short(options, async |settings| parked::list(settings).await),
        Command::ReplayParked(numbers) => run::short(options, async |settings| {
            parked::replay(settings, &numbers).await
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hoshu: {error:#}");
            ExitCode::FAILURE
        }
    }
}
