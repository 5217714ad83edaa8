//! Conditions, templates, addresses and bodies that mean no good: refused with a word or bounded, nothing is
//! reached that must not be, and the weather is served all the while.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::alerts_kit::{
    ALERTING, NOTIFICATIONS, Receiver, call, done, monitor_with_condition, send, slack_channel,
    with,
};
use crate::harness::{Program, Reply, folder, hurried, simulator};
use crate::logs::create_as_in_the_original;
use crate::logs_hostile::WeatherWatch;

/// Longest time in which anything is answered; a busy machine has its share in it.
const SOON: Duration = Duration::from_secs(10);
const ACTION: &str = "/triggers/0/query_level_trigger/actions/0";
const PREVIEW: &str = "POST /opensearch/_plugins/_alerting/monitors/_execute?dryrun=true";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_means_no_good_is_refused_while_the_weather_is_served() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "");
    let quiet = [("PAMPERO_ALERTING__SHIPPED_MONITORS", "false")];
    let program = Program::serve(folder.path(), &config, &quiet).await;
    program.wait_until("/weather/current", |reply| reply.status == 200).await;
    create_as_in_the_original(&program).await;
    let watch = WeatherWatch::start(&program);
    check_conditions(&program).await;
    check_templates(&program).await;
    check_bodies(&program).await;
    check_addresses(&program).await;
    watch.check("hostile alerts");
    let (status, log) = program.terminate();
    assert!(status.success() && !log.contains("panicked"), "{log}");
}

#[tokio::test]
async fn a_redirect_leads_nowhere_even_where_the_target_is_allowed() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "");
    let allowed = [("PAMPERO_ALERTING__ALLOW", "127.0.0.1")];
    let program = Program::serve(folder.path(), &config, &allowed).await;
    let (hook, target) = (Receiver::start().await, Receiver::start().await);
    done(&program, &format!("POST {NOTIFICATIONS}/configs"), &webhook("hook", &hook.url("/hook")))
        .await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        hook.answer(status, &format!("location: {}\r\n", target.url("/inside")));
        let before = hook.received().len();
        let test = format!("POST {NOTIFICATIONS}/feature/test/hook");
        let sent = call(&program, &test, &Value::Null).await;
        assert_eq!(sent.status, 500, "{status}: {}", sent.text);
        assert!(sent.text.contains(&status[..3]), "{status}: {}", sent.text);
        assert_eq!(hook.received().len(), before + 1, "{status} is not repeated");
    }
    assert_eq!(target.received().len(), 0);
    let (status, log) = program.terminate();
    assert!(status.success() && !log.contains("panicked"), "{log}");
}

/// Conditions that are no such language are refused when they are saved, and those that do not end are ended.
async fn check_conditions(program: &Program) {
    let create = format!("POST {ALERTING}/monitors");
    let deep = "(".repeat(10_000) + "1 > 0" + &")".repeat(10_000);
    let not_deep = "!".repeat(100_000) + "true";
    let long = "true && ".repeat(20_000) + "true";
    for source in [
        "System.exit(0); return true",
        "Runtime.getRuntime().exec('id'); return true",
        "new ProcessBuilder('id').start(); return true",
        "java.lang.Class.forName('java.lang.System'); return true",
        "ctx.getClass().getClassLoader() != null",
        "import java.io.File; return true",
        "def f() { return f(); } return f()",
        "while (true",
        "return 'unclosed",
        "\u{0}",
        "",
        &deep,
        &not_deep,
        &long,
    ] {
        let refused = soon(program, &create, monitor_with_condition(source).to_string()).await;
        check_refusal(source, &refused);
    }
    for source in [
        "while (true) { } return true",
        "for (int i = 0; i >= 0; i++) { for (int j = 0; j >= 0; j++) { } } return true",
        "String s = 'aaaaaaaa'; while (true) { s = s + s; } return true",
        "List l = new ArrayList(); while (true) { l.add(l); } return true",
        "return 1 / 0 > 0",
        "return ctx.results[99].hits.total.value > 0",
        "return ctx.results[0].nothing.at.all > 0",
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('(a+)+b')",
    ] {
        let seen = soon(program, PREVIEW, monitor_with_condition(source).to_string()).await;
        if seen.status != 200 {
            check_refusal(source, &seen);
            continue;
        }
        let shown = seen.json();
        let result = &shown["trigger_results"]["count_error"];
        let fails = result["error"].as_str().is_some_and(|error| !error.is_empty());
        assert!(fails || result["triggered"] == false, "{source}: {}", seen.text);
    }
}

