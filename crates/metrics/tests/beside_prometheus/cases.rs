//! What the targets say, and what is configured for them.

use std::fmt::Write;
use std::time::Duration;

use pampero_resilience::{Clock, SystemClock};
use pampero_series::Labels;

/// One target.
pub(crate) struct Case {
    pub(crate) body: &'static [u8],
    pub(crate) open_metrics: bool,
    pub(crate) honor_labels: bool,
    pub(crate) honor_timestamps: bool,
    /// A label of the target that is in the way of a renamed one; empty for none.
    pub(crate) exported_zone: &'static str,
    /// Most samples, `0` for no limit that is reached.
    pub(crate) sample_limit: usize,
}

const fn text(body: &'static str) -> Case {
    Case {
        body: body.as_bytes(),
        open_metrics: false,
        honor_labels: false,
        honor_timestamps: true,
        exported_zone: "",
        sample_limit: 0,
    }
}

const fn open(body: &'static str) -> Case {
    Case { open_metrics: true, ..text(body) }
}

/// Cases that are kept alike. In the texts, `NOW` is the present instant as the format writes it.
pub(crate) const CASES: &[Case] = &[
    text(
        "# HELP typed_total With \\\\ and \\n in it\n# TYPE typed_total counter\n\
         typed_total{a=\"1\",b=\"\\\\ \\\" \\n Ñ}\"} 1\ntyped_total 2\n",
    ),
    text("a\t1 \n\n \n"),
    text("#\na 1\n"),
    text("# \na 1\n"),
    text("# x\na 1\n"),
    text("#x\na 1\n"),
    text("#TYPE b x\na 1\n"),
    text("# TYPE\na 1\n"),
    text("# TYPE \na 1\n"),
    text("# TYPE b\na 1\n"),
    text("# TYPE b \na 1\n"),
    text("# HELP\na 1\n"),
    text("# HELP \na 1\n"),
    text("# HELP b \na 1\n"),
    text("# TYPES b\na 1\n"),
    text("#\tTYPE\tb\tgauge\na 1\n"),
    text("# TYPE b gauge \na 1\n"),
    text("  # TYPE b gauge\na 1\n"),
    text("a { c = \"1\" , d=\"2\" } 2\n"),
    text("a{c=\"1\",} 2\n"),
    text("a{c=\"1\" , } 2\n"),
    text("a{ } 2\n"),
    text("a{} 3\n"),
    text("a {b=\"1\"}3\n"),
    text("a NaN\nb +Inf\nc -inf\nd 1e-300\ne .5\nf 5.\nh infinity\ni +1.5E+3"),
    text("a 1e999\n"),
    text("a 0x10\n"),
    text("a 1_0\n"),
    text("a +NaN\n"),
    text("a 1\nb{c=\"1\"\n"),
    text("a 1\nb{c='1'} 1\n"),
    text("a 1\nb{c=\"\\t\"} 1\n"),
    text("a 1\nb{c=\"1\",c=\"2\"} 1\n"),
    text("a 1\nb{,} 1\n"),
    text("a 1\nb{c=\"1\",,} 1\n"),
    text("a 1\n{c=\"1\"} 1\n"),
    text("a 1\n1b 1\n"),
    text("a 1\nb-c 1\n"),
    text("a 1\nb:c 2\nb{d:e=\"1\"} 1\n"),
    text("a 1\nb\n"),
    text("a 1\nb 1 1 1\n"),
    text("a 1\nb 1 1.5\n"),
    text("a 1\n# TYPE b thing\nb 1\n"),
    text("a 1\n# TYPE 1b counter\n"),
    text("a 1\n# HELP b\nb 2\n# TYPE c untyped\nc 3"),
    text("a 1\r\n"),
    text("a 1 NOW\n"),
    Case { honor_timestamps: false, ..text("a 1 5\n") },
    text("a{zone=\"north\",job=\"x\",instance=\"\"} 1\n"),
    text("a{zone=\"north\",exported_zone=\"east\"} 1\n"),
    Case { honor_labels: true, ..text("a{zone=\"north\"} 1\nb{zone=\"\"} 2\nc 3\n") },
    text("a{b=\"\"} 1\n"),
    text("a 1\na 2\na{b=\"1\"} 3\na{ b=\"1\" } 4\n"),
    Case { sample_limit: 2, ..text("a 1\nb 2\n") },
    Case { sample_limit: 1, ..text("a 1\nb 2\n") },
    text(""),
    text("# only a comment"),
    open("# EOF\n"),
    open("a 1\n"),
    open(
        "# TYPE h_s histogram\n# UNIT h_s s\n# HELP h_s x\nh_s_bucket{le=\"1\"} 1 # {a=\"b\"} 0.5\n\
         h_s_bucket{le=\"+Inf\"} 2 NOW # {} 1 1.5\nh_s_count 2\nh_s_sum 1.5\n# EOF\n",
    ),
    open("# TYPE i info\ni_info{a=\"1\"} 1\n# TYPE s stateset\ns{s=\"x\"} 0\n# EOF"),
    open("# TYPE c counter\nc_total 5\nc_created 1e9\n# EOF\n"),
    open("# TYPE u unknown\nu 1\n# TYPE g gaugehistogram\ng_gcount 1\n# EOF\n"),
    open("# UNIT a s\na 1\n# EOF\n"),
    open("# UNIT a_s \na 1\n# EOF\n"),
    open("# TYPE a_s \na 1\n# EOF\n"),
    open("# HELP a \na 1\n# EOF\n"),
    open("# HELP a\na 1\n# EOF\n"),
    open("a{ b=\"1\" } 1\n# EOF\n"),
    open("a{b=\"1\", c=\"2\"} 1\n# EOF\n"),
    open("a{b=\"1\",} 1\n# EOF\n"),
    open("a{} 1\n# EOF\n"),
    open("a {b=\"1\"} 1\n# EOF\n"),
    open("a{b=\"\\t\"} 1\n# EOF\n"),
    open("a 1\n\n# EOF\n"),
    open("a  1\n# EOF\n"),
    open("a 1 \n# EOF\n"),
    open("a\t1\n# EOF\n"),
    open(" a 1\n# EOF\n"),
    open("a{b=\"1\"}1\n# EOF\n"),
    open("a 1 NaN\n# EOF\n"),
    open("# note\na 1\n# EOF\n"),
    open("a 1\n# EOF\na 2\n"),
    open("a 1 # {b=\"c\"}\n# EOF\n"),
];

