"""The OpenSearch client for Python, as a stranger would use it, against a running server.

Run by `cargo xtask test opensearch`, or by hand:

    OPENSEARCH_URL=http://127.0.0.1:9200 python -m pytest crates/logs/tests/clients
"""

import os
import uuid

import pytest
from opensearchpy import (
    ConflictError,
    Document,
    Keyword,
    Date,
    Text,
    Float,
    NotFoundError,
    OpenSearch,
    Q,
    RequestError,
    A,
    Search,
    UpdateByQuery,
    helpers,
)
from opensearchpy.exceptions import TransportError

URL = os.environ["OPENSEARCH_URL"]
WORDS = ["rain", "wind", "gust", "sensor", "offline", "timeout", "storm", "calm"]
LEVELS = ["ERROR", "WARN", "INFO", "DEBUG"]


@pytest.fixture(scope="session")
def client():
    client = OpenSearch(URL, http_auth=("any", "thing"), timeout=60)
    assert client.ping()
    yield client
    client.close()


@pytest.fixture
def index(client):
    name = f"pampero_client_{uuid.uuid4().hex[:12]}"
    yield name
    client.indices.delete(index=f"{name}*", ignore_unavailable=True)


def documents(count, index):
    for number in range(count):
        yield {
            "_index": index,
            "_id": f"d{number}",
            "_source": {
                "@timestamp": f"2026-08-21T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z",
                "level": LEVELS[number % 4],
                "message": f"{WORDS[number % 8]} {WORDS[number % 5]} number {number}",
                "place": f"p{number % 7}",
                "n": number,
            },
        }


def test_info_and_health(client):
    info = client.info()
    assert info["version"]["distribution"] == "opensearch"
    assert client.cluster.health()["status"] in ("green", "yellow")
    assert client.cluster.get_settings()
    assert isinstance(client.cat.indices(format="json"), list)
    assert client.nodes.info()["nodes"]


def test_documents_come_and_go(client, index):
    made = client.index(index=index, id="1", body={"a": 1}, refresh=True)
    assert (made["result"], made["_version"]) == ("created", 1)
    assert client.get(index=index, id="1")["_source"] == {"a": 1}
    assert client.exists(index=index, id="1")
    assert not client.exists(index=index, id="2")
    assert client.get_source(index=index, id="1") == {"a": 1}
    with pytest.raises(ConflictError):
        client.create(index=index, id="1", body={"a": 2})
    client.update(index=index, id="1", body={"doc": {"b": 2}})
    found = client.mget(index=index, body={"ids": ["1", "2"]})["docs"]
    assert [doc["found"] for doc in found] == [True, False]
    assert found[0]["_source"] == {"a": 1, "b": 2}
    with pytest.raises(ConflictError):
        client.index(index=index, id="1", body={}, if_seq_no=99, if_primary_term=1)
    assert client.delete(index=index, id="1")["result"] == "deleted"
    with pytest.raises(NotFoundError):
        client.get(index=index, id="1")
    with pytest.raises(NotFoundError) as missing:
        client.search(index=f"{index}_nothing")
    assert missing.value.error == "index_not_found_exception"


def test_bulk_helpers(client, index):
    count, errors = helpers.bulk(client, documents(2_500, index), chunk_size=500, refresh=True)
    assert (count, errors) == (2_500, [])
    assert client.count(index=index)["count"] == 2_500
    again = list(helpers.streaming_bulk(client, documents(100, index), refresh=True))
    assert all(ok and item["index"]["result"] == "updated" for ok, item in again)
    both = helpers.parallel_bulk(client, documents(3_000, index), thread_count=4, chunk_size=300)
    assert sum(ok for ok, _ in both) == 3_000
    client.indices.refresh(index=index)
    assert client.count(index=index)["count"] == 3_000