async fn check_templates(program: &Program) {
    let create = format!("POST {ALERTING}/monitors");
    let deep = "{{#ctx}}".repeat(500) + &"{{/ctx}}".repeat(500);
    for source in [
        "{{#ctx.results}}never closed",
        "{{/closed}}",
        "{{#a}}{{#b}}{{/a}}{{/b}}",
        "{{> /etc/passwd}}",
        "{{",
        "{{=<% %>=",
        &deep,
        &"x".repeat(3_001),
    ] {
        let pointer = format!("{ACTION}/message_template/source");
        let monitor = with(monitor_with_condition("return true"), &pointer, json!(source));
        let refused = soon(program, &create, monitor.to_string()).await;
        check_refusal(source, &refused);
    }
    let subject = json!({ "source": "x".repeat(1_001), "lang": "mustache" });
    let pointer = format!("{ACTION}/subject_template");
    let monitor = with(monitor_with_condition("return true"), &pointer, subject);
    check_refusal("a subject", &soon(program, &create, monitor.to_string()).await);
    // Each level shows everything of the one above it as often as there are words.
    let level = |inner: String| {
        format!("{{{{#ctx.monitor.inputs}}}}{}{{{{/ctx.monitor.inputs}}}}", inner.repeat(3))
    };
    let many = (0..4).fold("{{#toJson}}ctx{{/toJson}}".to_owned(), |inner, _| level(inner));
    for source in [
        "{{ctx}}",
        "{{#toJson}}ctx{{/toJson}}",
        &many[..many.len().min(3_000)],
        "{{{ctx.results}}}",
    ] {
        let pointer = format!("{ACTION}/message_template/source");
        let monitor = with(monitor_with_condition("return true"), &pointer, json!(source));
        let seen = soon(program, PREVIEW, monitor.to_string()).await;
        assert!([200, 400].contains(&seen.status), "{source}: {:.500}", seen.text);
        assert!(seen.text.len() < 1 << 20, "{source} is rendered into {} bytes", seen.text.len());
    }
}

async fn check_bodies(program: &Program) {
    let monitors = format!("POST {ALERTING}/monitors");
    let configs = format!("POST {NOTIFICATIONS}/configs");
    let calls = [
        monitors.as_str(),
        &configs,
        PREVIEW,
        "POST /api/alerts/backtest",
        "POST /api/alerts/mutes",
        "POST /api/alerts/acknowledge",
    ];
    let bodies: [&[u8]; 9] = [
        b"nul",
        b"{\"name\":",
        b"7",
        b"\"text\"",
        b"{\"a\":1e99999}",
        b"{\"name\":\"\xff\xfe\"}",
        b"{\"name\":7,\"config\":7,\"ids\":7,\"matchers\":7,\"monitor\":7}",
        b"{\"name\":\"a\",\"name\":\"b\"}",
        b"{\"config\":{\"config_type\":[]},\"triggers\":{},\"ids\":{},\"matchers\":{},\"rules\":[]}",
    ];
    let deep = ["[".repeat(60_000), "{\"a\":".repeat(12_000)];
    for to in calls {
        for body in bodies {
            let refused = soon(program, to, body.to_vec()).await;
            check_refusal(&format!("{to} {:.60}", String::from_utf8_lossy(body)), &refused);
        }
        for body in &deep {
            check_refusal(to, &soon(program, to, body.clone()).await);
        }
        // The plugins read what comes up to their limit, and the others nothing that is announced as too much.
        let sent_bytes = if to.contains("_plugins") { (1 << 20) + 1 } else { 1 };
        let refused = announce(program, to, sent_bytes).await;
        assert!(refused.starts_with("HTTP/1.1 413 "), "{to}: {refused}");
        assert!(refused.contains("bytes"), "{to}: {refused}");
    }
    for wrong in [
        json!({ "monitor_id": "../secrets" }),
        json!({ "rules": "groups: [{name: a, rules: [{alert: A, expr: 'sum('}]}]" }),
        json!({ "rules": "[".repeat(50_000) }),
        json!({ "rules": "&a [*a, *a]" }),
        json!({ "monitor_id": "a", "from": "2026-11-24T00:00:00Z", "to": "2026-11-23T00:00:00Z" }),
        json!({ "monitor_id": "a", "from": "yesterday" }),
    ] {
        let refused = soon(program, "POST /api/alerts/backtest", wrong.to_string()).await;
        check_refusal(&format!("{wrong:.100}"), &refused);
    }
    for id in ["..%2F..%2Fsecrets", "%2e%2e", "a%00b", "%ff"] {
        for to in ["monitors", "configs"] {
            let base = if to == "monitors" { ALERTING } else { NOTIFICATIONS };
            check_refusal(id, &soon(program, &format!("GET {base}/{to}/{id}"), "").await);
            check_refusal(id, &soon(program, &format!("DELETE {base}/{to}/{id}"), "").await);
        }
    }
}

