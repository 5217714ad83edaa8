//! What the operator says of a target, and whether that can be right.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use pampero_promql::format_duration;
use pampero_series::{Labels, LabelsBuilder};
use secrecy::SecretString;
use url::Url;

use super::relabel::Relabel;

/// A target that is scraped over HTTP.
#[derive(Clone, Debug)]
pub struct ScrapeTarget {
    /// The label `job`.
    pub job: String,
    /// Where the metrics are, as in `http://localhost:9100/metrics`.
    pub url: Url,
    /// From one scrape to the next.
    pub interval: Duration,
    /// How long a scrape may take; not longer than the interval.
    pub timeout: Duration,
    /// Most bytes of an answer, decompressed; beyond, nothing of it is kept.
    pub body_bytes_max: usize,
    /// What one scrape may hold.
    pub limits: ScrapeLimits,
    /// Labels that the target has itself win over those given here.
    pub honor_labels: bool,
    /// Times that the target gives are kept; otherwise every sample has the time of the scrape.
    pub honor_timestamps: bool,
    /// Labels that every series gets, beside `job` and `instance`; `instance` may be among them.
    pub labels: Labels,
    /// What is sent to be let in.
    pub credentials: Option<Credentials>,
    /// Parameters that are put behind the URL.
    pub params: Vec<(String, String)>,
    /// What becomes of the series before they are kept.
    pub metric_relabel: Vec<Relabel>,
}

/// What one scrape may hold; beyond, nothing of it is kept.
#[derive(Clone, Copy, Debug)]
pub struct ScrapeLimits {
    /// Most samples, after relabelling.
    pub samples_max: usize,
    /// Most labels of one series, the name and those of the target included.
    pub labels_max: usize,
    /// Most bytes of the name of a label.
    pub label_name_bytes_max: usize,
    /// Most bytes of the value of a label.
    pub label_value_bytes_max: usize,
}

impl Default for ScrapeLimits {
    fn default() -> Self {
        Self {
            samples_max: 50_000,
            labels_max: 64,
            label_name_bytes_max: 512,
            label_value_bytes_max: 4096,
        }
    }
}

/// What is sent to be let in.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// HTTP basic authentication.
    Basic {
        /// The name of the user.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// A bearer token.
    Bearer(SecretString),
}

/// Why a target cannot be scraped.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The address is not one of HTTP.
    #[error("the target {job:?} has an address of the scheme {scheme:?}; use http or https")]
    Scheme {
        /// The job of the target.
        job: String,
        /// The scheme.
        scheme: String,
    },
    /// A name or password stands in the address, where it would be shown.
    #[error("the target {job:?} has a name or password in its address; give them as credentials")]
    SecretInUrl {
        /// The job of the target.
        job: String,
    },
    /// The times do not fit.
    #[error("the target {job:?} has a timeout of 0 s, or longer than its interval")]
    Timeout {
        /// The job of the target.
        job: String,
    },
    /// Two targets would write the same series.
    #[error("two targets have the labels {labels}; give them different ones")]
    Twice {
        /// The labels of both.
        labels: Labels,
    },
}

impl ScrapeTarget {
    /// Describes a target with everything but job and address as Prometheus has it by default:
    /// every 15 s, a timeout of 10 s, 16 MiB, times of the target honoured, its labels not.
    pub fn new(job: &str, url: Url) -> Self {
        Self {
            job: job.to_owned(),
            url,
            interval: Duration::from_secs(15),
            timeout: Duration::from_secs(10),
            body_bytes_max: 16 << 20,
            limits: ScrapeLimits::default(),
            honor_labels: false,
            honor_timestamps: true,
            labels: Labels::empty(),
            credentials: None,
            params: Vec::new(),
            metric_relabel: Vec::new(),
        }
    }

    /// Returns the labels that every series of the target gets.
    pub(crate) fn target_labels(&self) -> Labels {
        let mut labels = LabelsBuilder::from(&self.labels);
        labels.set("job", &self.job);
        if self.labels.get("instance").is_none() {
            labels.set("instance", &self.address());
        }
        labels.build()
    }