def test_bulk_errors_are_told_for_each_item(client, index):
    client.indices.create(index=index, body={"mappings": {"properties": {"n": {"type": "long"}}}})
    actions = [
        {"_index": index, "_id": "good", "n": 1},
        {"_index": index, "_id": "bad", "n": "many"},
        {"_op_type": "create", "_index": index, "_id": "good", "n": 2},
        {"_op_type": "delete", "_index": index, "_id": "none"},
    ]
    with pytest.raises(helpers.BulkIndexError) as raised:
        helpers.bulk(client, actions)
    assert raised.value.errors[0]["index"]["error"]["type"] == "mapper_parsing_exception"
    results = list(
        helpers.streaming_bulk(client, actions, raise_on_error=False, raise_on_exception=False)
    )
    assert [ok for ok, _ in results] == [True, False, False, False]
    assert results[2][1]["create"]["status"] == 409
    assert results[3][1]["delete"]["status"] == 404


def test_scan_reads_everything_once(client, index):
    helpers.bulk(client, documents(3_333, index), refresh=True)
    seen = [hit["_id"] for hit in helpers.scan(client, index=index, size=500, query={"query": {"match_all": {}}})]
    assert len(seen) == 3_333 == len(set(seen))
    ordered = helpers.scan(
        client, index=index, size=400, preserve_order=True, query={"sort": [{"n": "desc"}]}
    )
    assert [hit["_source"]["n"] for hit in ordered] == list(range(3_332, -1, -1))


def test_reindex_helper(client, index):
    helpers.bulk(client, documents(700, index), refresh=True)
    # It counts failures instead of listing them.
    done = helpers.reindex(client, index, f"{index}_copy", bulk_kwargs={"refresh": True})
    assert done == (700, 0)
    assert client.count(index=f"{index}_copy")["count"] == 700


def test_scroll_and_point_in_time(client, index):
    helpers.bulk(client, documents(25, index), refresh=True)
    page = client.search(index=index, scroll="1m", size=10, body={"sort": ["n"]})
    numbers = []
    while page["hits"]["hits"]:
        numbers += [hit["_source"]["n"] for hit in page["hits"]["hits"]]
        page = client.scroll(body={"scroll_id": page["_scroll_id"], "scroll": "1m"})
    assert numbers == list(range(25))
    assert client.clear_scroll(scroll_id=page["_scroll_id"])["succeeded"]
    pit = client.create_pit(index=index, params={"keep_alive": "1m"})["pit_id"]
    client.delete(index=index, id="d0", refresh=True)
    found = client.search(body={"pit": {"id": pit}, "size": 100, "sort": ["n"]})
    assert found["hits"]["total"]["value"] == 25
    client.delete_pit(body={"pit_id": [pit]})


def test_searches(client, index):
    helpers.bulk(client, documents(400, index), refresh=True)
    found = client.search(
        index=index,
        body={
            "query": {"bool": {"filter": [{"match": {"level": "error"}}, {"range": {"n": {"lt": 100}}}]}},
            "sort": [{"n": "desc"}],
            "size": 5,
            "_source": ["n"],
            "highlight": {"fields": {"level": {}}},
        },
    )
    assert found["hits"]["total"] == {"value": 25, "relation": "eq"}
    assert [hit["_source"] for hit in found["hits"]["hits"]] == [{"n": n} for n in (96, 92, 88, 84, 80)]
    assert found["hits"]["hits"][0]["highlight"] == {"level": ["<em>ERROR</em>"]}
    counted = client.search(index=index, q='level:error AND message:"rain rain"', size=0)
    assert counted["hits"]["total"]["value"] == sum(
        1 for n in range(400) if n % 4 == 0 and n % 8 == 0 and n % 5 == 0
    )
    both = client.msearch(body=[{"index": index}, {"size": 0}, {"index": "none_such"}, {}])
    assert both["responses"][0]["hits"]["total"]["value"] == 400
    assert both["responses"][1]["status"] == 404
    caps = client.field_caps(index=index, fields="*")
    assert caps["fields"]["level.keyword"]["keyword"]["aggregatable"]
    assert client.indices.validate_query(index=index, body={"query": {"match_all": {}}})["valid"]
    tokens = client.indices.analyze(body={"analyzer": "standard", "text": "Timed_Out 10.5mm"})["tokens"]
    assert [token["token"] for token in tokens] == ["timed_out", "10.5mm"]


