"""Asks the Prometheus HTTP API at the address given as argument by prometheus-api-client (PyPI).

The history behind the address has to have scraped something: the metric `up` has to be there.
Ends with an error at the first answer that is not as it should be.
"""

import sys
from datetime import datetime, timedelta

# This file has the name of the package, and its folder comes first on the path.
sys.path.pop(0)

from prometheus_api_client import PrometheusConnect  # noqa: E402


def main(url: str) -> None:
    """Calls what people call, and looks at each answer."""
    prometheus = PrometheusConnect(url=url, disable_ssl=True)
    assert prometheus.check_prometheus_connection()

    names = prometheus.all_metrics()
    assert "up" in names, names
    jobs = prometheus.get_label_values("job")
    assert jobs, jobs
    assert "job" in prometheus.get_label_names(), "job"

    current = prometheus.get_current_metric_value("up")
    assert current, current
    for series in current:
        assert series["metric"]["__name__"] == "up", series
        assert float(series["value"][1]) in (0.0, 1.0), series
    job = current[0]["metric"]["job"]
    assert job in jobs, (job, jobs)
    one = prometheus.get_current_metric_value("up", label_config={"job": job})
    assert {series["metric"]["job"] for series in one} == {job}, one

    counted = prometheus.custom_query("count(up)")
    assert int(counted[0]["value"][1]) == len(current), counted

    # The client asks in whole seconds, and the first sample may be younger than one.
    end = datetime.now() + timedelta(seconds=1)
    start = end - timedelta(minutes=10)
    ranged = prometheus.custom_query_range("up", start_time=start, end_time=end, step="15")
    assert ranged and all(series["values"] for series in ranged), ranged

    chunks = prometheus.get_metric_range_data("up", start_time=start, end_time=end)
    assert chunks and all(series["values"] for series in chunks), chunks
    stamps = [stamp for stamp, _ in chunks[0]["values"]]
    assert stamps == sorted(set(stamps)), stamps

    print(f"{url}: {len(names)} metrics, {len(current)} series of up")


if __name__ == "__main__":
    main(sys.argv[1])
