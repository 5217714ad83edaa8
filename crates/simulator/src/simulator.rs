//! The simulator as a whole: started, switched, asked, stopped.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use pampero_weather::provider::ProviderId;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::config::SimulatorConfig;
use crate::counts::RequestCounts;
use crate::error::SimulatorError;
use crate::fault::{Fault, InvalidFault};
use crate::slack::{self, Slack, SlackMessage};
use crate::stage::{self, Stage};
use crate::switchboard::{ActiveFault, Switch, Switchboard};
use crate::{control, listener};

/// Starts simulators.
#[derive(Debug)]
pub struct Simulator;

impl Simulator {
    /// Starts the stand-ins of all providers and their control API on one listener.
    ///
    /// They run until `cancel` is cancelled or [`RunningSimulator::stop`] is called.
    ///
    /// # Errors
    /// The address cannot be listened on, or a scheduled fault cannot be played.
    pub async fn start(
        config: SimulatorConfig,
        cancel: CancellationToken,
    ) -> Result<RunningSimulator, SimulatorError> {
        check(&config)?;
        let listen = config.listen;
        let refused = |source| SimulatorError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let board = Arc::new(Switchboard::new(config.now.clone(), config.faults.clone()));
        let tracker = TaskTracker::new();
        let cancel = cancel.child_token();
        let connections_max = config.connections_max;
        let stage = Arc::new(Stage { config, board: Arc::clone(&board), slack: Slack::default() });
        let router = Router::new()
            .nest("/control", control::routes())
            .route("/services/{*hook}", post(slack::post_message))
            .fallback(stage::play)
            .with_state(Arc::clone(&stage));
        let (tasks, stop) = (tracker.clone(), cancel.clone());
        tracker.spawn(listener::serve(listener, router, connections_max, tasks, stop));
        tracker.close();
        Ok(RunningSimulator { address, stage, tracker, cancel })
    }
}

fn check(config: &SimulatorConfig) -> Result<(), SimulatorError> {
    if config.connections_max == 0 {
        return Err(SimulatorError::NoConnections);
    }
    for entry in &config.faults {
        if !(0.0 < entry.share && entry.share <= 1.0) {
            return Err(SimulatorError::Share(entry.share));
        }
        entry.fault.clone().checked().map_err(SimulatorError::Fault)?;
        playable(entry.provider, &entry.fault).map_err(SimulatorError::Fault)?;
    }
    Ok(())
}

/// Refuses a fault that the provider's stand-in has nothing to play on.
pub(crate) fn playable(provider: ProviderId, fault: &Fault) -> Result<(), InvalidFault> {
    if fault.applies_to(provider) {
        return Ok(());
    }
    Err(InvalidFault::NotForProvider { kind: fault.kind(), provider: provider.as_str() })
}

/// A simulator that is running.
pub struct RunningSimulator {
    address: SocketAddr,
    stage: Arc<Stage>,
    tracker: TaskTracker,
    cancel: CancellationToken,
}

impl RunningSimulator {
    /// Returns the address it listens on, with the port that was chosen.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the base URL of a provider's stand-in, as in `http://127.0.0.1:4000/open_meteo/`.
    ///
    /// Below it the paths are those of the real service, as in `v1/forecast`,
    /// `weatherapi/locationforecast/2.0/complete`, `data/2.5/weather`, `current`.
    pub fn base_url(&self, provider: ProviderId) -> Url {
        self.url(&format!("{provider}/"))
    }

    /// Returns the base URL of the geocoding stand-in; the path below it is `v1/search`.
    pub fn geocoding_url(&self) -> Url {
        self.base_url(ProviderId::OpenMeteo)
    }

    /// Returns the base URL of the control API, as in `http://127.0.0.1:4000/control/`.
    pub fn control_url(&self) -> Url {
        self.url("control/")
    }

    /// Returns the URL of a webhook of the stand-in for Slack.
    pub fn slack_url(&self) -> Url {
        self.url("services/T000/B000/demo")
    }

    /// Returns what the stand-in for Slack was sent since the start or the last reset, oldest first.
    pub fn slack_messages(&self) -> Vec<SlackMessage> {
        self.stage.slack.messages()
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}/{path}", self.address))
            .expect("a socket address and a plain path are a URL")
    }

    /// Switches a fault on by hand until it is switched off; `None` switches it off.
    ///
    /// It comes before the schedule, which goes on beneath it.
    ///
    /// # Errors
    /// The fault has a parameter out of range, or cannot be played by the provider.
    pub fn set_fault(
        &self,
        provider: ProviderId,
        fault: Option<Fault>,
    ) -> Result<(), InvalidFault> {
        let fault = fault.map(Fault::checked).transpose()?;
        if let Some(fault) = &fault {
            playable(provider, fault)?;
        }
        let switch = fault.map(|fault| Switch { fault, lasting: None, share: 1.0 });
        self.stage.board.switch(provider, switch);
        Ok(())
    }

    /// Returns the faults that are on now, by schedule or by hand.
    pub fn faults(&self) -> Vec<ActiveFault> {
        ProviderId::ALL
            .into_iter()
            .filter_map(|provider| self.stage.board.active(provider))
            .collect()
    }

    /// Returns what was asked of a provider since the start or the last reset.
    pub fn requests(&self, provider: ProviderId) -> RequestCounts {
        self.stage.board.counts(provider)
    }

    /// Switches off every fault that was switched on by hand and forgets what was asked and sent.
    pub fn reset(&self) {
        self.stage.board.reset();
        self.stage.slack.reset();
    }

    /// Stops listening, drops every connection and waits until all tasks have ended.
    pub async fn stop(self) {
        self.cancel.cancel();
        self.tracker.wait().await;
    }
}