def test_refusals_have_types_and_reasons(client, index):
    client.indices.create(index=index)
    with pytest.raises(RequestError) as refused:
        client.search(index=index, body={"query": {"mach": {}}})
    assert refused.value.error == "parsing_exception"
    with pytest.raises(RequestError) as refused:
        client.indices.create(index=index)
    assert refused.value.error == "resource_already_exists_exception"
    with pytest.raises(TransportError) as refused:
        client.search(index=index, body={"sort": ["nothing"]})
    assert refused.value.status_code == 400
    assert "No mapping found for [nothing]" in str(refused.value.info)


def test_indices_aliases_templates(client, index):
    client.indices.put_index_template(
        name=index,
        body={
            "index_patterns": [f"{index}-*"],
            "template": {"mappings": {"properties": {"place": {"type": "keyword"}}}, "aliases": {f"{index}_all": {}}},
        },
    )
    assert client.indices.exists_index_template(name=index)
    client.index(index=f"{index}-1", body={"place": "x"}, refresh=True)
    client.index(index=f"{index}-2", body={"place": "y"}, refresh=True)
    assert client.indices.get_mapping(index=f"{index}-1")[f"{index}-1"]["mappings"]["properties"] == {
        "place": {"type": "keyword"}
    }
    assert client.count(index=f"{index}_all")["count"] == 2
    assert client.indices.exists_alias(name=f"{index}_all")
    client.indices.update_aliases(
        body={"actions": [{"remove": {"index": f"{index}-1", "alias": f"{index}_all"}}]}
    )
    assert client.count(index=f"{index}_all")["count"] == 1
    client.indices.put_settings(index=f"{index}-1", body={"index": {"refresh_interval": "5s"}})
    settings = client.indices.get_settings(index=f"{index}-1")
    assert settings[f"{index}-1"]["settings"]["index"]["refresh_interval"] == "5s"
    assert client.indices.stats(index=f"{index}-1")["_all"]["primaries"]["docs"]["count"] == 1
    client.indices.delete_index_template(name=index)


class LogLine(Document):
    timestamp = Date()
    level = Text(fields={"keyword": Keyword()})
    message = Text()
    place = Keyword()
    n = Float()


def test_the_language_of_the_client(client, index):
    LogLine.init(index=index, using=client)
    for number in range(40):
        line = LogLine(
            meta={"id": str(number)},
            timestamp=f"2026-08-21T10:{number:02}:00Z",
            level=LEVELS[number % 4],
            message=f"{WORDS[number % 8]} fell",
            place=f"p{number % 3}",
            n=number,
        )
        line.save(using=client, index=index)
    client.indices.refresh(index=index)
    assert LogLine.get(id="7", using=client, index=index).place == "p1"
    search = (
        Search(using=client, index=index)
        .query("match", level="error")
        .filter(Q("term", place="p0") | Q("range", n={"gte": 30}))
        .exclude("ids", values=["0"])
        .sort("-n")
    )
    expected = [n for n in range(39, 0, -1) if n % 4 == 0 and (n % 3 == 0 or n >= 30)]
    assert [hit.n for hit in search.execute()] == expected
    search = Search(using=client, index=index)[:0]
    search.aggs.bucket("places", A("terms", field="place")).metric("mean", "avg", field="n").bucket(
        "over_time", "date_histogram", field="timestamp", fixed_interval="10m"
    )
    answer = search.execute()
    assert {bucket.key: bucket.doc_count for bucket in answer.aggregations.places} == {
        "p0": 14,
        "p1": 13,
        "p2": 13,
    }
    first = answer.aggregations.places.buckets[0]
    assert first.mean.value == 19.5
    assert [bucket.doc_count for bucket in first.over_time] == [4, 3, 3, 4]
    seen = {hit.meta.id for hit in Search(using=client, index=index).params(size=15).scan()}
    assert len(seen) == 40


def test_what_is_not_supported_is_named(client, index):
    client.indices.create(index=index)
    for call in (
        lambda: client.search(index=index, body={"query": {"script": {"script": "1 == 1"}}}),
        lambda: client.search(index=index, body={"suggest": {"s": {"text": "x"}}}),
        lambda: UpdateByQuery(using=client, index=index).script(source="ctx._source.x = 1").execute(),
        lambda: client.ingest.put_pipeline(id="p", body={"processors": []}),
    ):
        with pytest.raises(TransportError) as refused:
            call()
        assert "not supported by this server" in str(refused.value.info), refused.value.info
