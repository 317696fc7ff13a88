//! curl against the listener; skipped where there is none.

use std::process::Command;
use std::sync::atomic::Ordering;

use crate::support::{TestServer, pattern};

/// Whether curl is there and knows HTTP/2; says so if not.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn available() -> bool {
    let version = Command::new("curl").arg("--version").output();
    let known = version.is_ok_and(|version| {
        let text = String::from_utf8_lossy(&version.stdout).into_owned();
        text.contains("HTTP2") && text.contains("https")
    });
    if !known {
        println!("skipped: no curl with HTTP/2");
    }
    known
}

struct Curl<'a>(&'a TestServer);

impl Curl<'_> {
    /// Runs curl; `{plain}` and `{tls}` in an argument become the listeners' URLs. Gives its
    /// standard output, its standard error, and whether it succeeded.
    fn run(&self, args: &[&str]) -> (String, String, bool) {
        let output = Command::new("curl")
            .args(["-sS", "--max-time", "20", "--noproxy", "*", "--cacert"])
            .arg(self.0.ca_path())
            .args(args.iter().map(|arg| {
                arg.replace("{plain}", &format!("http://{}", self.0.plain))
                    .replace("{tls}", &format!("https://{}", self.0.tls))
            }))
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.success())
    }

    #[track_caller]
    fn check(&self, args: &[&str], expected: &str) {
        let (out, err, succeeded) = self.run(args);
        assert!(succeeded, "{args:?}: {err}");
        assert_eq!(out, expected, "{args:?}: {err}");
    }
}

const VERSION: &str = "%{http_version} %{http_code} %{num_connects}\n";

#[test]
fn every_version_on_every_listener() {
    if !available() {
        return;
    }
    let server = TestServer::start();
    let curl = Curl(&server);
    for (option, url, version) in [
        ("--http1.0", "{plain}/hello", "1.1"), // the answer's version is ours
        ("--http1.1", "{plain}/hello", "1.1"),
        ("--http2", "{plain}/hello", "1.1"), // Upgrade: h2c is not taken
        ("--http2-prior-knowledge", "{plain}/hello", "2"),
        ("--http1.1", "{tls}/hello", "1.1"),
        ("--http2", "{tls}/hello", "2"),
        ("--http2-prior-knowledge", "{tls}/hello", "2"),
    ] {
        curl.check(&[option, "-w", VERSION, url], &format!("hello{version} 200 1\n"));
    }
}

#[test]
fn connections_are_used_again() {
    if !available() {
        return;
    }
    let server = TestServer::start();
    let curl = Curl(&server);
    for option in ["--http1.1", "--http2"] {
        let (out, ..) = curl.run(&[option, "-w", VERSION, "{tls}/hello", "{tls}/connection"]);
        assert!(out.ends_with(" 200 0\n"), "{option}: {out}");
    }
    assert_eq!(server.counters.connections_accepted.load(Ordering::Relaxed), 2);
}

#[test]
fn bodies_large_and_small() {
    if !available() {
        return;
    }
    let server = TestServer::start();
    let curl = Curl(&server);
    let file = server.dir.path().join("body");
    std::fs::write(&file, vec![b'x'; 100_000]).unwrap();
    let data = format!("@{}", file.display());
    let (expected, parts) = ("x".repeat(100_000), (0..500).map(|n| format!("{n};")));
    let parts: String = parts.collect();
    for option in ["--http1.1", "--http2-prior-knowledge"] {
        for base in ["{plain}", "{tls}"] {
            let url = format!("{base}/echo");
            curl.check(&[option, "--data-binary", &data, &url], &expected);
            // With `Expect: 100-continue`, and without a length.
            let expect = ["-H", "Expect: 100-continue", "-H", "Transfer-Encoding: chunked"];
            let chunked = match option {
                "--http1.1" => &expect[..],
                _ => &expect[..2],
            };
            let args = [&[option, "--data-binary", &data, &url], chunked].concat();
            curl.check(&args, &expected);
            curl.check(&[option, &format!("{base}/stream?500")], &parts);
            let big = server.dir.path().join("big");
            let big_arg = big.display().to_string();
            curl.check(&[option, "-o", &big_arg, &format!("{base}/big?3000000")], "");
            assert!(std::fs::read(&big).unwrap() == pattern(3_000_000));
            let length = "%header{content-length}";
            curl.check(
                &[option, "-I", "-o", &big_arg, "-w", length, &format!("{base}/hello")],
                "5",
            );
        }
    }
}

