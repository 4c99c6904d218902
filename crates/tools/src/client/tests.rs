use http::header::HOST;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;

const LIMITS: (Duration, usize) = (Duration::from_secs(5), 1000);

/// A server that answers each connection with the next of these.
async fn server(answers: Vec<Vec<u8>>, tasks: &mut JoinSet<Vec<String>>) -> Base {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tasks.spawn(async move {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            let count = socket.read(&mut head).await.unwrap();
            let head = String::from_utf8_lossy(&head[..count]).into_owned();
            asked.push(head.lines().next().unwrap_or_default().to_owned());
            let _ = socket.write_all(&answer).await;
            let _ = socket.shutdown().await;
        }
        asked
    });
    Base {
        is_https: false,
        host: "127.0.0.1".to_owned(),
        port,
    }
}

fn request(base: &Base, method: Method) -> Request {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, base.authority().parse().unwrap());
    Request {
        method,
        base: base.clone(),
        target: "/start?a=b".to_owned(),
        headers,
        body: Bytes::new(),
    }
}

async fn ask(answers: &[&str], method: Method) -> (Result<Answer, Unanswered>, Vec<String>) {
    let mut tasks = JoinSet::new();
    let answers = answers
        .iter()
        .map(|it| it.replace('\n', "\r\n").into_bytes())
        .collect();
    let base = server(answers, &mut tasks).await;
    let answer = Client::new(None).send(request(&base, method), LIMITS).await;
    tasks.abort_all();
    let mut asked = Vec::new();
    while let Some(done) = tasks.join_next().await {
        asked.extend(done.unwrap_or_default());
    }
    (answer, asked)
}

#[tokio::test]
async fn an_answer_is_read_up_to_its_bound() {
    let (answer, _) = ask(
        &["HTTP/1.1 200 OK\nContent-Type: application/JSON; x=y\n\n{}"],
        Method::GET,
    )
    .await;
    let answer = answer.unwrap();
    assert_eq!(
        (answer.status, answer.kind.as_str(), answer.is_json()),
        (200, "application/json", true)
    );
    assert_eq!((answer.body.as_slice(), answer.is_cut), (&b"{}"[..], false));
    let long = format!(
        "HTTP/1.1 200 OK\nContent-Length: 900000\n\n{}",
        "x".repeat(900_000)
    );
    let (answer, _) = ask(&[&long], Method::GET).await;
    let answer = answer.unwrap();
    assert_eq!((answer.body.len(), answer.is_cut), (1000, true));
}

#[tokio::test]
async fn a_redirect_is_followed_within_its_host_and_for_what_only_reads() {
    let to = |place: &str| format!("HTTP/1.1 302 Found\nLocation: {place}\nContent-Length: 0\n\n");
    let end = "HTTP/1.1 200 OK\nContent-Length: 2\n\nok";
    let (answer, asked) = ask(&[&to("/next?x=1#y"), end], Method::GET).await;
    assert_eq!(answer.unwrap().status, 200);
    assert_eq!(asked, ["GET /start?a=b HTTP/1.1", "GET /next?x=1 HTTP/1.1"]);
    for place in [
        "https://127.0.0.1/x",
        "http://evil.test/",
        "//evil.test/",
        "/\\evil",
        "next",
        "/a b",
        "http://127.0.0.1@evil.test/",
    ] {
        let (answer, _) = ask(&[&to(place)], Method::GET).await;
        assert_eq!(answer.unwrap().status, 302, "{place}");
    }
    let (answer, _) = ask(&[&to("/next")], Method::POST).await;
    assert_eq!(answer.unwrap().status, 302);
    let round = to("/again");
    let (answer, asked) = ask(&[round.as_str(); REDIRECTS + 1], Method::GET).await;
    assert_eq!((answer.unwrap().status, asked.len()), (302, REDIRECTS + 1));
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_in_words() {
    for wrong in [
        "",
        "no HTTP\n\n",
        "HTTP/1.1 200 OK\nContent-Length: 10\n\nshort",
    ] {
        let (answer, _) = ask(&[wrong], Method::GET).await;
        assert!(matches!(answer, Err(Unanswered::Http(..))), "{wrong}");
    }
    let (answer, _) = ask(
        &["HTTP/1.1 200 OK\nContent-Encoding: gzip\n\nx"],
        Method::GET,
    )
    .await;
    assert!(matches!(answer, Err(Unanswered::Encoded(_))));
    let head = format!("HTTP/1.1 200 OK\nX: {}\n\n", "x".repeat(2 * HEAD_OCTETS));
    let (answer, _) = ask(&[&head], Method::GET).await;
    assert!(matches!(answer, Err(Unanswered::Http(..))));
}

#[tokio::test]
async fn who_never_answers_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let base = Base {
        is_https: false,
        host: "127.0.0.1".to_owned(),
        port,
    };
    let limits = (Duration::from_millis(200), 10);
    let answer = Client::new(None)
        .send(request(&base, Method::GET), limits)
        .await;
    assert!(matches!(answer, Err(Unanswered::TimedOut { .. })));
}

#[tokio::test]
async fn without_authorities_there_is_no_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let base = Base {
        is_https: true,
        host: "localhost".to_owned(),
        port,
    };
    for authorities in [None, Some(PathBuf::from("/no/such"))] {
        let answer = Client::new(authorities)
            .send(request(&base, Method::GET), LIMITS)
            .await;
        assert!(matches!(answer, Err(Unanswered::Trust(_))));
    }
}
