//! The monitors that are run.

use serde_json::{Value, json};

use crate::logs::{PLACES, PROVIDERS};

/// Returns the definition of a monitor, in one of three shapes; no two of the first thousand ask the same.
pub(crate) fn monitor(number: usize) -> Value {
    let (shape, rest) = (number % 3, number / 3);
    let place = PLACES[rest % PLACES.len()];
    let provider = PROVIDERS[rest / PLACES.len() % PROVIDERS.len()];
    let minutes = 1 + rest / (PLACES.len() * PROVIDERS.len());
    let time =
        json!({ "range": { "timestamp": { "gte": format!("now-{minutes}m/m"), "lte": "now/m" } } });
    let newest = json!([{ "timestamp": { "order": "desc", "unmapped_type": "date" } }]);
    let (place_is, provider_is) =
        (json!({ "term": { "place": place } }), json!({ "term": { "provider": provider } }));
    let (query, condition) = match shape {
        0 => {
            let must = json!([{ "match": { "level": "error" } }, place_is, provider_is, time]);
            let query = json!({ "size": 3, "query": { "bool": { "must": must } }, "sort": newest });
            (query, "ctx.results[0].hits.total.value > 2")
        }
        1 => {
            let filter = json!([place_is, provider_is, time]);
            let mean = json!({ "mean": { "avg": { "field": "duration_ms" } } });
            let query =
                json!({ "size": 0, "query": { "bool": { "filter": filter } }, "aggs": mean });
            let condition = "def mean = ctx.results[0].aggregations.mean.value; \
                             return mean != null && mean > 2600.0";
            (query, condition)
        }
        _ => {
            let words = format!("level:(error OR warn) AND place:{place} AND provider:{provider}");
            let must = json!([{ "query_string": { "query": words } }]);
            let query = json!({ "bool": { "must": must, "filter": [time] } });
            let query = json!({ "size": 3, "query": query, "sort": newest });
            (query, "ctx.results[0].hits.total.value > params.most")
        }
    };
    json!({
        "type": "monitor",
        "name": format!("Logs of {place} by {provider}, {number}"),
        "monitor_type": "query_level_monitor",
        "enabled": true,
        "schedule": { "period": { "interval": 1, "unit": "MINUTES" } },
        "inputs": [{ "search": { "indices": ["weather_logs"], "query": query } }],
        "triggers": [{ "query_level_trigger": {
            "id": "count",
            "name": "count",
            "severity": "1",
            "condition": { "script": {
                "source": condition, "lang": "painless", "params": { "most": 20 },
            } },
            "actions": [{
                "id": "tell",
                "name": "ERROR Log",
                "destination_id": "everybody",
                "subject_template": { "source": "{{ctx.monitor.name}}", "lang": "mustache" },
                "message_template": { "source": "{{ctx.results.0.hits.total.value}} errors between \
                    {{ctx.periodStart}} and {{ctx.periodEnd}}.\n{{#ctx.results.0.hits.hits}}\
                    {{_source.timestamp}} {{{_source.log_message}}}\n{{/ctx.results.0.hits.hits}}",
                    "lang": "mustache" },
                "throttle_enabled": true,
                "throttle": { "value": 10, "unit": "MINUTES" },
            }],
        } }],
    })
}
