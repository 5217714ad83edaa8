//! No line of any log shows a secret, however much is logged.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use pampero_notifications::{
    Channel, Courier, CourierOptions, FolderVault, Guard, Message, MessageKind, Network,
    SystemResolver,
};
use pampero_resilience::VirtualClock;
use serde_json::json;

/// Keeps what is logged.
#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn log_shows_no_secret() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    tracing_log::LogTracer::init().unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4_096]).unwrap();
        stream.write_all(b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n").unwrap();
    });
    let start = "2026-09-21T13:04:00Z".parse().unwrap();
    let allowed: Vec<Network> = vec!["127.0.0.1".parse().unwrap()];
    let guard = Guard::new(allowed, Arc::new(SystemResolver));
    let folder = tempfile::tempdir().unwrap();
    let vault = FolderVault::new(folder.path(), Vec::new(), BTreeMap::new());
    let json = json!({ "config": { "name": "Hook", "config_type": "webhook", "webhook": {
        "url": format!("http://{address}/in/s3cret-path?key=s3cret-query"),
        "header_params": { "Authorization": "Bearer s3cret-token" },
        "hmac_secret": "s3cret-hmac",
    } } });
    let channel = Channel::from_json("hook", &json, None, &vault, &guard, start).unwrap();
    let message = Message {
        key: "m-1".to_owned(),
        kind: MessageKind::Test,
        subject: "s3cret-subject".to_owned(),
        text: "s3cret-text".to_owned(),
        severity: 3,
        source: "hook".to_owned(),
        incident: "hook".to_owned(),
        link: None,
        at: start,
        is_repeat: false,
        alerts: Vec::new(),
    };
    let clock = Arc::new(VirtualClock::starting_at(start));
    let courier =
        Courier::new(CourierOptions { guard, ..CourierOptions::default() }, clock).unwrap();
    courier.deliver(&channel, &message).await.unwrap_err();

    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("message sent"), "{logged}");
    assert!(!logged.contains("s3cret"), "{logged}");
}
