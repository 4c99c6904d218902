//! The close that reads on, and its bounds.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, pause, sleep};

use super::*;
use crate::testing::pair;

#[tokio::test]
async fn what_was_written_last_arrives_at_a_client_that_sends() {
    let (mut agent, client) = pair().await;
    let client = Buffered::new(client);
    client.write_all(b"bye").await.unwrap();
    let agent = async move {
        agent.write_all(&vec![b'x'; 3_000_000]).await.unwrap();
        let mut heard = String::new();
        agent.read_to_string(&mut heard).await.unwrap();
        heard
    };
    let (heard, ()) = tokio::join!(agent, client.linger());
    assert_eq!(heard, "bye");
}

#[tokio::test]
async fn a_client_that_closes_is_not_waited_for() {
    let (agent, client) = pair().await;
    pause();
    let started = Instant::now();
    drop(agent);
    Buffered::new(client).linger().await;
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_client_that_is_silent_is_left_soon() {
    let (_agent, client) = pair().await;
    pause();
    let started = Instant::now();
    Buffered::new(client).linger().await;
    assert!(started.elapsed() >= LINGER_IDLE && started.elapsed() < LINGER_IDLE * 2);
}

#[tokio::test]
async fn a_client_that_drips_is_left_in_the_end() {
    let (mut agent, client) = pair().await;
    pause();
    let started = Instant::now();
    let drips = async {
        while agent.write_all(b"x").await.is_ok() {
            sleep(LINGER_IDLE / 2).await;
        }
    };
    tokio::select! {
        () = Buffered::new(client).linger() => {}
        () = drips => panic!("the client was left before its time"),
    }
    assert!(started.elapsed() >= LINGER && started.elapsed() < LINGER * 2);
}

#[tokio::test]
async fn a_client_that_never_stops_is_cut() {
    let (mut agent, client) = pair().await;
    let flood = async {
        let (mut sent, octets) = (0, vec![b'x'; 1024 * 1024]);
        while agent.write_all(&octets).await.is_ok() {
            sent += octets.len();
        }
        sent
    };
    let (sent, ()) = tokio::join!(flood, Buffered::new(client).linger());
    // What the kernel holds for both sides comes on top.
    assert!(
        (LINGER_OCTETS..2 * LINGER_OCTETS).contains(&(sent + 1024 * 1024)),
        "{sent}"
    );
}