/// Addresses that lead inside, however they are written, are refused; names that do when a message is sent.
async fn check_addresses(program: &Program) {
    let receiver = Receiver::start().await;
    let port = receiver.port();
    for address in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://[::ffff:7f00:1]:{port}/"),
        format!("http://[::127.0.0.1]:{port}/"),
        format!("http://[64:ff9b::7f00:1]:{port}/"),
        format!("http://[2002:7f00:1::]:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://0x7f000001:{port}/"),
        format!("http://0177.0.0.1:{port}/"),
        format!("http://127.1:{port}/"),
        format!("http://0:{port}/"),
        format!("http://１２７.０.０.１:{port}/"),
        format!("http://user:pass@127.0.0.1:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[fe80::1]/".to_owned(),
        "http://[fd00:ec2::254]/latest/".to_owned(),
        "http://10.0.0.1/".to_owned(),
        "http://192.168.1.1/".to_owned(),
        "http://100.64.0.1/".to_owned(),
        "http://224.0.0.1/".to_owned(),
        "https://user:pass@hooks.example.org/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://hooks.example.org/".to_owned(),
        "hooks.example.org".to_owned(),
        "http://".to_owned(),
        format!("https://hooks.example.org/{}", "x".repeat(5_000)),
    ] {
        let to = format!("POST {NOTIFICATIONS}/configs");
        let refused = soon(program, &to, webhook("inside", &address).to_string()).await;
        check_refusal(&address, &refused);
        assert!(!refused.text.contains("user:pass"), "{}", refused.text);
    }
    for address in [
        format!("http://127.0.0.1:{port}/services/T/B/x"),
        format!("http://localhost:{port}/services/T/B/x"),
        "https://hooks.slack.com.example.org/services/T/B/x".to_owned(),
        "https://example.org/?hooks.slack.com/services/T/B/x".to_owned(),
    ] {
        let to = format!("POST {NOTIFICATIONS}/configs");
        let refused = soon(program, &to, slack_channel("inside", &address).to_string()).await;
        check_refusal(&address, &refused);
    }
    for (id, host) in [("name", "localhost"), ("dot", "localhost."), ("upper", "LOCALHOST")] {
        let named = webhook(id, &format!("http://{host}:{port}/"));
        let made = soon(program, &format!("POST {NOTIFICATIONS}/configs"), named.to_string()).await;
        if made.status != 200 {
            check_refusal(host, &made);
            continue;
        }
        let sent = soon(program, &format!("POST {NOTIFICATIONS}/feature/test/{id}"), "").await;
        assert_eq!(sent.status, 500, "{host}: {}", sent.text);
        assert!(sent.text.contains("refused") || sent.text.contains("resolve"), "{}", sent.text);
    }
    assert_eq!(receiver.received().len(), 0, "{:?}", receiver.received());
    let kept = done(program, &format!("GET {NOTIFICATIONS}/configs"), &Value::Null).await;
    assert!(!kept.to_string().contains("inside"), "{kept}");
}

fn webhook(id: &str, url: &str) -> Value {
    json!({ "config_id": id, "config": { "name": id, "config_type": "webhook",
        "webhook": { "url": url, "method": "POST" } } })
}

/// Announces a body of two gibibytes, sends so much of it, and returns the answer, which does not wait for more.
async fn announce(program: &Program, to: &str, sent_bytes: usize) -> String {
    let mut stream = TcpStream::connect(program.address()).await.unwrap();
    let head = format!(
        "{to} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
         content-length: 2147483648\r\nconnection: close\r\n\r\n",
        program.address()
    );
    stream.write_all((head + &"[".repeat(sent_bytes)).as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends something and checks that it is answered soon.
async fn soon(program: &Program, to: &str, body: impl Into<reqwest::Body>) -> Reply {
    let sent = Instant::now();
    let reply = send(program, to, body).await;
    assert!(sent.elapsed() < SOON, "{to} after {:?}: {:.300}", sent.elapsed(), reply.text);
    reply
}

/// Checks that a refusal is the caller's fault and says why.
#[track_caller]
fn check_refusal(what: &str, reply: &Reply) {
    let shown = format!("{what:.100} gets {} {:.500}", reply.status, reply.text);
    assert!((400..500).contains(&reply.status), "{shown}");
    let answer = reply.json();
    let error = &answer["error"];
    let reasons = [error, &error["reason"], &answer["detail"]];
    let has_reason = reasons.iter().any(|it| it.as_str().is_some_and(|it| 5 < it.len()));
    assert!(has_reason, "{shown}");
}