#[test]
fn http_2_requests_look_like_http_1_requests() {
    if !available() {
        return;
    }
    let server = TestServer::start();
    let curl = Curl(&server);
    let args = ["--http2-prior-knowledge", "-A", "", "-H", "Accept:", "-H", "X-A: b"];
    let (out, ..) = curl.run(&[&args[..], &["{plain}/headers?7"]].concat());
    let host = server.plain;
    assert_eq!(out, format!(r#"/headers?7 {{"x-a": "b", "host": "{host}"}}"#));
}

#[test]
fn http_2_has_the_same_limits_and_failures() {
    if !available() {
        return;
    }
    let server = TestServer::start();
    let curl = Curl(&server);
    let file = server.dir.path().join("body");
    std::fs::write(&file, vec![b'x'; 100_001]).unwrap();
    let data = format!("@{}", file.display());
    let code = ["--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}"];
    let check = |args: &[&str], expected: &str| curl.check(&[&code[..], args].concat(), expected);
    check(&["--data-binary", &data, "{tls}/echo"], "2 413");
    check(&["-H", "Content-Length:", "--data-binary", &data, "{tls}/echo"], "2 413");
    check(&["{tls}/reject"], "2 403");
    check(&["{tls}/no-content"], "2 204");
    check(&["{tls}/panic"], "2 500");
    check(&["{tls}/panic-admit"], "2 500");
    check(&["{tls}/close"], "2 200");
    // An exchange needs HTTP/1.1, and curl comes again with it.
    check(&["--data-binary", "hello", "{tls}/exchange"], "1.1 200");
    let (_, err, succeeded) = curl.run(&["--http2", "{tls}/stream-error?3"]);
    assert!(!succeeded && err.contains("(92)"), "{err}");
}

#[test]
fn http_2_readers_that_stall_are_cut() {
    if !available() {
        return;
    }
    let stall = std::time::Duration::from_millis(500);
    let server = TestServer::limited(|limits| limits.write_stall_timeout = stall);
    let began = std::time::Instant::now();
    let mut child = Command::new("curl")
        .args(["-s", "--http2", "--limit-rate", "1", "--noproxy", "*", "-o", "/dev/null"])
        .arg("--cacert")
        .arg(server.ca_path())
        .arg(format!("https://{}/endless", server.tls))
        .spawn()
        .unwrap();
    assert_eq!(server.report(), "stream dropped");
    assert!(began.elapsed() > stall);
    // It was not curl that gave up.
    assert_eq!(child.try_wait().unwrap(), None);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn http_2_ends_in_order_at_shutdown() {
    if !available() {
        return;
    }
    let mut server = TestServer::start();
    // The second would be served too, were the first answer not followed by GOAWAY.
    let urls = ["slow?700", "hello"].map(|path| format!("https://{}/{path}", server.tls));
    let child = Command::new("curl")
        .args(["-sS", "--http2", "--noproxy", "*", "--cacert"])
        .arg(server.ca_path())
        .args(urls)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while server.counters.requests.load(Ordering::Relaxed) == 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let down = server.shut_down(crate::support::PATIENCE);
    assert_eq!(child.wait_with_output().unwrap().stdout, b"slow");
    assert!(down.join().unwrap() < crate::support::PATIENCE / 2);
}