/// Returns all cases: first those that are kept alike, then the explained ones.
pub(crate) fn all() -> impl Iterator<Item = &'static Case> {
    CASES.iter().chain(EXPLAINED.iter().map(|explained| &explained.case))
}

/// Returns what a target says just now.
pub(crate) fn body(case: &Case) -> Vec<u8> {
    match std::str::from_utf8(case.body) {
        Ok(text) => text.replace("NOW", &now(case.open_metrics)).into_bytes(),
        Err(_) => case.body.to_vec(),
    }
}

fn now(open_metrics: bool) -> String {
    let now_ms = SystemClock.now().as_millisecond();
    if open_metrics {
        format!("{}.{:03}", now_ms / 1000, now_ms % 1000)
    } else {
        now_ms.to_string()
    }
}

/// Cases that are kept differently, with the reason; the other way round would be worse.
pub(crate) const EXPLAINED: &[Explained] = &[
    Explained {
        case: text(" a 1\n"),
        reason: "the format allows blanks before a name; Prometheus 2.42 takes them for a part of it",
    },
    Explained {
        case: text("a{b=\"1\" c=\"1\"} 1\n"),
        reason: "the format has a comma between labels; Prometheus 2.42 does without",
    },
    Explained {
        case: Case { exported_zone: "west", ..text("a{zone=\"north\"} 1\n") },
        reason: "Prometheus 2.42 takes exported_zone away from what it reports of a target that has \
                 zone as well, since it makes room for renamed labels",
    },
    Explained {
        case: Case { body: b"a 1\nb{c=\"\xff\"} 1\n", ..text("") },
        reason: "the whole text is checked for UTF-8 first, so no sample is counted as scraped",
    },
];

/// A case that is kept differently, and why.
pub(crate) struct Explained {
    pub(crate) case: Case,
    pub(crate) reason: &'static str,
}

/// Returns whether a series says something else at each scrape.
pub(crate) fn depends_on_time(labels: &Labels) -> bool {
    let metric = labels.metric_name().unwrap_or_default();
    matches!(metric, "scrape_duration_seconds" | "scrape_series_added")
}

/// Returns the configuration with which Prometheus scrapes all of them and sends what it keeps.
pub(crate) fn configuration(address: &str, interval: Duration) -> String {
    let interval = format!("{}ms", interval.as_millis());
    let mut yaml = format!(
        "global: {{scrape_interval: {interval}, scrape_timeout: {interval}}}\n\
         remote_write:\n- url: http://{address}/write\n  metadata_config: {{send_interval: 1s}}\n  \
         queue_config: {{batch_send_deadline: 100ms}}\nscrape_configs:\n"
    );
    for (index, case) in all().enumerate() {
        let Case { honor_labels, honor_timestamps, exported_zone, sample_limit, .. } = case;
        write!(
            yaml,
            "- job_name: case-{index}\n  metrics_path: /case/{index}\n  \
             honor_labels: {honor_labels}\n  honor_timestamps: {honor_timestamps}\n  \
             sample_limit: {sample_limit}\n  static_configs:\n  - targets: ['{address}']\n    \
             labels: {{zone: south, exported_zone: '{exported_zone}'}}\n"
        )
        .unwrap();
    }
    yaml
}