    /// Returns what was configured, under the names by which Prometheus lists it.
    pub(crate) fn discovered_labels(&self) -> Labels {
        let mut labels = LabelsBuilder::from(&self.labels);
        labels.set("job", &self.job);
        labels.set("__address__", &self.address());
        labels.set("__scheme__", self.url.scheme());
        labels.set("__metrics_path__", self.url.path());
        labels.set("__scrape_interval__", &format_duration(self.interval));
        labels.set("__scrape_timeout__", &format_duration(self.timeout));
        for (name, value) in &self.params {
            labels.set(&format!("__param_{name}"), value);
        }
        labels.build()
    }

    /// Returns the address with its parameters.
    pub(crate) fn scrape_url(&self) -> Url {
        let mut url = self.url.clone();
        if !self.params.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.params);
        }
        url
    }

    fn address(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().unwrap_or_default();
        format!("{host}:{port}")
    }

    fn check(&self) -> Result<(), TargetError> {
        let job = || self.job.clone();
        if !matches!(self.url.scheme(), "http" | "https") {
            return Err(TargetError::Scheme { job: job(), scheme: self.url.scheme().to_owned() });
        }
        if !self.url.username().is_empty() || self.url.password().is_some() {
            return Err(TargetError::SecretInUrl { job: job() });
        }
        if self.timeout.is_zero() || self.interval < self.timeout {
            return Err(TargetError::Timeout { job: job() });
        }
        Ok(())
    }
}

/// Checks each target, and that no two write the same series.
pub(crate) fn check_targets(targets: &[ScrapeTarget]) -> Result<(), TargetError> {
    let mut seen = BTreeMap::new();
    for target in targets {
        target.check()?;
        let labels = target.target_labels();
        if seen.insert(labels.clone(), ()).is_some() {
            return Err(TargetError::Twice { labels });
        }
    }
    Ok(())
}

/// Returns how long after a multiple of the interval a job with these labels has its turn, so that
/// jobs of the same interval do not all begin at once.
pub(crate) fn offset(labels: &Labels, extra: &str, interval: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    labels.hash(&mut hasher);
    extra.hash(&mut hasher);
    let interval_ms = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(hasher.finish() % interval_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> ScrapeTarget {
        ScrapeTarget::new("node", url.parse().unwrap())
    }

    #[test]
    fn labels_follow_from_the_address() {
        let mut node = target("http://localhost:9100/metrics");
        assert_eq!(node.target_labels().to_string(), r#"{instance="localhost:9100", job="node"}"#);
        node.params = vec![("collect[]".to_owned(), "cpu".to_owned())];
        assert_eq!(node.scrape_url().query(), Some("collect%5B%5D=cpu"));
        assert_eq!(node.discovered_labels().get("__param_collect[]"), Some("cpu"));
        assert_eq!(node.discovered_labels().get("__scrape_timeout__"), Some("10s"));
        node.labels = [("instance", "house")].into_iter().collect();
        assert_eq!(node.target_labels().get("instance"), Some("house"));
        assert_eq!(target("https://a/").target_labels().get("instance"), Some("a:443"));
    }

    #[test]
    fn wrong_targets_are_refused() {
        let mut slow = target("http://a/");
        slow.timeout = Duration::from_secs(16);
        check(&[target("http://a/"), target("http://b/")], None);
        check(&[target("ftp://a/")], Some("has an address of the scheme \"ftp\""));
        check(&[target("http://u:p@a/")], Some("give them as credentials"));
        check(&[slow], Some("longer than its interval"));
        check(&[target("http://a/"), target("http://a/x")], Some("give them different ones"));
    }

    #[track_caller]
    fn check(targets: &[ScrapeTarget], expected: Option<&str>) {
        let message = check_targets(targets).err().map(|error| error.to_string());
        match expected {
            None => assert_eq!(message, None),
            Some(part) => {
                assert!(message.as_ref().is_some_and(|m| m.contains(part)), "{message:?}")
            }
        }
    }
}
