//! Stand-ins for the weather services: they speak the exact wire formats, replay real hourly
//! readings, and misbehave on command. Beside them one for Slack, which shows what it was sent.
//!
//! Nothing of the adapters that are tested against them is shared, the clock included: an error
//! in common would hide itself. Start reading at [`Simulator::start`]; what can go wrong stands in
//! [`fault::Fault`].

mod config;
mod control;
mod counts;
mod delivery;
mod distortion;
mod error;
pub mod fault;
mod gazetteer;
mod listener;
mod met_norway;
mod open_meteo;
mod openweathermap;
mod question;
mod reply;
mod scene;
mod schedule;
mod simulator;
mod slack;
mod stage;
mod switchboard;
mod weatherstack;
mod world;

pub use config::{KeyRule, Now, SimulatorConfig};
pub use counts::RequestCounts;
pub use error::SimulatorError;
pub use fault::{Fault, catalogue};
pub use schedule::{DEMO_PERIOD, InvalidSchedule, ScheduledFault, When, demo_schedule};
pub use simulator::{RunningSimulator, Simulator};
pub use slack::SlackMessage;
pub use switchboard::{ActiveFault, SwitchedBy};
